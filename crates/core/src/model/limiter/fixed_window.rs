//! Fixed window: so many requests per interval, counted anew at the start of each. Around a boundary twice as many can pass
//! within one interval's time.
//!
//! Source: the common counter per clock interval, as GitHub's and many Redis-based limiters use it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::engine::Nanos;
use crate::quantity::Duration;

/// Parameters of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Window")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How many requests may pass per interval.
    pub requests: u32,
    /// The length of an interval; intervals begin at the start of the run.
    pub per: Duration,
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.per == Duration::ZERO { Err("an interval must be longer than 0".to_owned()) } else { Ok(()) }
    }
}

/// The counter. State: the number of the interval, and requests that passed in it.
#[derive(Debug, Clone, Copy)]
pub struct FixedWindow {
    most: u32,
    length: Nanos,
    interval: u64,
    passed: u32,
}

impl FixedWindow {
    /// A counter that has seen nothing.
    pub fn new(parameters: Parameters) -> Self {
        FixedWindow { most: parameters.requests, length: parameters.per.as_nanos().max(1), interval: 0, passed: 0 }
    }

    /// Asks to pass.
    pub fn ask(&mut self, now: Nanos) -> Verdict {
        let interval = now / self.length;
        if interval != self.interval {
            (self.interval, self.passed) = (interval, 0);
        }
        if self.passed >= self.most {
            return Verdict::Refused;
        }
        self.passed += 1;
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_limit_passes_around_a_boundary() {
        let per = Duration::from_nanos(1000);
        let mut window = FixedWindow::new(Parameters { requests: 5, per });
        let passed = |window: &mut FixedWindow, now| (0..10).filter(|_| window.ask(now) == Verdict::Pass).count();
        assert_eq!([999, 1000, 1001, 2000].map(|now| passed(&mut window, now)), [5, 5, 0, 5]);
    }
}
