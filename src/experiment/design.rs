//! The design of an experiment: which systems are run, at which levels, for how long.
//!
//! Everything that can be wrong is found here, before anything is simulated: every variant at every level is built and
//! checked, every expectation and chart is looked up.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::derived::{self, Derived};
use super::expectation::Check;
use super::levels;
use super::precision::{self, Precision};
use super::quiz::{self, Question};
use super::selection::{self, Wanted};
use super::system_map;
use crate::experiment::expectation;
use crate::model::system::{Plan, metrics, series};
use crate::model::{Blueprint, compile::Problem};
use crate::quantity::{Duration, Unit};
use crate::spec::experiment_file::{ExperimentFile, PlotSpec, RunSpec, SweepSpec, WarmUp};
use crate::spec::load::{Document, Loader, Override, as_diagnostic, overrides_in, scalar_node};
use crate::spec::text::diagnostic::Diagnostic;
use crate::spec::text::path::{Path, get, span_of};
use crate::spec::text::source::Span;
use crate::spec::text::tree::Node;
use crate::study::level::same;
use crate::study::system::SystemMap;
use crate::study::{Factor, Level, MetricName, RunPlan};

/// The most points of an experiment.
const MAX_POINTS: usize = 100_000;

/// With more points than this, time series are recorded only if a chart asks for them: they would be most of the results.
pub const MAX_SERIES: usize = 40;

/// The most runs of an experiment: points times replications. The results of all are kept until they are written.
const MAX_RUNS: u64 = 1_000_000;

/// How many levels of a factor a quick run keeps, besides those that expectations name.
const QUICK_LEVELS: usize = 5;

/// By how much a quick run shortens warm-up and window, and its most replications.
const QUICK_SHARE: u64 = 10;
const QUICK_REPLICATIONS: u32 = 3;

/// What the command line changes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of replications.
    pub replications: Option<u32>,
    /// A short run: a tenth of the time, three replications, five levels.
    pub quick: bool,
    /// Changes to the model, on top of all others.
    pub set: Vec<Override>,
    /// Whether to look for what seems wrong though it can be run.
    pub lint: bool,
}

/// One system at one combination of levels, ready to be run.
#[derive(Debug, Clone)]
pub struct DesignPoint {
    /// The variant's name; empty if there are no variants.
    pub variant: String,
    /// Per factor: the index of its level.
    pub levels: Vec<usize>,
    /// The index of its picture among the design's systems.
    pub system: usize,
    /// All changes to the model.
    pub overrides: Vec<Override>,
    /// The system.
    pub blueprint: Blueprint,
    /// Per metric of the blueprint: its place among the metrics of the whole experiment.
    pub metrics: Vec<usize>,
    /// Per column of its time series: its place among the columns of the whole experiment.
    pub columns: Vec<usize>,
}

/// An experiment, checked and ready to be run.
#[derive(Debug, Clone)]
pub struct Design {
    /// How long and how often, for the reader.
    pub run: RunPlan,
    /// The same for the simulation; replication 0.
    pub plan: Plan,
    /// The swept keys.
    pub factors: Vec<Factor>,
    /// The different systems of the points, as pictures show them.
    pub systems: Vec<SystemMap>,
    /// The points, variant by variant.
    pub points: Vec<DesignPoint>,
    /// All metrics of all points.
    pub metrics: Vec<MetricName>,
    /// All columns of all time series.
    pub columns: Vec<MetricName>,
    /// What is read off the time series.
    pub derived: Derived,
    /// The expectations.
    pub checks: Vec<Check>,
    /// Which variants are to be told apart.
    pub selections: Vec<Wanted>,
    /// The questions to the reader.
    pub questions: Vec<Question>,
    /// The data files that the models were built with, and a hash of each.
    pub data: Vec<(String, u64)>,
    /// What the model rests on that the files do not say.
    pub assumptions: Vec<String>,
    /// What seems wrong though it can be run.
    pub warnings: Vec<Diagnostic>,
    /// Whether time series are recorded.
    pub series: bool,
    /// How narrow intervals have to be.
    pub precision: Precision,
    /// Whether the warm-up is found by pilot runs; that of the plan is then a guess.
    pub finds_warm_up: bool,
}

