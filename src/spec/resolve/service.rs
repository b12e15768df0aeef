//! Services: their stations, their operations, what they assume.

use super::disk::add_disk;
use super::fleet::fleet_plan;
use super::machine::{add_cpu, add_crew, assume_machine};
use super::memory::add_memory;
use super::names::{TAKEN, quoted};
use super::network::add_nic;
use super::standing::Standing;
use crate::engine::random::named;
use crate::measure::Kind;
use crate::model::blueprint::{self, Blueprint, Operation, ServersPlan};
use crate::model::channels::{ChannelPlan, ChannelSpec};
use crate::model::compile::{Compiler, Directory, Limit, Problem, StationNames};
use crate::model::connections::Pool;
use crate::model::discipline::{QueueDiscipline, WhenFull};
use crate::model::distribution::Values;
use crate::model::program::{Demand, PoolPlan};
use crate::quantity::{Bytes, Duration, Price, Rate};
use crate::spec::model_file::{RateLimitSpec, ServiceSpec};

/// Adds a service and compiles its operations.
pub(super) fn add_service(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    name: &str,
    spec: &ServiceSpec,
    standing: Standing,
) {
    let path = format!("services.{}", quoted(name));
    let mut service = blueprint::Service {
        name: name.to_owned(),
        instances: spec.places(),
        servers: Vec::new(),
        sharing: Vec::new(),
        memory: None,
        price: spec.machine.as_ref().and_then(|machine| machine.price).map(Price::per_hour),
        limits: spec.limits.iter().map(RateLimitSpec::plan).collect(),
        locks: spec.locks.iter().map(|(name, lock)| lock.plan(name)).collect(),
        channels: Vec::new(),
        balancer: spec.balancer.clone(),
        shed: spec.shed.clone(),
        limit: spec.adaptive_limit.clone(),
        quota: spec.quota.map(Rate::per_second),
        speeds: spec.speeds.clone(),
        balancing: spec.balancing.clone(),
        fleet: None,
    };
    check_service(problems, &path, spec);
    let gated = service.is_gated();
    let queue = queue_plan(spec, &path, name, files, problems);
    let crews = add_crew(&mut service, problems, &path, spec, &queue);
    add_cpu(blueprint, &mut service, files, problems, &path, spec);
    let memory = add_memory(blueprint, &mut service, files, problems, &path, spec, standing);
    let pools = add_pools(blueprint, &mut service, files, problems, spec, &path);
    add_nic(&mut service, spec);
    let disk = add_disk(&mut service, problems, spec);
    let format = spec.format.map(|format| format.plan());
    let channels = spec.channels.iter().map(|(name, channel)| (name.clone(), channel.when_full)).collect();
    let mut stations = StationNames::of(&service).with_pools(crews).with_channels(channels).with_disk(disk);
    let first_limit = blueprint.services.iter().map(|service| service.limits.len()).sum::<usize>();
    let limits = limits(spec, first_limit, &path, problems);
    for (number, (channel, spec)) in spec.channels.iter().enumerate() {
        let path = format!("{path}.channels.{}", quoted(channel));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, stations.clone());
        compiler.memory = memory.clone();
        compiler.format = format;
        let entry = compiler.channel(channel, &path, number as u16, &spec.steps);
        let &ChannelSpec { buffer, receivers, .. } = spec;
        service.channels.push(ChannelPlan { name: channel.clone(), buffer, receivers, entry });
    }
    let number = blueprint.services.len() as u32;
    service.fleet = fleet_plan(blueprint, files, problems, &path, name, spec, &service.sharing);
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
        compiler.format = format;
        compiler.pools = pools.clone();
        compiler.of_service = true;
        compiler.gated = gated;
        compiler.limits.clone_from(&limits);
        let entry = compiler.operation(operation, &path, steps);
        let added = std::mem::take(&mut compiler.added);
        stations = compiler.stations;
        blueprint.services[number as usize].servers.extend(added);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
}

/// Notes what the policies of a service cannot be.
fn check_service(problems: &mut Vec<Problem>, path: &str, spec: &ServiceSpec) {
    for (number, rule) in spec.shed.iter().enumerate() {
        if let Err(message) = rule.check() {
            problems.push(Problem::new(format!("{path}.shed[{number}]"), message));
        }
    }
    if spec.speeds.iter().any(|speed| *speed <= 0.0 || *speed > 1.0) {
        let message = "a speed is above 0 and at most 1: the machine is the fastest there is";
        problems.push(Problem::new(format!("{path}.speeds"), message));
    }
    if let Err((key, message)) = spec.balancing.check(spec.places()) {
        problems.push(Problem::new(format!("{path}.balancing.{key}"), message));
    }
    if let Err(message) = spec.balancer.check() {
        problems.push(Problem::new(format!("{path}.balancer"), message));
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
        service.servers.push(ServersPlan::plain(name, pool.size, limit));
        pools.push(Pool { name: name.clone(), slot, wait: pool.wait, plan });
    }
    pools
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
    if queue.when_full == WhenFull::Block && queue.bytes.is_some() {
        problems.push(Problem::new(
            format!("{path}.bytes"),
            "with `when_full: block` nobody is turned away; leave the limit out",
        ));
    }
    let wait = queue.wait.as_ref().and_then(|wait| {
        let refused = |message| problems.push(Problem::new(format!("{path}.wait"), message));
        let distribution = wait.build(files).map_err(refused).ok()?;
        Some(Demand { distribution, salt: named(named(0, name), "queue.wait") })
    });
    let limit = queue.limit.unwrap_or(u32::MAX);
    let bytes = queue.bytes.map(Bytes::as_u64);
    let (discipline, when_full) = (queue.discipline, queue.when_full);
    ServersPlan { bytes, discipline, when_full, wait, ..ServersPlan::plain("", 0, limit) }
}

/// The rate limits of a service for the compiler; those of the services before it are `first` in number.
fn limits(spec: &ServiceSpec, first: usize, path: &str, problems: &mut Vec<Problem>) -> Vec<Limit> {
    if first + spec.limits.len() > usize::from(u16::MAX) {
        problems.push(Problem::new(format!("{path}.limits"), "a model has at most 65535 limits"));
    }
    let limit = |(number, limit): (usize, &RateLimitSpec)| {
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
