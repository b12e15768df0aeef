//! All calls of a model, found wherever a `call` stands.

use serde_json::Value;

use crate::model::resilience::backoff::{Backoff, BackoffSpec};
use crate::quantity::Duration;
use crate::spec::model_file::ModelFile;
use crate::spec::resolve::quoted;

/// How deep calls are followed.
const DEPTH: usize = 50;

/// A call as written at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    /// Where it is written.
    pub path: String,
    /// The calling service or client.
    pub caller: String,
    /// What is called: `service.operation`.
    pub target: String,
    /// Limits on one attempt and on all together [s].
    pub timeout: Option<f64>,
    /// See `timeout`.
    pub deadline: Option<f64>,
    /// The most tries.
    pub attempts: u32,
    /// The longest waits between them, added up [s].
    pub backoff: f64,
    /// What surrounds it.
    pub budget: bool,
    /// See `budget`.
    pub breaker: bool,
    /// See `budget`.
    pub hedge: bool,
    /// Whether it may be carried out twice.
    pub idempotent: bool,
    /// The pool it goes through.
    pub through: Option<String>,
}

/// All calls of a model.
#[derive(Debug)]
pub(super) struct Calls {
    /// The model as data.
    pub model: Value,
    /// The calls of clients.
    pub of_clients: Vec<Site>,
    /// Per operation (`service.operation`): its calls.
    pub of_operations: Vec<(String, Vec<Site>)>,
}

/// A time at a key of a map [s].
pub(super) fn seconds(map: &Value, key: &str) -> Option<f64> {
    map.get(key)?.as_str()?.parse::<Duration>().ok().map(Duration::as_secs_f64)
}

impl Site {
    /// The call that a map describes.
    fn read(map: &Value, path: String, caller: &str, target: &str) -> Site {
        let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
        let retry = map.get("retry");
        let attempts = retry.map_or(1, |retry| retry.get("attempts").and_then(Value::as_u64).unwrap_or(3) as u32);
        let backoff = retry.and_then(|retry| retry.get("backoff")).cloned();
        let backoff = backoff.and_then(|spec| serde_json::from_value::<BackoffSpec>(spec).ok());
        let backoff = backoff.and_then(|spec| Backoff::new(&spec).ok()).unwrap_or(Backoff::IMMEDIATE);
        Site {
            path,
            caller: caller.to_owned(),
            target: target.to_owned(),
            timeout: seconds(map, "timeout"),
            deadline: seconds(map, "deadline"),
            attempts,
            backoff: (1..attempts).map(|number| backoff.wait(number, |_| 1.0) / 1e9).sum(),
            budget: retry.and_then(|retry| retry.get("budget")).is_some_and(|budget| !budget.is_null()),
            breaker: has("breaker"),
            hedge: has("hedge"),
            idempotent: map.get("idempotent").and_then(Value::as_bool).unwrap_or(true),
            through: map.get("through").and_then(Value::as_str).map(str::to_owned),
        }
    }

    /// The service that is called.
    pub fn service(&self) -> &str {
        self.target.split('.').next().unwrap_or_default()
    }
}

impl Calls {
    /// Those of a model.
    pub fn of(model: &ModelFile) -> Calls {
        let model = serde_json::to_value(model).unwrap_or_default();
        let (mut of_clients, mut of_operations) = (Vec::new(), Vec::new());
        let maps = |value: &Value| value.as_object().cloned().unwrap_or_default();
        for (name, client) in maps(&model["clients"]) {
            let path = format!("clients.{}", quoted(&name));
            let mix = maps(&client["mix"]);
            let targets = client.get("call").and_then(Value::as_str).into_iter().chain(mix.keys().map(String::as_str));
            of_clients.extend(targets.map(|target| Site::read(&client, path.clone(), &name, target)));
        }
        for (service, spec) in maps(&model["services"]) {
            for (operation, steps) in maps(&spec["operations"]) {
                let path = format!("services.{}.operations.{}", quoted(&service), quoted(&operation));
                let mut sites = Vec::new();
                collect(&steps, &path, &service, &mut sites);
                of_operations.push((format!("{service}.{operation}"), sites));
            }
        }
        Calls { model, of_clients, of_operations }
    }

    /// All calls.
    pub fn all(&self) -> impl Iterator<Item = &Site> {
        self.of_clients.iter().chain(self.of_operations.iter().flat_map(|(_, sites)| sites))
    }

    /// The calls that an operation makes.
    pub fn from(&self, operation: &str) -> &[Site] {
        self.of_operations.iter().find(|(name, _)| name == operation).map_or(&[], |(_, sites)| sites)
    }

    /// How many instances a service has.
    pub fn instances(&self, service: &str) -> u64 {
        self.model["services"][service]["instances"].as_u64().unwrap_or(1)
    }

    /// The longest that an operation can wait for its calls [s], one after the other where they stand so.
    pub fn worst(&self, operation: &str, depth: usize) -> f64 {
        let (service, name) = operation.split_once('.').unwrap_or_default();
        if depth > DEPTH { 0.0 } else { self.worst_of(&self.model["services"][service]["operations"][name], depth) }
    }

    /// The same for a call: its deadline, or all its tries with the waits between them.
    pub fn worst_call(&self, site: &Site, depth: usize) -> f64 {
        let one = site.timeout.unwrap_or_else(|| self.worst(&site.target, depth + 1));
        let all = one * f64::from(site.attempts) + site.backoff;
        site.deadline.map_or(all, |deadline| deadline.min(all))
    }

    fn worst_of(&self, value: &Value, depth: usize) -> f64 {
        match value {
            Value::Array(steps) => steps.iter().map(|step| self.worst_of(step, depth)).sum(),
            Value::Object(map) => match map.get("call").and_then(Value::as_str) {
                Some(target) => self.worst_call(&Site::read(value, String::new(), "", target), depth),
                None => {
                    let within = seconds(value, "within").unwrap_or(f64::INFINITY);
                    let ways = |key: &str| map.get(key).and_then(Value::as_array).into_iter().flatten();
                    let longest = |key: &str| ways(key).map(|way| self.worst_of(way, depth)).fold(0.0, f64::max);
                    let rest = map.iter().filter(|(key, _)| !["parallel", "choose"].contains(&key.as_str()));
                    let rest: f64 = rest.map(|(_, value)| self.worst_of(value, depth)).sum();
                    rest + longest("choose") + longest("parallel").min(within)
                }
            },
            _ => 0.0,
        }
    }
}

/// Finds the calls in steps.
fn collect(value: &Value, path: &str, caller: &str, sites: &mut Vec<Site>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                collect(item, &format!("{path}[{number}]"), caller, sites);
            }
        }
        Value::Object(map) => {
            if let Some(target) = map.get("call").and_then(Value::as_str) {
                sites.push(Site::read(value, path.to_owned(), caller, target));
            }
            for (key, value) in map {
                collect(value, &format!("{path}.{}", quoted(key)), caller, sites);
            }
        }
        _ => {}
    }
}
