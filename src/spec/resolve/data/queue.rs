//! Queues: their plans, the services that their brokers are, and the clients that their groups of consumers are.

use super::super::names::quoted;
use super::Expanded;
use crate::model::blueprint::{self, Blueprint};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::data::{ConsumerPlan, QueuePlan};
use crate::model::distribution::Values;
use crate::model::program::Route;
use crate::model::queue::{Buffer, GroupPlan, Lanes};
use crate::model::step;
use crate::quantity::Duration;
use crate::spec::data_file::{Acknowledge, BrokerSpec, BufferSpec, ConsumerSpec};
use crate::spec::model_file::{ModelFile, ServiceSpec};

/// The pause of a group when its members change, if nothing is said [ns]: Kafka's `group.initial.rebalance.delay.ms`.
const REBALANCE: u64 = 3_000_000_000;
/// How long an instance that ran out of memory takes to come back, if nothing is said [ns].
const RESTART: u64 = 10_000_000_000;

/// Adds plans and services of all queues.
pub(super) fn expand(model: &ModelFile, expanded: &mut Expanded, problems: &mut Vec<Problem>) {
    for (number, (name, spec)) in model.data.queues.iter().enumerate() {
        let path = format!("queues.{}", quoted(name));
        let mut service = spec.service.clone();
        if !service.operations.is_empty() {
            problems.push(Problem::new(
                format!("{path}.operations"),
                "a queue has no operations of its own; say what messages cost with `publish` and `deliver`",
            ));
            service.operations.clear();
        }
        if spec.fan_out && spec.partitions.is_some() {
            problems.push(Problem::new(path.clone(), "a queue has partitions or fans out, not both"));
        }
        service.operations.insert("publish".to_owned(), spec.publish.clone());
        service.operations.insert("deliver".to_owned(), spec.deliver.clone());
        expanded.add("queues", name, service);
        let first = expanded.parts.groups.len() as u32;
        for (group, consumer) in &spec.consumers {
            let path = format!("{path}.consumers.{}", quoted(group));
            super::super::names::check_name(problems, path.clone(), group);
            if ["publish", "deliver"].contains(&group.as_str()) {
                problems.push(Problem::new(path.clone(), "a group cannot be called like an operation of the queue"));
            }
            let members = consumer.call.split('.').next().and_then(|service| model.services.get(service));
            let members = members.map_or(1, ServiceSpec::places);
            let group_plan = plan(spec, consumer, members, &path, problems);
            let service = consumer.call.split('.').next().unwrap_or_default();
            let service = expanded.model.services.get_index_of(service).unwrap_or(0) as u32;
            let name = format!("{name}.{group}");
            expanded.parts.groups.push(ConsumerPlan { name, queue: number as u32, service, group: group_plan });
        }
        let groups = first..expanded.parts.groups.len() as u32;
        let limit = spec.limit.unwrap_or(u32::MAX);
        expanded.parts.queues.push(QueuePlan { name: name.clone(), limit, when_full: spec.when_full, groups });
    }
}

fn plan(queue: &BrokerSpec, spec: &ConsumerSpec, members: u32, path: &str, problems: &mut Vec<Problem>) -> GroupPlan {
    let nanos = |duration: Option<Duration>| duration.map(Duration::as_nanos);
    let (batch, linger, ticks) = match spec.batch {
        None => (1, 0, false),
        Some(batch) => {
            if batch.size.is_none() && batch.every.is_none() {
                problems.push(Problem {
                    path: format!("{path}.batch"),
                    message: "a batch needs a size or a time".to_owned(),
                    help: Some("write `batch: { size: 100, every: 100ms }`".to_owned()),
                });
            }
            let linger = nanos(batch.every).unwrap_or(0);
            if batch.ticks_only && linger == 0 {
                problems.push(Problem::new(format!("{path}.batch.ticks_only"), "ticks need a time (`every`)"));
            }
            (batch.size.unwrap_or(65_535), linger, batch.ticks_only && linger > 0)
        }
    };
    let lanes = match queue.partitions {
        Some(count) => Lanes::Partitions(count),
        None if queue.fan_out => Lanes::Each,
        None => Lanes::Shared,
    };
    GroupPlan {
        lanes,
        levels: queue.priorities,
        members: members.max(1),
        slots: spec.concurrency.max(1),
        batch: batch.max(1),
        linger,
        ticks,
        early: spec.acknowledge == Acknowledge::Before,
        visibility: nanos(spec.visibility_timeout).map(|time| time.max(1)),
        tries: spec.attempts.unwrap_or(0),
        hold: nanos(spec.retry_after).unwrap_or(0),
        retention: nanos(queue.retention).map(|time| time.max(1)),
        pause: nanos(spec.rebalance).unwrap_or(REBALANCE),
        buffer: spec.buffer.map(|buffer| memory(&buffer, path, problems)),
    }
}

fn memory(spec: &BufferSpec, path: &str, problems: &mut Vec<Problem>) -> Buffer {
    if spec.every == Duration::ZERO {
        problems.push(Problem::new(format!("{path}.buffer.every"), "the time between fetches must be longer than 0"));
    }
    let pause_at = spec.pause_at.unwrap_or(u32::MAX);
    let resume_at = spec.resume_at.unwrap_or(pause_at / 2);
    if resume_at >= pause_at && spec.pause_at.is_some() {
        problems.push(Problem::new(
            format!("{path}.buffer.resume_at"),
            "fetching goes on below the mark at which it pauses",
        ));
    }
    let message = spec.message.map_or(1024, |bytes| bytes.as_u64().max(1));
    Buffer {
        fetch: spec.fetch.max(1),
        every: spec.every.as_nanos().max(1),
        pause_at,
        resume_at,
        room: spec.memory.map_or(u64::MAX, |memory| memory.as_u64() / message),
        restart: spec.restart.map_or(RESTART, Duration::as_nanos),
    }
}

/// Adds the clients that the groups of consumers are, and compiles what they do with a batch.
pub(in super::super) fn add_consumers(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    model: &ModelFile,
) {
    let mut group = 0;
    for (queue, spec) in &model.data.queues {
        for (own, consumer) in &spec.consumers {
            let plan = &blueprint.program.data.groups[group as usize];
            let (name, slots) = (plan.name.clone(), plan.group.members * plan.group.slots);
            let path = format!("queues.{}.consumers.{}", quoted(queue), quoted(own));
            let Some(operation) = directory.get(&consumer.call).copied() else {
                let known = directory.keys().map(String::as_str);
                problems.push(Problem::unknown(&format!("{path}.call"), "operation", &consumer.call, known));
                group += 1;
                continue;
            };
            let stations = StationNames::default();
            let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, &name, stations);
            let entry = compiler.client(&name, |compiler| {
                if !spec.deliver.is_empty() {
                    step::emit_routed(compiler, &format!("{queue}.deliver"), Route::Balanced);
                }
                step::emit_call_to(compiler, operation, consumer.timeout, Route::Member { group });
            });
            let traffic = blueprint::Traffic::Consumers { group, slots };
            blueprint.clients.push(blueprint::Client {
                name,
                traffic,
                entry,
                keys: None,
                priority: 0,
                visit: None,
                slo: None,
            });
            group += 1;
        }
    }
}
