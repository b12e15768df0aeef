//! Caches at work: asking, filling, fetching alone, dropping, writing behind.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use super::super::System;
use super::books::CacheBook;
use super::{Found, Waiter};
use crate::engine::random::{Draw, mix, named, unit};
use crate::engine::time::round;
use crate::engine::{Nanos, Stream};
use crate::model::cache::{Found as Held, Gone, Store};
use crate::model::data::CachePlan;
use crate::model::frame::Outcome;
use crate::model::program::Place;

/// A cache at work.
#[derive(Debug)]
pub(in super::super) struct Cache {
    /// Keys the streams of its policies.
    key: u64,
    /// Of a cache that is a service: its first instance, and how many there are.
    pub(in super::super) shards: Option<(u32, u32)>,
    /// Per instance of the system: its contents, made when first touched.
    stores: Vec<Option<Box<Store>>>,
    /// Items that were changed and not yet written to their origin, by instance; evicting an item does not take it out.
    unwritten: BTreeSet<(u32, u32)>,
    /// Requests in order, if they are to be compared with the best possible.
    requests: Vec<u32>,
    pub(in super::super) book: CacheBook,
}

impl Cache {
    pub(super) fn new(key: u64) -> Self {
        let (stores, requests) = (Vec::new(), Vec::new());
        Cache { key, shards: None, stores, unwritten: BTreeSet::new(), requests, book: CacheBook::default() }
    }

    /// The contents at an instance.
    fn store(&mut self, plan: &CachePlan, instance: u32) -> &mut Store {
        let place = instance as usize;
        if place >= self.stores.len() {
            self.stores.resize_with(place + 1, || None);
        }
        let (key, shards) = (self.key, self.shards);
        self.stores[place].get_or_insert_with(|| Box::new(opened(plan, instance, key, shards)))
    }

    /// Everything at an instance is gone.
    pub(super) fn clear(&mut self, instance: u32) {
        if let Some(Some(store)) = self.stores.get_mut(instance as usize) {
            store.clear();
        }
        let before = self.unwritten.len();
        self.unwritten.retain(|(place, _)| *place != instance);
        self.book.lost += (before - self.unwritten.len()) as u64;
    }

    /// Items at all instances.
    pub(in super::super) fn items(&self) -> u64 {
        self.stores.iter().flatten().map(|store| store.len() as u64).sum()
    }

    /// Misses that the best possible policy would have had on the recorded requests, with a cache of this many items.
    pub(in super::super) fn best(&self, capacity: u64) -> Option<(u64, u64)> {
        let all = self.requests.len() as u64;
        (all > 0).then(|| (all, crate::model::cache::belady::misses(&self.requests, capacity as usize)))
    }
}

/// The instance, of so many, that holds an item.
#[inline]
pub(in super::super) fn shard_of(item: u32, shards: u32) -> u32 {
    ((u128::from(mix(u64::from(item) ^ 0x9e6c_63d0_876a_3f6b)) * u128::from(shards)) >> 64) as u32
}

/// The contents of a cache at the start: empty, or the items with the lowest numbers, in their order.
fn opened(plan: &CachePlan, instance: u32, key: u64, shards: Option<(u32, u32)>) -> Store {
    let random = Stream::new(crate::engine::random::key(key, u64::from(instance)));
    let mut store = Store::new(plan.eviction, plan.capacity, plan.items, random);
    let wanted = ((plan.items as f64 * plan.preload) as usize).min(5_000_000);
    let salt = named(key, "preload");
    let here = |item: &u32| shards.is_none_or(|(first, count)| first + shard_of(*item, count) == instance);
    for item in (0..u32::MAX).filter(here).take(wanted) {
        let mut draw = Draw::new(key, salt, u64::from(item));
        let weight = plan.size.as_ref().map_or(1, |size| round(size.sample(&mut draw)).clamp(1, 1 << 31) as u32);
        // Preloaded items are of all ages.
        let expires = plan.ttl.map_or(Nanos::MAX, |ttl| round(ttl as f64 * unit(&mut draw)).max(1));
        store.put(item, weight, 0, expires, |_| {});
    }
    store
}

