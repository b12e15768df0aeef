//! The state of caches, databases and queues while a system runs.
//!
//! What a frame knows of data (which version of its item, whether a cache had it, what was recorded of it) is kept beside the frames, so that a
//! model without data parts pays nothing for it. Calls and branches inherit it; replies bring it back.

mod books;
mod cache;
mod database;
mod metrics;
mod moving;
mod queue;
mod route;
mod truth;

pub use books::{CacheBook, DatabaseBook, QueueBook};
pub use metrics::{CACHE, DATABASE, GROUP, QUEUE};

use std::collections::BTreeMap;

use super::System;
use crate::engine::Nanos;
use crate::engine::random::{Draw, named, unit};
use crate::model::blueprint::Blueprint;
use crate::model::data::{CachePlan, DataStep, DatabasePlan, Parts};
use crate::model::frame::{NONE, Role, Stage, Start};
use crate::model::program::Place;
use crate::model::queue::GroupBook;
use cache::Cache;
use database::Database;
use queue::Queues;
use truth::Truth;

/// What the last asked cache had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    #[default]
    Nothing,
    /// The item.
    Item,
    /// The item, which this frame is to fetch anew beside.
    Aging,
}

/// What a frame knows of data.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    /// The version of its item that it read last; 0 if none.
    pub(super) version: u32,
    /// What the last asked cache had.
    pub(super) found: Found,
    /// The newest version acknowledged when its statement began.
    pub(super) snapshot: u32,
    /// The newest version that its branches brought.
    pub(super) best: u32,
    /// When its write got its version [ns].
    pub(super) committed: Nanos,
    /// How many messages are being processed together; 0 for none.
    pub(super) batch: u32,
    /// When the request began that it goes back to [ns].
    pub(super) origin: Nanos,
    /// The size of its answer, as it was recorded [B]; 0 if it was not.
    pub(super) recorded: u32,
}

/// A frame that waits for something that happens here, and its generation then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    frame: u32,
    generation: u32,
}

/// All data of a system.
#[derive(Debug)]
pub(super) struct Data {
    /// Whether there is any, or answers are as large as was recorded.
    pub(super) on: bool,
    /// Per frame.
    carries: Vec<Carry>,
    pub(super) caches: Vec<Cache>,
    databases: Vec<Database>,
    truths: Vec<Truth>,
    pub(super) queues: Queues,
    /// Who waits for a fetch, by cache, instance of the fetching and item.
    flights: BTreeMap<(u32, u32, u32), Vec<Waiter>>,
}

impl Data {
    pub(super) fn new(blueprint: &Blueprint, root: u64) -> Self {
        let parts: &Parts = &blueprint.program.data;
        let root = named(root, "data");
        let mut data = Data {
            on: !parts.is_empty() || blueprint.program.recorded,
            carries: Vec::new(),
            caches: parts.caches.iter().map(|plan| Cache::new(named(root, &plan.name))).collect(),
            databases: parts.databases.iter().map(|plan| database(blueprint, plan, root)).collect(),
            truths: (0..parts.datasets).map(|_| Truth::default()).collect(),
            queues: Queues::new(blueprint),
            flights: BTreeMap::new(),
        };
        for (number, plan) in parts.caches.iter().enumerate() {
            if let Some(service) = blueprint.services.iter().position(|service| service.name == plan.name) {
                let first = blueprint.services[..service].iter().map(|service| service.instances).sum();
                data.caches[number].shards = Some((first, blueprint.services[service].instances));
            }
        }
        data
    }

    /// What a frame knows.
    #[inline]
    pub(super) fn carry(&mut self, frame: u32) -> &mut Carry {
        let frame = frame as usize;
        if frame >= self.carries.len() {
            self.carries.resize(frame + 1, Carry::default());
        }
        &mut self.carries[frame]
    }

    /// A frame begins and knows what another knows.
    #[inline(always)]
    pub(super) fn inherit(&mut self, from: u32, to: u32) {
        if self.on {
            *self.carry(to) = *self.carry(from);
        }
    }

    /// A request begins and knows nothing but what was recorded of it.
    pub(super) fn begin(&mut self, frame: u32, now: Nanos, recorded: u32) {
        *self.carry(frame) = Carry { origin: now, recorded, ..Carry::default() };
    }

    /// A frame's answer is heard.
    #[inline(always)]
    pub(super) fn bring_back(&mut self, from: u32, to: u32) {
        if self.on {
            let carried = *self.carry(from);
            let known = self.carry(to);
            known.version = carried.version;
            known.found = carried.found;
        }
    }

    /// The books of all caches at the end of a run.
    pub(super) fn cache_books(&self, parts: &Parts) -> Vec<CacheBook> {
        let book = |(cache, plan): (&Cache, &CachePlan)| {
            let whole = plan.capacity * cache.shards.map_or(1, |(_, count)| u64::from(count));
            CacheBook { items: cache.items(), best: cache.best(whole), ..cache.book.clone() }
        };
        self.caches.iter().zip(&parts.caches).map(book).collect()
    }

    /// Adds the values of an interval of the time series, of this length [s].
    pub(super) fn sample(&mut self, now: Nanos, length: f64, row: &mut Vec<f64>) {
        self.caches.iter_mut().for_each(|cache| cache.book.sample(length, row));
        self.queues.sample(now, row);
    }

    /// The books of all queues and groups of consumers at the end of a run.
    pub(super) fn queue_books(&self) -> (Vec<QueueBook>, Vec<GroupBook>) {
        (self.queues.books(), self.queues.groups.iter().map(|group| group.book.clone()).collect())
    }

    /// The window opens (`false`) or closes (`true`).
    pub(super) fn mark(&mut self, closes: bool, now: Nanos) {
        self.queues.mark(closes, now);
    }

