//! What-if by intervention: the same requests through changed systems, compared run by run.
//!
//! Every lever is turned a tenth down, a tenth up and to the double; every changed system meets the same requests with the
//! same demands (common random numbers), so the difference of two runs is that of the systems. A causal claim rests on an
//! intervention, not on a correlation: busy things that do not matter show no effect.
//!
//! An effect is judged *better* or *worse* if its p-value, corrected for the number of interventions (Holm), is below
//! 1 − confidence; *no difference* if its whole interval lies within [`TOLERANCE`]; otherwise *undecided*.

use std::sync::atomic::AtomicBool;

use super::levers::{Found, Turned, price};
use crate::experiment::derived::Derived;
use crate::experiment::design::{Design, DesignPoint};
use crate::experiment::precision::Precision;
use crate::experiment::runner::{self, Observer, RunError};
use crate::maths::statistics::multiple::{holm, paired_p};
use crate::maths::statistics::paired::{ratio_of_means, variance_reduction_factor};
use crate::model::system::{Plan, metrics};
use crate::spec::load::{Document, Loader};
use crate::spec::text::tree::Node;
use crate::study::clients;
use crate::study::insight::{Change, Effect, Judgement, Lever, LeverKind, Ratio, StationFacts, TOGETHER, Value};
use crate::study::{MetricName, Point, RunPlan};

/// A change of the metric up to this share counts as no difference.
pub const TOLERANCE: f64 = 0.02;

/// What all interventions of one point share.
pub struct Laboratory<'a> {
    /// Builds changed systems.
    pub loader: &'a Loader<'a>,
    /// The file that is explained.
    pub document: &'a Document,
    /// How the interventions are run.
    pub run: RunPlan,
    /// The same for the simulation.
    pub plan: Plan,
    /// Threads; 0 for all cores.
    pub jobs: usize,
    /// Sees how far it is.
    pub observer: &'a dyn Observer,
    /// Whether to stop.
    pub stop: &'a AtomicBool,
}

/// The results of some systems under the same requests.
pub struct Results {
    /// The metrics of the points.
    pub metrics: Vec<MetricName>,
    /// The points, in the order of the systems.
    pub points: Vec<Point>,
}

/// The metric by which systems are ranked.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Its name.
    pub metric: String,
    /// Whether more is better.
    pub higher_is_better: bool,
}

/// An intervention that could be built.
pub struct Trial {
    /// What is turned.
    pub lever: crate::study::insight::Lever,
    /// By how much.
    pub change: Change,
    /// What that makes of the model.
    pub turned: Turned,
}

impl Laboratory<'_> {
    /// Runs some systems; those that are no valid model are `None`.
    ///
    /// # Errors
    /// A [`RunError`] if a simulation broke its own laws.
    pub fn run(&self, trees: &[&Node]) -> Result<(Results, Vec<Option<usize>>), RunError> {
        let (mut points, mut names) = (Vec::new(), indexmap::IndexMap::new());
        let mut places = Vec::new();
        for (number, tree) in trees.iter().enumerate() {
            let Ok(resolved) = self.loader.build_tree(self.document, tree) else {
                places.push(None);
                continue;
            };
            let place = |name: metrics::Name| {
                let next = names.len();
                names.entry(name.name).or_insert((next, name.unit)).0
            };
            let metrics = metrics::names(&resolved.blueprint).into_iter().map(place).collect();
            places.push(Some(points.len()));
            let variant = number.to_string();
            let (levels, overrides) = (Vec::new(), Vec::new());
            let blueprint = resolved.blueprint;
            let columns = Vec::new();
            points.push(DesignPoint { variant, levels, system: 0, overrides, blueprint, metrics, columns });
        }
        let metrics: Vec<MetricName> = names.into_iter().map(|(name, (_, unit))| MetricName { name, unit }).collect();
        let design = Design {
            run: self.run,
            plan: self.plan,
            factors: Vec::new(),
            systems: Vec::new(),
            points,
            metrics,
            columns: Vec::new(),
            derived: Derived::default(),
            checks: Vec::new(),
            selections: Vec::new(),
            questions: Vec::new(),
            data: Vec::new(),
            assumptions: Vec::new(),
            warnings: Vec::new(),
            series: false,
            precision: Precision::default(),
            finds_warm_up: false,
        };
        let points = runner::run(&design, self.jobs, self.observer, self.stop)?;
        Ok((Results { metrics: design.metrics, points }, places))
    }

    /// Turns all levers of a model by the given changes and returns what each did, greatest gain first, and the results of
    /// the model as it is.
    ///
    /// # Errors
    /// A [`RunError`] if a simulation broke its own laws.
    pub fn interventions(
        &self,
        tree: &Node,
        levers: &[Found],
        changes: &[Change],
        goal: &Goal,
    ) -> Result<(Vec<Effect>, Results), RunError> {
        let trials = trials(tree, levers, changes);
        let trees: Vec<&Node> = std::iter::once(tree).chain(trials.iter().map(|trial| &trial.turned.tree)).collect();
        let (results, places) = self.run(&trees)?;
        let run = trials.into_iter().zip(&places[1..]);
        let mut effects: Vec<Effect> = run
            .filter_map(|(trial, place)| Some(effect(&results, trial, (*place)?, goal, self.run.confidence)))
            .collect();
        judge(&mut effects, self.run.confidence);
        Ok((effects, results))
    }
}

