//! Vertical scaling: how large the instances of a service should be.
//!
//! The Vertical Pod Autoscaler of Kubernetes, for cores. Usage is sampled once a minute into a [decaying histogram](histogram); the target is
//! its 90th percentile and 15 % more, and an instance is changed when its request is below the lower bound or above the upper
//! one, or when it is 12 h old and 10 % off. Bounds are percentiles too (50 and 95), which are widened as long as little is known: with
//! a history of c days the lower one is multiplied by (1 + 0.001/c)⁻², the upper one by 1 + 1/c. Whoever restarts comes back with the size of the
//! present target. No more than half of the instances may be missing, and single ones are left alone.
//!
//! A sample weighs as much as what was requested, so that more cores make what was seen with fewer of them count less.
//!
//! Source: kubernetes/autoscaler, vertical-pod-autoscaler: `recommender/logic/{recommender,estimator}.go`,
//! `recommender/model/{aggregations_config,aggregate_container_state}.go`, `updater/priority/*.go`, `updater/restriction/*.go`; their defaults are
//! the defaults here.
//!
//! Limits: cores only, no memory; the updater looks right after the recommender, at the same times.

pub mod histogram;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Cores, Duration, Share};
use histogram::Decaying;

/// Who changes the size of the instances: the Vertical Pod Autoscaler, with the defaults of its flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Vertical")]
#[serde(deny_unknown_fields)]
pub struct VerticalSpec {
    /// The smallest size; 25m if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Cores>,
    /// The largest size, such as the cores of the largest machine.
    pub max: Cores,
    /// How an instance gets another size; by being replaced if left out.
    #[serde(default)]
    pub mode: Mode,
    /// How many cores it may use for each that it requests and pays for (limit ÷ request, which stays as it is); 1 if left out.
    /// `machine.cores` is the limit.
    #[serde(default = "unity")]
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub limit: f64,
    /// The percentile of its usage that an instance should have; 90% if left out.
    #[serde(default = "ninety")]
    pub percentile: Share,
    /// How much more it should have; 15% if left out.
    #[serde(default = "margin")]
    pub margin: Share,
    /// The percentile below which an instance is too small; 50% if left out.
    #[serde(default = "half")]
    pub lower: Share,
    /// The percentile above which an instance is too large; 95% if left out.
    #[serde(default = "most")]
    pub upper: Share,
    /// After this time a sample counts half; 24h if left out.
    #[serde(default = "day")]
    pub half_life: Duration,
    /// After this time of samples the bounds are trusted; 24h if left out.
    #[serde(default = "day")]
    pub confidence: Duration,
    /// How often usage is sampled and sizes are looked at; 1min if left out.
    #[serde(default = "minute")]
    pub every: Duration,
    /// The share of the instances that may be missing while they are replaced; 50% if left out.
    #[serde(default = "half")]
    pub tolerance: Share,
    /// Fewer instances than this are left alone; 2 if left out.
    #[serde(default = "two")]
    pub replicas: u32,
    /// An instance of this age is changed within the bounds too, if it is off by `change`; 12h if left out.
    #[serde(default = "half_day")]
    pub lifetime: Duration,
    /// See `lifetime`; 10% if left out.
    #[serde(default = "tenth")]
    pub change: Share,
}

/// How an instance gets another size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VerticalMode")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It leaves, and another one comes.
    #[default]
    Recreate,
    /// While it runs.
    InPlace,
    /// Not at all: those that come for another reason have the new size.
    Initial,
}

fn unity() -> f64 {
    1.0
}

fn percent(percent: f64) -> Share {
    Share::from_fraction(percent / 100.0).unwrap_or_default()
}

fn ninety() -> Share {
    percent(90.0)
}

fn margin() -> Share {
    percent(15.0)
}

fn half() -> Share {
    percent(50.0)
}

fn most() -> Share {
    percent(95.0)
}

fn tenth() -> Share {
    percent(10.0)
}

