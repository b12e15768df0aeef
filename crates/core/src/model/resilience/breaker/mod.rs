//! Circuit breakers: a caller stops calling what fails.
//!
//! Closed, calls pass and are watched. Open, calls fail at once. Half-open, a few probes pass and decide. Two rules trip a
//! breaker, one file each: failures in a row, and the rate of failures or slow calls over a window. Each instance of a
//! service has breakers of its own, one per call in its code.
//!
//! A result carries the breaker's generation at its start. Failures in a row ignore results of an earlier generation, as
//! gobreaker does; the window counts them in whatever state they find, as resilience4j does.

mod consecutive;
mod rate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};
use consecutive::Consecutive;
use rate::Rate;

/// A circuit breaker: `{ consecutive_failures: 5, open: 60s }`, or `{ failure_rate: 50%, window: 100 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerSpec {
    /// Opens at so many failures in a row; or give `failure_rate` or `slow_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub consecutive_failures: Option<u32>,
    /// Opens when at least this share of the calls in the window failed; 50 % if only `slow_rate` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<Share>,
    /// Opens when at least this share of the calls in the window were slow; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_rate: Option<Share>,
    /// Calls longer than this are slow; 60 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Duration>,
    /// The window: a number of calls, or a time such as `10s`; 100 calls if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSpec>,
    /// Calls in the window before it can open; 100 if left out, or all of a smaller window of calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub minimum: Option<u32>,
    /// How long it stays open; 60 s if left out. The next call after that is the first probe.
    #[serde(default = "minute")]
    pub open: Duration,
    /// Probes while it is half-open; 1 for failures in a row and 10 for rates if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub half_open: Option<u32>,
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

/// The window of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WindowSpec {
    /// The latest calls.
    Calls(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// The calls of the latest time.
    Time(Duration),
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls fail at once, until this time [ns].
    Open(Nanos),
    /// Probes pass.
    HalfOpen,
}

/// A breaker at work.
#[derive(Debug, Clone)]
pub enum Breaker {
    /// Trips on failures in a row.
    Consecutive(Consecutive),
    /// Trips on a rate over a window.
    Rate(Rate),
}

impl BreakerSpec {
    /// Makes the breaker, closed.
    ///
    /// # Errors
    /// What is wrong with the description.
    pub fn build(&self) -> Result<Breaker, String> {
        let of_window = [self.slow.is_some(), self.window.is_some(), self.minimum.is_some()];
        match (self.consecutive_failures, self.failure_rate.is_some() || self.slow_rate.is_some()) {
            (Some(_), true) => Err("give either `consecutive_failures` or rates, not both".to_owned()),
            (None, false) => Err("give `consecutive_failures`, `failure_rate` or `slow_rate`".to_owned()),
            (Some(_), false) if of_window.contains(&true) => {
                Err("`window`, `minimum` and `slow` go with `failure_rate` or `slow_rate`".to_owned())
            }
            (Some(failures), false) => {
                Ok(Breaker::Consecutive(Consecutive::new(failures, self.open.as_nanos(), self.half_open.unwrap_or(1))))
            }
            (None, true) => Ok(Breaker::Rate(Rate::new(self))),
        }
    }
}

impl Breaker {
    /// Whether a call may pass now; if so, the generation that its result must carry.
    pub fn admit(&mut self, now: Nanos) -> Option<u64> {
        match self {
            Breaker::Consecutive(breaker) => breaker.admit(now),
            Breaker::Rate(breaker) => breaker.admit(now),
        }
    }

    /// Takes note of the result of a call that was admitted with this generation and took so long [ns].
    pub fn record(&mut self, now: Nanos, generation: u64, success: bool, took: Nanos) {
        match self {
            Breaker::Consecutive(breaker) => breaker.record(now, generation, success),
            Breaker::Rate(breaker) => breaker.record(now, success, took),
        }
    }

    /// Takes note that an admitted call ended without a result, such as one that was canceled.
    pub fn forget(&mut self, generation: u64) {
        match self {
            Breaker::Consecutive(breaker) => breaker.forget(generation),
            Breaker::Rate(breaker) => breaker.forget(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        match self {
            Breaker::Consecutive(breaker) => breaker.state,
            Breaker::Rate(breaker) => breaker.state,
        }
    }
}
