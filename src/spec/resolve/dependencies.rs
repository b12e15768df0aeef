//! Dependencies as services: what is called there answers after a drawn time, perhaps with an error.

use std::borrow::Cow;

use serde_json::Value;

use super::names::quoted;
use crate::model::compile::Problem;
use crate::spec::model_file::{DependencySpec, ModelFile, ServiceSpec};

/// The model with its dependencies among the services.
pub(crate) fn as_services(model: &ModelFile) -> Cow<'_, ModelFile> {
    if model.dependencies.is_empty() {
        return Cow::Borrowed(model);
    }
    let mut called = Vec::new();
    collect(&serde_json::to_value(model).unwrap_or_default(), &mut called);
    let mut model = model.clone();
    for (name, spec) in std::mem::take(&mut model.dependencies) {
        let operations = called.iter().filter_map(|target| target.strip_prefix(name.as_str())?.strip_prefix('.'));
        if let Some(service) = service(&spec, operations) {
            model.services.entry(name).or_insert(service);
        }
    }
    Cow::Owned(model)
}

/// A problem with a service that stands for a dependency, at its place in the file.
pub(super) fn at_dependency(mut problem: Problem, model: &ModelFile) -> Problem {
    for name in model.dependencies.keys() {
        let service = format!("services.{}", quoted(name));
        if problem.path == service || problem.path.starts_with(&format!("{service}.")) {
            problem.path = format!("dependencies.{}", quoted(name));
        }
    }
    problem
}

/// The names that are called.
fn collect(value: &Value, called: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, called)),
        Value::Object(map) => {
            let mix = map.get("mix").and_then(Value::as_object).into_iter().flat_map(|mix| mix.keys().cloned());
            for name in map.get("call").and_then(Value::as_str).map(str::to_owned).into_iter().chain(mix) {
                if !called.contains(&name) {
                    called.push(name);
                }
            }
            map.values().for_each(|value| collect(value, called));
        }
        _ => {}
    }
}

/// The service that behaves so.
fn service<'n>(spec: &DependencySpec, operations: impl Iterator<Item = &'n str>) -> Option<ServiceSpec> {
    let mut steps = vec![serde_json::json!({ "wait": spec.latency })];
    steps.extend(spec.errors.map(|errors| serde_json::json!({ "fail": errors })));
    let operations: serde_json::Map<String, Value> =
        operations.map(|name| (name.to_owned(), Value::Array(steps.clone()))).collect();
    let mut service = serde_json::json!({ "operations": operations });
    if let Some(quota) = spec.quota {
        service["quota"] = serde_json::json!(quota);
    }
    serde_json::from_value(service).ok()
}
