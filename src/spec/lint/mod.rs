//! Policy lint: what a model can do wrong before it is run. One rule per file.
//!
//! The rules see all calls of a model with what surrounds them, found wherever a `call` stands. Every finding is a warning
//! with its arithmetic; nothing is refused. Times are the longest that the file allows (jitter at its most), means only where
//! a step's time can be read off it.

mod breaker_needs_timeout;
mod calls;
mod hedge_not_idempotent;
mod pool_beyond_limit;
mod queue_beyond_timeout;
mod retries_multiply;
mod retry_without_budget;
mod timeout_too_short;

#[cfg(test)]
mod tests;

use super::model_file::ModelFile;
use super::resolve::dependencies::as_services;
use crate::model::compile::Problem;
use calls::Calls;

/// A rule: looks at all calls and tells what it finds.
type Rule = fn(&Calls) -> Vec<Problem>;

/// All rules.
const RULES: [Rule; 7] = [
    timeout_too_short::check,
    retries_multiply::check,
    pool_beyond_limit::check,
    queue_beyond_timeout::check,
    breaker_needs_timeout::check,
    hedge_not_idempotent::check,
    retry_without_budget::check,
];

/// Everything that looks wrong in a model that makes sense.
pub fn lint(model: &ModelFile) -> Vec<Problem> {
    let calls = Calls::of(&as_services(model));
    RULES.iter().flat_map(|rule| rule(&calls)).collect()
}

/// A finding with its advice.
fn finding(path: String, message: String, help: &str) -> Problem {
    Problem { path, message, help: Some(help.to_owned()) }
}

/// A time for people.
fn time(seconds: f64) -> String {
    crate::quantity::Duration::from_secs_f64(seconds).to_string()
}
