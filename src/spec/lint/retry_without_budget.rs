//! Retries that nothing bounds: in an outage they multiply the load when it can be carried least.

use super::calls::Calls;
use super::finding;
use crate::model::compile::Problem;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let unbounded = calls.all().filter(|site| site.attempts > 1 && !site.budget);
    unbounded
        .map(|site| {
            let message = format!(
                "retries without a budget: when {} fails, it gets {} times its load",
                site.target, site.attempts
            );
            finding(format!("{}.retry", site.path), message, "add `budget: 10%`: then it gets 1.1 times its load")
        })
        .collect()
}
