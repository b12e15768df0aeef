//! What was found out about one point of an experiment, as plain data for reports.
//!
//! Units: every value is in the base unit of its metric (seconds, 1/s, shares from 0 to 1). A *gain* is a relative change
//! of the ranking metric, counted so that more is better: 0.5 is half as much again of goodput, or half of a response time.

use serde::{Deserialize, Serialize};

use super::{Estimate, RunPlan, level};
use crate::quantity::Unit;

/// What was found out about one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Insight {
    /// The point's variant; empty if there are none.
    pub variant: String,
    /// The point's levels.
    pub levels: Vec<usize>,
    /// Both in words.
    pub place: String,
    /// The metric by which interventions are ranked, such as `shoppers.goodput`.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// Why this metric and no other.
    pub why_metric: String,
    /// Its value without any intervention, in the runs of the interventions.
    pub baseline: Option<Estimate>,
    /// How the interventions were run.
    pub run: RunPlan,
    /// The operational laws of every station.
    pub stations: Vec<StationFacts>,
    /// What no system with these demands can exceed.
    pub bounds: Option<Bounds>,
    /// The interventions, greatest gain first: the bars of a tornado chart.
    pub effects: Vec<Effect>,
    /// What was found after the bottleneck had been relieved, once or several times.
    pub relief: Vec<Relief>,
    /// The answer.
    pub verdict: Conclusion,
    /// Quantities of the model that no intervention changed.
    pub not_varied: Vec<String>,
}

/// What stands between the keys of levers that were turned together.
pub const TOGETHER: &str = " + ";

/// What limits a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Processors.
    Cpu,
    /// Memory, or the space of a cache.
    Memory,
    /// Disks.
    Disk,
    /// Networks.
    Network,
    /// A pool: workers, connections.
    Pool,
    /// A lock.
    Lock,
    /// Something that is waited for and that we do not run: its time, or its quota.
    Dependency,
    /// A rule: retries, limits of queues, balancing, scaling.
    Policy,
}

impl Class {
    /// The word for people: `CPU-bound`.
    pub fn word(self) -> &'static str {
        match self {
            Class::Cpu => "CPU-bound",
            Class::Memory => "memory-bound",
            Class::Disk => "disk-bound",
            Class::Network => "network-bound",
            Class::Pool => "pool-bound",
            Class::Lock => "lock-bound",
            Class::Dependency => "dependency-bound",
            Class::Policy => "policy-bound",
        }
    }
}

/// What kind of thing an intervention turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeverKind {
    /// How much of something there is: cores, workers, connections.
    Capacity,
    /// Whole instances, with all that they have.
    Instances,
    /// How much a step asks for: a virtual speed-up of code or of a dependency.
    Demand,
    /// A rule and its bounds.
    Policy,
    /// Something amiss that could be mended, or is the load's: a slow instance, a leak, a neighbor, a cold cache, hot keys.
    Defect,
}

/// Something that can be turned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lever {
    /// Its key in the model.
    pub key: String,
    /// The part that it belongs to: a service.
    pub part: String,
    /// The resource that it concerns: `cpu`, `workers`.
    pub resource: String,
    /// What it is, in words: `workers of orders`.
    pub name: String,
    /// What the system is bound by if this is the bottleneck.
    pub class: Class,
    /// What kind of thing it is.
    pub kind: LeverKind,
}

/// By how much a lever is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A tenth less capacity, or a step that is a tenth slower.
    Less,
    /// A tenth more, or a step that is a tenth faster.
    More,
    /// Twice as much, or twice as fast.
    Double,
    /// Four times as much, or as fast: where twice changed nothing.
    Fourfold,
    /// Another rule, or none.
    Other,
}

impl Change {
    /// Whether it is as much as is ever turned: the bottleneck is judged by these.
    pub fn is_full(self) -> bool {
        matches!(self, Change::Double | Change::Fourfold | Change::Other)
    }
}

/// What becomes of an intervention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It makes the metric better, beyond reasonable doubt.
    Better,
    /// It makes it worse, beyond reasonable doubt.
    Worse,
    /// Its effect is no greater than the tolerance.
    NoDifference,
    /// It changes, of which nobody can say whether that is good.
    Different,
    /// The data cannot tell.
    Undecided,
}

impl Judgement {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Judgement::Better => "better",
            Judgement::Worse => "worse",
            Judgement::NoDifference => "no difference",
            Judgement::Different => "different",
            Judgement::Undecided => "undecided",
        }
    }
}

/// A ratio of a changed to an unchanged value, from pairs of runs with the same requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Mean of the changed ÷ mean of the unchanged.
    pub mean: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// One intervention and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What was turned.
    pub lever: Lever,
    /// By how much.
    pub change: Change,
    /// The value before, as written.
    pub from: String,
    /// The value after, as written.
    pub to: String,
    /// How many times as much, or as fast.
    pub factor: f64,
    /// The ranking metric, with ÷ without; `None` if it cannot be given.
    pub ratio: Option<Ratio>,
    /// By how much it got better; negative if worse.
    pub gain: f64,
    /// The probability of so great a difference by chance, corrected for the number of interventions (Holm).
    pub p: f64,
    /// What became of it.
    pub judgement: Judgement,
    /// The ranking metric with it, replication by replication.
    pub runs: Vec<f64>,
    /// The means of the clients' metrics with it.
    pub values: Vec<Value>,
    /// How many times fewer replications the common random numbers needed; `None` if there was nothing to compare.
    pub variance_reduction: Option<f64>,
    /// What it costs per hour, if prices are given [1/h].
    pub price: Option<f64>,
}

