//! gRPC's retry throttling.
//!
//! Source: gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs": a count of tokens starts at `max_tokens`; every
//! failed attempt takes 1, every success adds `token_ratio`; retries are sent only while the count is above half of
//! `max_tokens`. Fractions beyond three decimals are ignored, so tokens are counted in thousandths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Budget;
use crate::engine::time::Nanos;

/// gRPC's retry throttling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcSpec {
    /// The most tokens, and those at the start; 10 if left out.
    #[serde(default = "max_tokens")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_tokens: u32,
    /// What a success adds; 0.1 if left out.
    #[serde(default = "token_ratio")]
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub token_ratio: f64,
}

fn max_tokens() -> u32 {
    10
}

fn token_ratio() -> f64 {
    0.1
}

/// The budget. State: its tokens in thousandths.
#[derive(Debug)]
pub struct Grpc {
    most: u32,
    gain: u32,
    tokens: u32,
}

impl Grpc {
    /// A full budget.
    pub fn new(spec: &GrpcSpec) -> Self {
        let most = spec.max_tokens * 1000;
        Grpc { most, gain: (spec.token_ratio * 1000.0) as u32, tokens: most }
    }
}

impl Budget for Grpc {
    fn ended(&mut self, success: bool, _retries: u32, _slow: bool) {
        self.tokens = if success { (self.tokens + self.gain).min(self.most) } else { self.tokens.saturating_sub(1000) };
    }

    fn take(&mut self, _now: Nanos, _slow: bool) -> bool {
        self.tokens > self.most / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_permissions_are_those_of_the_proposal() {
        // Case G09: ten tokens, a tenth per success.
        let mut budget = Grpc::new(&serde_json::from_str("{}").unwrap());
        let mut seen = Vec::new();
        for _ in 0..6 {
            budget.ended(false, 0, false);
            seen.push((budget.tokens, budget.take(0, false)));
        }
        let expected = [(9, true), (8, true), (7, true), (6, true), (5, false), (4, false)];
        assert_eq!(seen, expected.map(|(tokens, allowed)| (tokens * 1000, allowed)));
        let mut successes = 0;
        while !budget.take(0, false) {
            budget.ended(true, 0, false);
            successes += 1;
        }
        assert_eq!(successes, 11, "from 4.0 to 5.1");
        budget.ended(false, 0, false);
        (0..9).for_each(|_| budget.ended(true, 0, false));
        assert_eq!(budget.tokens, 5000);
        assert!(!budget.take(0, false));
        budget.ended(true, 0, false);
        assert!(budget.take(0, false), "one success from 5.0");
        (0..1000).for_each(|_| budget.ended(true, 0, false));
        (0..20).for_each(|_| budget.ended(false, 0, false));
        assert_eq!(budget.tokens, 0, "never below nothing");
    }
}
