//! Retry budgets: how many retries a caller may send, whatever fails.
//!
//! One file per budget. A caller tells its budget of every call that begins and of how it ends, and asks before every
//! retry. Each instance of a service has budgets of its own, as the libraries do.

mod aws;
mod finagle;
mod grpc;
mod token_bucket;

pub use aws::AwsSpec;
pub use finagle::FinagleSpec;
pub use grpc::GrpcSpec;
pub use token_bucket::TokenBucketSpec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::time::Nanos;
use crate::quantity::Share;

/// A budget for retries, as written in a model file: a share of the calls, or a named budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BudgetSpec {
    /// So many retries per call in the long run: `10%` is `{ token_bucket: { share: 10% } }`.
    Share(Share),
    /// A named budget.
    Named(NamedBudget),
}

/// A named retry budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedBudget {
    /// A bucket that every call adds a part of a token to and every retry takes one from.
    TokenBucket(TokenBucketSpec),
    /// The retry quota of the AWS SDKs' standard mode.
    Aws(AwsSpec),
    /// Finagle's RetryBudget.
    Finagle(FinagleSpec),
    /// gRPC's retry throttling.
    Grpc(GrpcSpec),
}

/// Decides whether a retry may be sent.
pub trait Budget: std::fmt::Debug {
    /// A call begins (not a retry).
    fn began(&mut self, _now: Nanos) {}

    /// An attempt ended, with success after so many retries or not; `slow` tells that the retry before it, if any, was
    /// made because of a timeout.
    fn ended(&mut self, _success: bool, _retries: u32, _slow: bool) {}

    /// Whether a retry may be sent now, after a timeout (`slow`) or another failure; if so it is paid for.
    fn take(&mut self, now: Nanos, slow: bool) -> bool;
}

impl BudgetSpec {
    /// Makes the budget.
    pub fn build(&self) -> Box<dyn Budget> {
        match self {
            BudgetSpec::Share(share) => Box::new(token_bucket::TokenBucket::new(&TokenBucketSpec::of(*share))),
            BudgetSpec::Named(NamedBudget::TokenBucket(spec)) => Box::new(token_bucket::TokenBucket::new(spec)),
            BudgetSpec::Named(NamedBudget::Aws(spec)) => Box::new(aws::Aws::new(spec)),
            BudgetSpec::Named(NamedBudget::Finagle(spec)) => Box::new(finagle::Finagle::new(spec)),
            BudgetSpec::Named(NamedBudget::Grpc(spec)) => Box::new(grpc::Grpc::new(spec)),
        }
    }
}
