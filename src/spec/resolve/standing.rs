//! What always takes memory at the instances of a service besides its process: open connections, and caches.
//!
//! Connections are counted as if all were open: those of the connection pools that calls to the service go through, and one for
//! each user of a closed client. They are spread evenly over the instances. A cache is counted as if it were full.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::data::CachePlan;
use crate::spec::model_file::ModelFile;

/// What takes memory at every instance of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Connections open to it.
    pub(super) connections: u64,
    /// What caches hold there [B].
    pub(super) caches: u64,
}

/// That of all services that have any. `model` has no data parts left but what `caches` says.
pub(super) fn standing(model: &ModelFile, caches: &[CachePlan]) -> BTreeMap<String, Standing> {
    let data = serde_json::to_value(model).unwrap_or_default();
    let maps = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let service_of = |target: &str| target.split('.').next().unwrap_or_default().to_owned();
    let mut connections: BTreeMap<String, u64> = BTreeMap::new();
    for client in maps(&data["clients"]).values() {
        let users = client["arrivals"]["users"].as_u64().unwrap_or(0);
        let mix = maps(&client["mix"]);
        let targets = client["call"].as_str().into_iter().chain(mix.keys().map(String::as_str));
        let called: BTreeSet<String> = targets.map(service_of).collect();
        called.into_iter().for_each(|service| *connections.entry(service).or_default() += users);
    }
    let mut found: BTreeMap<String, Standing> = BTreeMap::new();
    for (name, service) in maps(&data["services"]) {
        let (mut through, mut asked) = (BTreeSet::new(), BTreeSet::new());
        look(&service["operations"], &mut through, &mut asked);
        look(&service["channels"], &mut through, &mut asked);
        let instances = service["instances"].as_u64().unwrap_or(1);
        for (target, pool) in through {
            let size = service["pools"][&pool]["size"].as_u64().unwrap_or(0);
            *connections.entry(service_of(&target)).or_default() += size * instances;
        }
        let held = |plan: &&CachePlan| if plan.local { asked.contains(&plan.name) } else { plan.name == name };
        let bytes = caches.iter().filter(held).map(CachePlan::bytes).sum();
        found.insert(name, Standing { connections: 0, caches: bytes });
    }
    for (service, count) in connections {
        let instances = data["services"][&service]["instances"].as_u64().unwrap_or(1).max(1);
        found.entry(service).or_default().connections = count.div_ceil(instances);
    }
    found
}

/// Finds the calls that go through a pool (target and pool), each once, and the caches that steps touch.
fn look(value: &Value, through: &mut BTreeSet<(String, String)>, asked: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| look(item, through, asked)),
        Value::Object(map) => {
            let word = |key: &str| map.get(key).and_then(Value::as_str);
            if let (Some(target), Some(pool)) = (word("call"), word("through")) {
                let service = target.split('.').next().unwrap_or_default();
                through.insert((service.to_owned(), pool.to_owned()));
            }
            asked.extend(["cache", "put", "invalidate"].iter().filter_map(|key| word(key)).map(str::to_owned));
            map.values().for_each(|inner| look(inner, through, asked));
        }
        _ => {}
    }
}
