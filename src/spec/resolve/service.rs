//! Services: their stations, their operations, what they assume.

use super::machine::{add_cpu, add_crew, assume_machine};
use super::memory::add_memory;
use super::names::{TAKEN, quoted};
use crate::engine::random::named;
use crate::measure::Kind;
use crate::model::blueprint::{self, Blueprint, Operation, ServersPlan};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::connections::Pool;
use crate::model::distribution::Values;
use crate::model::program::{Demand, PoolPlan};
use crate::quantity::{Duration, Price, Rate};
use crate::spec::model_file::ServiceSpec;

/// Adds a service and compiles its operations.
pub(super) fn add_service(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    name: &str,
    spec: &ServiceSpec,
) {
    let path = format!("services.{}", quoted(name));
    let mut service = blueprint::Service {
        name: name.to_owned(),
        instances: spec.instances,
        servers: Vec::new(),
        sharing: Vec::new(),
        memory: None,
        price: spec.machine.as_ref().and_then(|machine| machine.price).map(Price::per_hour),
        balancer: spec.balancer.clone(),
        shed: spec.shed.clone(),
        limit: spec.limit.clone(),
        quota: spec.quota.map(Rate::per_second),
    };
    for (number, rule) in spec.shed.iter().enumerate() {
        if let Err(message) = rule.check() {
            problems.push(Problem::new(format!("{path}.shed[{number}]"), message));
        }
    }
    let gated = service.is_gated();
    if let Err(message) = spec.balancer.check() {
        problems.push(Problem::new(format!("{path}.balancer"), message));
    }
    let crews = add_crew(&mut service, problems, &path, spec);
    add_cpu(blueprint, &mut service, files, problems, &path, spec);
    let memory = add_memory(blueprint, &mut service, files, problems, &path, spec);
    let pools = add_pools(blueprint, &mut service, files, problems, spec, &path);
    let mut stations = StationNames::of(&service).with_pools(crews);
    let number = blueprint.services.len() as u32;
    blueprint.services.push(service);
    if spec.operations.is_empty() {
        problems.push(Problem {
            path: path.clone(),
            message: "this service can be asked to do nothing".to_owned(),
            help: Some("give it operations: `operations: { read: [ { cpu: 2ms } ] }`".to_owned()),
        });
    }
    for (operation, steps) in &spec.operations {
        let path = format!("{path}.operations.{}", quoted(operation));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        compiler.memory = memory.clone();
        compiler.pools = pools.clone();
        compiler.of_service = true;
        compiler.gated = gated;
        let entry = compiler.operation(operation, &path, steps);
        let added = std::mem::take(&mut compiler.added);
        stations = compiler.stations;
        blueprint.services[number as usize].servers.extend(added);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
}

/// Adds the stations of a service's connection pools; returns the pools.
fn add_pools(
    blueprint: &mut Blueprint,
    service: &mut blueprint::Service,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    spec: &ServiceSpec,
    path: &str,
) -> Vec<Pool> {
    let mut pools = Vec::new();
    for (name, pool) in &spec.pools {
        let path = format!("{path}.pools.{}", quoted(name));
        if service.servers.iter().any(|station| station.name == *name) || TAKEN.contains(&name.as_str()) {
            problems.push(Problem::new(
                path.clone(),
                format!("a pool cannot be called `{name}`, which is the name of a resource"),
            ));
        }
        if spec.operations.contains_key(name) {
            let message = format!("a pool and an operation are both called `{name}`; their metrics would be mixed up");
            problems.push(Problem::new(path.clone(), message));
        }
        let mut demand = None;
        if let Some(connect) = &pool.connect {
            let salt = named(named(0, &service.name), name);
            match connect.build(files) {
                Ok(distribution) => {
                    blueprint.program.demands.push(Demand { distribution, salt });
                    demand = Some(blueprint.program.demands.len() as u32 - 1);
                }
                Err(message) => problems.push(Problem::new(format!("{path}.connect"), message)),
            }
        }
        let plan = (demand.is_some() || pool.idle.is_some()).then(|| {
            let account = blueprint.program.account(&service.name, &format!("{name} connect"), Kind::Network);
            let idle = pool.idle.map(Duration::as_nanos);
            blueprint.program.pools.push(PoolPlan { part: service.name.clone(), idle, connect: demand, account });
            blueprint.program.pools.len() as u32 - 1
        });
        let slot = service.servers.len() as u16;
        let limit = pool.queue.unwrap_or(u32::MAX);
        service.servers.push(ServersPlan { name: name.clone(), slots: pool.size, limit });
        pools.push(Pool { name: name.clone(), slot, wait: pool.wait, plan });
    }
    pools
}

/// Notes what a service rests on that the file does not say.
pub(super) fn assume_service(assumptions: &mut Vec<String>, blueprint: &Blueprint, name: &str, spec: &ServiceSpec) {
    let accounts = &blueprint.program.accounts;
    let uses_cpu = accounts.iter().any(|account| account.part == name && account.resource == "cpu");
    assume_machine(assumptions, uses_cpu, name, spec);
    if spec.machine.is_none() {
        assumptions.push(format!("{name}: memory, disk and network are not modeled"));
    }
}
