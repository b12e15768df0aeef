//! One step up or down at the end of every period.
//!
//! Source: a common hand-written limiter (seed C14): once per `period`, the limit grows by `step` if the share of
//! successes is above `good` and the mean response time below `fast`; it shrinks by `step` if the share is below `bad` or
//! the mean above `slow`; between the two it stays. A period without a request changes nothing.
//!
//! `count_per_period` is the same limiter with a mistake often made: it compares the number of successes in a period with
//! 1000 × `good`, whatever the traffic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limit;
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// One step up or down at the end of every period, by its successes and mean response time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerPeriodSpec {
    /// The limit at the start; 100 if left out.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub initial: u32,
    /// The least limit; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min: u32,
    /// The greatest limit; 10000 if left out.
    #[serde(default = "ten_thousand")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max: u32,
    /// How often it changes; 1 s if left out.
    #[serde(default = "second")]
    pub period: Duration,
    /// By how much; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub step: u32,
    /// More successes than this let it grow; 99 % if left out.
    #[serde(default = "good")]
    pub good: Share,
    /// Fewer successes than this make it shrink; 95 % if left out.
    #[serde(default = "bad")]
    pub bad: Share,
    /// A mean response time below this lets it grow; 100 ms if left out.
    #[serde(default = "fast")]
    pub fast: Duration,
    /// A mean response time above this makes it shrink; 500 ms if left out.
    #[serde(default = "slow")]
    pub slow: Duration,
    /// Compares the number of successes in a period with 1000 × `good` and 1000 × `bad`, instead of their share; no if left
    /// out.
    #[serde(default)]
    pub count_per_period: bool,
}

fn hundred() -> u32 {
    100
}

fn one() -> u32 {
    1
}

fn ten_thousand() -> u32 {
    10_000
}

fn second() -> Duration {
    Duration::from_nanos(1_000_000_000)
}

fn good() -> Share {
    Share::from_fraction(0.99).unwrap_or_default()
}

fn bad() -> Share {
    Share::from_fraction(0.95).unwrap_or_default()
}

fn fast() -> Duration {
    Duration::from_nanos(100_000_000)
}

fn slow() -> Duration {
    Duration::from_nanos(500_000_000)
}

/// The limit. State: what ended in the present period.
#[derive(Debug)]
pub struct PerPeriod {
    spec: PerPeriodSpec,
    limit: u32,
    period: u64,
    ended: u64,
    successes: u64,
    total: u128,
}

impl PerPeriod {
    /// The initial limit.
    pub fn new(spec: &PerPeriodSpec) -> Self {
        PerPeriod { limit: spec.initial, spec: spec.clone(), period: 0, ended: 0, successes: 0, total: 0 }
    }

    /// Judges the period that is over.
    fn judge(&mut self) {
        let spec = &self.spec;
        let all = if spec.count_per_period { 1000.0 } else { self.ended as f64 };
        let successes = self.successes as f64 / all;
        let mean = self.total as f64 / self.ended as f64;
        if successes > spec.good.fraction() && mean < spec.fast.as_nanos() as f64 {
            self.limit = self.limit.saturating_add(spec.step).min(spec.max);
        } else if successes < spec.bad.fraction() || mean > spec.slow.as_nanos() as f64 {
            self.limit = self.limit.saturating_sub(spec.step).max(spec.min);
        }
    }
}

impl Limit for PerPeriod {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn sample(&mut self, now: Nanos, took: Nanos, _in_flight: u32, dropped: bool) {
        let period = now / self.spec.period.as_nanos().max(1);
        if period != self.period {
            if self.ended > 0 {
                self.judge();
            }
            (self.period, self.ended, self.successes, self.total) = (period, 0, 0, 0);
        }
        self.ended += 1;
        self.successes += u64::from(!dropped);
        self.total += u128::from(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Nanos = 1_000_000;

    /// One period of this many ends, so many of them failures, all as slow; then the first of the next.
    fn after(text: &str, ends: u64, failures: u64, took: Nanos) -> u32 {
        let mut limit = PerPeriod::new(&serde_json::from_str(text).unwrap());
        for number in 0..ends {
            limit.sample(0, took, 1, number < failures);
        }
        limit.sample(1000 * MILLI, took, 1, false);
        limit.limit()
    }

    #[test]
    fn it_steps_by_the_share_of_successes_and_the_mean() {
        assert_eq!(after("{}", 1000, 9, 99 * MILLI), 101, "991 of 1000 in 99 ms");
        assert_eq!(after("{}", 1000, 10, 99 * MILLI), 100, "990 are not more than 990");
        assert_eq!(after("{}", 1000, 0, 100 * MILLI), 100, "100 ms are not below 100 ms");
        assert_eq!(after("{}", 1000, 51, 99 * MILLI), 99, "949");
        assert_eq!(after("{}", 1000, 0, 501 * MILLI), 99);
        assert_eq!(after("{}", 10, 0, 99 * MILLI), 101, "ten of ten are all");
        assert_eq!(after(r#"{"count_per_period": true}"#, 10, 0, 99 * MILLI), 99, "ten are not a thousand");
        assert_eq!(after(r#"{"initial": 5, "step": 9}"#, 1000, 900, MILLI), 1);
    }
}
