//! LRU: the item that was not asked for longest goes.
//!
//! Source: the classic rule; its hit ratio under independent requests is in `maths/cache.rs`.

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The policy. State: all slots, those asked for last in front.
#[derive(Debug, Default)]
pub struct Lru {
    list: List,
}

impl Eviction for Lru {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        self.list.refresh(slot, slots);
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        self.list.push(slot, slots);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        self.list.pop(slots)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        self.list.remove(slot, slots);
    }
}