/// The most pairs of full capacities that are tried.
const PAIRS: usize = 3;

/// Capacities that are at least so busy may only help together.
const FULL: f64 = 0.9;

impl Laboratory<'_> {
    /// Doubles full capacities two at a time, where neither helps alone: as many cores as workers that compute, say. Returns those that
    /// gain more than any capacity alone.
    ///
    /// # Errors
    /// A [`RunError`] if a simulation broke its own laws.
    pub fn pairs(
        &self,
        tree: &Node,
        levers: &[Found],
        effects: &[Effect],
        stations: &[StationFacts],
        goal: &Goal,
    ) -> Result<Vec<Effect>, RunError> {
        let alone = |found: &&Found| {
            let own = effects.iter().find(|effect| effect.lever == found.lever && effect.change == Change::Double);
            let full = stations.iter().any(|facts| {
                (&facts.part, &facts.station) == (&found.lever.part, &found.lever.resource) && facts.utilization > FULL
            });
            full && found.lever.kind == LeverKind::Capacity
                && own.is_some_and(|effect| matches!(effect.judgement, Judgement::NoDifference | Judgement::Undecided))
        };
        let full: Vec<&Found> = levers.iter().filter(alone).collect();
        let all = full.iter().enumerate().flat_map(|(at, one)| full[at + 1..].iter().map(move |other| (*one, *other)));
        let trials: Vec<Trial> = all
            .filter(|(one, other)| one.lever.part == other.lever.part)
            .take(PAIRS)
            .filter_map(|(one, other)| pair(tree, one, other))
            .collect();
        if trials.is_empty() {
            return Ok(Vec::new());
        }
        let trees: Vec<&Node> = std::iter::once(tree).chain(trials.iter().map(|trial| &trial.turned.tree)).collect();
        let (results, places) = self.run(&trees)?;
        let run = trials.into_iter().zip(&places[1..]);
        let mut found: Vec<Effect> = run
            .filter_map(|(trial, place)| Some(effect(&results, trial, (*place)?, goal, self.run.confidence)))
            .collect();
        judge(&mut found, self.run.confidence);
        let great = |effect: &&Effect| effect.change.is_full() && effect.judgement == Judgement::Better;
        let best = effects.iter().filter(great).filter(|effect| is_capacity(effect));
        let best = best.map(|effect| effect.gain).fold(TOLERANCE, f64::max);
        found.retain(|effect| effect.judgement == Judgement::Better && effect.gain > best);
        Ok(found)
    }
}

/// Two capacities doubled at once.
fn pair(tree: &Node, one: &Found, other: &Found) -> Option<Trial> {
    let first = one.turned(tree, 2.0)?;
    let second = other.turned(&first.tree, 2.0)?;
    let both = |one: &str, other: &str| format!("{one} and {other}");
    let (from, to) = (both(&first.from, &second.from), both(&first.to, &second.to));
    let lever = Lever {
        key: format!("{}{TOGETHER}{}", one.lever.key, other.lever.key),
        name: both(&one.lever.name, &other.lever.name),
        ..one.lever.clone()
    };
    let turned = Turned { tree: second.tree, from, to, factor: first.factor.min(second.factor) };
    Some(Trial { lever, change: Change::Double, turned })
}