/// Names in the order in which they were met, with their units.
type Names = IndexMap<String, Unit>;

/// The place of a name among all names; a new one comes last.
fn place_among(names: &mut Names, (name, unit): (String, Unit)) -> usize {
    let entry = names.entry(name);
    let place = entry.index();
    entry.or_insert(unit);
    place
}

/// Designs an experiment.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn design(loader: &Loader, document: &Document, options: &Options) -> Result<Design, Vec<Diagnostic>> {
    let file = &document.experiment;
    let (run, plan) = plan(file, options).map_err(|problem| vec![place(document, &problem)])?;
    let factors = factors(document, options)?;
    let variants = variants(document);
    let combinations = combinations(&factors).len();
    if combinations.saturating_mul(variants.len()) > MAX_POINTS {
        let message = format!("the sweep has more than {MAX_POINTS} points");
        return Err(vec![place(document, &Problem::new("sweep", message))]);
    }
    let runs = run.replications.saturating_mul((combinations * variants.len()) as u64);
    if runs > MAX_RUNS {
        let message = format!("{runs} runs are too many; {MAX_RUNS} are allowed");
        return Err(vec![place(document, &Problem::new("run.replications", message))]);
    }
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for changes in variants.values() {
        diagnostics.extend(conflicts(document, &factors, changes));
    }
    let Built { points, mut metrics, columns, systems, assumptions, warnings } =
        build(loader, document, options, &wanted(document, options, &factors, &variants), &mut diagnostics);
    let mut problems = Vec::new();
    let derived = derived::prepare(file, &mut metrics, &columns, plan.interval, &mut problems);
    let names = |names: Names| names.into_iter().map(|(name, unit)| MetricName { name, unit }).collect::<Vec<_>>();
    let (metrics, columns) = (names(metrics), names(columns));
    let (mut checks, mut questions) = (Vec::new(), Vec::new());
    if diagnostics.is_empty() {
        checks = expectation::prepare(file, &metrics, &derived, &factors, &variants, &mut problems);
        questions = quiz::prepare(file, &metrics, &factors, &variants, &mut problems);
        check_plots(&file.plots, [&metrics, &columns], &factors, &points, &mut problems);
    }
    let selections = selection::prepare(file, &metrics, &factors, &mut problems);
    let precision = precision(&file.run, &metrics, options, &mut problems);
    if !diagnostics.is_empty() {
        problems.clear();
    }
    diagnostics.extend(problems.iter().map(|problem| place(document, problem)));
    if diagnostics.is_empty() {
        let asked = file.plots.iter().any(|plot| plot.x.as_deref() == Some("time"));
        let series = asked || points.len() <= MAX_SERIES;
        let design = Design {
            run,
            plan,
            factors,
            systems,
            points,
            metrics,
            columns,
            derived,
            checks,
            selections,
            questions,
            data: loader.take_data_files(),
            assumptions,
            warnings,
            series,
            precision,
            finds_warm_up: matches!(file.run.warm_up, Some(WarmUp::Found(_))),
        };
        Ok(design)
    } else {
        Err(diagnostics)
    }
}

/// A point that is asked for: its variant, its levels, and what it changes.
type Asked<'d> = (&'d String, Vec<usize>, Vec<Override>);

