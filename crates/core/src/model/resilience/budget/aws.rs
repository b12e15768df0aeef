//! The retry quota of the AWS SDKs' standard mode.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Retry behavior"; botocore `retries/standard.py` and `quota.py`
//! (`RetryQuotaChecker`): a bucket of 500 tokens; a retry costs 5, one after a timeout 10, and is not sent if the bucket
//! holds less. A success gives back what its last retry cost, or 1 token if there was none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Budget;
use crate::engine::time::Nanos;

/// The retry quota of the AWS SDKs' standard mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSpec {
    /// The most tokens, and those at the start; 500 if left out.
    #[serde(default = "capacity")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: u32,
    /// What a retry costs; 5 tokens if left out.
    #[serde(default = "cost")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub cost: u32,
    /// What a retry after a timeout costs; 10 tokens if left out.
    #[serde(default = "timeout_cost")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub timeout_cost: u32,
}

fn capacity() -> u32 {
    500
}

fn cost() -> u32 {
    5
}

fn timeout_cost() -> u32 {
    10
}

/// The quota. State: its tokens.
#[derive(Debug)]
pub struct Aws {
    spec: AwsSpec,
    tokens: u32,
}

impl Aws {
    /// A full quota.
    pub fn new(spec: &AwsSpec) -> Self {
        Aws { tokens: spec.capacity, spec: spec.clone() }
    }

    fn price(&self, slow: bool) -> u32 {
        if slow { self.spec.timeout_cost } else { self.spec.cost }
    }
}

impl Budget for Aws {
    fn ended(&mut self, success: bool, retries: u32, slow: bool) {
        if success {
            let back = if retries > 0 { self.price(slow) } else { 1 };
            self.tokens = (self.tokens + back).min(self.spec.capacity);
        }
    }

    fn take(&mut self, _now: Nanos, slow: bool) -> bool {
        let price = self.price(slow);
        let enough = self.tokens >= price;
        self.tokens -= if enough { price } else { 0 };
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Aws {
        Aws::new(&serde_json::from_str("{}").unwrap())
    }

    #[test]
    fn the_quota_pays_for_a_hundred_retries_or_fifty_after_timeouts() {
        let count = |slow| {
            let mut quota = full();
            (0..1000).filter(|_| quota.take(0, slow)).count()
        };
        assert_eq!((count(false), count(true)), (100, 50));
    }

    #[test]
    fn a_success_gives_back_what_its_last_retry_cost_or_one() {
        let mut quota = full();
        while quota.take(0, false) {}
        for (retries, slow, expected) in [(0, false, 1), (1, false, 6), (2, true, 16)] {
            quota.ended(true, retries, slow);
            assert_eq!(quota.tokens, expected);
        }
        quota.ended(false, 1, false);
        assert_eq!(quota.tokens, 16, "a failure gives nothing back");
        (0..1000).for_each(|_| quota.ended(true, 0, false));
        assert_eq!(quota.tokens, 500, "never more than the capacity");
    }
}
