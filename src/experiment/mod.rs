//! Experiments: from a question to runs, and from runs to estimates and verdicts.

pub mod design;
pub mod estimate;
pub mod expectation;
pub mod levels;
mod marks;
pub mod quiz;
pub mod runner;
pub mod study;
pub mod system_map;
pub mod tracing;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::spec::load::Document;
use design::Design;
use runner::{Observer, RunError};
pub use study::Study;
use study::{FileHash, LAYOUT, Provenance};

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
    let mut points = runner::run(design, jobs, observer, stop)?;
    let interrupted = stop.load(Ordering::Relaxed);
    points.retain(|point| !point.runs.is_empty());
    let hash = |(name, hash): &(String, u64)| FileHash { name: name.clone(), hash: format!("{hash:016x}") };
    let file = &document.experiment;
    let mut study = Study {
        layout: LAYOUT,
        experiment: document.name.clone(),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            files: document.files.iter().map(hash).collect(),
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
        insights: Vec::new(),
    };
    study.expectations = expectation::judge(&design.checks, &study);
    study.warnings = warnings(&study);
    if !design.series {
        let limit = design::MAX_SERIES;
        study
            .warnings
            .push(format!("no time series: there are more than {limit} points; a chart over `time` asks for them"));
    }
    Ok(study)
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
