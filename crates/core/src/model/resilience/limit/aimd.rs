//! Additive increase, multiplicative decrease.
//!
//! Source: Netflix/concurrency-limits `AIMDLimit`: after a failure or a response time above `timeout` the limit becomes
//! ⌊limit × backoff⌋; otherwise, if at least half of it is in use, limit + 1; always between `min` and `max`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limit;
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// One more after each success, a tenth less after each failure or slow request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AimdSpec {
    /// The limit at the start; 20 if left out.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub initial: u32,
    /// The least limit; 20 if left out.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min: u32,
    /// The greatest limit; 200 if left out.
    #[serde(default = "two_hundred")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max: u32,
    /// What remains of the limit after a failure; 90 % if left out.
    #[serde(default = "ninety")]
    pub backoff: Share,
    /// A longer response time counts as a failure; 5 s if left out.
    #[serde(default = "five_seconds")]
    pub timeout: Duration,
}

fn twenty() -> u32 {
    20
}

fn two_hundred() -> u32 {
    200
}

fn ninety() -> Share {
    Share::from_fraction(0.9).unwrap_or_default()
}

fn five_seconds() -> Duration {
    Duration::from_nanos(5_000_000_000)
}

/// The limit.
#[derive(Debug)]
pub struct Aimd {
    spec: AimdSpec,
    limit: u32,
}

impl Aimd {
    /// The initial limit.
    pub fn new(spec: &AimdSpec) -> Self {
        Aimd { limit: spec.initial, spec: spec.clone() }
    }
}

impl Limit for Aimd {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn sample(&mut self, _now: Nanos, took: Nanos, in_flight: u32, dropped: bool) {
        if dropped || took > self.spec.timeout.as_nanos() {
            self.limit = (f64::from(self.limit) * self.spec.backoff.fraction()) as u32;
        } else if in_flight.saturating_mul(2) >= self.limit {
            self.limit = self.limit.saturating_add(1);
        }
        self.limit = self.limit.max(self.spec.min).min(self.spec.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(initial: u32) -> Aimd {
        Aimd::new(&serde_json::from_str(&format!(r#"{{"initial": {initial}}}"#)).unwrap())
    }

    #[test]
    fn the_steps_are_those_of_the_library() {
        let after = |initial, took, in_flight, dropped| {
            let mut limit = limit(initial);
            limit.sample(0, took, in_flight, dropped);
            limit.limit()
        };
        // Case G16.
        assert_eq!(after(20, 1, 20, false), 21, "one more on success");
        assert_eq!(after(30, 1, 30, true), 27, "a tenth less on a drop");
        assert_eq!(after(20, 1, 20, true), 20, "never below the floor");
        assert_eq!(after(20, 1, 9, false), 20, "no more while less than half is in use");
        assert_eq!(after(30, 5_000_000_001, 30, false), 27, "slow is a failure");
        assert_eq!(after(200, 1, 200, false), 200, "never above the ceiling");
    }
}
