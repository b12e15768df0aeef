//! Databases: their plans, and the services that they are.

use indexmap::IndexMap;

use super::super::names::quoted;
use super::Expanded;
use crate::model::compile::Problem;
use crate::model::data::DatabasePlan;
use crate::model::distribution::Random;
use crate::model::machine::runtime::RuntimeSpec;
use crate::model::step::{Change, Inner, RowLock, Spreading, Statement, Step};
use crate::quantity::Duration;
use crate::spec::data_file::{Conflicts, DatabaseSpec, Replication, Sharding};
use crate::spec::model_file::{ModelFile, QueueSpec};

/// Operations that a database has of itself.
const OWN: [&str; 4] = ["apply", "fetch", "give", "take"];

/// Adds plans and services of all databases.
pub(super) fn expand(model: &ModelFile, expanded: &mut Expanded, problems: &mut Vec<Problem>) {
    for (number, (name, spec)) in model.data.databases.iter().enumerate() {
        let path = format!("databases.{}", quoted(name));
        check(spec, &path, problems);
        let nodes = nodes(spec);
        let mut service = spec.service.clone();
        let shards = spec.reshard.as_ref().map_or(spec.shards, |reshard| reshard.shards.max(spec.shards));
        service.instances = shards.saturating_mul(nodes);
        if let Some(workers) = spec.connections {
            // More connections than there are are refused, as PostgreSQL does ("too many clients already").
            service.runtime.get_or_insert(RuntimeSpec::Workers(workers));
            service.queue.get_or_insert(QueueSpec { limit: Some(0), ..QueueSpec::default() });
        }
        let operations: IndexMap<String, Vec<Step>> = spec
            .service
            .operations
            .iter()
            .map(|(operation, steps)| (operation.clone(), surrounded(number as u32, name, nodes, spec, steps)))
            .collect();
        service.operations = operations;
        let number = number as u32;
        let (apply, fetch) = match (&spec.replicas, &spec.quorum) {
            (_, Some(quorum)) => (quorum.apply.clone(), quorum.fetch.clone()),
            (Some(replicas), None) => (replicas.apply.clone(), Vec::new()),
            (None, None) => (Vec::new(), Vec::new()),
        };
        let with = |mut steps: Vec<Step>, inner| {
            steps.push(Step::Inner(inner));
            steps
        };
        if nodes > 1 {
            service.operations.insert("apply".to_owned(), with(apply, Inner::Apply(number)));
            service.operations.insert("fetch".to_owned(), with(fetch, Inner::Fetch(number)));
        }
        if let Some(plan) = &spec.reshard {
            super::reshard::add_operations(number, spec, plan, &mut service);
        }
        let plan = plan(name, spec, nodes, expanded.model.services.len() as u32);
        expanded.add("databases", name, service);
        for (operation, steps) in &spec.service.operations {
            expanded.routes.push((format!("{name}.{operation}"), number, change(steps).is_some()));
        }
        expanded.parts.databases.push(plan);
    }
    expanded.parts.datasets = expanded.parts.databases.len() as u32;
}

fn nodes(spec: &DatabaseSpec) -> u32 {
    match (&spec.replicas, &spec.quorum) {
        (_, Some(quorum)) => quorum.nodes,
        (Some(replicas), None) => 1 + replicas.count,
        (None, None) => 1,
    }
}

fn check(spec: &DatabaseSpec, path: &str, problems: &mut Vec<Problem>) {
    let mut problem = |key: &str, message: &str| problems.push(Problem::new(format!("{path}{key}"), message));
    if spec.service.instances != 1 {
        problem(".instances", "a database has as many instances as its shards and replicas ask for; give those");
    }
    if spec.replicas.is_some() && spec.quorum.is_some() {
        problem(".quorum", "a database has a primary with replicas or quorums, not both");
    }
    if let Some(quorum) = &spec.quorum
        && (quorum.read > quorum.nodes || quorum.write > quorum.nodes)
    {
        problem(".quorum", "no more nodes can answer than there are");
    }
    if let Some(partition) = &spec.partition
        && partition.nodes >= nodes(spec)
    {
        problem(".partition.nodes", "fewer nodes than there are must be cut off, so that there are two sides");
    }
    for operation in OWN.iter().filter(|own| spec.service.operations.contains_key(**own)) {
        problem(&format!(".operations.{operation}"), "a database has this operation of itself; choose another name");
    }
    if let Sharding::Directory(runs) = &spec.sharding {
        if runs.is_empty() || runs.iter().any(|run| run.shard >= spec.shards) {
            problem(".sharding", "a directory names shards from 0 up to one less than there are");
        }
        if !runs.is_sorted_by(|one, next| one.before < next.before) {
            problem(".sharding", "the runs of a directory must be in ascending order");
        }
    }
    if let Some(reshard) = &spec.reshard {
        super::reshard::check(spec, reshard, path, problems);
    }
}

