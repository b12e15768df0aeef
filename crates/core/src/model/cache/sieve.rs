//! SIEVE: as CLOCK, but items that are passed over stay where they are, so that new ones are sifted first.
//!
//! Source: Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi, "SIEVE is simpler than LRU" (NSDI 2024), algorithm 1.

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;
use crate::model::frame::NONE;

/// The policy. State: slots in order of arrival, and the hand, which goes from old to new; a slot's mark is its bit.
#[derive(Debug)]
pub struct Sieve {
    list: List,
    hand: u32,
}

impl Default for Sieve {
    fn default() -> Self {
        Sieve { list: List::new(), hand: NONE }
    }
}

impl Eviction for Sieve {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = 1;
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        self.list.push(slot, slots);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        let mut slot = if self.hand == NONE { self.list.back()? } else { self.hand };
        while slots[slot].mark != 0 {
            slots[slot].mark = 0;
            slot = self.list.toward_front(slot, slots).or(self.list.back())?;
        }
        self.hand = slot;
        self.remove(slot, slots);
        Some(slot)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        if self.hand == slot {
            self.hand = self.list.toward_front(slot, slots).unwrap_or(NONE);
        }
        self.list.remove(slot, slots);
    }
}
