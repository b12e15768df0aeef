//! What always takes memory at the instances of a service besides its process: open connections, and caches.
//!
//! Connections are counted as if all were open: those of the connection pools that calls to the service go through, and one for
//! each user of a closed client. They are spread evenly over the instances. A cache is counted as if it were full.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::data::CachePlan;
use crate::spec::model_file::{ModelFile, Traffic};

/// What takes memory at every instance of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Connections open to it.
    pub(super) connections: u64,
    /// What caches hold there [B].
    pub(super) caches: u64,
}

/// That of all services. `model` has no data parts left but what `caches` says.
pub(super) fn standing(model: &ModelFile, caches: &[CachePlan]) -> BTreeMap<String, Standing> {
    let service_of = |target: &str| target.split('.').next().unwrap_or_default().to_owned();
    let mut connections: BTreeMap<String, u64> = BTreeMap::new();
    for client in model.clients.values() {
        let Traffic::Closed(population) = &client.arrivals else { continue };
        let mix = client.mix.iter().flat_map(|mix| mix.keys());
        let called: BTreeSet<String> = client.call.iter().chain(mix).map(|target| service_of(target)).collect();
        called.into_iter().for_each(|service| *connections.entry(service).or_default() += u64::from(population.users));
    }
    let mut found: BTreeMap<String, Standing> = BTreeMap::new();
    for (name, service) in &model.services {
        let (mut through, mut asked) = (BTreeSet::new(), BTreeSet::new());
        let received = service.channels.values().flat_map(|channel| &channel.steps);
        for step in service.operations.values().flatten().chain(received) {
            // Steps that cannot be written touch neither pools nor caches of their service's callers.
            look(&serde_json::to_value(step).unwrap_or_default(), &mut through, &mut asked);
        }
        for (called, pool) in through {
            let size = service.pools.get(&pool).map_or(0, |pool| u64::from(pool.size));
            *connections.entry(called).or_default() += size * u64::from(service.instances);
        }
        let held = |plan: &&CachePlan| if plan.local { asked.contains(&plan.name) } else { plan.name == *name };
        let bytes = caches.iter().filter(held).map(CachePlan::bytes).sum();
        found.insert(name.clone(), Standing { connections: 0, caches: bytes });
    }
    for (name, count) in connections {
        let instances = model.services.get(&name).map_or(1, |service| u64::from(service.instances).max(1));
        found.entry(name).or_default().connections = count.div_ceil(instances);
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
