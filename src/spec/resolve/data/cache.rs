//! Caches: their plans, and the services that those are which are not local.

use super::super::names::quoted;
use super::Expanded;
use crate::engine::random::{Draw, mix};
use crate::model::compile::Problem;
use crate::model::data::CachePlan;
use crate::model::distribution::{Distribution, Values};
use crate::model::step::{Inner, Step};
use crate::quantity::Duration;
use crate::spec::data_file::CacheSpec;
use crate::spec::model_file::ModelFile;

/// The size of an item if nothing is said [bytes].
const ITEM: f64 = 1024.0;

/// The most items that are loaded at the start.
const MOST_PRELOADED: f64 = 5e6;

/// Adds plans and services of all caches.
pub(super) fn expand(model: &ModelFile, files: &dyn Values, expanded: &mut Expanded, problems: &mut Vec<Problem>) {
    let databases = expanded.parts.databases();
    debug_assert_eq!(expanded.parts.datasets, databases);
    for (number, (name, spec)) in model.data.caches.iter().enumerate() {
        let path = format!("caches.{}", quoted(name));
        let mut plan = plan(name, spec, &path, files, problems);
        plan.lower = lower(model, number, spec, &path, problems);
        plan.dataset = dataset(model, spec, &path, expanded, problems);
        if spec.local {
            if spec.service.instances != 1 || spec.service.machine.is_some() || spec.service.runtime.is_some() {
                problems.push(Problem {
                    path: path.clone(),
                    message: "a local cache is a part of its callers and has no instances, machine or runtime"
                        .to_owned(),
                    help: Some("remove these, or remove `local`".to_owned()),
                });
            }
        } else {
            let with = |steps: &[Step], inner: Inner| {
                let mut steps = steps.to_vec();
                // Of a cache of which only the share of hits is known, nothing is held.
                steps.extend(spec.hit.is_none().then_some(Step::Inner(inner)));
                steps
            };
            let mut service = spec.service.clone();
            if !service.operations.is_empty() {
                problems.push(Problem::new(
                    format!("{path}.operations"),
                    "a cache has no operations of its own; say what asking costs with `get` and `set`",
                ));
                service.operations.clear();
            }
            let number = number as u32;
            let set = spec.set.as_ref().unwrap_or(&spec.get);
            service.operations.insert("get".to_owned(), with(&spec.get, Inner::Ask(number)));
            service.operations.insert("set".to_owned(), with(set, Inner::Fill(number)));
            service.operations.insert("delete".to_owned(), with(set, Inner::Drop(number)));
            expanded.add("caches", name, service);
        }
        expanded.parts.caches.push(plan);
    }
}

fn plan(name: &str, spec: &CacheSpec, path: &str, files: &dyn Values, problems: &mut Vec<Problem>) -> CachePlan {
    let nanos = |duration: Option<Duration>| duration.map(Duration::as_nanos);
    let each = match &spec.size {
        None => Distribution::Constant(ITEM),
        Some(size) => size.build(files).unwrap_or_else(|message| {
            problems.push(Problem::new(format!("{path}.size"), message));
            Distribution::Constant(ITEM)
        }),
    };
    let item = mean(&each);
    let size = spec.bytes.map(|_| each);
    let capacity = match (spec.items, spec.bytes, spec.hit) {
        (Some(items), None, None) => u64::from(items),
        (None, Some(bytes), None) => bytes.as_u64(),
        (None, None, Some(_)) => 1,
        _ => {
            problems.push(Problem {
                path: path.to_owned(),
                message: "how much the cache holds must be given in one way".to_owned(),
                help: Some("write `items: 10000`, or `bytes: 2GiB`, or only `hit: 90%`".to_owned()),
            });
            1
        }
    };
    if spec.ttl == Some(Duration::ZERO) {
        problems.push(Problem::new(format!("{path}.ttl"), "a time to live must be longer than 0"));
    }
    let needs_ttl = [
        ("sliding", spec.sliding),
        ("jitter", spec.jitter.is_some()),
        ("stale_while_revalidate", spec.stale_while_revalidate.is_some()),
        ("refresh_early", spec.refresh_early.is_some()),
    ];
    for (key, _) in needs_ttl.iter().filter(|(_, used)| *used && spec.ttl.is_none()) {
        problems.push(Problem::new(format!("{path}.{key}"), "this needs a time to live (`ttl`)"));
    }
    let preloaded = spec.preload.map_or(0.0, |share| share.fraction()) * capacity as f64;
    if preloaded > MOST_PRELOADED && size.is_none() {
        let message = format!("at most {MOST_PRELOADED} items can be preloaded in each instance");
        problems.push(Problem::new(format!("{path}.preload"), message));
    }
    let mean = if size.is_some() { item.max(1.0) } else { 1.0 };
    CachePlan {
        name: name.to_owned(),
        local: spec.local,
        capacity: capacity.max(1),
        items: ((capacity as f64 / mean) as u64).max(1),
        item: if spec.hit.is_some() { 0.0 } else { item },
        size,
        eviction: spec.eviction,
        ttl: nanos(spec.ttl).map(|ttl| ttl.max(1)),
        sliding: spec.sliding,
        jitter: spec.jitter.map_or(0.0, |share| share.fraction()),
        stale: nanos(spec.stale_while_revalidate).unwrap_or(0),
        early: spec.refresh_early.map_or(0.0, |share| share.fraction()),
        single_flight: spec.single_flight,
        lower: None,
        preload: spec.preload.map_or(0.0, |share| share.fraction()),
        ratio: spec.hit.map(|share| share.fraction()),
        bound: spec.bound,
        get: spec.get.clone(),
        set: spec.set.clone().unwrap_or_else(|| spec.get.clone()),
        dataset: 0,
    }
}

/// About the mean of a distribution, from a thousand draws.
fn mean(distribution: &Distribution) -> f64 {
    let draws = (0..1000).map(|number| distribution.sample(&mut Draw::new(mix(number), 0, 0)));
    draws.sum::<f64>() / 1000.0
}

/// The number of the tier below, which must stand further down in the file.
fn lower(model: &ModelFile, number: usize, spec: &CacheSpec, path: &str, problems: &mut Vec<Problem>) -> Option<u32> {
    let name = spec.lower.as_ref()?;
    let path = format!("{path}.lower");
    match model.data.caches.get_index_of(name) {
        Some(other) if other > number => Some(other as u32),
        Some(_) => {
            problems.push(Problem::new(path, "the cache below must stand further down in the file"));
            None
        }
        None => {
            let known = model.data.caches.keys().map(String::as_str);
            problems.push(Problem::unknown(&path, "cache", name, known));
            None
        }
    }
}

/// The set of items that a cache holds copies of: that of its database, or one of its own.
fn dataset(
    model: &ModelFile,
    spec: &CacheSpec,
    path: &str,
    expanded: &mut Expanded,
    problems: &mut Vec<Problem>,
) -> u32 {
    let databases = &model.data.databases;
    if let Some(name) = &spec.of {
        return databases.get_index_of(name).map_or_else(
            || {
                let known = databases.keys().map(String::as_str);
                problems.push(Problem::unknown(&format!("{path}.of"), "database", name, known));
                0
            },
            |number| number as u32,
        );
    }
    if databases.len() == 1 {
        return 0;
    }
    expanded.parts.datasets += 1;
    expanded.parts.datasets - 1
}
