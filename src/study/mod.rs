//! The results of an experiment: what is recorded, and all that a report may read.
//!
//! A [`Study`] is written whole to `summary.json`; tables, CSV files and charts are made from it alone, so that they can
//! be made again without simulating.
//!
//! Units: every value is in the base unit of its metric (seconds, 1/s, shares from 0 to 1, bytes).

pub mod comparison;
pub mod finding;
pub mod insight;
pub mod level;
pub mod scaling;
pub mod search;
pub mod selected;
pub mod system;

use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::system::record::Ending;
use crate::quantity::Unit;
use crate::spec::experiment_file::PlotSpec;
use finding::Finding;
pub use insight::Insight;
pub use level::Level;
use scaling::Scaling;
use selected::Selected;
use system::SystemMap;

/// The version of the layout of `summary.json`; grows when a reader would have to change.
pub const LAYOUT: u32 = 2;

/// The results of one experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Study {
    /// The version of this layout.
    pub layout: u32,
    /// The experiment's name: that of its file, without the ending.
    pub experiment: String,
    /// How the results were made.
    pub provenance: Provenance,
    /// What the experiment asks.
    pub question: String,
    /// What its author expected.
    pub prediction: Option<String>,
    /// What its author says about the results.
    pub analysis: Option<String>,
    /// How it was run.
    pub run: RunPlan,
    /// The swept keys, in the order of the file.
    pub factors: Vec<Factor>,
    /// The metrics, in the order in which every run and point lists its values.
    pub metrics: Vec<MetricName>,
    /// The columns of the time series of every point.
    pub columns: Vec<MetricName>,
    /// The points: every variant at every combination of levels.
    pub points: Vec<Point>,
    /// What became of the expectations.
    pub expectations: Vec<Finding>,
    /// What the runs rested on without the files saying so.
    pub assumptions: Vec<String>,
    /// What the reader should know about the quality of the numbers.
    pub warnings: Vec<String>,
    /// The systems of the points, as pictures show them; each once.
    #[serde(default)]
    pub systems: Vec<SystemMap>,
    /// The charts that the experiment asks for.
    pub plots: Vec<PlotSpec>,
    /// Whether the experiment was ended early; what was finished is kept.
    pub interrupted: bool,
    /// When faults came by the clock, in the first of the points that has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<FaultMark>,
    /// The best of the variants, where the experiment asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<Selected>,
    /// How throughput grows with the swept key, if that says how many of something there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scalings: Vec<Scaling>,
    /// What closed forms say of the points that have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theories: Vec<Theory>,
    /// What was found out about some of the points (`scalelab explain`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insights: Vec<Insight>,
}

/// A fault that came by the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultMark {
    /// What it was: `crash shop/2`.
    pub label: String,
    /// When it began, from the start of the run [s].
    pub from: f64,
    /// When it was over [s]; never within the run if there is none.
    pub until: Option<f64>,
}

/// How results were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of scalelab.
    pub version: String,
    /// The command line.
    pub command: String,
    /// The files that were read, with a hash of their content.
    pub files: Vec<FileHash>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// Its name as given.
    pub name: String,
    /// A 64-bit hash of its content, in hexadecimal.
    pub hash: String,
}

/// How long, how often and with which seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunPlan {
    /// Simulated and not measured [s].
    pub warm_up: f64,
    /// Measured [s].
    pub window: f64,
    /// The most time after the window for measured requests to end [s].
    pub drain: f64,
    /// Distance of the points of the time series [s].
    pub interval: f64,
    /// Runs of every point.
    pub replications: u64,
    /// The seed.
    pub seed: u64,
    /// The confidence of all intervals, such as 0.95.
    pub confidence: f64,
    /// Whether the run was shortened by `--quick`.
    pub quick: bool,
}

/// A metric or column: its name and unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricName {
    /// Such as `shoppers.latency.p95`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
}

/// A swept key and its levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// The key, such as `clients.shoppers.arrivals.poisson`.
    pub key: String,
    /// The unit of the levels' values, if they are quantities.
    pub unit: Option<Unit>,
    /// The levels.
    pub levels: Vec<Level>,
}

impl Factor {
    /// Whether the key is the rate of an open client's arrivals; then, the client.
    pub fn offered_by(&self) -> Option<&str> {
        let rest = self.key.strip_prefix("clients.")?;
        let processes = [".arrivals.poisson", ".arrivals.constant", ".arrivals.uniform"];
        processes.iter().find_map(|process| rest.strip_suffix(process))
    }

    /// A short name for people: the key's last segment, or `rate`.
    pub fn name(&self) -> String {
        let last = self.key.rsplit('.').next().unwrap_or(&self.key);
        self.offered_by().map_or_else(|| last.replace('_', " "), |_| "rate".to_owned())
    }
}

