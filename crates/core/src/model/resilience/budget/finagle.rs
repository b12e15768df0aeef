//! Finagle's RetryBudget.
//!
//! Source: twitter/finagle `RetryBudget.scala` and `LeakyTokenBucket`: every request deposits tokens that expire after
//! `ttl`, a retry withdraws; there is a reserve of `min_retries × ttl`. With tokens in thousandths a request deposits 1000
//! and a retry withdraws ⌊1000 / share⌋ (1 of nothing deposited, for a share of 0). The tokens of the last `ttl` are kept
//! in 10 slices (`WindowedAdder`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::window::Window;
use super::Budget;
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// Finagle's RetryBudget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinagleSpec {
    /// How long a request counts; 10 s if left out.
    #[serde(default = "ttl")]
    pub ttl: Duration,
    /// Retries per second that are always allowed; 10 if left out.
    #[serde(default = "minimum")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub min_retries: u32,
    /// Retries per request; 20 % if left out.
    #[serde(default = "share")]
    pub share: Share,
}

fn ttl() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

fn minimum() -> u32 {
    10
}

fn share() -> Share {
    Share::from_fraction(0.2).unwrap_or_default()
}

/// The budget. State: the tokens of the last `ttl`.
#[derive(Debug)]
pub struct Finagle {
    deposit: i64,
    withdrawal: i64,
    reserve: i64,
    tokens: Window<1>,
}

impl Finagle {
    /// A budget that holds its reserve.
    pub fn new(spec: &FinagleSpec) -> Self {
        let share = spec.share.fraction();
        let (deposit, withdrawal) = if share == 0.0 { (0, 1) } else { (1000, (1000.0 / share) as i64) };
        let reserve = (f64::from(spec.min_retries) * spec.ttl.as_secs_f64()) as i64 * withdrawal;
        Finagle { deposit, withdrawal, reserve, tokens: Window::new(spec.ttl.as_nanos(), 10) }
    }

    /// How many retries it would pay for now.
    #[cfg(test)]
    fn balance(&mut self, now: Nanos) -> i64 {
        (self.reserve + self.tokens.sums(now)[0]) / self.withdrawal
    }
}

impl Budget for Finagle {
    fn began(&mut self, now: Nanos) {
        self.tokens.add(now, 0, self.deposit);
    }

    fn take(&mut self, now: Nanos, _slow: bool) -> bool {
        let enough = self.reserve + self.tokens.sums(now)[0] >= self.withdrawal;
        if enough {
            self.tokens.add(now, 0, -self.withdrawal);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(ttl: u64, min_retries: u32, share: f64) -> Finagle {
        Finagle::new(&FinagleSpec {
            ttl: Duration::from_nanos(ttl * 1_000_000_000),
            min_retries,
            share: Share::from_fraction(share).unwrap(),
        })
    }

    #[test]
    fn retries_are_a_share_of_requests_and_the_reserve() {
        // Case G10, the rule of RetryBudgetTest.scala: 10 000 requests that each try one retry at one instant.
        for (ttl, min, share, expected) in [
            (10, 0, 0.1, 1000),
            (10, 0, 0.25, 2500),
            (10, 0, 0.75, 7501),
            (1, 10, 0.1, 1010),
            (2, 5, 0.5, 5010),
            (1, 10, 0.0, 10),
        ] {
            let mut budget = budget(ttl, min, share);
            let retries = (0..10_000)
                .filter(|_| {
                    budget.began(0);
                    budget.take(0, false)
                })
                .count();
            assert!((retries as i64 - expected).abs() <= 1, "{ttl} {min} {share}: {retries}");
        }
    }

    #[test]
    fn the_usual_budget_begins_with_a_hundred_retries() {
        assert_eq!(Finagle::new(&serde_json::from_str("{}").unwrap()).balance(0), 100);
    }

    #[test]
    fn what_was_withdrawn_is_forgotten_after_the_ttl() {
        let mut budget = budget(1, 2, 0.1);
        assert_eq!((0..9).filter(|_| budget.take(0, false)).count(), 2);
        assert!(!budget.take(999_999_999, false));
        assert_eq!((0..9).filter(|_| budget.take(1_000_000_000, false)).count(), 2);
    }
}