impl Effect {
    /// Whether twice of it is half of the time that is written: a step, or a delay of a policy.
    pub fn is_of_speed(&self) -> bool {
        let time = |text: &str| level::read(text).filter(|(unit, _)| *unit == Some(Unit::Seconds));
        let shorter = time(&self.from).zip(time(&self.to)).is_some_and(|((_, from), (_, to))| to < from);
        self.lever.kind == LeverKind::Demand
            || self.lever.kind == LeverKind::Policy && shorter == (self.factor > 1.0) && time(&self.from).is_some()
    }
}

/// A metric's mean with and without an intervention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// The metric.
    pub metric: String,
    /// Without.
    pub before: Option<f64>,
    /// With.
    pub after: Option<f64>,
}

/// The operational laws of one station, over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StationFacts {
    /// The service.
    pub part: String,
    /// The station: `cpu`, `workers`.
    pub station: String,
    /// Slots or lanes of all instances; not known of a station that did nothing.
    pub capacity: Option<f64>,
    /// Busy capacity ÷ capacity.
    pub utilization: f64,
    /// The same of the busiest instance.
    pub utilization_worst: f64,
    /// Waiting, averaged over time.
    pub queue: f64,
    /// Mean waiting time [s].
    pub wait: Option<f64>,
    /// Attempts that got in, per second.
    pub throughput: Option<f64>,
    /// Attempts turned away, per second.
    pub refused: Option<f64>,
    /// How long an attempt holds a slot or works: busy capacity ÷ throughput [s].
    pub service: Option<f64>,
    /// How much of it an answered request of any client asks: busy capacity ÷ answered per second [s].
    pub demand: Option<f64>,
    /// The greatest rate of answers that it allows: capacity ÷ demand [1/s].
    pub most: Option<f64>,
    /// Little's law: (waiting − throughput × mean wait) ÷ waiting; what is left is at the ends of the window.
    pub residual: Option<f64>,
    /// Share of the focus client's mean response time spent waiting here.
    pub waiting_share: f64,
    /// The same for the slowest 5 %.
    pub waiting_share_slowest: f64,
}

/// What no system with these demands can exceed (Denning & Buzen 1978).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The station with the greatest demand per capacity, as `part.station`.
    pub station: String,
    /// X ≤ 1/Dmax: the most answers per second.
    pub most: f64,
    /// N*: how many in flight (and thinking) saturate it, without waiting.
    pub saturation: f64,
    /// The time of a request without any waiting, thinking included [s].
    pub unloaded: f64,
}

/// The state after a bottleneck was relieved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relief {
    /// What was relieved.
    pub lever: Lever,
    /// To what.
    pub to: String,
    /// The ranking metric then.
    pub value: Option<Estimate>,
    /// The effects of doubling everything else from there, greatest gain first.
    pub effects: Vec<Effect>,
    /// The operational laws from there.
    pub stations: Vec<StationFacts>,
}

/// What a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What is the matter.
    Situation,
    /// What the bottleneck is.
    Bottleneck,
    /// How sure that is.
    Certainty,
    /// Why it is the bottleneck.
    Why,
    /// What does not help.
    Useless,
    /// What helps.
    Helps,
    /// What binds next.
    Next,
    /// What the data cannot decide.
    Undecided,
}

impl Topic {
    /// All topics, in the order in which they are told.
    pub const ALL: [Topic; 8] = [
        Topic::Situation,
        Topic::Bottleneck,
        Topic::Certainty,
        Topic::Why,
        Topic::Useless,
        Topic::Helps,
        Topic::Next,
        Topic::Undecided,
    ];

    /// The heading for people.
    pub fn word(self) -> &'static str {
        match self {
            Topic::Situation => "situation",
            Topic::Bottleneck => "bottleneck",
            Topic::Certainty => "how sure",
            Topic::Why => "why",
            Topic::Useless => "does not help",
            Topic::Helps => "helps",
            Topic::Next => "next",
            Topic::Undecided => "undecided",
        }
    }
}

/// A figure that a sentence rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Where it comes from: a metric, or an intervention as `key: from → to`.
    pub source: String,
    /// Its value in the base unit.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
}

/// A sentence of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    /// What it is about.
    pub topic: Topic,
    /// The sentence.
    pub text: String,
    /// The figures that it rests on.
    pub figures: Vec<Figure>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What the system is bound by; `None` if nothing binds or the data cannot tell.
    pub class: Option<Class>,
    /// The bottleneck as `part.resource`; `None` likewise.
    pub bottleneck: Option<String>,
    /// The probability that it is the best of all that were tried, at least.
    pub confidence: Option<f64>,
    /// The answer in sentences.
    pub sentences: Vec<Sentence>,
}
