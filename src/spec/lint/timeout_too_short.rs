//! An outer timeout that is shorter than the attempts it covers: the outer caller gives up while inner tries go on.

use super::calls::Calls;
use super::{finding, time};
use crate::model::compile::Problem;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let mut found = Vec::new();
    for site in calls.all() {
        let Some(timeout) = site.timeout else { continue };
        let worst = calls.worst(&site.target, 0);
        if worst == 0.0 || timeout > worst {
            continue;
        }
        let inner: Vec<String> = calls
            .from(&site.target)
            .iter()
            .filter_map(|inner| {
                let one = inner.timeout?;
                let tries = if inner.attempts > 1 { format!("{} × ", inner.attempts) } else { String::new() };
                let waits =
                    if inner.backoff > 0.0 { format!(" + waits of {}", time(inner.backoff)) } else { String::new() };
                Some(format!("{}: {tries}{}{waits}", inner.target, time(one)))
            })
            .collect();
        let message = format!(
            "a timeout of {} is no longer than what it covers: {} may wait {} for its calls ({})",
            time(timeout),
            site.target,
            time(worst),
            inner.join("; ")
        );
        let help =
            "make it longer than all that it covers, or give the calls below a shorter `timeout` or a `deadline`";
        found.push(finding(format!("{}.timeout", site.path), message, help));
    }
    found
}
