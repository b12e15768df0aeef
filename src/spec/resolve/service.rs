//! Services: their stations, their operations, what they assume.

use super::names::quoted;
use crate::model::blueprint::{self, Blueprint, Operation, ServersPlan, SharingPlan};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::distribution::Values;
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
        balancer: spec.balancer.clone(),
    };
    if let Err(message) = spec.balancer.check() {
        problems.push(Problem::new(format!("{path}.balancer"), message));
    }
    let limit = spec.queue.as_ref().map_or(u32::MAX, |queue| queue.limit);
    if let Some(runtime) = &spec.runtime {
        service.servers.push(ServersPlan { name: "workers".to_owned(), slots: runtime.workers, limit });
    } else if spec.queue.is_some() {
        problems.push(Problem {
            path: format!("{path}.queue"),
            message: "a queue needs workers to queue for".to_owned(),
            help: Some("add `runtime: { workers: 64 }`".to_owned()),
        });
    }
    if let Some(cores) = spec.machine.as_ref().and_then(|machine| machine.cores) {
        service.sharing.push(SharingPlan { name: "cpu".to_owned(), lanes: cores.get() });
    }
    let stations = StationNames::of(&service);
    let number = blueprint.services.len() as u32;
    blueprint.services.push(service);
    for (operation, steps) in &spec.operations {
        let path = format!("{path}.operations.{}", quoted(operation));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        let entry = compiler.operation(operation, &path, steps);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
}

/// Notes what a service rests on that the file does not say.
pub(super) fn assume_service(assumptions: &mut Vec<String>, blueprint: &Blueprint, name: &str, spec: &ServiceSpec) {
    let accounts = &blueprint.program.accounts;
    let uses_cpu = accounts.iter().any(|account| account.part == name && account.resource == "cpu");
    if uses_cpu && spec.machine.as_ref().is_none_or(|machine| machine.cores.is_none()) {
        assumptions.push(format!("{name}: CPU cores are not limited (no machine.cores)"));
    }
    match (&spec.runtime, &spec.queue) {
        (None, _) => assumptions.push(format!("{name}: any number of requests run at once (no runtime.workers)")),
        (Some(_), None) => assumptions.push(format!("{name}: the queue for workers has no limit (no queue.limit)")),
        _ => {}
    }
    if spec.machine.is_none() {
        assumptions.push(format!("{name}: memory, disk and network are not modeled"));
    }
}
