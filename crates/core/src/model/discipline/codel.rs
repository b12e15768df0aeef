//! CoDel: turns requests away while every one of them has waited longer than a target for a whole interval, the faster the longer
//! that lasts.
//!
//! Source: K. Nichols, V. Jacobson, RFC 8289 (2018), section 5, with its constants (5 ms, 100 ms); the queue's last request
//! is never dropped. Here a request is looked at when it would be served.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::engine::time::round;
use crate::quantity::Duration;

/// Parameters of CoDel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Codel")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The waiting time that is acceptable; 5ms if left out.
    #[serde(default = "target")]
    pub target: Duration,
    /// For how long all must have waited longer before one is dropped; 100ms if left out.
    #[serde(default = "interval")]
    pub interval: Duration,
}

fn target() -> Duration {
    Duration::from_nanos(5_000_000)
}

fn interval() -> Duration {
    Duration::from_nanos(100_000_000)
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.interval == Duration::ZERO { Err("an interval must be longer than 0".to_owned()) } else { Ok(()) }
    }
}

/// The controller.
#[derive(Debug, Clone, Copy)]
pub struct Codel {
    target: Nanos,
    interval: Nanos,
    /// When the wait will have been too long for an interval; 0 while it is not too long.
    first_above: Nanos,
    /// When the next one is dropped.
    drop_next: Nanos,
    count: u32,
    last_count: u32,
    dropping: bool,
}

impl Codel {
    /// A controller that has seen nothing.
    pub fn new(parameters: Parameters) -> Self {
        let (target, interval) = (parameters.target.as_nanos(), parameters.interval.as_nanos());
        Codel { target, interval, first_above: 0, drop_next: 0, count: 0, last_count: 0, dropping: false }
    }

    /// The next drop after one at `time`: closer and closer, by the square root of their number.
    fn control(&self, time: Nanos) -> Nanos {
        time + round(self.interval as f64 / f64::from(self.count.max(1)).sqrt())
    }

    /// Whether the wait of the one that leaves the queue now has been too long for an interval.
    fn too_long(&mut self, now: Nanos, waited: Nanos, left: u32) -> bool {
        if waited < self.target || left == 0 {
            self.first_above = 0;
        } else if self.first_above == 0 {
            self.first_above = now + self.interval;
        } else if now >= self.first_above {
            return true;
        }
        false
    }

    /// Whether the one that would be served now is dropped instead; `left` wait behind it. To be asked until one is not.
    /// `first` tells that the question is not about the successor of one that was just dropped.
    pub fn drops(&mut self, now: Nanos, waited: Nanos, left: u32, first: bool) -> bool {
        let too_long = self.too_long(now, waited, left);
        if self.dropping {
            if !too_long {
                self.dropping = false;
                return false;
            }
            if !first {
                self.drop_next = self.control(self.drop_next);
            }
            if now >= self.drop_next {
                self.count += 1;
                return true;
            }
            return false;
        }
        if first && too_long {
            let delta = self.count.saturating_sub(self.last_count);
            let recent = now.saturating_sub(self.drop_next) < 16 * self.interval;
            self.count = if delta > 1 && recent { delta } else { 1 };
            self.last_count = self.count;
            self.dropping = true;
            // One is dropped at once, the next after an interval.
            self.drop_next = now;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn drops_begin_after_an_interval_and_come_closer_by_the_square_root() {
        let mut codel = Codel::new(Parameters { target: target(), interval: interval() });
        let mut dropped = Vec::new();
        // Every millisecond one leaves a long queue that all waited 50 ms in.
        for millisecond in 1..600u64 {
            let mut first = true;
            while codel.drops(millisecond * MS, 50 * MS, 100, first) {
                dropped.push(millisecond);
                first = false;
            }
        }
        // The first 100 ms after the wait was first too long, then 100, 100/√2, 100/√3, … later.
        assert_eq!(dropped[..6], [101, 201, 272, 330, 380, 425]);
    }

    #[test]
    fn a_short_wait_ends_it() {
        let mut codel = Codel::new(Parameters { target: target(), interval: interval() });
        assert!(!codel.drops(MS, 10 * MS, 5, true));
        assert!(codel.drops(101 * MS, 10 * MS, 5, true));
        assert!(!codel.drops(101 * MS, 10 * MS, 5, false), "one at a time");
        assert!(!codel.drops(300 * MS, 4 * MS, 5, true));
        assert!(!codel.drops(310 * MS, 50 * MS, 5, true), "a new interval begins");
        assert!(!codel.drops(500 * MS, 50 * MS, 0, true), "the last one stays");
    }
}
