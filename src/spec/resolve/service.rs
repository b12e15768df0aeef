//! Services: their stations, their operations, what they assume.

use super::disk::add_disk;
use super::machine::{add_cpu, add_crew, assume_machine};
use super::memory::add_memory;
use super::names::quoted;
use super::network::add_nic;
use crate::model::blueprint::{self, Blueprint, Operation};
use crate::model::channels::{ChannelPlan, ChannelSpec};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::distribution::Values;
use crate::quantity::Price;
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
        locks: spec.locks.iter().map(|(name, lock)| lock.plan(name)).collect(),
        channels: Vec::new(),
        balancer: spec.balancer.clone(),
    };
    if let Err(message) = spec.balancer.check() {
        problems.push(Problem::new(format!("{path}.balancer"), message));
    }
    let pools = add_crew(&mut service, problems, &path, spec);
    add_cpu(blueprint, &mut service, files, problems, &path, spec);
    let memory = add_memory(blueprint, &mut service, files, problems, &path, spec);
    add_nic(&mut service, spec);
    let disk = add_disk(&mut service, problems, spec);
    let channels = spec.channels.iter().map(|(name, channel)| (name.clone(), channel.when_full)).collect();
    let stations = StationNames::of(&service).with_pools(pools).with_channels(channels).with_disk(disk);
    for (number, (channel, spec)) in spec.channels.iter().enumerate() {
        let path = format!("{path}.channels.{}", quoted(channel));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        let entry = compiler.channel(channel, &path, number as u16, &spec.steps);
        let &ChannelSpec { buffer, receivers, .. } = spec;
        service.channels.push(ChannelPlan { name: channel.clone(), buffer, receivers, entry });
    }
    let number = blueprint.services.len() as u32;
    blueprint.services.push(service);
    for (operation, steps) in &spec.operations {
        let path = format!("{path}.operations.{}", quoted(operation));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        compiler.memory = memory.clone();
        let entry = compiler.operation(operation, &path, steps);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
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
