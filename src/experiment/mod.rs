//! Experiments: from a question to runs, and from runs to estimates and verdicts.

pub mod derived;
pub mod design;
pub mod estimate;
pub mod expectation;
pub mod levels;
mod marks;
pub mod precision;
pub mod quiz;
pub mod runner;
mod scaling;
pub mod selection;
pub mod shard;
pub mod system_map;
mod theory;
pub mod tracing;
pub mod warm_up;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::spec::load::{Document, changed};
use crate::study::{FileHash, LAYOUT, Point, Provenance, Study, Theory};
use design::{Design, DesignPoint};
use runner::{Observer, RunError};

/// Runs a designed experiment and judges its expectations.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn conduct(
    document: &Document,
    design: &Design,
    command: &str,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Study, RunError> {
    let settled;
    let (design, mut remarks) = if design.finds_warm_up {
        let (found, warnings) = warm_up::find(design, jobs, observer, stop)?;
        settled = found;
        (&settled, warnings)
    } else {
        (design, Vec::new())
    };
    let mut points = runner::run(design, jobs, observer, stop)?;
    remarks.extend(precision::refine(design, &mut points, jobs, observer, stop)?);
    let selections = selection::refine(design, &mut points, jobs, observer, stop)?;
    let interrupted = stop.load(Ordering::Relaxed);
    points.retain(|point| !point.runs.is_empty());
    let mut study = study_of(document, design, command, points, remarks, interrupted);
    study.selections = selections;
    Ok(study)
}

/// The study of some points of a design: judged, with what the reader should know about it, to which `remarks` are added.
pub fn study_of(
    document: &Document,
    design: &Design,
    command: &str,
    points: Vec<Point>,
    remarks: Vec<String>,
    interrupted: bool,
) -> Study {
    let hash = |(name, hash): &(String, u64)| FileHash { name: name.clone(), hash: format!("{hash:016x}") };
    let file = &document.experiment;
    let mut study = Study {
        layout: LAYOUT,
        experiment: document.name.clone(),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            files: document.files.iter().chain(&design.data).map(hash).collect(),
        },
        question: file.question.trim().to_owned(),
        prediction: file.prediction.as_ref().map(|text| text.trim().to_owned()),
        analysis: file.analysis.as_ref().map(|text| text.trim().to_owned()),
        run: design.run,
        factors: design.factors.clone(),
        metrics: design.metrics.clone(),
        columns: design.columns.clone(),
        points,
        expectations: Vec::new(),
        assumptions: design.assumptions.clone(),
        warnings: Vec::new(),
        systems: design.systems.clone(),
        plots: file.plots.clone(),
        interrupted,
        marks: marks::marks(design),
        selections: Vec::new(),
        scalings: Vec::new(),
        theories: theories(document, design),
        insights: Vec::new(),
    };
    study.expectations = expectation::judge(&design.checks, &study);
    study.scalings = scaling::scalings(&study);
    study.warnings = warnings(&study);
    study.warnings.extend(cut_short(design));
    study.warnings.extend(remarks);
    if !design.series {
        let limit = design::MAX_SERIES;
        study
            .warnings
            .push(format!("no time series: there are more than {limit} points; a chart over `time` asks for them"));
    }
    study
}

/// With more points than this, closed forms are not looked for.
const MAX_THEORIES: usize = 1000;

/// What closed forms say of the points that have one.
fn theories(document: &Document, design: &Design) -> Vec<Theory> {
    let of = |point: &DesignPoint| {
        let tree = changed(document, &point.overrides).ok()?;
        let (formula, values) = theory::of(&tree)?;
        Some(Theory { variant: point.variant.clone(), levels: point.levels.clone(), formula, values })
    };
    if design.points.len() > MAX_THEORIES { Vec::new() } else { design.points.iter().filter_map(of).collect() }
}

