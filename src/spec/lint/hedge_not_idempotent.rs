//! Hedging what must not be carried out twice.

use super::calls::Calls;
use super::finding;
use crate::model::compile::Problem;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let risky = calls.all().filter(|site| site.hedge && !site.idempotent);
    risky
        .map(|site| {
            let message = format!("{} is not idempotent, and a hedge carries it out twice", site.target);
            finding(format!("{}.hedge", site.path), message, "hedge reads only, or make the operation idempotent")
        })
        .collect()
}
