//! A breaker without a short timeout: everybody waits before the first failure tells it anything.

use super::calls::Calls;
use super::{finding, time};
use crate::model::compile::Problem;

/// A longer timeout is not short [s] (own rule).
const SHORT: f64 = 5.0;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let guarded = calls.all().filter(|site| site.breaker);
    let late = guarded.filter(|site| site.timeout.or(site.deadline).is_none_or(|timeout| timeout > SHORT));
    late.map(|site| {
        let message = match site.timeout.or(site.deadline) {
            None => "a breaker on a call without a timeout: if the callee hangs, no call ever fails and it never opens"
                .to_owned(),
            Some(timeout) => format!(
                "a breaker on a call with a timeout of {}: if the callee hangs, nothing fails before that; at 1000/s \
                 {:.0} calls wait by then",
                time(timeout),
                1000.0 * timeout
            ),
        };
        finding(
            format!("{}.breaker", site.path),
            message,
            "give the call a `timeout` a little above its slowest good answers",
        )
    })
    .collect()
}
