//! Outlier detection: an instance that fails several times in a row is ejected for a while, each time for longer.
//!
//! Source: Envoy, "Outlier detection", consecutive failures: 5; swept every 10 s; ejected for 30 s times the number of its
//! ejections, 300 s at most, until the first sweep after that; at most 10 % of the instances are ejected, but always one may be;
//! a sweep that finds an instance in use makes its next ejection shorter again. Whatever is not a success counts as a
//! failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// The longest ejection.
const LONGEST: Nanos = 300_000_000_000;

/// Parameters of outlier detection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Outliers")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How many failures in a row eject an instance; 5 if left out.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 100_000))]
    pub failures: u32,
    /// How often it is looked whether ejections are over; 10s if left out.
    #[serde(default = "ten_seconds")]
    pub interval: Duration,
    /// For how long an instance is ejected the first time; 30s if left out.
    #[serde(default = "thirty_seconds")]
    pub ejection: Duration,
    /// The greatest share of the instances that may be ejected; 10% if left out. One always may.
    #[serde(default = "tenth")]
    pub most: Share,
}

fn five() -> u32 {
    5
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

fn thirty_seconds() -> Duration {
    Duration::from_nanos(30_000_000_000)
}

fn tenth() -> Share {
    Share::from_fraction(0.1).unwrap_or_default()
}

/// What is known of one instance.
#[derive(Debug, Clone, Copy, Default)]
struct One {
    failures: u32,
    ejections: u32,
    ejected_at: Option<Nanos>,
}

/// Who is ejected.
#[derive(Debug, Clone)]
pub struct Outliers {
    parameters: Parameters,
    instances: Vec<One>,
    ejected: usize,
    next_sweep: Nanos,
}

impl Outliers {
    /// Nobody of so many instances is ejected.
    pub fn new(parameters: Parameters, instances: usize) -> Self {
        let next_sweep = parameters.interval.as_nanos();
        Outliers { parameters, instances: vec![One::default(); instances], ejected: 0, next_sweep }
    }

    /// An instance answered or could not be reached; whether it is ejected for that now.
    pub fn answered(&mut self, instance: u32, success: bool, now: Nanos) -> bool {
        let most = (self.parameters.most.fraction() * self.instances.len() as f64) as usize;
        let one = &mut self.instances[instance as usize];
        one.failures = if success { 0 } else { one.failures + 1 };
        if one.failures < self.parameters.failures || one.ejected_at.is_some() || self.ejected >= most.max(1) {
            return false;
        }
        *one = One { failures: 0, ejections: one.ejections + 1, ejected_at: Some(now) };
        self.ejected += 1;
        true
    }

    /// Makes the sweeps until now; whether somebody came back.
    pub fn update(&mut self, now: Nanos) -> bool {
        let mut changed = false;
        while self.next_sweep <= now && (self.ejected > 0 || self.instances.iter().any(|one| one.ejections > 0)) {
            let sweep = self.next_sweep;
            self.next_sweep += self.parameters.interval.as_nanos();
            for one in &mut self.instances {
                match one.ejected_at {
                    Some(at) => {
                        let length = self.parameters.ejection.as_nanos().saturating_mul(u64::from(one.ejections));
                        if sweep >= at.saturating_add(length.min(LONGEST)) {
                            one.ejected_at = None;
                            self.ejected -= 1;
                            changed = true;
                        }
                    }
                    None => one.ejections = one.ejections.saturating_sub(1),
                }
            }
        }
        if self.next_sweep <= now {
            let interval = self.parameters.interval.as_nanos().max(1);
            self.next_sweep = (now / interval + 1) * interval;
        }
        changed
    }

    /// Whether an instance is ejected.
    pub fn ejects(&self, instance: u32) -> bool {
        self.instances[instance as usize].ejected_at.is_some()
    }

    /// When the next sweep may bring somebody back.
    pub fn next(&self) -> Option<Nanos> {
        (self.ejected > 0).then_some(self.next_sweep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Nanos = 1_000_000_000;

    fn outliers(instances: usize) -> Outliers {
        Outliers::new(
            Parameters { failures: 5, interval: ten_seconds(), ejection: thirty_seconds(), most: tenth() },
            instances,
        )
    }

    #[test]
    fn five_failures_in_a_row_eject_and_a_sweep_after_the_time_brings_back() {
        let mut outliers = outliers(10);
        let said: Vec<bool> = (0..4).map(|_| outliers.answered(3, false, S)).collect();
        assert_eq!(said, [false; 4]);
        assert!(!outliers.answered(3, true, S), "a success forgives");
        assert!((0..4).all(|_| !outliers.answered(3, false, S)));
        assert!(outliers.answered(3, false, 2 * S) && outliers.ejects(3));
        // Until 32 s; the sweep at 40 s finds it over.
        assert!(!outliers.update(39 * S) && outliers.ejects(3));
        assert!(outliers.update(40 * S) && !outliers.ejects(3));
        // The second time for 60 s.
        assert!((0..5).any(|_| outliers.answered(3, false, 41 * S)));
        assert!(!outliers.update(100 * S) && outliers.update(110 * S));
    }

    #[test]
    fn no_more_than_the_greatest_share_are_ejected_but_always_one() {
        let mut outliers = outliers(20);
        let ejected = (0..20).filter(|instance| (0..5).any(|_| outliers.answered(*instance, false, S))).count();
        assert_eq!(ejected, 2);
        let mut few = super::Outliers::new(outliers.parameters, 3);
        let ejected = (0..3).filter(|instance| (0..5).any(|_| few.answered(*instance, false, S))).count();
        assert_eq!(ejected, 1);
    }

    #[test]
    fn good_times_make_the_next_ejection_short_again() {
        let mut outliers = outliers(10);
        (0..5).for_each(|_| {
            outliers.answered(0, false, S);
        });
        outliers.update(200 * S);
        assert_eq!(outliers.instances[0].ejections, 0);
    }
}