    /// Checks the laws of data; the part that breaks one, and how.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), (String, String)> {
        self.queues.check().map_err(|(group, what)| (parts.groups[group].name.clone(), what))
    }

    /// A branch ends: what it read counts if it is the newest.
    #[inline]
    pub(super) fn bring_best(&mut self, from: u32, to: u32) {
        if self.on {
            let version = self.carry(from).version;
            let known = self.carry(to);
            known.best = known.best.max(version);
        }
    }

    /// The books of all databases at the end of a run.
    pub(super) fn database_books(&self) -> Vec<DatabaseBook> {
        self.databases.iter().map(|database| database.book.clone()).collect()
    }

    /// How many messages wait for a group of consumers.
    pub(super) fn waiting(&self, group: usize) -> u32 {
        self.queues.groups[group].waiting()
    }

    /// An instance died: what it held in memory is gone.
    pub(super) fn crashed(&mut self, instance: u32) {
        self.caches.iter_mut().for_each(|cache| cache.clear(instance));
    }
}

/// A database at its start.
fn database(blueprint: &Blueprint, plan: &DatabasePlan, root: u64) -> Database {
    let first = blueprint.services[..plan.service as usize].iter().map(|service| service.instances).sum();
    Database::new(plan, first, named(root, &plan.name))
}

impl System<'_> {
    /// Does a data step for a frame; whether the frame goes on at once.
    pub(super) fn data_step(&mut self, index: u32, place: Place, step: u32) -> bool {
        let step = &self.blueprint.program.data.steps[step as usize];
        match *step {
            DataStep::Ask { cache } => self.ask(index, cache),
            DataStep::Missed { cache } => self.missed(index, cache),
            DataStep::Chance { cache, salt } => self.ask_chance(index, cache, salt),
            DataStep::Test { cache, hit, refresh } => self.test_cache(index, cache, hit, refresh),
            DataStep::Board { cache, hit, waiting } => return self.board(index, cache, hit, waiting),
            DataStep::Land { cache } => self.land(index, place, cache),
            DataStep::Fill { cache, salt } => self.fill(index, cache, salt),
            DataStep::Drop { cache } => self.drop_item(index, cache),
            DataStep::Change { dataset } => self.change(index, dataset),
            DataStep::Spread { cache, drop } => self.spread(index, cache, drop),
            DataStep::Soil { cache, flush } => self.soil(index, cache, flush),
            DataStep::Publish { queue, wait, every, room, result } => {
                return self.publish(index, place, queue, wait, every, [room, result]);
            }
            DataStep::Snapshot { database } => self.snapshot(index, database),
            DataStep::Commit { database, everywhere } => self.commit(index, database, everywhere),
            DataStep::Ship { place } => {
                let instance = self.frames[index].instance;
                self.start_beside(index, instance, place, u64::from(place));
            }
            DataStep::Acknowledge { database } => self.acknowledge(index, database),
            DataStep::Judge { database, own } => self.judge(index, database, own),
            DataStep::Apply { database } => self.apply_write(index, database),
            DataStep::Fetch { database } => self.fetch_version(index, database),
            DataStep::Move { database } => self.move_items(index, database),
            DataStep::Lock { database, table, account } => return self.lock_rows(index, database, table, account),
            DataStep::Unlock { database, table } => self.unlock_rows(index, place, database, table),
            DataStep::Rounds { depth } => self.rounds(index, depth),
            DataStep::Wash { cache, past } => self.wash(index, cache, past),
        }
        true
    }

    /// The item of a frame's request; a request without one is a mistake in the model.
    fn item_of(&mut self, index: u32, part: &str) -> u32 {
        let item = self.frames[index].item;
        if item == NONE {
            self.violation.get_or_insert(super::Violation {
                part: part.to_owned(),
                what: "it was asked by a request that is about no data; give the client `keys:`, such as \
                       `keys: { zipf: 0.9, population: 100000 }`"
                    .to_owned(),
                of_model: true,
            });
            return 0;
        }
        item
    }

    /// Starts a frame beside another, at an instance, that nobody waits for.
    pub(super) fn start_beside(&mut self, index: u32, instance: u32, place: Place, salt: u64) -> u32 {
        let now = self.calendar.now();
        let parent = &self.frames[index];
        let key = crate::engine::random::child(parent.key, salt, parent.visit());
        let start = Start { role: Role::Branch, owner: parent.owner, instance, key, place, bearing: parent.bearing() };
        let (beside, frame) = self.frames.start(now, start);
        // A parent that waits no more: the frame itself, before it began.
        (frame.parent, frame.parent_generation) = (beside, frame.generation.wrapping_sub(1));
        frame.sibling = [NONE; 2];
        self.data.inherit(index, beside);
        self.ready.push(beside);
        beside
    }

    /// Lets a frame wait until it is let go on with [`System::wake`]; its time is booked to `account`.
    fn await_waking(&mut self, index: u32, account: u32) -> Waiter {
        let frame = &mut self.frames[index];
        frame.stage = Stage::Delay;
        frame.since = self.calendar.now();
        frame.account = account;
        Waiter { frame: index, generation: frame.generation }
    }

    /// Lets a waiting frame go on, if it still waits; whether it does.
    fn wake(&mut self, waiter: Waiter) -> bool {
        let woken = self.resume(waiter.frame, waiter.generation);
        woken.inspect(|frame| self.ready.push(*frame)).is_some()
    }

    /// A uniform number keyed by a frame and a step.
    fn chance(&self, index: u32, salt: u64) -> f64 {
        let frame = &self.frames[index];
        unit(&mut Draw::new(frame.key, salt, frame.visit()))
    }
}
