//! LFU: the item that was asked for least often since it came goes; among equals the one not asked for longest.
//!
//! Counts are those of items in the cache only; an item that comes back begins anew.
//!
//! Source: K. Shah, A. Mitra, D. Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme" (2010), with
//! an ordered map of counts.

use std::collections::BTreeMap;

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The policy. State: slots by count; a slot's mark is its count.
#[derive(Debug, Default)]
pub struct Lfu {
    counts: BTreeMap<u32, List>,
}

impl Lfu {
    fn enter(&mut self, slot: u32, slots: &mut Slots) {
        self.counts.entry(slots[slot].mark).or_default().push(slot, slots);
    }
}

impl Eviction for Lfu {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        self.remove(slot, slots);
        slots[slot].mark = slots[slot].mark.saturating_add(1);
        self.enter(slot, slots);
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = 1;
        self.enter(slot, slots);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        let slot = self.counts.first_key_value()?.1.back()?;
        self.remove(slot, slots);
        Some(slot)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let count = slots[slot].mark;
        if let Some(list) = self.counts.get_mut(&count) {
            list.remove(slot, slots);
            if list.is_empty() {
                self.counts.remove(&count);
            }
        }
    }
}