/// Every variant at every combination of levels.
fn wanted<'d>(
    document: &Document,
    options: &Options,
    factors: &[Factor],
    variants: &'d IndexMap<String, Vec<Override>>,
) -> Vec<Asked<'d>> {
    let tree = document.tree.as_ref();
    let common = tree.map(|tree| overrides_in(tree, &Path::root().key("set"))).unwrap_or_default();
    let mut wanted = Vec::new();
    for (variant, changes) in variants {
        for levels in combinations(factors) {
            let mut overrides = common.clone();
            overrides.extend(changes.iter().cloned());
            overrides.extend(swept(document, factors, &levels));
            overrides.extend(options.set.iter().cloned());
            wanted.push((variant, levels, overrides));
        }
    }
    wanted
}

/// What the systems of all points give.
#[derive(Default)]
struct Built {
    points: Vec<DesignPoint>,
    metrics: Names,
    columns: Names,
    systems: Vec<SystemMap>,
    assumptions: Vec<String>,
    warnings: Vec<Diagnostic>,
}

/// Builds the systems of the points; what is wrong is noted.
fn build(
    loader: &Loader,
    document: &Document,
    options: &Options,
    wanted: &[Asked<'_>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Built {
    // Those that are known are of another experiment, perhaps.
    loader.take_data_files();
    // Points have nothing to do with each other, and there may be many.
    let one = |(_, _, overrides): &Asked<'_>| {
        let resolved = loader.build(document, overrides);
        let seems_wrong = if options.lint && resolved.is_ok() { loader.lint(document, overrides) } else { Vec::new() };
        (resolved, seems_wrong)
    };
    let resolved: Vec<_> = wanted.par_iter().map(one).collect();
    let (mut built, mut known_systems) = (Built::default(), BTreeMap::new());
    for ((variant, levels, overrides), (resolved, seems_wrong)) in wanted.iter().zip(resolved) {
        add_new(&mut built.warnings, seems_wrong);
        match resolved {
            Err(found) => add_new(diagnostics, found),
            Ok(resolved) => {
                add_new(&mut built.assumptions, resolved.assumptions);
                let blueprint = resolved.blueprint;
                let own = metrics::names(&blueprint).into_iter().map(|own| (own.name, own.unit));
                let metrics = own.map(|own| place_among(&mut built.metrics, own)).collect();
                let own = series::columns(&blueprint).into_iter().map(|own| (own.name, own.unit));
                let columns = own.map(|own| place_among(&mut built.columns, own)).collect();
                let map = system_map::map(&blueprint, document);
                let system = number(&mut built.systems, &mut known_systems, map);
                let (variant, levels, overrides) = ((*variant).clone(), levels.clone(), overrides.clone());
                built.points.push(DesignPoint { variant, levels, system, overrides, blueprint, metrics, columns });
            }
        }
    }
    built
}

/// Adds what is not there yet.
fn add_new<T: PartialEq>(known: &mut Vec<T>, found: impl IntoIterator<Item = T>) {
    for item in found {
        if !known.contains(&item) {
            known.push(item);
        }
    }
}

/// The number of a system among those known, which are kept by their description too; a new one is added.
fn number(systems: &mut Vec<SystemMap>, known: &mut BTreeMap<String, usize>, system: SystemMap) -> usize {
    *known.entry(format!("{system:?}")).or_insert_with(|| {
        systems.push(system);
        systems.len() - 1
    })
}

/// A problem with the experiment's own file as a diagnostic.
fn place(document: &Document, problem: &Problem) -> Diagnostic {
    let tree = document.tree.as_ref().unwrap_or(&document.model);
    let path = problem.path.parse::<Path>().ok();
    let span = path.and_then(|path| span_of(tree, &path)).unwrap_or(tree.span);
    as_diagnostic(problem, span)
}

