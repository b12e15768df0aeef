//! A bucket of retry tokens: every call adds a part of a token, every retry takes one.
//!
//! Source: Marc Brooker, "Fixing retries with token buckets and circuit breakers", 2022. The bucket starts full. While
//! the failures are rarer than the share, every one may be retried; beyond that the load is pinned at 1 + share.
//!
//! Tokens are counted in millionths, so that a tenth is a tenth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Budget;
use crate::engine::time::Nanos;
use crate::quantity::Share;

/// One token.
const TOKEN: u64 = 1_000_000;

/// A bucket that every call adds a part of a token to and every retry takes one from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBucketSpec {
    /// What a call adds: the retries per call in the long run.
    pub share: Share,
    /// The most tokens that the bucket holds; 10 if left out. It starts full.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: u32,
}

fn ten() -> u32 {
    10
}

impl TokenBucketSpec {
    /// The bucket with the usual capacity.
    pub fn of(share: Share) -> Self {
        TokenBucketSpec { share, capacity: ten() }
    }
}

/// The bucket. State: its tokens.
#[derive(Debug)]
pub struct TokenBucket {
    gain: u64,
    capacity: u64,
    tokens: u64,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(spec: &TokenBucketSpec) -> Self {
        let capacity = u64::from(spec.capacity) * TOKEN;
        TokenBucket { gain: (spec.share.fraction() * TOKEN as f64).round() as u64, capacity, tokens: capacity }
    }
}

impl Budget for TokenBucket {
    fn began(&mut self, _now: Nanos) {
        self.tokens = (self.tokens + self.gain).min(self.capacity);
    }

    fn take(&mut self, _now: Nanos, _slow: bool) -> bool {
        let enough = self.tokens >= TOKEN;
        self.tokens -= if enough { TOKEN } else { 0 };
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    fn bucket(share: f64, capacity: u32) -> TokenBucket {
        TokenBucket::new(&TokenBucketSpec { share: Share::from_fraction(share).unwrap(), capacity })
    }

    #[test]
    fn a_full_bucket_pays_for_its_capacity_and_ten_calls_for_one_more() {
        let mut bucket = bucket(0.1, 5);
        for _ in 0..5 {
            assert!(bucket.take(0, false));
        }
        for _ in 0..2 {
            assert!(!bucket.take(0, false));
            (0..9).for_each(|_| bucket.began(0));
            assert!(!bucket.take(0, false));
            bucket.began(0);
            assert!(bucket.take(0, false));
        }
    }

    #[test]
    fn long_run_load_and_success_are_those_of_the_algebra() {
        // Case G02: +0.1 per call, retries while there are tokens: load min(1/(1-p), 1.1), success load·(1-p).
        for (p, load, success) in [(0.01, 1.0101, 1.0), (0.05, 1.0526, 1.0), (0.2, 1.1, 0.88), (0.5, 1.1, 0.55)] {
            let (mut bucket, mut random) = (bucket(0.1, 10), Stream::new(9));
            let (mut attempts, mut good) = (0, 0);
            for _ in 0..100_000 {
                bucket.began(0);
                attempts += 1;
                while unit(&mut random) < p {
                    if !bucket.take(0, false) {
                        good -= 1;
                        break;
                    }
                    attempts += 1;
                }
                good += 1;
            }
            assert!((f64::from(attempts) / 1e5 / load - 1.0).abs() < 0.02, "{p} {attempts}");
            assert!((f64::from(good) / 1e5 / success - 1.0).abs() < 0.02, "{p} {good}");
        }
    }
}