/// Arrivals that a quick run does not see whole: it is shorter, and the instants of their profiles stay where they are.
fn cut_short(design: &Design) -> Option<String> {
    use crate::model::arrival::Arrivals;
    use crate::model::blueprint::Traffic;
    let end = design.plan.warm_up.saturating_add(design.plan.window) as f64;
    let clients = design.points.iter().flat_map(|point| &point.blueprint.clients);
    let mut changes = clients.filter_map(|client| match &client.traffic {
        Traffic::Open(Arrivals::Profiled(profile, _)) => Some((&client.name, profile.last_change()?)),
        _ => None,
    });
    let (client, last) = changes.find(|(_, last)| design.run.quick && *last > end)?;
    let (last, end) = (last / 1e9, end / 1e9);
    Some(format!(
        "quick run: the arrivals of {client} change until {last} s, but it ends at {end} s; `run: {{ keep_time: true }}` keeps \
         the whole time in quick runs"
    ))
}

/// What the reader should know about the quality of the numbers.
fn warnings(study: &Study) -> Vec<String> {
    use crate::model::system::record::Ending;
    let mut warnings = Vec::new();
    let runs = || study.points.iter().flat_map(|point| point.runs.iter().map(move |run| (point, run)));
    for (point, run) in runs() {
        let what = match run.ending {
            Ending::TooManyInFlight => "ended early: too many requests in flight",
            Ending::EventLimit => "ended early: the limit of events was reached",
            Ending::Completed | Ending::Interrupted => continue,
        };
        let place = study.label(point);
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        warnings.push(format!("{place}replication {} {what}; its results are partial", run.replication));
    }
    let is_unfinished = |metric: usize| study.metrics[metric].name.ends_with(".unfinished");
    let unfinished: Vec<usize> = (0..study.metrics.len()).filter(|metric| is_unfinished(*metric)).collect();
    let lost: f64 = runs().flat_map(|(_, run)| unfinished.iter().filter_map(|metric| run.values[*metric])).sum();
    if lost > 0.0 {
        warnings
            .push(format!("{lost} measured requests had not ended when their runs did; they are in no response time"));
    }
    warnings.extend(imprecise(study));
    if study.run.replications < 2 {
        warnings.push("a single replication has no confidence interval; run more to decide expectations".to_owned());
    }
    if study.run.quick {
        warnings.push("quick run: a tenth of the time and few replications; do not quote its numbers".to_owned());
    }
    if study.interrupted {
        warnings.push("interrupted: only what was finished is shown".to_owned());
    }
    warnings
}

/// A mean response time that is known no better than this is worth a warning.
const IMPRECISE: f64 = 0.2;

/// Mean response times that are hardly known: the runs are too short, or too few. An overloaded point says so anyway.
fn imprecise(study: &Study) -> Option<String> {
    if study.run.quick || study.run.replications < 3 {
        return None;
    }
    let mut worst: Option<(f64, String, String)> = None;
    let mut count = 0;
    for point in study.points.iter().filter(|point| point.overload.is_none()) {
        let means = study.metrics.iter().zip(&point.estimates);
        for (metric, estimate) in means.filter(|(metric, _)| {
            metric
                .name
                .strip_suffix(".latency.mean")
                .is_some_and(|part| study.metric(&format!("{part}.offered")).is_some())
        }) {
            let Some((estimate, half)) = estimate.and_then(|estimate| Some((estimate, estimate.half_width?))) else {
                continue;
            };
            let width = half / estimate.mean;
            if width > IMPRECISE {
                count += 1;
                if worst.as_ref().is_none_or(|(known, ..)| width > *known) {
                    worst = Some((width, metric.name.clone(), study.label(point)));
                }
            }
        }
    }
    let (width, name, place) = worst?;
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    let others = if count > 1 { format!("; {} more are no better than ± 20 %", count - 1) } else { String::new() };
    let percent = (width * 100.0).round();
    Some(format!(
        "{name}{place} is only known to ± {percent} %: the runs are too short or too few, see `window`, `replications` and \
         `precision`{others}"
    ))
}
