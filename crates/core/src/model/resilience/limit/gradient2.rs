//! By the ratio of the long-run response time to the latest.
//!
//! Source: Netflix/concurrency-limits `Gradient2Limit` and `ExpAvgMeasurement`: gradient = tolerance × long / latest,
//! between ½ and 1; the limit moves by a fifth (`smoothing`) of the way to limit × gradient + 4. The long-run time is an
//! exponential average over 600 samples (the plain mean of the first 10); it loses 5 % per sample while it is more than
//! twice the latest. Nothing changes while less than half the limit is in use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limit;
use crate::engine::time::Nanos;
use crate::quantity::Share;

/// By the ratio of the long-run to the latest response time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradient2Spec {
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
    /// Requests that may wait; 4 if left out.
    #[serde(default = "four")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub queue: u32,
    /// How far the latest response time may be above the long-run one before the limit shrinks; 1.5 if left out.
    #[serde(default = "one_and_a_half")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub tolerance: f64,
    /// How much of the way it moves at a time; 20 % if left out.
    #[serde(default = "fifth")]
    pub smoothing: Share,
    /// Samples of the long-run average; 600 if left out.
    #[serde(default = "six_hundred")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub long_window: u32,
}

fn twenty() -> u32 {
    20
}

fn two_hundred() -> u32 {
    200
}

fn four() -> u32 {
    4
}

fn one_and_a_half() -> f64 {
    1.5
}

fn fifth() -> Share {
    Share::from_fraction(0.2).unwrap_or_default()
}

fn six_hundred() -> u32 {
    600
}

/// An exponential average that begins as a plain mean.
#[derive(Debug)]
struct Average {
    factor: f64,
    warm_up: u32,
    count: u32,
    sum: f64,
    value: f64,
}

impl Average {
    fn new(window: u32, warm_up: u32) -> Self {
        Average { factor: 2.0 / (f64::from(window) + 1.0), warm_up, count: 0, sum: 0.0, value: 0.0 }
    }

    fn add(&mut self, sample: f64) -> f64 {
        if self.count < self.warm_up {
            self.count += 1;
            self.sum += sample;
            self.value = self.sum / f64::from(self.count);
        } else {
            self.value = self.value * (1.0 - self.factor) + sample * self.factor;
        }
        self.value
    }
}

/// The limit.
#[derive(Debug)]
pub struct Gradient2 {
    spec: Gradient2Spec,
    limit: f64,
    long: Average,
}

impl Gradient2 {
    /// The initial limit.
    pub fn new(spec: &Gradient2Spec) -> Self {
        Gradient2 { limit: f64::from(spec.initial), long: Average::new(spec.long_window, 10), spec: spec.clone() }
    }
}

impl Limit for Gradient2 {
    fn limit(&self) -> u32 {
        self.limit as u32
    }

    fn sample(&mut self, _now: Nanos, took: Nanos, in_flight: u32, _dropped: bool) {
        let latest = took.max(1) as f64;
        let long = self.long.add(latest);
        if long / latest > 2.0 {
            self.long.value *= 0.95;
        }
        if f64::from(in_flight) < self.limit / 2.0 {
            return;
        }
        let gradient = (self.spec.tolerance * long / latest).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + f64::from(self.spec.queue);
        let smoothing = self.spec.smoothing.fraction();
        let limit = self.limit * (1.0 - smoothing) + wanted * smoothing;
        self.limit = limit.min(f64::from(self.spec.max)).max(f64::from(self.spec.min));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_that_of_the_library() {
        let mut average = Average::new(100, 10);
        (10..20).for_each(|sample| {
            average.add(f64::from(sample));
        });
        assert!((average.add(100.0) - 16.193_069_306_930_695).abs() < 1e-12);
    }

    #[test]
    fn the_sequence_is_that_of_the_library() {
        // Case G16: 20 samples of 10, then 20 of 40, always saturated.
        let mut limit = Gradient2::new(&serde_json::from_str("{}").unwrap());
        let mut seen = Vec::new();
        for took in [[10; 20], [40; 20]].concat() {
            limit.sample(0, took, limit.limit(), false);
            seen.push(limit.limit());
        }
        let expected = [
            20, 21, 22, 23, 24, 24, 25, 26, 27, 28, 28, 29, 30, 31, 32, 32, 33, 34, 35, 36, 33, 30, 28, 26, 24, 22, 21,
            20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
        ];
        assert_eq!(seen, expected);
    }
}
