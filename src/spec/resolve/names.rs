//! The names of parts: which are allowed, and which would be mixed up.

use super::machine::check_pools;
use crate::model::compile::Problem;
use crate::spec::model_file::{ModelFile, ServiceSpec};

/// The longest name of a part.
const MAX_NAME: usize = 60;

/// Names of stations and steps, which operations must not have: their metrics would be the same.
pub(super) const TAKEN: [&str; 12] = [
    "workers",
    "threads",
    "cpu",
    "memory",
    "wait",
    "calls",
    "limit",
    "refusal",
    "disk",
    "disk_bandwidth",
    "network_in",
    "network_out",
];

/// A key of a dotted path, in quotes if it needs them.
pub fn quoted(key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { key.to_owned() } else { format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// Whether a name can be part of a metric's name, a file's name and a chart's label.
pub(super) fn check_name(problems: &mut Vec<Problem>, path: String, name: &str) {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let plain = name.chars().all(good) && name.chars().next().is_some_and(char::is_alphabetic);
    if !plain || name.chars().count() > MAX_NAME || name.ends_with(' ') {
        problems.push(Problem {
            path,
            message: "this name cannot be used".to_owned(),
            help: Some(format!(
                "a name begins with a letter, has letters, digits, `_`, `-` and spaces, and at most {MAX_NAME} of them"
            )),
        });
    }
}

pub(super) fn check_names(model: &ModelFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    for client in model.clients.keys() {
        let path = format!("clients.{}", quoted(client));
        check_name(&mut problems, path.clone(), client);
        if model.services.contains_key(client) {
            let message = format!("a client and a service are both called `{client}`; their metrics would be mixed up");
            problems.push(Problem::new(path, message));
        }
    }
    for (service, spec) in &model.services {
        let path = format!("services.{}", quoted(service));
        check_name(&mut problems, path.clone(), service);
        check_stations(&mut problems, &path, spec);
        for operation in spec.operations.keys() {
            let path = format!("{path}.operations.{}", quoted(operation));
            if TAKEN.contains(&operation.as_str()) {
                let message = format!("an operation cannot be called `{operation}`, which is the name of a resource");
                problems.push(Problem::new(path.clone(), message));
            }
            check_name(&mut problems, path, operation);
        }
        check_pools(&mut problems, &path, spec, &TAKEN);
    }
    problems
}

/// Locks and channels have metrics under their names, beside operations and other stations.
fn check_stations(problems: &mut Vec<Problem>, path: &str, spec: &ServiceSpec) {
    let locks = spec.locks.keys().map(|name| ("lock", "locks", name));
    let channels = spec.channels.keys().map(|name| ("channel", "channels", name));
    for (what, section, name) in locks.chain(channels) {
        let path = format!("{path}.{section}.{}", quoted(name));
        check_name(problems, path.clone(), name);
        let twice = what == "channel" && spec.locks.contains_key(name);
        if TAKEN.contains(&name.as_str()) || spec.operations.contains_key(name) || twice {
            let message = format!("a {what} cannot be called `{name}`; its metrics would be mixed up with another's");
            problems.push(Problem::new(path, message));
        }
    }
}
