//! Random: any item goes, with equal probability.
//!
//! Source: the classic rule; Gelenbe 1973 for its hit ratio.

use super::eviction::Eviction;
use super::order::Slots;
use crate::engine::Stream;
use crate::engine::random::below;

/// The policy. State: all slots in any order; a slot's mark is its place among them.
#[derive(Debug, Default)]
pub struct Random {
    slots: Vec<u32>,
}

impl Eviction for Random {
    fn hit(&mut self, _slot: u32, _slots: &mut Slots) {}

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = self.slots.len() as u32;
        self.slots.push(slot);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, random: &mut Stream) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let victim = self.slots[below(random, self.slots.len() as u64) as usize];
        self.remove(victim, slots);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let place = slots[slot].mark as usize;
        self.slots.swap_remove(place);
        if let Some(moved) = self.slots.get(place) {
            slots[*moved].mark = place as u32;
        }
    }

    fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }
}
