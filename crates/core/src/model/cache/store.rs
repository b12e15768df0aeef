//! The contents of one cache: items with their versions and expiry, up to a capacity.
//!
//! An item that has expired stays until it is asked for or evicted; it takes room until then. An item heavier than the
//! whole capacity is not taken in.
//!
//! Invariant: the items together never weigh more than the capacity.
//!
//! Memory: a slot of 40 bytes and 8 to 16 bytes of index per item, and what the policy remembers of items that went
//! (2Q, S3-FIFO: about 20 bytes each).

use super::eviction::{Eviction, Policy};
use super::index::Index;
use super::order::Slots;
use crate::engine::Stream;
use crate::engine::time::Nanos;

/// What a cache knows of an item that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is there, in this version.
    Fresh(u32),
    /// It is there and expired less than the grace ago, in this version.
    Expired(u32),
    /// It is not there.
    Nothing,
}

/// An item that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Which.
    pub item: u32,
    /// In which version.
    pub version: u32,
    /// What it weighed.
    pub weight: u32,
}

/// The contents of one cache.
#[derive(Debug)]
pub struct Store {
    index: Index,
    slots: Slots,
    policy: Box<dyn Eviction>,
    capacity: u64,
    weight: u64,
    random: Stream,
}

impl Store {
    /// An empty cache of this capacity (items or bytes) for about so many items; `random` is for its policy alone.
    pub fn new(policy: Policy, capacity: u64, items: u64, random: Stream) -> Self {
        Store {
            index: Index::new(),
            slots: Slots::default(),
            policy: policy.build(capacity, items.max(1)),
            capacity,
            weight: 0,
            random,
        }
    }

    #[inline]
    fn find(&self, item: u32) -> Option<u32> {
        self.index.find(item, |slot| self.slots[slot].item)
    }

    /// Asks for an item. One that expired at most `grace` ago is still given; one that expired earlier is dropped.
    /// With `slide`, what is found fresh expires so much later than now.
    #[inline]
    pub fn ask(&mut self, item: u32, now: Nanos, grace: Nanos, slide: Option<Nanos>) -> Found {
        self.policy.asked(item);
        let Some(slot) = self.find(item) else { return Found::Nothing };
        let expires = self.slots[slot].expires;
        if now >= expires.saturating_add(grace) && expires != Nanos::MAX {
            self.drop_slot(slot);
            return Found::Nothing;
        }
        self.policy.hit(slot, &mut self.slots);
        let held = &mut self.slots[slot];
        if now >= expires {
            return Found::Expired(held.version);
        }
        if let Some(slide) = slide {
            held.expires = now.saturating_add(slide);
        }
        Found::Fresh(held.version)
    }

    /// Puts an item in, or replaces it; tells `gone` of all that go to make room.
    pub fn put(&mut self, item: u32, weight: u32, version: u32, expires: Nanos, mut gone: impl FnMut(Gone)) {
        if let Some(slot) = self.find(item) {
            if self.slots[slot].weight == weight {
                let held = &mut self.slots[slot];
                (held.version, held.expires, held.refreshing) = (version, expires, false);
                return;
            }
            self.drop_slot(slot);
        }
        if u64::from(weight) > self.capacity {
            return;
        }
        while self.weight + u64::from(weight) > self.capacity {
            let Some(victim) = self.policy.victim(item, &mut self.slots, &mut self.random) else { return };
            gone(self.forget(victim));
        }
        let slot = self.slots.take(item, weight);
        (self.slots[slot].version, self.slots[slot].expires) = (version, expires);
        let slots = &self.slots;
        self.index.insert(item, slot, |slot| slots[slot].item);
        self.policy.insert(slot, &mut self.slots);
        self.weight += u64::from(weight);
    }

    /// Takes an item out; returns it if it was there.
    pub fn remove(&mut self, item: u32) -> Option<Gone> {
        self.find(item).map(|slot| self.drop_slot(slot))
    }

    fn drop_slot(&mut self, slot: u32) -> Gone {
        self.policy.remove(slot, &mut self.slots);
        self.forget(slot)
    }

    /// Gives back the slot of an item that the policy no longer knows.
    fn forget(&mut self, slot: u32) -> Gone {
        let held = self.slots[slot];
        let slots = &self.slots;
        self.index.remove(held.item, |slot| slots[slot].item);
        self.slots.give(slot);
        self.weight -= u64::from(held.weight);
        Gone { item: held.item, version: held.version, weight: held.weight }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        for slot in self.index.slots() {
            self.drop_slot(slot);
        }
    }

    /// When an item that is there expires [ns].
    pub fn expires(&self, item: u32) -> Option<Nanos> {
        self.find(item).map(|slot| self.slots[slot].expires)
    }

    /// Notes that somebody fetches an item anew; whether nobody did before.
    pub fn refresh(&mut self, item: u32) -> bool {
        self.find(item).is_some_and(|slot| !std::mem::replace(&mut self.slots[slot].refreshing, true))
    }

    /// How many items are there.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// What they weigh together (items or bytes).
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Bytes of memory that index, slots and the policy take.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.slots.memory() + self.policy.memory()
    }
}
