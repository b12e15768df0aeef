//! Connection pools that together are larger than what they lead to takes.

use serde_json::Value;

use super::calls::Calls;
use super::finding;
use crate::model::compile::Problem;
use crate::spec::resolve::quoted;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let mut found = Vec::new();
    // Pools by what they lead to, each once.
    let mut pools: Vec<(&str, &str, &str)> = Vec::new();
    for site in calls.all() {
        if let Some(pool) = &site.through {
            let way = (site.service(), site.caller.as_str(), pool.as_str());
            if !pools.contains(&way) {
                pools.push(way);
            }
        }
    }
    let mut services: Vec<&str> = pools.iter().map(|(service, ..)| *service).collect();
    services.dedup();
    for service in services {
        let spec = &calls.model["services"][service];
        let (limit, what) = match limit(spec) {
            Some((limit, what)) => (limit * calls.instances(service), what),
            None => continue,
        };
        let mine: Vec<_> = pools.iter().filter(|(to, ..)| *to == service).collect();
        let size = |caller: &str, pool: &str| {
            calls.model["services"][caller]["pools"][pool]["size"].as_u64().unwrap_or(0) * calls.instances(caller)
        };
        let total: u64 = mine.iter().map(|(_, caller, pool)| size(caller, pool)).sum();
        let Some((_, caller, pool)) = mine.last().filter(|_| total > limit) else { continue };
        let parts = mine.iter().map(|(_, caller, pool)| {
            let one = &calls.model["services"][*caller]["pools"][*pool]["size"];
            format!("{caller}: {} instances × {one}", calls.instances(caller))
        });
        let parts: Vec<String> = parts.collect();
        let message =
            format!("{total} connections ({}) lead to {service}, which takes {limit} {what}", parts.join("; "));
        let path = format!("services.{}.pools.{}.size", quoted(caller), quoted(pool));
        found.push(finding(path, message, "make the pools smaller, or put a shared pool in front"));
    }
    found
}

/// What one instance of a service takes at once, and the words for it.
fn limit(spec: &Value) -> Option<(u64, &'static str)> {
    if let Some(connections) = spec["connections"].as_u64() {
        return Some((connections, "connections"));
    }
    let workers = spec["runtime"]["workers"].as_u64()?;
    let queue = spec["queue"]["limit"].as_u64()?;
    Some((workers + queue, "calls at once (workers and queue)"))
}
