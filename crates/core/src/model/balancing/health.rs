//! Active health checks: every instance is asked at regular times; several answers in a row that differ from what is believed
//! change it.
//!
//! Source: Envoy's and Kubernetes' thresholds. A check costs nothing and fails exactly while the instance is down; all
//! balancers check at the same times, multiples of the interval from the start of the run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::Duration;

/// Parameters of health checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HealthChecks")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The time between two checks; 10s if left out, as in Kubernetes.
    #[serde(default = "ten_seconds")]
    pub interval: Duration,
    /// How many checks must fail in a row before an instance is left out; 3 if left out.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000))]
    pub down_after: u32,
    /// How many must succeed in a row before it is used again; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub up_after: u32,
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

fn three() -> u32 {
    3
}

fn one() -> u32 {
    1
}

/// What the checks have found. State: what is believed, and what will be found out when.
#[derive(Debug, Clone)]
pub struct Health {
    parameters: Parameters,
    believed: Vec<bool>,
    /// Per instance whose state is not as believed: when that will be known.
    pending: BTreeMap<u32, Nanos>,
}

impl Health {
    /// All so many instances are believed to be up.
    pub fn new(parameters: Parameters, instances: usize) -> Self {
        Health { parameters, believed: vec![true; instances], pending: BTreeMap::new() }
    }

    /// An instance has gone down or come back.
    pub fn happened(&mut self, instance: u32, up: bool, now: Nanos) {
        if self.believed[instance as usize] == up {
            self.pending.remove(&instance);
            return;
        }
        let interval = self.parameters.interval.as_nanos().max(1);
        let checks = if up { self.parameters.up_after } else { self.parameters.down_after };
        let next = (now / interval + 1) * interval;
        self.pending.insert(instance, next + u64::from(checks.max(1) - 1) * interval);
    }

    /// Brings what is believed up to date; whether anything changed.
    pub fn update(&mut self, now: Nanos) -> bool {
        let before = self.pending.len();
        let believed = &mut self.believed;
        self.pending.retain(|instance, time| {
            let known = *time <= now;
            believed[*instance as usize] ^= known;
            !known
        });
        self.pending.len() != before
    }

    /// Whether an instance is believed to be up.
    pub fn believes(&self, instance: u32) -> bool {
        self.believed[instance as usize]
    }

    /// When something will be found out.
    pub fn next(&self) -> Option<Nanos> {
        self.pending.values().copied().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Nanos = 1_000_000_000;

    #[test]
    fn a_crash_is_known_after_enough_failed_checks_and_a_return_after_enough_good_ones() {
        let parameters = Parameters { interval: Duration::from_nanos(5 * S), down_after: 3, up_after: 2 };
        let mut health = Health::new(parameters, 2);
        health.happened(1, false, 12 * S);
        // Checks fail at 15, 20 and 25 s.
        assert_eq!(health.next(), Some(25 * S));
        assert!(!health.update(25 * S - 1) && health.believes(1));
        assert!(health.update(25 * S) && !health.believes(1) && health.believes(0));
        health.happened(1, true, 30 * S);
        // A check at the very moment still fails; those at 35 and 40 s succeed.
        assert_eq!(health.next(), Some(40 * S));
        assert!(health.update(100 * S) && health.believes(1));
    }

    #[test]
    fn a_short_absence_is_never_known() {
        let mut health =
            Health::new(Parameters { interval: Duration::from_nanos(5 * S), down_after: 2, up_after: 1 }, 1);
        health.happened(0, false, S);
        health.happened(0, true, 7 * S);
        assert!(!health.update(100 * S) && health.believes(0));
    }
}