/// The changed systems.
fn trials(tree: &Node, levers: &[Found], changes: &[Change]) -> Vec<Trial> {
    let factor = |change: Change| match change {
        Change::Less => 0.9,
        Change::More => 1.1,
        Change::Double => 2.0,
        Change::Fourfold => 4.0,
        Change::Other => 1.0,
    };
    let mut trials: Vec<Trial> = Vec::new();
    for found in levers {
        let own: &[Change] = if found.is_gradual() { changes } else { &[Change::Other] };
        let mut seen: Vec<String> = Vec::new();
        for change in own.iter().rev() {
            // A tenth more of one instance is two, as is the double: once is enough.
            let turned = found.turned(tree, factor(*change)).filter(|turned| !seen.contains(&turned.to));
            if let Some(turned) = turned {
                seen.push(turned.to.clone());
                trials.push(Trial { lever: found.lever.clone(), change: *change, turned });
            }
        }
    }
    trials
}

/// The values of a metric at two points, in the replications that both have.
pub fn pairs(metrics: &[MetricName], one: &Point, other: &Point, metric: &str) -> Option<(Vec<f64>, Vec<f64>)> {
    let index = metrics.iter().position(|known| known.name == metric)?;
    let both = one.runs.iter().filter_map(|run| {
        let twin = other.runs.iter().find(|twin| twin.replication == run.replication)?;
        Some((run.values.get(index).copied().flatten()?, twin.values.get(index).copied().flatten()?))
    });
    let (one, other): (Vec<f64>, Vec<f64>) = both.unzip();
    (!one.is_empty()).then_some((one, other))
}

fn effect(results: &Results, trial: Trial, place: usize, goal: &Goal, confidence: f64) -> Effect {
    let (base, point) = (&results.points[0], &results.points[place]);
    let pair = pairs(&results.metrics, point, base, &goal.metric).filter(|(changed, _)| changed.len() >= 2);
    let ratio = pair.as_ref().and_then(|(changed, unchanged)| {
        let ratio = ratio_of_means(changed, unchanged, confidence).ok().flatten()?;
        Some(Ratio { mean: ratio.ratio, low: ratio.low, high: ratio.high })
    });
    let p = pair.as_ref().and_then(|(changed, unchanged)| paired_p(changed, unchanged).ok()).unwrap_or(1.0);
    let reduction = pair.as_ref().and_then(|(one, other)| variance_reduction_factor(one, other).ok().flatten());
    let of = |point: &Point, metric: &str| crate::study::mean(&results.metrics, point, metric);
    let kinds = ["goodput", "latency.mean", "latency.p95", "latency.p99", "failures"];
    let names = clients(&results.metrics).flat_map(|client| kinds.map(|kind| format!("{client}.{kind}")));
    let values = names.map(|metric| Value { before: of(base, &metric), after: of(point, &metric), metric }).collect();
    Effect {
        lever: trial.lever,
        change: trial.change,
        from: trial.turned.from,
        to: trial.turned.to,
        factor: trial.turned.factor,
        gain: ratio.map_or(0.0, |ratio| if goal.higher_is_better { ratio.mean - 1.0 } else { 1.0 - ratio.mean }),
        ratio,
        p,
        judgement: Judgement::Undecided,
        runs: pair.map(|(changed, _)| changed).unwrap_or_default(),
        values,
        variance_reduction: reduction.filter(|factor| factor.is_finite()),
        price: price(&trial.turned.tree),
    }
}

/// Corrects the p-values for their number, judges, and puts the greatest gain first.
pub fn judge(effects: &mut [Effect], confidence: f64) {
    let corrected = holm(&effects.iter().map(|effect| effect.p).collect::<Vec<_>>());
    for (effect, p) in effects.iter_mut().zip(corrected) {
        effect.p = p;
        let within = |ratio: Ratio| ratio.low >= 1.0 - TOLERANCE && ratio.high <= 1.0 + TOLERANCE;
        effect.judgement = match effect.ratio {
            None => Judgement::Undecided,
            Some(ratio) if within(ratio) => Judgement::NoDifference,
            Some(_) if p < 1.0 - confidence && effect.gain > 0.0 => Judgement::Better,
            Some(_) if p < 1.0 - confidence => Judgement::Worse,
            Some(_) => Judgement::Undecided,
        };
    }
    effects.sort_by(|one, other| other.gain.total_cmp(&one.gain));
}

/// Whether a lever stands for a capacity, rather than for a way to get by with less of it.
pub fn is_capacity(effect: &Effect) -> bool {
    matches!(effect.lever.kind, LeverKind::Capacity | LeverKind::Policy | LeverKind::Defect)
}

/// Whether an intervention takes no more of anything: another rule, or something mended.
pub fn is_free(effect: &Effect) -> bool {
    effect.lever.kind == LeverKind::Defect || effect.change == Change::Other
}
