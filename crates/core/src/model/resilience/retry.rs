//! Retries, hedges and fallbacks, as written in a model file.
//!
//! Sources: gRPC proposal A6 (attempts count the first one; at most one hedge per delay); J. Dean and L. A. Barroso, "The
//! Tail at Scale", CACM 56(2), 2013 (hedging after a percentile, canceling the loser).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backoff::BackoffSpec;
use super::budget::BudgetSpec;
use crate::model::frame::Outcome;
use crate::quantity::{Duration, Share};

/// Trying again: `{ attempts: 3, backoff: { exponential: 50ms, max: 1s }, budget: 10% }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrySpec {
    /// The most tries, the first one included; 3 if left out.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// How long to wait before each retry; not at all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<BackoffSpec>,
    /// How many retries there may be for all calls together; any number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetSpec>,
    /// Tries, the first ones included, wait while the callee refuses too many: `aws_adaptive`; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateSpec>,
    /// The failures after which it is tried again; all but `broken` and `canceled` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<Outcome>>,
}

/// How the rate of tries is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RetryRate")]
#[serde(rename_all = "snake_case")]
pub enum RateSpec {
    /// By the client rate limiter of the AWS SDKs' adaptive retry mode; goes with `budget: { aws: {} }`.
    AwsAdaptive,
}

fn three() -> u32 {
    3
}

impl RetrySpec {
    /// The outcomes that are tried again, by their numbers. A call that is not idempotent is tried again only if it
    /// surely was not carried out.
    pub fn retryable(&self, idempotent: bool) -> [bool; Outcome::ALL.len()] {
        Outcome::ALL.map(|outcome| {
            let wanted = match &self.on {
                Some(on) => on.contains(&outcome),
                None => !matches!(outcome, Outcome::Broken | Outcome::Canceled),
            };
            let unsent = matches!(
                outcome,
                Outcome::Rejected | Outcome::Limited | Outcome::Shed | Outcome::Broken | Outcome::Unreachable
            );
            wanted && outcome != Outcome::Success && (idempotent || unsent)
        })
    }
}

/// Asking again before the first has answered, and taking what comes first: `{ after: 20ms }`, `{ percentile: 95% }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HedgeSpec {
    /// How long an answer may take before a further attempt is sent, and the next one after as long again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Duration>,
    /// The same as a percentile of the caller's latest 500 response times; no hedges before the first 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentile: Option<Share>,
    /// The most attempts, the first one included; 2 if left out.
    #[serde(default = "two")]
    #[schemars(range(min = 2, max = 5))]
    pub attempts: u16,
    /// Whether the others are stopped when one has answered; yes if left out.
    #[serde(default = "yes")]
    pub cancel: bool,
}

fn two() -> u16 {
    2
}

fn yes() -> bool {
    true
}

/// What a caller tells its callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Propagated {
    /// When the answer is needed: the callee does not begin what comes too late, and passes it on where its own calls say so.
    Deadline,
    /// That the answer is not wanted any more: the callee stops, and so does what it called if its own calls say so.
    Cancellation,
}

/// A limit on calls at once from each instance: `{ size: 10, queue: 0 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkheadSpec {
    /// Calls at once from one instance.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub size: u32,
    /// How many may wait; none if left out.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub queue: u32,
    /// How long they may wait; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Duration>,
}

/// A pool of connections of every instance: `{ size: 50, wait: 500ms }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionPoolSpec {
    /// Connections of one instance.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub size: u32,
    /// How many calls may wait for a connection; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub queue: Option<u32>,
    /// How long a call may wait for a connection; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Duration>,
    /// How long opening a connection takes; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<crate::model::distribution::Random<Duration>>,
    /// An unused connection is closed after this time; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_was_not_carried_out_is_repeated_if_it_is_not_idempotent() {
        let spec: RetrySpec = serde_json::from_str("{}").unwrap();
        let words = |idempotent| -> Vec<&str> {
            let retryable = spec.retryable(idempotent);
            Outcome::ALL.iter().filter(|outcome| retryable[**outcome as usize]).map(|outcome| outcome.word()).collect()
        };
        assert_eq!(words(false), ["rejected", "limited", "shed", "unreachable"]);
        assert_eq!(words(true), ["error", "rejected", "timed out", "limited", "shed", "unreachable", "crashed"]);
        let spec: RetrySpec = serde_json::from_str(r#"{"on": ["timed_out"]}"#).unwrap();
        let retryable = spec.retryable(true);
        assert_eq!(Outcome::ALL.iter().filter(|outcome| retryable[**outcome as usize]).count(), 1);
    }
}
