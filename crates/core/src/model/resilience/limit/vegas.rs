//! By the queue that the response time shows, as in TCP Vegas.
//!
//! Source: Netflix/concurrency-limits `VegasLimit`. With the least response time r₀ and the latest r, the queue is
//! ⌈limit × (1 − r₀/r)⌉. With l = max(1, ⌊log₁₀ limit⌋): at most l waiting: + 6l; fewer than 3l: + l; more than 6l, or a
//! drop: − l. Nothing changes while less than half the limit is in use, nor on a sample that is a new least. Every
//! jitter × 30 × limit samples, jitter uniform in [0.5, 1), the least is measured anew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limit;
use crate::engine::Stream;
use crate::engine::random::{named, unit};
use crate::engine::time::Nanos;

/// By the queue that the response time beyond its least value shows, as in TCP Vegas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VegasSpec {
    /// The limit at the start; 20 if left out.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub initial: u32,
    /// The greatest limit; 1000 if left out.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max: u32,
    /// A queue shorter than this lets the limit grow; 3 × log₁₀ of the limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub alpha: Option<u32>,
    /// A queue longer than this makes it shrink; 6 × log₁₀ of the limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub beta: Option<u32>,
    /// How many times the limit, in samples, between two measurements of the least response time; 30 if left out.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub probe: u32,
}

fn twenty() -> u32 {
    20
}

fn thousand() -> u32 {
    1000
}

fn thirty() -> u32 {
    30
}

/// The limit.
#[derive(Debug)]
pub struct Vegas {
    spec: VegasSpec,
    limit: f64,
    /// The least response time [ns]; 0 before the first.
    least: Nanos,
    samples: f64,
    jitter: f64,
    random: Stream,
}

impl Vegas {
    /// The initial limit.
    pub fn new(spec: &VegasSpec) -> Self {
        let mut random = Stream::new(named(0, "vegas probe"));
        let jitter = 0.5 + unit(&mut random) / 2.0;
        Vegas { limit: f64::from(spec.initial), spec: spec.clone(), least: 0, samples: 0.0, jitter, random }
    }

    fn change(&self, took: Nanos, in_flight: u32, dropped: bool) -> f64 {
        let step = libm::floor(libm::log10(libm::floor(self.limit).max(1.0)) + 1e-12).max(1.0);
        let queue = libm::ceil(self.limit * (1.0 - self.least as f64 / took as f64));
        let alpha = self.spec.alpha.map_or(3.0 * step, f64::from);
        let beta = self.spec.beta.map_or(6.0 * step, f64::from);
        if dropped {
            return -step;
        }
        match () {
            () if f64::from(in_flight) * 2.0 < self.limit => 0.0,
            () if queue <= step => beta,
            () if queue < alpha => step,
            () if queue > beta => -step,
            () => 0.0,
        }
    }
}

impl Limit for Vegas {
    fn limit(&self) -> u32 {
        self.limit as u32
    }

    fn sample(&mut self, _now: Nanos, took: Nanos, in_flight: u32, dropped: bool) {
        self.samples += 1.0;
        let probe = self.jitter * f64::from(self.spec.probe) * self.limit <= self.samples;
        if probe {
            self.samples = 0.0;
            self.jitter = 0.5 + unit(&mut self.random) / 2.0;
        }
        if probe || self.least == 0 || took < self.least {
            self.least = took;
            return;
        }
        let limit = self.limit + self.change(took, in_flight, dropped);
        self.limit = limit.min(f64::from(self.spec.max)).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(text: &str, times: &[Nanos]) -> Vec<u32> {
        let mut vegas = Vegas::new(&serde_json::from_str(text).unwrap());
        times
            .iter()
            .map(|took| {
                vegas.sample(0, *took, vegas.limit(), false);
                vegas.limit()
            })
            .collect()
    }

    #[test]
    fn the_steps_are_those_of_the_librarys_own_tests() {
        // Case G16.
        let text = r#"{"alpha": 3, "beta": 6, "initial": 10, "max": 20}"#;
        assert_eq!(play(text, &[10, 10]), [10, 16]);
        assert_eq!(play(text, &[10, 50]), [10, 9]);
        assert_eq!(play(text, &[10, 14]), [10, 10]);
    }

    #[test]
    fn it_grows_while_nothing_waits_and_shrinks_when_something_does() {
        let times = [[10; 8], [20; 8]].concat();
        let expected = [20, 26, 32, 38, 44, 50, 56, 62, 61, 60, 59, 58, 57, 56, 55, 54];
        assert_eq!(play("{}", &times), expected);
    }

    #[test]
    fn idle_instances_learn_nothing_and_drops_shrink_it() {
        let mut vegas = Vegas::new(&serde_json::from_str("{}").unwrap());
        vegas.sample(0, 10, 20, false);
        vegas.sample(0, 10, 9, false);
        assert_eq!(vegas.limit(), 20);
        vegas.sample(0, 10, 9, true);
        assert_eq!(vegas.limit(), 19);
    }

    #[test]
    fn the_least_response_time_is_measured_anew_after_a_while() {
        let mut vegas = Vegas::new(&serde_json::from_str(r#"{"initial": 4, "max": 4, "probe": 5}"#).unwrap());
        (0..30).for_each(|_| vegas.sample(0, 10, 1, false));
        (0..30).for_each(|_| vegas.sample(0, 50, 1, false));
        assert_eq!(vegas.least, 50);
    }
}