/// The intervals that are wanted; a quick run wants none.
fn precision(spec: &RunSpec, metrics: &[MetricName], options: &Options, problems: &mut Vec<Problem>) -> Precision {
    let mut wanted = Vec::new();
    for (name, share) in &spec.precision {
        let path = format!("run.precision.{name}");
        match metrics.iter().position(|metric| metric.name == *name) {
            None => problems.push(Problem::unknown(
                &path,
                "metric",
                name,
                metrics.iter().map(|metric| metric.name.as_str()),
            )),
            Some(_) if share.fraction() <= 0.0 => {
                problems.push(Problem::new(path, "an interval of no width would take runs without end"));
            }
            Some(metric) => wanted.push((metric, share.fraction())),
        }
    }
    if options.quick {
        wanted.clear();
    }
    Precision { wanted, most: spec.most_replications.map_or(precision::MOST, u64::from) }
}

/// The times, the replications, the seed.
fn plan(file: &ExperimentFile, options: &Options) -> Result<(RunPlan, Plan), Problem> {
    let spec = &file.run;
    let nanos = |duration: Option<Duration>, default: u64| duration.map_or(default, Duration::as_nanos);
    // A fault comes at its time or not at all.
    let short = options.quick && !spec.keep_time && file.faults.is_empty();
    let shorten = |nanos: u64| if short { nanos / QUICK_SHARE } else { nanos };
    let window = shorten(nanos(spec.window, 60_000_000_000));
    let settle = match spec.warm_up {
        Some(WarmUp::Time(time)) => Some(time),
        Some(WarmUp::Found(_)) | None => None,
    };
    let warm_up = shorten(nanos(settle, 10_000_000_000));
    let drain = nanos(spec.drain, window);
    let interval = nanos(spec.interval, derived::period(file).unwrap_or_else(|| nice(window / 100))).max(1);
    if window == 0 {
        return Err(Problem::new("run.window", "the window must be longer than 0"));
    }
    if window.saturating_add(warm_up) / interval > 100_000 {
        return Err(Problem::new("run.interval", "the time series would have more than 100000 points"));
    }
    let confidence = spec.confidence.map_or(0.95, |share| share.fraction());
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(Problem::new("run.confidence", "the confidence must be above 0 % and below 100 %"));
    }
    let replications = options.replications.or(spec.replications).unwrap_or(5).max(1);
    let replications = if options.quick { replications.min(QUICK_REPLICATIONS) } else { replications };
    let seed = options.seed.or(spec.seed).unwrap_or(1);
    let seconds = |nanos: u64| nanos as f64 / 1e9;
    let run = RunPlan {
        warm_up: seconds(warm_up),
        window: seconds(window),
        drain: seconds(drain),
        interval: seconds(interval),
        replications: u64::from(replications),
        seed,
        confidence,
        quick: options.quick,
    };
    let plan = Plan {
        warm_up,
        window,
        drain,
        interval,
        seed,
        replication: 0,
        in_flight_limit: spec.in_flight_limit.map_or(1_000_000, |count| count.get() as usize),
        event_limit: spec.event_limit.map_or(100_000_000_000, |count| count.get()),
        detailed: false,
    };
    Ok((run, plan))
}

/// The nearest 1, 2 or 5 times a power of ten that is not smaller.
fn nice(nanos: u64) -> u64 {
    let mut power = 1u64;
    while power.saturating_mul(10) < nanos {
        power *= 10;
    }
    [1, 2, 5, 10].map(|step| power.saturating_mul(step)).into_iter().find(|step| *step >= nanos).unwrap_or(nanos)
}

