//! Databases at work: versions at nodes, commits, staleness, locks, primaries.
//!
//! A version is a number per item that grows with every write. A read is stale if a newer version had been acknowledged when it
//! began. A write conflicts if the version it is based on (that which its request read last, or the newest one when it began) is
//! not the newest one when it commits.
//!
//! Simplified: a node that comes back has at once what the primary has; nodes whose partition ends are in step at once; elections choose the node that has most; what the old
//! primary had and the new one has not is lost.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::super::System;
use super::super::balancers::Placed;
use super::Waiter;
use super::books::DatabaseBook;
use crate::engine::Nanos;
use crate::engine::Stream;
use crate::engine::random::{below, mix};
use crate::model::data::{DatabasePlan, Reads};
use crate::model::frame::{NONE, Outcome};
use crate::model::program::Place;

/// The most pairs of user and item whose versions are remembered.
const MOST_SEEN: usize = 4_000_000;

/// A database at work.
#[derive(Debug)]
pub(in super::super) struct Database {
    first: u32,
    /// Per node: the version of each item.
    pub(super) versions: Vec<Vec<u32>>,
    /// Per shard: its primary's number among the nodes, and since when it is down [ns].
    pub(super) primaries: Vec<(u32, Option<Nanos>)>,
    /// Per item: whether it has moved to its new shard; empty if none is to move.
    pub(super) moved: Vec<bool>,
    /// Per user and item: the newest version read, and written.
    seen: BTreeMap<(u32, u32), (u32, u32)>,
    /// Per user: when the last write was acknowledged [ns].
    wrote: BTreeMap<u32, Nanos>,
    /// Whether the partition is over and its nodes are in step again.
    healed: bool,
    /// Who holds a lock, by node and item, and who waits for it.
    locks: BTreeMap<(u32, u32), VecDeque<Waiter>>,
    random: Stream,
    pub(in super::super) book: DatabaseBook,
}

impl Database {
    pub(super) fn new(plan: &DatabasePlan, first: u32, key: u64) -> Self {
        let nodes = (plan.shards * plan.nodes) as usize;
        Database {
            first,
            versions: vec![Vec::new(); nodes],
            primaries: vec![(0, None); plan.shards as usize],
            moved: Vec::new(),
            seen: BTreeMap::new(),
            wrote: BTreeMap::new(),
            healed: plan.partition.is_none(),
            locks: BTreeMap::new(),
            random: Stream::new(key),
            book: DatabaseBook { shards: vec![0; plan.shards as usize], ..DatabaseBook::default() },
        }
    }

    pub(super) fn version(&self, node: u32, item: u32) -> u32 {
        self.versions[node as usize].get(item as usize).copied().unwrap_or(0)
    }

    /// All nodes of every shard have what the one that has most has of each item.
    fn heal(&mut self, nodes: u32) {
        self.healed = true;
        for shard in self.versions.chunks_mut(nodes as usize) {
            let items = shard.iter().map(Vec::len).max().unwrap_or(0);
            let newest = |item: usize| shard.iter().filter_map(|node| node.get(item)).max().copied().unwrap_or(0);
            let newest: Vec<u32> = (0..items).map(newest).collect();
            shard.iter_mut().for_each(|node| node.clone_from(&newest));
        }
    }

    pub(super) fn set_version(&mut self, node: u32, item: u32, version: u32) {
        let versions = &mut self.versions[node as usize];
        if item as usize >= versions.len() {
            versions.resize(item as usize + 1, 0);
        }
        let held = &mut versions[item as usize];
        *held = version.max(*held);
    }
}

/// Whether two nodes of a shard can reach each other now.
fn connected(plan: &DatabasePlan, one: u32, other: u32, now: Nanos) -> bool {
    let Some((from, until, count)) = plan.partition else { return true };
    let cut = |node: u32| node >= plan.nodes - count;
    !(from..until).contains(&now) || cut(one) == cut(other)
}

