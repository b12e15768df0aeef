//! Services: their stations, their operations, what they assume.

use super::machine::{add_cpu, add_crew, assume_machine};
use super::memory::add_memory;
use super::names::quoted;
use crate::engine::random::named;
use crate::model::blueprint::{self, Blueprint, Operation, ServersPlan};
use crate::model::compile::{Compiler, Directory, Limit, Problem, StationNames};
use crate::model::discipline::{QueueDiscipline, WhenFull};
use crate::model::distribution::Values;
use crate::model::program::Demand;
use crate::quantity::Price;
use crate::spec::model_file::{LimitSpec, ServiceSpec};

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
        limits: spec.limits.iter().map(LimitSpec::plan).collect(),
        balancer: spec.balancer.clone(),
        speeds: spec.speeds.clone(),
        balancing: spec.balancing.clone(),
    };
    if spec.speeds.iter().any(|speed| *speed <= 0.0 || *speed > 1.0) {
        let message = "a speed is greater than 0 and at most 1: the machine is the fastest there is";
        problems.push(Problem::new(format!("{path}.speeds"), message));
    }
    if let Err((key, message)) = spec.balancing.check(spec.instances) {
        problems.push(Problem::new(format!("{path}.balancing.{key}"), message));
    }
    if let Err(message) = spec.balancer.check() {
        problems.push(Problem::new(format!("{path}.balancer"), message));
    }
    let queue = queue_plan(spec, &path, name, files, problems);
    let pools = add_crew(&mut service, problems, &path, spec, &queue);
    add_cpu(blueprint, &mut service, files, problems, &path, spec);
    let memory = add_memory(blueprint, &mut service, files, problems, &path, spec);
    let stations = StationNames::of(&service).with_pools(pools);
    let first_limit = blueprint.services.iter().map(|service| service.limits.len()).sum::<usize>();
    let limits = limits(spec, first_limit, &path, problems);
    let number = blueprint.services.len() as u32;
    blueprint.services.push(service);
    for (operation, steps) in &spec.operations {
        let path = format!("{path}.operations.{}", quoted(operation));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        compiler.memory = memory.clone();
        compiler.limits.clone_from(&limits);
        let entry = compiler.operation(operation, &path, steps);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
}

/// The queue before the workers of an instance, as a station without slots.
fn queue_plan(
    spec: &ServiceSpec,
    path: &str,
    name: &str,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) -> ServersPlan {
    let queue = spec.queue.clone().unwrap_or_default();
    let path = format!("{path}.queue");
    if let Err(message) = queue.discipline.check() {
        problems.push(Problem::new(format!("{path}.discipline"), message));
    }
    if queue.when_full == WhenFull::Block && queue.discipline != QueueDiscipline::Fifo {
        problems.push(Problem {
            path: format!("{path}.when_full"),
            message: "those that wait outside wait in order of arrival".to_owned(),
            help: Some("`block` goes with `discipline: fifo` only; leave the limit out instead".to_owned()),
        });
    }
    let wait = queue.wait.as_ref().and_then(|wait| {
        let refused = |message| problems.push(Problem::new(format!("{path}.wait"), message));
        let distribution = wait.build(files).map_err(refused).ok()?;
        Some(Demand { distribution, salt: named(named(0, name), "queue.wait") })
    });
    let limit = queue.limit.unwrap_or(u32::MAX);
    ServersPlan { discipline: queue.discipline, when_full: queue.when_full, wait, ..ServersPlan::plain("", 0, limit) }
}

/// The rate limits of a service for the compiler; those of the services before it are `first` in number.
fn limits(spec: &ServiceSpec, first: usize, path: &str, problems: &mut Vec<Problem>) -> Vec<Limit> {
    if first + spec.limits.len() > usize::from(u16::MAX) {
        problems.push(Problem::new(format!("{path}.limits"), "a model has at most 65535 limits"));
    }
    let limit = |(number, limit): (usize, &LimitSpec)| {
        if let Err(message) = limit.allow.check() {
            problems.push(Problem::new(format!("{path}.limits[{number}].allow"), message));
        }
        Limit { number: (first + number) as u16, holds: limit.allow.holds(), refusal: limit.refusal.clone() }
    };
    spec.limits.iter().enumerate().map(limit).collect()
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
