//! Adaptive concurrency limits: how many requests an instance takes on at once, found by itself.
//!
//! One file per rule. Source of the three named rules: Netflix/concurrency-limits (`AIMDLimit`, `VegasLimit`,
//! `Gradient2Limit`), with its defaults and integer rounding. A request beyond the limit is shed at once, as by its
//! `SimpleLimiter`.

mod aimd;
mod gradient2;
mod per_period;
mod vegas;

pub use aimd::AimdSpec;
pub use gradient2::Gradient2Spec;
pub use per_period::PerPeriodSpec;
pub use vegas::VegasSpec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::time::Nanos;

/// A limit on requests at an instance at once, as written in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitSpec {
    /// Always the same.
    Fixed(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// One more after each success, a tenth less after each failure or slow request.
    Aimd(AimdSpec),
    /// By the queue that the response time beyond its least value shows, as in TCP Vegas.
    Vegas(VegasSpec),
    /// By the ratio of the long-run to the latest response time.
    Gradient2(Gradient2Spec),
    /// One step up or down at the end of every period, by its successes and mean response time.
    PerPeriod(PerPeriodSpec),
}

/// Finds the limit.
pub trait Limit: std::fmt::Debug {
    /// The present limit.
    fn limit(&self) -> u32;

    /// A request ended after `took` [ns] (at least 1); `in_flight` were at the instance when it began, itself included.
    /// `dropped` tells that it failed for overload.
    fn sample(&mut self, now: Nanos, took: Nanos, in_flight: u32, dropped: bool);
}

/// Always the same.
#[derive(Debug)]
struct Fixed(u32);

impl Limit for Fixed {
    fn limit(&self) -> u32 {
        self.0
    }

    fn sample(&mut self, _now: Nanos, _took: Nanos, _in_flight: u32, _dropped: bool) {}
}

impl LimitSpec {
    /// Makes the limit.
    pub fn build(&self) -> Box<dyn Limit> {
        match self {
            LimitSpec::Fixed(limit) => Box::new(Fixed(*limit)),
            LimitSpec::Aimd(spec) => Box::new(aimd::Aimd::new(spec)),
            LimitSpec::Vegas(spec) => Box::new(vegas::Vegas::new(spec)),
            LimitSpec::Gradient2(spec) => Box::new(gradient2::Gradient2::new(spec)),
            LimitSpec::PerPeriod(spec) => Box::new(per_period::PerPeriod::new(spec)),
        }
    }
}