/// One variant at one combination of levels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Point {
    /// The variant's name; empty if the experiment has no variants.
    pub variant: String,
    /// Per factor: the index of its level.
    pub levels: Vec<usize>,
    /// The index of its system among those of the study.
    #[serde(default)]
    pub system: usize,
    /// The runs that were finished, by replication.
    pub runs: Vec<Run>,
    /// Per metric: mean and interval over the replications; `None` if any run lacks a value.
    pub estimates: Vec<Option<Estimate>>,
    /// Where the time of the clients' successful requests went.
    pub attributions: Vec<Attribution>,
    /// The same for every operation's attempts, in the place of the client `service.operation`; only of explained points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Attribution>,
    /// Where the clients' time went over simulated time; only of explained points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub courses: Vec<Course>,
    /// The distribution of the clients' response times, all replications together.
    pub distributions: Vec<Distribution>,
    /// The time series: a row per interval, a value per column, mean over the replications; missing values are `null`.
    pub series: Vec<Vec<Option<f64>>>,
    /// Half widths of the intervals of `series`, in the same layout.
    pub series_half_widths: Vec<Vec<Option<f64>>>,
    /// Whether work came in faster than it could be done, and how fast the backlog grew.
    pub overload: Option<Overload>,
}

/// One simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which replication, from 0.
    pub replication: u64,
    /// Identifies the trajectory; in hexadecimal.
    pub fingerprint: String,
    /// Why it ended.
    pub ending: Ending,
    /// Events that happened.
    pub events: u64,
    /// Per metric: its value.
    pub values: Vec<Option<f64>>,
}

/// A mean over replications.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of its interval (Student's t); `None` for a single replication.
    pub half_width: Option<f64>,
    /// Replications.
    pub n: u64,
}

impl Estimate {
    /// The lower end of the interval; minus infinity if it is not known.
    pub fn low(&self) -> f64 {
        self.half_width.map_or(f64::NEG_INFINITY, |half| self.mean - half)
    }

    /// The upper end of the interval; infinity if it is not known.
    pub fn high(&self) -> f64 {
        self.half_width.map_or(f64::INFINITY, |half| self.mean + half)
    }
}

/// What a formula says of one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Theory {
    /// The point's variant.
    pub variant: String,
    /// The point's levels.
    pub levels: Vec<usize>,
    /// The formula: `M/M/4`.
    pub formula: String,
    /// The metric and its value in the base unit.
    pub values: Vec<(String, f64)>,
}

/// Where the time of a client's successful requests went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The client.
    pub client: String,
    /// The accounts that hold any time, greatest part of the slowest requests first.
    pub entries: Vec<Share>,
}

/// One account's part of the mean response time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The part: a service.
    pub part: String,
    /// Its resource or step: `workers`, `cpu`, `wait`.
    pub resource: String,
    /// Waiting or service.
    pub kind: Kind,
    /// Mean time per request, all successful requests [s].
    pub all: f64,
    /// Mean time per request, slowest 5 % [s].
    pub slowest: f64,
    /// Mean time per request, slowest 1 % [s].
    #[serde(default)]
    pub slowest_one: f64,
}

/// Where the time of a client's successful requests went, interval by interval of the time series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The client.
    pub client: String,
    /// The accounts that hold any time, as in its attribution; `all` is the mean over the whole run.
    pub accounts: Vec<CourseAccount>,
}

/// One account over simulated time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CourseAccount {
    /// The part: a service.
    pub part: String,
    /// Its resource or step.
    pub resource: String,
    /// The kind of time.
    pub kind: Kind,
    /// Mean time per request that ended in each interval [s]; `null` where none did.
    pub means: Vec<Option<f64>>,
}

/// The distribution of a client's response times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The client.
    pub client: String,
    /// Pairs of probability and quantile [s], ascending; only where at least ten observations lie beyond.
    pub quantiles: Vec<(f64, f64)>,
}

/// A backlog that grows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overload {
    /// The client whose requests pile up.
    pub client: String,
    /// How fast its requests in flight grow [1/s].
    pub growth: f64,
}

impl Study {
    /// The index of a metric.
    pub fn metric(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// A point in words: its variant and levels.
    pub fn label(&self, point: &Point) -> String {
        let levels = self
            .factors
            .iter()
            .zip(&point.levels)
            .map(|(factor, level)| format!("{} = {}", factor.name(), factor.levels[*level].text));
        let variant = Some(point.variant.clone()).filter(|variant| !variant.is_empty());
        variant.into_iter().chain(levels).collect::<Vec<_>>().join(", ")
    }

    /// The variants, in order.
    pub fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<&str> = Vec::new();
        for point in &self.points {
            if !variants.contains(&point.variant.as_str()) {
                variants.push(&point.variant);
            }
        }
        variants
    }
}

/// The mean of a metric at a point.
pub fn mean(metrics: &[MetricName], point: &Point, name: &str) -> Option<f64> {
    let index = metrics.iter().position(|metric| metric.name == name)?;
    point.estimates.get(index).copied().flatten().map(|estimate| estimate.mean).filter(|mean| mean.is_finite())
}

/// The clients, in order: only they have a metric `offered`.
pub fn clients(metrics: &[MetricName]) -> impl Iterator<Item = &str> {
    metrics.iter().filter_map(|metric| metric.name.strip_suffix(".offered"))
}