impl System<'_> {
    /// Asks the cache at a frame's instance for its item.
    pub(super) fn ask(&mut self, index: u32, number: u32) {
        let plan = &self.blueprint.program.data.caches[number as usize];
        let item = self.item_of(index, &plan.name);
        let (now, instance, open) = (self.calendar.now(), self.frames[index].instance, self.books.is_open());
        let newest = self.data.truths[plan.dataset as usize].newest(item);
        let since = self.data.truths[plan.dataset as usize].since(item);
        let cache = &mut self.data.caches[number as usize];
        if plan.bound {
            cache.requests.push(item);
        }
        let slide = plan.ttl.filter(|_| plan.sliding);
        let store = cache.store(plan, instance);
        let (found, version) = match store.ask(item, now, plan.stale, slide) {
            Held::Nothing => (Found::Nothing, None),
            Held::Expired(version) if store.refresh(item) => (Found::Aging, Some(version)),
            Held::Expired(version) => (Found::Item, Some(version)),
            Held::Fresh(version) => {
                let early = plan.early > 0.0
                    && plan.ttl.zip(store.expires(item)).is_some_and(|(ttl, expires)| {
                        (expires - now) as f64 <= ttl as f64 * plan.early && store.refresh(item)
                    });
                (if early { Found::Aging } else { Found::Item }, Some(version))
            }
        };
        cache.book.asked(open, found != Found::Nothing);
        if let Some(version) = version
            && version < newest
        {
            cache.book.stale(open, now - since);
        }
        let carry = self.data.carry(index);
        carry.found = found;
        carry.version = version.unwrap_or(carry.version);
    }

    /// Notes that a cache could not be asked: a miss.
    pub(super) fn missed(&mut self, index: u32, number: u32) {
        let open = self.books.is_open();
        self.data.caches[number as usize].book.asked(open, false);
        self.data.carry(index).found = Found::Nothing;
    }

    /// A cache of which only the share of hits is known.
    pub(super) fn ask_chance(&mut self, index: u32, number: u32, salt: u64) {
        let ratio = self.blueprint.program.data.caches[number as usize].ratio.unwrap_or(0.0);
        let hit = self.chance(index, salt) < ratio;
        let open = self.books.is_open();
        self.data.caches[number as usize].book.asked(open, hit);
        self.data.carry(index).found = if hit { Found::Item } else { Found::Nothing };
    }

    /// Goes on at `hit` if the cache had the item; starts the fetching beside if it is aging.
    pub(super) fn test_cache(&mut self, index: u32, number: u32, hit: Place, refresh: Option<Place>) {
        let found = std::mem::take(&mut self.data.carry(index).found);
        if found == Found::Nothing {
            return;
        }
        self.frames[index].place = hit;
        if found == Found::Aging
            && let Some(place) = refresh
        {
            let instance = self.frames[index].instance;
            self.data.caches[number as usize].book.refreshed(self.books.is_open());
            self.start_beside(index, instance, place, 0x7265_6672_6573_6821);
        }
    }

    /// Joins the fetch of the same item that is under way, if there is one; otherwise begins one. Whether the frame goes on.
    pub(super) fn board(&mut self, index: u32, number: u32, hit: Place, waiting: u32) -> bool {
        let key = self.flight_of(index, number);
        if let Entry::Vacant(first) = self.data.flights.entry(key) {
            first.insert(Vec::new());
            return true;
        }
        self.frames[index].place = hit;
        let waiter = self.await_waking(index, waiting);
        self.data.flights.entry(key).or_default().push(waiter);
        let open = self.books.is_open();
        self.data.caches[number as usize].book.joined(open);
        false
    }

    fn flight_of(&mut self, index: u32, number: u32) -> (u32, u32, u32) {
        let frame = &self.frames[index];
        let local = self.blueprint.program.data.caches[number as usize].local;
        (number, if local { frame.instance } else { 0 }, frame.item)
    }

    /// Ends a fetch: those who waited for it go on with what it brought, or fail as it does.
    pub(super) fn land(&mut self, index: u32, place: Place, number: u32) {
        let key = self.flight_of(index, number);
        let version = self.data.carry(index).version;
        let (outcome, reason) = (self.frames[index].outcome, self.frames[index].reason);
        let unwind = self.blueprint.program.unwind[place as usize];
        for waiter in self.data.flights.remove(&key).unwrap_or_default() {
            let Waiter { frame, .. } = waiter;
            if self.wake(waiter) {
                self.data.carry(frame).version = version;
                if outcome != Outcome::Success {
                    let waiting = &mut self.frames[frame];
                    (waiting.outcome, waiting.reason, waiting.place) = (Outcome::Error, reason, unwind);
                }
            }
        }
        if outcome != Outcome::Success {
            self.frames[index].place = unwind;
        }
    }

    /// Puts a frame's item into the cache at its instance, and what that pushes out into the tier below.
    pub(super) fn fill(&mut self, index: u32, number: u32, salt: u64) {
        let plan = &self.blueprint.program.data.caches[number as usize];
        let item = self.item_of(index, &plan.name);
        let frame = &self.frames[index];
        let (now, instance, open) = (self.calendar.now(), frame.instance, self.books.is_open());
        let mut draw = Draw::new(frame.key, salt, frame.visit());
        // The size of an item is its own, whoever fetches it.
        let size_key = named(u64::from(item), &plan.name);
        let weight =
            plan.size.as_ref().map_or(1, |size| round(size.sample(&mut Draw::new(size_key, 0, 0))).clamp(1, 1 << 31));
        let expires = plan.ttl.map_or(Nanos::MAX, |ttl| {
            let factor = 1.0 + plan.jitter * (2.0 * unit(&mut draw) - 1.0);
            now.saturating_add(round(ttl as f64 * factor).max(1))
        });
        let version = self.data.carry(index).version;
        let cache = &mut self.data.caches[number as usize];
        let mut gone = std::mem::take(&mut cache.book.scratch);
        cache.store(plan, instance).put(item, weight as u32, version, expires, |victim| gone.push(victim));
        for victim in gone.drain(..) {
            self.evicted(number, instance, victim, open);
        }
        self.data.caches[number as usize].book.scratch = gone;
    }

    /// Takes note of an evicted item; it goes down a tier.
    fn evicted(&mut self, number: u32, instance: u32, victim: Gone, open: bool) {
        let plan = &self.blueprint.program.data.caches[number as usize];
        self.data.caches[number as usize].book.evicted(open);
        let Some(lower) = plan.lower else { return };
        let below = &self.blueprint.program.data.caches[lower as usize];
        let now = self.calendar.now();
        let place = match self.data.caches[lower as usize].shards {
            Some((first, count)) => first + shard_of(victim.item, count),
            None => instance,
        };
        let expires = below.ttl.map_or(Nanos::MAX, |ttl| now.saturating_add(ttl));
        let weight = if below.size.is_some() { victim.weight } else { 1 };
        let cache = &mut self.data.caches[lower as usize];
        let mut evicted = 0;
        cache.store(below, place).put(victim.item, weight, victim.version, expires, |_| evicted += 1);
        (0..evicted).for_each(|_| cache.book.evicted(open));
    }

    /// Takes a frame's item out of the cache at its instance.
    pub(super) fn drop_item(&mut self, index: u32, number: u32) {
        let plan = &self.blueprint.program.data.caches[number as usize];
        let item = self.item_of(index, &plan.name);
        let (now, instance, open) = (self.calendar.now(), self.frames[index].instance, self.books.is_open());
        let truth = &self.data.truths[plan.dataset as usize];
        let (newest, since) = (truth.newest(item), truth.since(item));
        let cache = &mut self.data.caches[number as usize];
        if let Some(gone) = cache.store(plan, instance).remove(item) {
            cache.book.dropped(open, (gone.version < newest).then_some(now - since));
        }
    }

    /// Notes that an item without a database has changed.
    pub(super) fn change(&mut self, index: u32, dataset: u32) {
        if dataset < self.blueprint.program.data.databases() {
            return;
        }
        let item = self.frames[index].item;
        let now = self.calendar.now();
        let truth = &mut self.data.truths[dataset as usize];
        let version = truth.give(item);
        truth.acknowledge(item, version, now);
        self.data.carry(index).version = version;
    }

    /// Starts the dropping of the item at all other instances that hold this cache.
    pub(super) fn spread(&mut self, index: u32, number: u32, drop: Place) {
        let own = self.frames[index].instance;
        let service = self.instances[own as usize].service;
        let first = self.services[service as usize].first_instance;
        let count = self.blueprint.services[service as usize].instances;
        for instance in first..first + count {
            if instance != own && self.instances[instance as usize].up {
                self.data.caches[number as usize].book.told(self.books.is_open());
                self.start_beside(index, instance, drop, mix(u64::from(instance)));
            }
        }
    }

    /// Notes that the item was changed at the own instance and has to be written; the first change starts the writing behind.
    pub(super) fn soil(&mut self, index: u32, number: u32, flush: Place) {
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        let open = self.books.is_open();
        let cache = &mut self.data.caches[number as usize];
        let before = !cache.unwritten.insert((instance, item));
        cache.book.written(open, before);
        if !before {
            self.start_beside(index, instance, flush, 0x6265_6869_6e64_2121);
        }
    }

    /// Goes on if the item still has to be written; it has not any more.
    pub(super) fn wash(&mut self, index: u32, number: u32, past: Place) {
        let (item, instance) = (self.frames[index].item, self.frames[index].instance);
        if !self.data.caches[number as usize].unwritten.remove(&(instance, item)) {
            self.frames[index].place = past;
        }
    }
}
