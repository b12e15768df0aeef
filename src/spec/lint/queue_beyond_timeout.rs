//! A queue so long that those at its end are answered after their callers have gone.

use serde_json::Value;

use super::calls::{Calls, Site, seconds};
use super::time;
use crate::model::compile::Problem;
use crate::quantity::Duration;
use crate::spec::resolve::quoted;

pub(super) fn check(calls: &Calls) -> Vec<Problem> {
    let mut found = Vec::new();
    for (service, spec) in calls.model["services"].as_object().into_iter().flatten() {
        let (Some(workers), Some(limit)) = (spec["runtime"]["workers"].as_u64(), spec["queue"]["limit"].as_u64())
        else {
            continue;
        };
        let patience = |site: &Site| site.timeout.map(|timeout| (timeout, site.path.clone()));
        let callers = calls.all().filter(|site| site.service() == service);
        let most = callers.map(patience).try_fold(None, |most: Option<(f64, String)>, next| {
            let next = next?;
            Some(Some(match most {
                Some(most) if most.0 >= next.0 => most,
                _ => next,
            }))
        });
        let Some(Some((timeout, path))) = most else { continue };
        let operations = spec["operations"].as_object().into_iter().flatten();
        let held = operations.map(|(_, steps)| held(steps)).fold(0.0, f64::max);
        let wait = limit as f64 * held / workers as f64;
        if wait <= timeout {
            continue;
        }
        let message = format!(
            "the last of {limit} in the queue waits {limit} × {} / {workers} workers = {}, and its caller gives up after {}",
            time(held),
            time(wait),
            time(timeout)
        );
        let useful = (timeout * workers as f64 / held) as u64;
        let help =
            format!("a queue of at most {useful} can be used within the timeout ({path}); reject what is beyond");
        found.push(Problem { path: format!("services.{}.queue.limit", quoted(service)), message, help: Some(help) });
    }
    found
}

/// The mean time that an operation holds its worker [s], as far as it can be read off its steps.
fn held(steps: &Value) -> f64 {
    let steps = steps.as_array().into_iter().flatten();
    steps.map(|step| ["cpu", "wait"].iter().filter_map(|key| mean(step.get(*key)?)).sum::<f64>()).sum()
}

/// The mean of an amount of time [s], if it is written there.
fn mean(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse::<Duration>().ok().map(Duration::as_secs_f64),
        Value::Object(map) => {
            let (family, parameters) = map.iter().next()?;
            match (family.as_str(), parameters) {
                ("exponential" | "constant", text) => mean(text),
                (_, parameters) => seconds(parameters, "mean"),
            }
        }
        _ => None,
    }
}
