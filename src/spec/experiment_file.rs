//! The experiment file: a question to a model.
//!
//! These types are the format: their doc comments are the schema's descriptions, `deny_unknown_fields` its strictness.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model_file::ModelFile;
use crate::model::fault::FaultSpec;
use crate::quantity::{Count, Duration, Share};

/// A question to a model, and how to answer it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentFile {
    /// What the experiment is to find out.
    pub question: String,
    /// What you expect, shown before the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<String>,
    /// The model: a path relative to this file, or the model itself.
    pub model: ModelRef,
    /// How long, how often and with which seed.
    #[serde(default)]
    pub run: RunSpec,
    /// Changes to the model in every variant: a value by its key, as in `services.shop.instances: 8`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<String, Value>,
    /// The systems to compare, by name: the changes to the model that make each. `{}` leaves it as it is.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variants: IndexMap<String, IndexMap<String, Value>>,
    /// Keys of the model and the values that they take one after the other; every variant is run at every combination. A word without
    /// dots is swept over situations instead, each a name with the changes that make it: `situation: [{ alike: {} }, { one slow:
    /// { services.app.speeds: [0.5, 1] } }]`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub sweep: IndexMap<String, SweepSpec>,
    /// What happens to the system from outside, in every variant. They are added to the model's own `faults`, so that a
    /// variant can change them: `faults: []` is a calm day. A quick run keeps their times and its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
    /// What tells whether the system is up or down, for maps of metastability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metastability: Option<MetastabilitySpec>,
    /// What `scalelab find` may change to meet the expectations at the least cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<FindSpec>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<ExpectationSpec>,
    /// Which variant is the best: replications are added until that is known with a stated probability.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<SelectSpec>,
    /// Questions to the reader, which `scalelab quiz` asks before it runs the experiment and grades with its numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<QuestionSpec>,
    /// The charts to draw; a sensible choice if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plots: Vec<PlotSpec>,
    /// What the results mean, in prose; shown under the charts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<String>,
}

/// Where the model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ModelRef {
    /// In a file, relative to the experiment's.
    File(String),
    /// Right here.
    Inline(Box<ModelFile>),
}

/// How long, how often and with which seed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Time that is simulated first and not measured; 10 s if left out. With `auto` it is found by pilot runs (MSER-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,
    /// Time that is measured; 60 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// The most time after the window in which measured requests may end; as long as the window if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Duration>,
    /// Distance of the points of the time series; about a hundredth of the window if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// Whether a quick run keeps warm-up and window as they are, since something happens at a set time in them; it then only
    /// has fewer replications and levels. No if left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_time: bool,
    /// Independent runs of every point; 5 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub replications: Option<u32>,
    /// Replications are added until the intervals of these metrics are narrow enough: the half width as a share of the mean,
    /// as in `{ shoppers.latency.p95: 5% }`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub precision: IndexMap<String, Share>,
    /// The most replications that `precision` may lead to; 100 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub most_replications: Option<u32>,
    /// The seed of all random numbers; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The confidence of all intervals; 95 % if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Share>,
    /// The most requests, attempts and branches in flight at once, beyond which a run ends as overloaded; 1M if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_limit: Option<Count>,
    /// The most events of a run; 100G if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_limit: Option<Count>,
}

/// How long a system settles before it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WarmUp {
    /// As long as pilot runs need to settle.
    Found(Auto),
    /// So long.
    Time(Duration),
}

/// The word for what is found rather than given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// Found by pilot runs.
    Auto,
}

/// The values that a key takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SweepSpec {
    /// These values.
    List(Vec<Value>),
    /// Values between two ends.
    Range(RangeSpec),
}

/// Values between two ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeSpec {
    /// The first value.
    pub from: Scalar,
    /// The last value, in the same unit of measure.
    pub to: Scalar,
    /// How many values, both ends included.
    #[schemars(range(min = 2, max = 1000))]
    pub points: u32,
    /// How the values are spaced; evenly if left out.
    #[serde(default)]
    pub spacing: Spacing,
}

/// What may be changed to meet the expectations, and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindSpec {
    /// Keys of the model and the values that they may take.
    #[schemars(extend("minProperties" = 1))]
    pub vary: IndexMap<String, SweepSpec>,
    /// What one of each costs, by key; less than 0 for what is to be as much as possible, such as the load. If left out, the
    /// price of all machines per hour if they have one, or else the sum of the values, each as a multiple of its first.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub cost: IndexMap<String, f64>,
    /// What must hold; the file's expectations if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meet: Vec<ExpectationSpec>,
    /// Whether more of what costs is never worse; then settings are ruled out by greater ones that failed. `true` if left out.
    #[serde(default = "yes")]
    pub monotone: bool,
}