/// The swept keys and their levels.
fn factors(document: &Document, options: &Options) -> Result<Vec<Factor>, Vec<Diagnostic>> {
    let mut factors = Vec::new();
    for (key, sweep) in &document.experiment.sweep {
        let problem = |message: String| {
            let tree = document.tree.as_ref().unwrap_or(&document.model);
            let path = Path::root().key("sweep").key(key);
            vec![Diagnostic::error(message, span_of(tree, &path).unwrap_or(tree.span))]
        };
        let mut levels: Vec<Level> = match sweep {
            SweepSpec::Range(range) => levels::range(range).map_err(problem)?,
            SweepSpec::List(values) if values.is_empty() => return Err(problem("give at least one value".to_owned())),
            SweepSpec::List(values) if levels::of_situations(key) => {
                let names: Option<Vec<&str>> = values.iter().map(levels::situation).collect();
                let names = names.ok_or_else(|| {
                    let message =
                        "a key of the model has dots; without them, each level is a situation: a name with its changes";
                    problem(format!("{message}, as in `- one slow: {{ services.app.speeds: [0.5, 1] }}`"))
                })?;
                names.into_iter().map(|name| Level::new(name.to_owned())).collect()
            }
            SweepSpec::List(values) => values.iter().map(|value| Level::new(levels::name_of(value))).collect(),
        };
        if options.quick {
            levels = thinned(levels, key, document);
        }
        factors.push(Factor { key: key.clone(), unit: levels::unit_of(&levels), levels });
    }
    Ok(factors)
}

/// The levels that a quick run keeps: a few, evenly spread, and those that expectations name.
fn thinned(levels: Vec<Level>, key: &str, document: &Document) -> Vec<Level> {
    let named = |level: &Level| {
        let file = &document.experiment;
        let places = file.expect.iter().map(|expectation| &expectation.at);
        let values = places.chain(file.questions.iter().map(|question| &question.at)).filter_map(|at| at.get(key));
        values.map(levels::name_of).any(|text| same(&Level::new(text), level))
    };
    let last = levels.len().saturating_sub(1);
    let kept = |number: usize| {
        levels.len() <= QUICK_LEVELS || (0..QUICK_LEVELS).any(|step| step * last / (QUICK_LEVELS - 1) == number)
    };
    let keep: Vec<bool> = levels.iter().enumerate().map(|(number, level)| kept(number) || named(level)).collect();
    levels.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(level, _)| level).collect()
}

/// The variants and their changes, in the order of the file; one without a name if there are none.
fn variants(document: &Document) -> IndexMap<String, Vec<Override>> {
    let changes = |name: &String| {
        let path = Path::root().key("variants").key(name);
        document.tree.as_ref().map(|tree| overrides_in(tree, &path)).unwrap_or_default()
    };
    let named = document.experiment.variants.keys().map(|name| (name.clone(), changes(name)));
    let mut variants: IndexMap<String, Vec<Override>> = named.collect();
    if variants.is_empty() {
        variants.insert(String::new(), Vec::new());
    }
    variants
}

/// All combinations of levels; the last factor runs fastest.
fn combinations(factors: &[Factor]) -> Vec<Vec<usize>> {
    let mut combinations = vec![Vec::new()];
    for factor in factors {
        if combinations.len().saturating_mul(factor.levels.len()) > MAX_POINTS {
            return vec![Vec::new(); MAX_POINTS + 1];
        }
        let longer = |combination: Vec<usize>| {
            (0..factor.levels.len()).map(move |level| {
                let mut combination = combination.clone();
                combination.push(level);
                combination
            })
        };
        combinations = combinations.into_iter().flat_map(longer).collect();
    }
    combinations
}

/// The changes that set the swept keys to their levels.
fn swept(document: &Document, factors: &[Factor], levels: &[usize]) -> Vec<Override> {
    let Some(tree) = document.tree.as_ref() else { return Vec::new() };
    let change = |(factor, level): (&Factor, &usize)| {
        if levels::of_situations(&factor.key) {
            return changes_of(document, tree, factor, &factor.levels[*level]);
        }
        let path = Path::root().key("sweep").key(&factor.key);
        let entry = get(tree, &Path::root().key("sweep")).and_then(|sweep| sweep.entry(&factor.key));
        let span: Span = entry.map_or(tree.span, |entry| entry.key_span);
        let level = &factor.levels[*level];
        // A list's own node keeps its place and its type (a map can be a level too).
        let items = get(tree, &path).map(Node::items).unwrap_or_default();
        let written = match document.experiment.sweep.get(&factor.key) {
            Some(SweepSpec::List(values)) => {
                values.iter().position(|value| same(&Level::new(levels::name_of(value)), level))
            }
            _ => None,
        };
        let value = written.and_then(|number| items.get(number)).cloned();
        vec![Override { key: factor.key.clone(), span, value: value.unwrap_or_else(|| scalar_node(&level.text, span)) }]
    };
    factors.iter().zip(levels).flat_map(change).collect()
}

