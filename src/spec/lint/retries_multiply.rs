//! Retries in several layers: their attempts multiply.

use super::calls::{Calls, Site};
use super::finding;
use crate::model::compile::Problem;

/// How deep calls are followed.
const DEPTH: usize = 50;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for site in &calls.of_clients {
        follow(calls, site, &mut Vec::new(), &mut found, DEPTH);
    }
    found
}

/// Follows a call downward; a chain of retries is reported at the lowest of them.
fn follow<'c>(calls: &'c Calls, site: &'c Site, above: &mut Vec<&'c Site>, found: &mut Vec<Problem>, depth: usize) {
    let retries = site.attempts > 1 && !site.budget;
    if retries {
        above.push(site);
        let path = format!("{}.retry", site.path);
        if above.len() > 1 && !found.iter().any(|known| known.path == path) {
            let attempts: Vec<String> = above.iter().map(|site| site.attempts.to_string()).collect();
            let product: u64 = above.iter().map(|site| u64::from(site.attempts)).product();
            let chain: Vec<&str> = above.iter().map(|site| site.target.as_str()).collect();
            let message = format!(
                "retries in {} layers multiply: {} = {product} attempts at {} for one request when it fails ({})",
                above.len(),
                attempts.join(" × "),
                site.target,
                chain.join(" → ")
            );
            found.push(finding(path, message, "retry in one layer only, or give the retries a `budget`"));
        }
    }
    if depth > 0 {
        for inner in calls.from(&site.target) {
            follow(calls, inner, above, found, depth - 1);
        }
    }
    if retries {
        above.pop();
    }
}