fn yes() -> bool {
    true
}

/// A number or a quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A plain number.
    Number(f64),
    /// A quantity with its unit.
    Text(String),
}

/// How the values of a range are spaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// At equal distances.
    #[default]
    Linear,
    /// At equal ratios.
    Log,
}

/// What tells whether a system is up or down, run by run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetastabilitySpec {
    /// The client whose requests say whether the system is up. It gets the metrics `collapsed`, `recovery`, `fell_at`, `rose_at`.
    pub client: String,
    /// The share of requests that must succeed, below which the system counts as down; 50 % if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<Share>,
}

/// A bound on a metric, or a SLO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectationSpec {
    /// The metric, such as `shoppers.latency.p95`, or the ratio of two of the same runs: `shop.workers.queue / shoppers.in_flight`; or
    /// give `slo`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metric: String,
    /// What must be so in most intervals of time: columns of the time series and the most that they may be, such as
    /// `{ shoppers.latency.p95: 200ms, shoppers.failures: 0.5% }`. In how many, says `in: 99% of minutes`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub slo: IndexMap<String, Scalar>,
    /// The variant that it is about; every variant if left out. With `slo`: how many of which intervals, such as
    /// `99% of minutes` or `95% of 10s`; the variant is then in `of`.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The variant that is compared with that of `times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The variant to compare with: the bound is then on the ratio of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// The levels that it is about, by swept key; every level if left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub at: IndexMap<String, Value>,
    /// It must be less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Scalar>,
    /// It must be more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Scalar>,
    /// It must not be less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
    /// It must not be more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Scalar>,
    /// It must be this, give or take `within`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Scalar>,
    /// How far it may be from `equals`: a share of it (`2%`), or an amount in the metric's unit; 1 % if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Scalar>,
    /// Why it is expected: a formula, a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A search for the best variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectSpec {
    /// The metric, such as `shoppers.latency.p95`.
    pub metric: String,
    /// Whether the highest or the lowest value is the best.
    pub best: Which,
    /// Differences that do not matter: a share of the leader's value (`5%`), or an amount in the metric's unit. The smaller, the more
    /// replications are needed, at most `run.most_replications`.
    pub within: Scalar,
    /// The probability with which the best is to be selected; 95 % if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Share>,
    /// The levels that it is about, by swept key; every level by itself if left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub at: IndexMap<String, Value>,
}

/// A question to the reader: for a number (`metric`), for the variant with the highest or lowest value (`which`), or for one of
/// some `choices`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionSpec {
    /// The question.
    pub ask: String,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The right one of the `choices`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Asks for the variant in which `metric` is highest or lowest; the variants are the choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub which: Option<Which>,
    /// The metric that is asked for; with `choices`, the one whose values are shown with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The variant that it is about.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The level of every swept key.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub at: IndexMap<String, Value>,
    /// How far a number may be off to count as right: a share of it (`20%`), or an amount in the metric's unit; 10 % if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Scalar>,
    /// Why the answer is what it is; shown with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Which end of the values is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The greatest value.
    Highest,
    /// The least value.
    Lowest,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlotSpec {
    /// What is drawn: a metric, such as `shoppers.latency.p95`; with `x: time` a column of the time series; with
    /// `x: distribution` a client's name; with `x: attribution` too.
    pub y: String,
    /// What it is drawn over: a swept key, `variant`, `time`, `distribution`, `attribution`, or another metric, such as
    /// `shoppers.cost`. The first swept key with
    /// numeric levels, or else `variant`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// A second swept key: the chart is then a map of y over both, one for each variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// What tells the lines apart: `variant` or another swept key; `variant` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The title: the finding or the question; the experiment's question if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A horizontal line at this value, such as an SLO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Scalar>,
    /// Marks the knee of each line: the last x at which y is at most twice its least value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// The scale of the y axis; linear if left out.
    #[serde(default)]
    pub scale: Spacing,
    /// The greatest value shown on the y axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Scalar>,
}

/// What is marked on a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The last x at which y is at most twice its least value.
    Knee,
}