/// The `write` of an operation, if it has one.
fn change(steps: &[Step]) -> Option<&Change> {
    steps.iter().find_map(|step| match step {
        Step::Write(write) => Some(&write.write),
        _ => None,
    })
}

/// An operation's steps, up to its reply, as a statement of a database.
fn surrounded(database: u32, name: &str, nodes: u32, spec: &DatabaseSpec, steps: &[Step]) -> Vec<Step> {
    let none = || Random::Constant(Duration::ZERO);
    let delay = |delay: &Option<Random<Duration>>| delay.clone().unwrap_or_else(none);
    let change = change(steps);
    let write = change.map(|_| match (&spec.replicas, &spec.quorum) {
        (_, Some(quorum)) => {
            Spreading::Quorum(quorum.write, delay(&quorum.write_delay), delay(&quorum.acknowledge_delay))
        }
        (Some(replicas), None) => match replicas.replication {
            Replication::Async => Spreading::Later(delay(&replicas.lag)),
            Replication::SemiSync => Spreading::Needed(1, delay(&replicas.lag)),
            Replication::Sync => Spreading::Needed(replicas.count, delay(&replicas.lag)),
        },
        (None, None) => Spreading::None,
    });
    let read = match (&write, &spec.quorum) {
        (None, Some(quorum)) => Some((quorum.read, delay(&quorum.read_delay), delay(&quorum.respond_delay))),
        _ => None,
    };
    let lock: Option<RowLock> = change.and_then(|change| change.lock);
    let until = steps.iter().position(Step::is_reply).unwrap_or(steps.len());
    let (front, rest) = steps.split_at(until);
    let statement = Statement { database, name: name.to_owned(), nodes, steps: front.to_vec(), write, lock, read };
    let mut all = spec.connect.clone();
    all.push(Step::Statement(statement));
    all.extend(rest.iter().cloned());
    all
}

fn plan(name: &str, spec: &DatabaseSpec, nodes: u32, service: u32) -> DatabasePlan {
    let reads = match (&spec.replicas, &spec.quorum) {
        (_, Some(quorum)) => quorum.coordinator.unwrap_or(crate::model::data::Reads::Any),
        (Some(replicas), None) => replicas.reads,
        (None, None) => crate::model::data::Reads::Primary,
    };
    DatabasePlan {
        name: name.to_owned(),
        shards: spec.reshard.as_ref().map_or(spec.shards, |reshard| reshard.shards.max(spec.shards)),
        placed: spec.shards,
        nodes,
        sharding: super::reshard::placement(&spec.sharding, spec.shards),
        reshard: super::reshard::plan(spec),
        reads,
        quorum: spec.quorum.as_ref().map(|quorum| [quorum.read, quorum.write]),
        merges: spec.conflicts == Conflicts::Merge,
        failover: spec.failover.as_ref().map(|plan| plan.detection.as_nanos().saturating_add(plan.election.as_nanos())),
        partition: spec
            .partition
            .as_ref()
            .map(|plan| (plan.at.as_nanos(), plan.at.as_nanos().saturating_add(plan.lasting.as_nanos()), plan.nodes)),
        data: spec
            .data
            .as_ref()
            .map(|data| (data.items, data.item.as_u64() as f64, data.node.map(|node| node.as_u64() as f64))),
        service,
    }
}

/// What does not fit, in words.
pub(in super::super) fn warnings(plans: &[DatabasePlan]) -> Vec<String> {
    let bytes = |amount: f64| crate::quantity::Bytes::new(amount as u64).to_string();
    let warning = |plan: &DatabasePlan| {
        let (items, size, node) = plan.data?;
        let (held, room) = (items as f64 * size / f64::from(plan.shards), node?);
        let needed = (items as f64 * size / room).ceil();
        (held > room).then(|| {
            format!(
                "{}: each node of its {} shards would hold {}, more than the {} that fit; {needed} shards are needed",
                plan.name,
                plan.shards,
                bytes(held),
                bytes(room)
            )
        })
    };
    plans.iter().filter_map(warning).collect()
}