/// The changes that make a situation.
fn changes_of(document: &Document, tree: &Node, factor: &Factor, level: &Level) -> Vec<Override> {
    let Some(SweepSpec::List(values)) = document.experiment.sweep.get(&factor.key) else { return Vec::new() };
    let place = values.iter().position(|value| levels::situation(value) == Some(&level.text));
    let path = |place| Path::root().key("sweep").key(&factor.key).index(place).key(&level.text);
    place.map(|place| overrides_in(tree, &path(place))).unwrap_or_default()
}

/// Changes of a variant to keys that are swept would be lost.
fn conflicts(document: &Document, factors: &[Factor], changes: &[Override]) -> Vec<Diagnostic> {
    let situations = |factor: &Factor| match document.experiment.sweep.get(&factor.key) {
        Some(SweepSpec::List(values)) if levels::of_situations(&factor.key) => values.clone(),
        _ => Vec::new(),
    };
    let situations: Vec<serde_json::Value> = factors.iter().flat_map(situations).collect();
    let in_situation = |key: &str| {
        let mut all = situations.iter().filter_map(|value| value.as_object()?.values().next());
        all.any(|changes| changes.get(key).is_some())
    };
    let swept = |change: &&Override| factors.iter().any(|factor| factor.key == change.key) || in_situation(&change.key);
    let conflict = |change: &Override| {
        Diagnostic::error(format!("`{}` is swept, so a variant cannot set it", change.key), change.span)
            .with_help("remove it here, or sweep another key")
    };
    changes.iter().filter(swept).map(conflict).collect()
}

/// Charts must name what there is.
fn check_plots(
    plots: &[PlotSpec],
    [metrics, columns]: [&[MetricName]; 2],
    factors: &[Factor],
    points: &[DesignPoint],
    problems: &mut Vec<Problem>,
) {
    let Some(first) = points.first() else { return };
    for (number, plot) in plots.iter().enumerate() {
        let path = |key: &str| format!("plots[{number}].{key}");
        let x = plot.x.as_deref().unwrap_or("variant");
        let (what, known): (_, Vec<&str>) = match x {
            "time" => ("column of the time series", columns.iter().map(|column| column.name.as_str()).collect()),
            "distribution" | "attribution" => {
                ("client", first.blueprint.clients.iter().map(|client| client.name.as_str()).collect())
            }
            _ => ("metric", metrics.iter().map(|metric| metric.name.as_str()).collect()),
        };
        if !known.contains(&plot.y.as_str()) {
            problems.push(Problem::unknown(&path("y"), what, &plot.y, known.into_iter()));
        }
        let keys = || factors.iter().map(|factor| factor.key.as_str());
        let words = ["variant", "time", "distribution", "attribution"];
        let is_metric = metrics.iter().any(|metric| metric.name == x);
        if !words.contains(&x) && !is_metric && !keys().any(|key| key == x) {
            problems.push(Problem::unknown(&path("x"), "swept key or metric", x, keys().chain(words)));
        }
        if let Some(map) = plot.map.as_deref()
            && (!keys().any(|key| key == map) || plot.x.as_deref() == Some(map))
        {
            let others = keys().filter(|key| plot.x.as_deref() != Some(key));
            problems.push(Problem::unknown(&path("map"), "other swept key", map, others));
        }
        if let Some(by) = plot.by.as_deref()
            && by != "variant"
            && !keys().any(|key| key == by)
        {
            problems.push(Problem::unknown(&path("by"), "swept key", by, keys().chain(["variant"])));
        }
    }
}