impl System<'_> {
    /// Chooses the node for an operation of a database; `None` if it is down.
    pub(super) fn choose_node(&mut self, caller: u32, number: u32, write: bool) -> Option<Placed> {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let now = self.calendar.now();
        let item = self.item_of(caller, &plan.name);
        if let Some((_, until, _)) = plan.partition
            && now >= until
            && !self.data.databases[number as usize].healed
        {
            self.data.databases[number as usize].heal(plan.nodes);
        }
        let shard = self.data.databases[number as usize].shard(plan, item);
        self.elect(number, shard);
        let open = self.books.is_open();
        let session = self.session_of(caller);
        let instance = self.frames[caller].instance;
        let own = self.instances.get(instance as usize).map_or(0, |instance| instance.number);
        let data = &mut self.data.databases[number as usize];
        data.book.asked(open, shard);
        let primary = data.primaries[shard as usize].0;
        let base = data.first + shard * plan.nodes;
        let running = |from: u32, count: u32| -> Vec<u32> {
            let nodes = (from..from + count).map(|step| step % plan.nodes);
            nodes.filter(|node| self.instances[(base + node) as usize].up).collect()
        };
        let one_of = |choices: Vec<u32>, random: &mut Stream| {
            (!choices.is_empty()).then(|| choices[below(random, choices.len() as u64) as usize])
        };
        let reads = if write && plan.quorum.is_none() { Reads::Primary } else { plan.reads };
        let wrote = data.wrote.get(&session);
        let recently = wrote.is_some_and(|time| now.saturating_sub(*time) < crate::model::data::STICKY);
        let node = match reads {
            Reads::Primary => Some(primary),
            Reads::ReadYourWrites if recently => Some(primary),
            Reads::Nearest => Some(own % plan.nodes),
            Reads::Monotonic if session != NONE => {
                let choices = running(0, plan.nodes);
                (!choices.is_empty()).then(|| choices[(mix(u64::from(session)) % choices.len() as u64) as usize])
            }
            Reads::Any | Reads::Monotonic => one_of(running(0, plan.nodes), &mut data.random),
            Reads::Replicas | Reads::ReadYourWrites => {
                one_of(running(primary + 1, plan.nodes - 1), &mut data.random).or(Some(primary))
            }
        }?;
        let chosen = self.services[plan.service as usize].choose_number(shard * plan.nodes + node, now);
        if chosen.is_none() {
            self.data.databases[number as usize].book.unavailable(open);
        }
        chosen
    }

    /// Another node of a caller's shard: node `node` behind it if `primary`, otherwise that of this number.
    pub(super) fn other_node(&mut self, caller: u32, number: u32, node: u32, primary: bool) -> Option<Placed> {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let now = self.calendar.now();
        let place = self.frames[caller].instance - self.data.databases[number as usize].first;
        let (shard, own) = (place / plan.nodes, place % plan.nodes);
        let node = if primary { (own + node) % plan.nodes } else { node };
        if !connected(plan, own, node, now) {
            return None;
        }
        self.services[plan.service as usize].choose_number(shard * plan.nodes + node, now)
    }

    /// Makes another node the primary of a shard if its own has been down for long enough.
    pub(super) fn elect(&mut self, number: u32, shard: u32) {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let now = self.calendar.now();
        let data = &mut self.data.databases[number as usize];
        let (old, Some(since)) = data.primaries[shard as usize] else { return };
        if plan.failover.is_none_or(|takes| now < since.saturating_add(takes)) {
            return;
        }
        let base = shard * plan.nodes;
        let up = |node: &u32| self.instances[(data.first + base + node) as usize].up;
        let has =
            |node: &u32| data.versions[(base + node) as usize].iter().map(|version| u64::from(*version)).sum::<u64>();
        let Some(new) = (0..plan.nodes).filter(up).max_by_key(|node| (has(node), std::cmp::Reverse(*node))) else {
            return;
        };
        let (had, have) = (&data.versions[(base + old) as usize], &data.versions[(base + new) as usize]);
        let missing = |(item, version): (usize, &u32)| {
            let kept = have.get(item).copied().unwrap_or(0);
            (*version > kept).then_some((item as u32, version - kept, kept))
        };
        let lost: Vec<(u32, u32, u32)> = had.iter().enumerate().filter_map(missing).collect();
        for (item, count, kept) in lost {
            data.book.lost_writes += u64::from(count);
            self.data.truths[number as usize].revert(item, kept, now);
        }
        data.primaries[shard as usize] = (new, None);
        data.book.failovers += 1;
    }

    /// A node comes or goes.
    pub(super) fn node_changed(&mut self, instance: u32, up: bool) {
        let now = self.calendar.now();
        for (number, plan) in self.blueprint.program.data.databases.iter().enumerate() {
            let data = &mut self.data.databases[number];
            if instance < data.first || instance >= data.first + plan.shards * plan.nodes {
                continue;
            }
            let place = instance - data.first;
            let (shard, node) = (place / plan.nodes, place % plan.nodes);
            let primary = data.primaries[shard as usize].0;
            if node == primary {
                data.primaries[shard as usize].1 = (!up).then_some(now);
            } else if up {
                let known = data.versions[(shard * plan.nodes + primary) as usize].clone();
                data.versions[place as usize] = known;
            }
        }
    }

    /// A statement begins: notes what is the newest version now.
    pub(super) fn snapshot(&mut self, index: u32, number: u32) {
        let item = self.frames[index].item;
        let newest = self.data.truths[number as usize].newest(item);
        let carry = self.data.carry(index);
        carry.snapshot = newest;
        if carry.version == 0 {
            carry.version = newest;
        }
    }

    /// A write gets its version, which the own node has at once, unless it needs an answer like all others.
    pub(super) fn commit(&mut self, index: u32, number: u32, everywhere: bool) {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        let (now, open) = (self.calendar.now(), self.books.is_open());
        let truth = &mut self.data.truths[number as usize];
        let based = self.data.carries[index as usize].version;
        let conflict = based < truth.latest(item);
        let version = truth.give(item);
        let data = &mut self.data.databases[number as usize];
        data.book.wrote(open, conflict, plan.merges);
        if !everywhere {
            let node = data.holder(plan, instance - data.first, item);
            data.set_version(node, item, version);
        }
        let carry = self.data.carry(index);
        (carry.version, carry.committed) = (version, now);
    }

    /// A write is answered.
    pub(super) fn acknowledge(&mut self, index: u32, number: u32) {
        let (item, now) = (self.frames[index].item, self.calendar.now());
        let version = self.data.carry(index).version;
        self.data.truths[number as usize].acknowledge(item, version, now);
        let session = self.session_of(index);
        if session != NONE {
            let data = &mut self.data.databases[number as usize];
            data.wrote.insert(session, now);
            if data.seen.len() < MOST_SEEN {
                let seen = data.seen.entry((session, item)).or_default();
                seen.1 = seen.1.max(version);
            }
        }
    }

    /// A read ends: at the own node (`own`), or with the newest of the versions that other nodes answered.
    pub(super) fn judge(&mut self, index: u32, number: u32, own: bool) {
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        let (now, open) = (self.calendar.now(), self.books.is_open());
        let session = self.session_of(index);
        let since = self.data.truths[number as usize].since(item);
        let Carried { snapshot, version } = {
            let data = &self.data.databases[number as usize];
            let plan = &self.blueprint.program.data.databases[number as usize];
            let here = own.then(|| data.version(data.holder(plan, instance - data.first, item), item));
            let carry = self.data.carry(index);
            carry.version = here.unwrap_or(carry.best);
            carry.best = 0;
            Carried { snapshot: carry.snapshot, version: carry.version }
        };
        let data = &mut self.data.databases[number as usize];
        data.book.read(open, (version < snapshot).then(|| now.saturating_sub(since)));
        if session != NONE && data.seen.len() < MOST_SEEN {
            let seen = data.seen.entry((session, item)).or_default();
            data.book.seen(open, version < seen.0, version < seen.1);
            seen.0 = seen.0.max(version);
        }
    }

    /// A write arrives at a node.
    pub(super) fn apply_write(&mut self, index: u32, number: u32) {
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        let (now, open) = (self.calendar.now(), self.books.is_open());
        let (version, committed) = {
            let carry = self.data.carry(index);
            (carry.version, carry.committed)
        };
        let data = &mut self.data.databases[number as usize];
        let plan = &self.blueprint.program.data.databases[number as usize];
        let node = data.holder(plan, instance - data.first, item);
        data.set_version(node, item, version);
        data.book.applied(open, now - committed);
    }

    /// A node answers a read.
    pub(super) fn fetch_version(&mut self, index: u32, number: u32) {
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        let data = &self.data.databases[number as usize];
        let plan = &self.blueprint.program.data.databases[number as usize];
        let version = data.version(data.holder(plan, instance - data.first, item), item);
        self.data.carry(index).version = version;
    }

    /// Asks for a lock; whether the frame goes on at once.
    pub(super) fn lock_rows(&mut self, index: u32, number: u32, table: bool, account: u32) -> bool {
        let frame = &self.frames[index];
        let item = if table { NONE } else { frame.item };
        let key = (frame.instance, item);
        let open = self.books.is_open();
        if let Entry::Vacant(first) = self.data.databases[number as usize].locks.entry(key) {
            first.insert(VecDeque::new());
            return true;
        }
        let waiter = self.await_waking(index, account);
        let data = &mut self.data.databases[number as usize];
        data.book.locked(open);
        data.locks.entry(key).or_default().push_back(waiter);
        false
    }

    /// Gives a lock back; the next in line has it. A failing frame goes on failing.
    pub(super) fn unlock_rows(&mut self, index: u32, place: Place, number: u32, table: bool) {
        let frame = &self.frames[index];
        let key = (frame.instance, if table { NONE } else { frame.item });
        if frame.outcome != Outcome::Success {
            self.frames[index].place = self.blueprint.program.unwind[place as usize];
        }
        let Some(mut waiting) = self.data.databases[number as usize].locks.remove(&key) else { return };
        while let Some(waiter) = waiting.pop_front() {
            if self.wake(waiter) {
                self.data.databases[number as usize].locks.insert(key, waiting);
                return;
            }
        }
    }
}

/// What a read knows when it ends.
struct Carried {
    snapshot: u32,
    version: u32,
}
