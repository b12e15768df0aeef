//! Memory: how much an instance has, what takes it, and what happens when there is none left.

use super::standing::Standing;
use crate::engine::random::named;
use crate::model::blueprint::{self, Agent, Blueprint, Collection, Limit, MemoryPlan};
use crate::model::compile::{MemoryUse, Problem};
use crate::model::distribution::{Random, Values};
use crate::model::machine::memory::{AtLimit, KillSpec, MemorySpec};
use crate::model::machine::runtime::RuntimeSpec;
use crate::model::program::Demand;
use crate::model::station::SpacePlan;
use crate::quantity::{Bytes, Duration};
use crate::spec::model_file::ServiceSpec;

/// Adds the memory of a service's instances; returns what each request takes of it.
pub(super) fn add_memory(
    blueprint: &mut Blueprint,
    service: &mut blueprint::Service,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    path: &str,
    spec: &ServiceSpec,
    standing: Standing,
) -> MemoryUse {
    let Some(memory) = &spec.memory else { return MemoryUse::default() };
    let path = format!("{path}.memory");
    let bytes = |bytes: Option<Bytes>| bytes.map_or(0, Bytes::as_u64);
    let leak = memory.leak.as_ref();
    let space = SpacePlan {
        limit: spec.machine.as_ref().and_then(|machine| machine.memory).map_or(u64::MAX, Bytes::as_u64),
        base: bytes(memory.base)
            .saturating_add(bytes(memory.per_worker).saturating_mul(workers(spec)))
            .saturating_add(bytes(memory.per_connection).saturating_mul(standing.connections))
            .saturating_add(standing.caches),
        leak: leak.map_or(0, |leak| bytes(leak.per_second)) as f64,
    };
    if space.base > space.limit {
        let base = Bytes::new(space.base);
        problems.push(Problem {
            path: path.clone(),
            message: format!("without any request {base} are in use, more than the machine's memory"),
            help: Some("a process that does not fit cannot start; give `machine.memory` more".to_owned()),
        });
    }
    let limit = match memory.at_limit.clone().unwrap_or(AtLimit::Kill(KillSpec::default())) {
        AtLimit::Kill(kill) => Limit::Kill { restart: kill.restart().as_nanos() },
        AtLimit::Refuse => Limit::Refuse,
        AtLimit::Swap(swap) => Limit::Swap { touches: swap.touches() },
    };
    let has_cpu = service.sharing.iter().any(|plan| plan.name == "cpu");
    let mut need_cpu = |key: &str| {
        if !has_cpu {
            problems.push(Problem {
                path: format!("{path}.{key}"),
                message: "this slows the CPU down, and its cores are not limited".to_owned(),
                help: Some("add `machine: { cores: 4 }`".to_owned()),
            });
        }
    };
    if memory.garbage_collector.is_some() {
        need_cpu("garbage_collector");
    }
    let swaps = matches!(limit, Limit::Swap { .. });
    if swaps && spec.machine.as_ref().is_none_or(|machine| machine.disk.is_none()) {
        problems.push(Problem {
            path: format!("{path}.at_limit"),
            message: "memory is paged to the machine's disk, and it has none".to_owned(),
            help: Some("add `disk: { iops: 3000, bandwidth: 125MB/s }` to `machine`".to_owned()),
        });
    }
    let collection = collection(memory, files, problems, &path);
    service.memory = Some(MemoryPlan { space, limit, collection });
    let number = blueprint.services.len() as u32;
    blueprint.agents.extend((0..spec.places()).map(|instance| Agent::Memory { service: number, instance }));
    MemoryUse {
        modeled: true,
        swaps,
        amount: memory.per_request.clone(),
        stack: spec.runtime.as_ref().map_or(0, RuntimeSpec::stack),
        leak: leak.map_or(0, |leak| bytes(leak.per_request)),
        garbage: memory.garbage_collector.as_ref().map(|collector| collector.allocated.clone()),
    }
}

/// The workers of an instance, in all its pools.
fn workers(spec: &ServiceSpec) -> u64 {
    match &spec.runtime {
        Some(RuntimeSpec::Workers(workers)) => u64::from(*workers),
        Some(RuntimeSpec::Pools(pools)) => pools.values().map(|pool| u64::from(pool.size())).sum(),
        _ => 0,
    }
}

/// The garbage collector.
fn collection(memory: &MemorySpec, files: &dyn Values, problems: &mut Vec<Problem>, path: &str) -> Option<Collection> {
    let collector = memory.garbage_collector.as_ref()?;
    let path = format!("{path}.garbage_collector");
    if collector.heap.as_u64() == 0 {
        problems.push(Problem::new(format!("{path}.heap"), "a heap must be larger than 0"));
    }
    let mut time = |key: &str, what: &str, random: &Random<Duration>| match random.build(files) {
        Ok(distribution) => Some(Demand { distribution, salt: named(0, what) }),
        Err(message) => {
            problems.push(Problem::new(format!("{path}.{key}"), message));
            None
        }
    };
    let pause = time("pause", "garbage collector", &collector.pause);
    let marking = collector.concurrent.as_ref();
    let marking = marking.map(|spec| (time("concurrent.work", "marking", &spec.work), spec.share()));
    if marking.as_ref().is_some_and(|(_, share)| !(0.001..=0.999).contains(share)) {
        problems.push(Problem::new(
            format!("{path}.concurrent.share"),
            "a collector that works beside requests takes from 0.1% to 99.9% of the cores",
        ));
    }
    let concurrent = marking.and_then(|(work, share)| Some((work?, share)));
    Some(Collection { heap: collector.heap.as_u64().max(1), pause: pause?, concurrent })
}