fn two() -> u32 {
    2
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

fn half_day() -> Duration {
    Duration::from_nanos(43_200_000_000_000)
}

fn day() -> Duration {
    Duration::from_nanos(86_400_000_000_000)
}

impl VerticalSpec {
    /// The smallest size [cores].
    fn least(&self) -> f64 {
        self.min.map_or(LEAST, Cores::get)
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The key that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let long = |key, duration: Duration| {
            if duration == Duration::ZERO { Err((key, "it must be longer than 0")) } else { Ok(()) }
        };
        if self.least() > self.max.get() {
            return Err(("min", "the smallest size must not be larger than the largest"));
        }
        if self.lower > self.percentile || self.percentile > self.upper {
            return Err(("percentile", "it must be between `lower` and `upper`"));
        }
        long("half_life", self.half_life)?;
        long("confidence", self.confidence)?;
        long("every", self.every)
    }
}

/// The size that instances should have, and within which bounds they are left alone [cores].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// The size of those that begin.
    pub target: f64,
    /// Whoever has less is too small.
    pub lower: f64,
    /// Whoever has more is too large.
    pub upper: f64,
}

/// Why an instance should get another size; the most important last.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Priority {
    /// Whether it should grow.
    pub grows: bool,
    /// By how much, as a share of what it has.
    pub change: f64,
}

/// Learns what instances use.
#[derive(Debug, Clone)]
pub struct Recommender {
    spec: VerticalSpec,
    usage: Decaying,
    /// When the first sample was taken, and the last one [ns].
    span: Option<[Nanos; 2]>,
    samples: u64,
}

/// The smallest size if nothing is said [cores].
const LEAST: f64 = 0.025;

/// The least weight of a sample [cores].
const LEAST_WEIGHT: f64 = 0.1;

/// Samples in a day of the confidence, at one per minute.
const SAMPLES: f64 = 1440.0;

impl Recommender {
    /// Knows nothing yet.
    pub fn new(spec: &VerticalSpec) -> Self {
        Recommender { spec: spec.clone(), usage: Decaying::new(spec.half_life.as_nanos()), span: None, samples: 0 }
    }

    /// An instance that requests so many cores has used so many on average since the last sample.
    pub fn sample(&mut self, now: Nanos, usage: f64, request: f64) {
        self.usage.add(now, usage, request.max(LEAST_WEIGHT));
        let first = self.span.map_or(now, |[first, _]| first);
        self.span = Some([first, now]);
        self.samples += 1;
    }

    /// How much is known: the length of the history, and the samples at one per minute, in units of `confidence`.
    fn confidence(&self) -> f64 {
        let length = self.span.map_or(0.0, |[first, last]| (last - first) as f64);
        let unit = self.spec.confidence.as_nanos() as f64;
        let day = day().as_nanos() as f64;
        (length / unit).min(self.samples as f64 / (SAMPLES * unit / day))
    }

    /// What it recommends, once it has seen anything.
    pub fn recommend(&self) -> Option<Recommendation> {
        self.span?;
        let spec = &self.spec;
        let confidence = self.confidence();
        let size = |percentile: Share, factor: f64| {
            let usage = self.usage.percentile(percentile.fraction()) * (1.0 + spec.margin.fraction());
            // Thousandths of a core, rounded up.
            let cores = (usage * factor * 1000.0 - 1e-9).ceil() / 1000.0;
            cores.max(spec.least()).min(spec.max.get())
        };
        let widened = 1.0 + 0.001 / confidence;
        Some(Recommendation {
            target: size(spec.percentile, 1.0),
            lower: size(spec.lower, 1.0 / (widened * widened)),
            upper: size(spec.upper, 1.0 + 1.0 / confidence),
        })
    }

    /// Whether an instance that requests so many cores and has run for so long [ns] should get another size.
    pub fn judge(&self, recommended: &Recommendation, request: f64, age: Nanos) -> Option<Priority> {
        let change = (recommended.target - request).abs() / request;
        let outside = request < recommended.lower || request > recommended.upper;
        let old = age >= self.spec.lifetime.as_nanos() && change >= self.spec.change.fraction();
        (outside || old).then_some(Priority { grows: recommended.target > request, change })
    }
}

