//! Machines and runtimes: which stations an instance has, and how fast they are.

use super::names::quoted;
use crate::engine::random::named;
use crate::model::blueprint::{self, Agent, Blueprint, PacePlan, ServersPlan, SharingPlan};
use crate::model::compile::Problem;
use crate::model::distribution::Values;
use crate::model::machine::cpu::{ContentionSpec, Discipline};
use crate::model::machine::runtime::RuntimeSpec;
use crate::model::program::Demand;
use crate::model::station::Switching;
use crate::quantity::Cores;
use crate::spec::model_file::{MachineSpec, ServiceSpec};

/// Adds whoever holds requests: workers, threads, pools. Returns the names of the pools.
pub(super) fn add_crew(
    service: &mut blueprint::Service,
    problems: &mut Vec<Problem>,
    path: &str,
    spec: &ServiceSpec,
    queue: &ServersPlan,
) -> Vec<String> {
    match spec.runtime.as_ref().and_then(RuntimeSpec::crew) {
        Some((name, slots)) => service.servers.push(ServersPlan { name: name.to_owned(), slots, ..queue.clone() }),
        None if spec.queue.is_some() => problems.push(Problem {
            path: format!("{path}.queue"),
            message: "a queue needs workers to queue for".to_owned(),
            help: Some("add `runtime: { workers: 64 }`".to_owned()),
        }),
        None => {}
    }
    let Some(RuntimeSpec::Pools(pools)) = &spec.runtime else { return Vec::new() };
    for (name, pool) in pools {
        service.servers.push(ServersPlan::plain(name, pool.size(), pool.limit()));
    }
    pools.keys().cloned().collect()
}

/// Adds the CPU and whatever slows it down.
pub(super) fn add_cpu(
    blueprint: &mut Blueprint,
    service: &mut blueprint::Service,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    path: &str,
    spec: &ServiceSpec,
) {
    let Some(machine) = &spec.machine else {
        need_cores(problems, path, spec, None);
        return;
    };
    let Some(cores) = machine.cores else {
        need_cores(problems, path, spec, Some(machine));
        return;
    };
    let runtime = spec.runtime.as_ref();
    let quota = machine.quota.as_ref().map(|quota| {
        let (cores, period) = quota.parts();
        if period.as_nanos() < 1000 {
            problems.push(Problem::new(format!("{path}.machine.quota.period"), "a period of a quota is at least 1us"));
        }
        (cores.get(), period.as_nanos().max(1000))
    });
    let coordination = spec
        .coordination
        .map_or(1.0, |coordination| 1.0 / ContentionSpec::plan(&coordination).efficiency(f64::from(spec.instances)));
    let pace = PacePlan {
        work: coordination / machine.speed.unwrap_or(1.0),
        in_order: machine.discipline == Some(Discipline::Fcfs) || runtime.is_some_and(RuntimeSpec::in_order),
        switching: machine.context_switch.as_ref().map(|switch| Switching {
            threads: runtime.map_or(f64::INFINITY, |runtime| runtime.threads(cores.get())),
            ..switch.plan()
        }),
        contention: machine.contention.map(|contention| contention.plan()),
        quota,
    };
    let lanes = runtime.map_or(cores.get(), |runtime| runtime.parallel(cores.get()));
    let slot = service.sharing.len() as u16;
    service.sharing.push(SharingPlan { name: "cpu".to_owned(), lanes, pace });
    if let Some(neighbor) = &machine.neighbor {
        let mut time = |what: &str, random: &crate::model::distribution::Random<_>| match random.build(files) {
            Ok(distribution) => Some(Demand { distribution, salt: named(named(0, "neighbor"), what) }),
            Err(message) => {
                problems.push(Problem::new(format!("{path}.machine.neighbor.{what}"), message));
                None
            }
        };
        let (Some(busy), Some(quiet)) = (time("busy", &neighbor.busy), time("quiet", &neighbor.quiet)) else { return };
        let number = blueprint.services.len() as u32;
        let speed = (1.0 - neighbor.share.fraction()).max(0.0);
        blueprint.agents.extend((0..spec.places()).map(|instance| Agent::Neighbor {
            service: number,
            instance,
            slot,
            speed,
            times: [busy.clone(), quiet.clone()],
        }));
    }
}

/// What is said about a CPU without cores has no effect, which is never meant.
fn need_cores(problems: &mut Vec<Problem>, path: &str, spec: &ServiceSpec, machine: Option<&MachineSpec>) {
    let said = |key: &'static str, there: bool| there.then_some(key);
    let mut keys = vec![
        said("coordination", spec.coordination.is_some()),
        said("runtime", matches!(spec.runtime, Some(RuntimeSpec::EventLoop))),
    ];
    if let Some(machine) = machine {
        keys.extend([
            said("machine.speed", machine.speed.is_some()),
            said("machine.discipline", machine.discipline.is_some()),
            said("machine.quota", machine.quota.is_some()),
            said("machine.context_switch", machine.context_switch.is_some()),
            said("machine.contention", machine.contention.is_some()),
            said("machine.neighbor", machine.neighbor.is_some()),
        ]);
    }
    problems.extend(keys.into_iter().flatten().map(|key| Problem {
        path: format!("{path}.{key}"),
        message: "this is about the CPU, and its cores are not limited".to_owned(),
        help: Some("add `machine: { cores: 4 }`".to_owned()),
    }));
}

/// Notes problems with the names of pools, which are names of stations.
pub(super) fn check_pools(problems: &mut Vec<Problem>, path: &str, spec: &ServiceSpec, taken: &[&str]) {
    let Some(RuntimeSpec::Pools(pools)) = &spec.runtime else { return };
    for name in pools.keys() {
        let path = format!("{path}.runtime.pools.{}", quoted(name));
        super::names::check_name(problems, path.clone(), name);
        if taken.contains(&name.as_str()) || spec.operations.contains_key(name) {
            let message = format!("a pool cannot be called `{name}`; its metrics would be mixed up with another's");
            problems.push(Problem::new(path, message));
        }
    }
}

/// What is assumed of a machine that the file does not say.
pub(super) fn assume_machine(assumptions: &mut Vec<String>, uses_cpu: bool, name: &str, spec: &ServiceSpec) {
    let cores: Option<Cores> = spec.machine.as_ref().and_then(|machine| machine.cores);
    if uses_cpu && cores.is_none() {
        assumptions.push(format!("{name}: CPU cores are not limited (no machine.cores)"));
    }
    match (&spec.runtime, &spec.queue) {
        (None, _) => assumptions.push(format!("{name}: any number of requests run at once (no runtime.workers)")),
        (Some(RuntimeSpec::Workers(_)), None) => {
            assumptions.push(format!("{name}: the queue for workers has no limit (no queue.limit)"));
        }
        (Some(RuntimeSpec::Threads(threads)), None) if threads.limit.is_some() => {
            assumptions.push(format!("{name}: the queue for threads has no limit (no queue.limit)"));
        }
        (Some(RuntimeSpec::Threads(threads)), _) if threads.limit.is_none() => {
            assumptions.push(format!("{name}: any number of threads run at once (no limit)"));
        }
        _ => {}
    }
}
