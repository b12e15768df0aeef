//! Token bucket: tokens come evenly at a rate, at most `burst` are kept; a request takes one or is refused. Full at the start.
//!
//! Source: J. Turner, "New directions in communications", IEEE Communications Magazine 24 (1986), as a meter; the refill
//! is continuous, as in Go's `x/time/rate` and AWS API Gateway.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::engine::Nanos;
use crate::quantity::Rate;

/// Parameters of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TokenBucket")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How many tokens come per time: the rate that is allowed in the long run.
    pub rate: Rate,
    /// How many tokens are kept: how many requests may come at once.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub burst: u32,
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.burst == 0 { Err("a bucket without room for a token lets nothing pass".to_owned()) } else { Ok(()) }
    }
}

/// The bucket. State: its tokens at an instant.
#[derive(Debug, Clone, Copy)]
pub struct TokenBucket {
    /// Tokens per nanosecond.
    rate: f64,
    burst: f64,
    tokens: f64,
    since: Nanos,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(parameters: Parameters) -> Self {
        let burst = f64::from(parameters.burst);
        TokenBucket { rate: parameters.rate.per_second() / 1e9, burst, tokens: burst, since: 0 }
    }

    /// Asks for a token.
    pub fn ask(&mut self, now: Nanos) -> Verdict {
        self.tokens = (self.tokens + (now - self.since) as f64 * self.rate).min(self.burst);
        self.since = now;
        // What is missing by rounding only is not missing.
        if self.tokens < 1.0 - 1e-9 {
            return Verdict::Refused;
        }
        self.tokens = (self.tokens - 1.0).max(0.0);
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::ziggurat::Exponential;

    fn bucket(rate: f64, burst: u32) -> TokenBucket {
        TokenBucket::new(Parameters { rate: Rate::from_per_second(rate).unwrap(), burst })
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = bucket(10.0, 3);
        let times = [0, 0, 0, 0, 99_999_999, 100_000_000, 150_000_000, 200_000_000];
        let passed: Vec<bool> = times.iter().map(|time| bucket.ask(*time) == Verdict::Pass).collect();
        assert_eq!(passed, [true, true, true, false, false, true, false, true]);
    }

    #[test]
    fn poisson_arrivals_pass_as_often_as_the_barrier_queue_says() {
        // Workload-barrier M/D/1 by level crossing; for a burst of 1 M/D/1/1: 1/(1 + ρ). Tolerance 0.003.
        for (arrivals, burst, expected) in [
            (80.0, 1, 0.555_556),
            (80.0, 10, 0.996_361),
            (100.0, 10, 0.949_153),
            (120.0, 10, 0.829_089),
            (120.0, 100, 0.833_333),
        ] {
            let (mut bucket, mut random, unit) = (bucket(100.0, burst), Stream::new(5), Exponential::new());
            let (mut now, mut passed) = (0.0, 0);
            for _ in 0..400_000 {
                now += unit.sample(&mut random) / arrivals * 1e9;
                passed += u32::from(bucket.ask(now as Nanos) == Verdict::Pass);
            }
            let share = f64::from(passed) / 400_000.0;
            assert!((share - expected).abs() < 0.003, "{arrivals} {burst}: {share}");
        }
    }
}