/// How many of so many wanted instances may be replaced now, if so many run: the eviction restriction of the updater.
pub fn may_leave(spec: &VerticalSpec, wanted: u32, running: u32) -> u32 {
    let tolerated = (f64::from(wanted) * spec.tolerance.fraction()) as u32;
    if tolerated == 0 { u32::from(running >= wanted) } else { running.saturating_sub(wanted - tolerated) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Nanos = 60_000_000_000;

    fn spec() -> VerticalSpec {
        serde_json::from_str(r#"{ "max": "64" }"#).expect("a spec with defaults")
    }

    /// So many days of samples, one per minute, of a usage.
    fn after(days: u64, usage: impl Fn(u64) -> f64, request: f64) -> Recommender {
        let mut recommender = Recommender::new(&spec());
        for minute in 0..=days * 1440 {
            recommender.sample(minute * MINUTE, usage(minute), request);
        }
        recommender
    }

    #[test]
    fn the_target_is_the_ninetieth_percentile_and_fifteen_percent_more() {
        // A steady core falls into the bucket that ends at 1.0188 cores: 0.01 × (1.05^37 − 1) / 0.05 and up.
        let recommended = after(1, |_| 1.0, 1.0).recommend().expect("samples");
        let end = 0.01 * (libm::pow(1.05, 37.0) - 1.0) / 0.05;
        assert!(end > 1.0 && end < 1.05, "{end}");
        assert_eq!(recommended.target, (end * 1.15 * 1000.0).ceil() / 1000.0);
    }

    #[test]
    fn bounds_are_wide_at_first_and_as_published_after_a_day() {
        let first = after(0, |_| 1.0, 1.0).recommend().expect("a sample");
        assert_eq!((first.lower, first.upper), (0.025, 64.0), "nothing is known: nobody is evicted");
        let day = after(1, |_| 1.0, 1.0).recommend().expect("samples");
        assert!((day.upper / day.target - 2.0).abs() < 0.01, "24 h of history: twice");
        assert!((day.lower / day.target - 0.998).abs() < 0.002);
        let week = after(7, |_| 1.0, 1.0).recommend().expect("samples");
        assert!((week.upper / week.target - 8.0 / 7.0).abs() < 0.01, "a week of history: 1.14");
        let hour = {
            let mut recommender = Recommender::new(&spec());
            (0..=60).for_each(|minute| recommender.sample(minute * MINUTE, 1.0, 1.0));
            recommender.recommend().expect("samples")
        };
        assert!((hour.lower / hour.target - 0.953).abs() < 0.003, "an hour: 0.95");
    }

    #[test]
    fn only_who_is_outside_of_the_bounds_is_changed_unless_it_is_old() {
        let recommender = after(7, |minute| if minute % 10 == 0 { 2.0 } else { 1.0 }, 2.0);
        let recommended = recommender.recommend().expect("samples");
        assert!(recommended.lower < 1.2 && recommended.upper > 2.3, "{recommended:?}");
        let judge = |request, age| recommender.judge(&recommended, request, age);
        assert_eq!(judge(1.5, 0), None);
        assert!(judge(1.5, 13 * 60 * MINUTE).is_some(), "older than 12 h and off by more than 10 %");
        assert!(judge(1.0, 0).is_some_and(|priority| priority.grows));
        assert!(judge(8.0, 0).is_some_and(|priority| !priority.grows && priority.change > 0.5));
    }

    #[test]
    fn half_of_the_instances_may_be_missing() {
        assert_eq!(may_leave(&spec(), 4, 4), 2);
        assert_eq!(may_leave(&spec(), 4, 3), 1);
        assert_eq!(may_leave(&spec(), 4, 2), 0);
        assert_eq!(may_leave(&spec(), 1, 1), 1, "one at a time if less than one is tolerated");
        assert_eq!(may_leave(&spec(), 3, 2), 0);
    }
}
