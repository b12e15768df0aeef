//! Adding shards to a running database: the operations with which items move, and the client that moves them.

use super::super::names::quoted;
use crate::measure::Kind;
use crate::model::batch::Schedule;
use crate::model::blueprint::{self, Blueprint};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::data::{Placement, Resharding};
use crate::model::distribution::{Random, Values};
use crate::model::program::{Instruction, Route};
use crate::model::step::{self, Accesses, Disk, Inner, Order, Reply, ReplySize, Step};
use crate::quantity::{Bytes, Count};
use crate::spec::data_file::{DatabaseSpec, ReshardSpec, Sharding};
use crate::spec::model_file::{ModelFile, ServiceSpec};

/// After how long a batch that failed is tried again [ns]. Own rule.
const AGAIN: u64 = 1_000_000_000;

/// How a database gets more shards.
pub(super) fn plan(spec: &DatabaseSpec) -> Option<Resharding> {
    let reshard = spec.reshard.as_ref()?;
    let before = placement(&spec.sharding, spec.shards);
    let after = placement(&spec.sharding, reshard.shards);
    let mut plan = Resharding::plan((&before, spec.shards), (after, reshard.shards), reshard.items, reshard.batch);
    (plan.at, plan.movers) = (reshard.at.as_nanos(), reshard.movers);
    Some(plan)
}

pub(super) fn check(spec: &DatabaseSpec, reshard: &ReshardSpec, path: &str, problems: &mut Vec<Problem>) {
    if reshard.shards <= spec.shards {
        let message = "there must be more shards afterwards; shards cannot be taken away";
        problems.push(Problem::new(format!("{path}.reshard.shards"), message));
    }
    if matches!(spec.sharding, Sharding::Directory(_)) {
        problems.push(Problem {
            path: format!("{path}.reshard"),
            message: "a directory does not say which items a new shard has".to_owned(),
            help: Some("shard by `modulo`, `ring` or `range`".to_owned()),
        });
    }
    if let Sharding::Range(range) = &spec.sharding
        && range.items < reshard.items
    {
        problems.push(Problem::new(format!("{path}.reshard.items"), "these are more items than the ranges have"));
    }
}

/// Adds the operations with which a batch moves: the new shard takes it, and asks the old one to give it.
pub(super) fn add_operations(number: u32, spec: &DatabaseSpec, reshard: &ReshardSpec, service: &mut ServiceSpec) {
    let size = reshard.size.unwrap_or(Bytes::new(1024));
    let on_disk = spec.service.machine.as_ref().is_some_and(|machine| machine.disk.is_some());
    let access = |reads: bool| {
        let count = Some(Count::new(u64::from(reshard.batch)));
        let (reads, writes) = if reads { (count, None) } else { (None, count) };
        let accesses =
            Accesses { reads, writes, size: Some(size), order: Order::Sequential, hit: None, working_set: None };
        if on_disk { vec![Step::Disk(Disk { disk: accesses })] } else { Vec::new() }
    };
    let mut give = vec![Step::Inner(Inner::Own)];
    give.extend(reshard.give.clone().unwrap_or_else(|| access(true)));
    let bytes = size.as_u64().saturating_mul(u64::from(reshard.batch));
    give.push(Step::Reply(Reply { reply: ReplySize::Bytes(Random::Constant(Bytes::new(bytes))) }));
    let mut take = vec![Step::Inner(Inner::Obtain(number))];
    take.extend(reshard.take.clone().unwrap_or_else(|| access(false)));
    take.push(Step::Inner(Inner::Move(number)));
    service.operations.insert("give".to_owned(), give);
    service.operations.insert("take".to_owned(), take);
}

/// Adds the clients that move items: batch jobs of which each item is a batch of items that move.
pub(in super::super) fn add_movers(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    model: &ModelFile,
) {
    for (number, (name, spec)) in (0..).zip(&model.data.databases) {
        let Some(reshard) = &spec.reshard else { continue };
        let Some(plan) = &blueprint.program.data.databases[number as usize].reshard else { continue };
        let (items, begins) = (plan.batches.len() as u32, plan.at);
        let Some(operation) = directory.get(&format!("{name}.take")).copied() else { continue };
        let client = format!("{name}.reshard");
        let stations = StationNames::default();
        let path = format!("databases.{}.reshard", quoted(name));
        let mut own = Vec::new();
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, &mut own, &client, stations);
        let entry = compiler.client(&client, |compiler| {
            step::emit_call_to(compiler, operation, None, Route::Moving { database: number, to: true });
            if let Some(pause) = &reshard.pause {
                let demand = compiler.demand("pause", pause);
                let account = compiler.account("pause", Kind::Delay);
                compiler.emit(Instruction::Delay { demand, account });
            }
        });
        problems.extend(own.into_iter().map(|problem| Problem { path: format!("{path}.pause"), ..problem }));
        let (workers, schedule) = (reshard.movers, Schedule::Queue);
        let traffic = blueprint::Traffic::Batch { items, workers, schedule, begins, again: Some(AGAIN) };
        let own = blueprint::Client { name: client, traffic, entry, keys: None, priority: 0, visit: None, slo: None };
        blueprint.clients.push(own);
    }
}

/// Which shard has an item, as written.
pub(super) fn placement(sharding: &Sharding, shards: u32) -> Placement {
    match sharding {
        Sharding::Modulo => Placement::Modulo,
        Sharding::Ring(ring) => Placement::ring(shards, ring.virtual_nodes),
        Sharding::Range(range) => Placement::Range(u64::from(range.items).max(1)),
        Sharding::Directory(runs) => Placement::Directory(runs.iter().map(|run| (run.before, run.shard)).collect()),
    }
}
