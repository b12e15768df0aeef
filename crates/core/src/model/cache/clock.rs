//! CLOCK: items stand in a circle; the hand passes over those asked for since it last came, and takes the first other.
//!
//! Also called second chance: the same as a FIFO queue whose oldest item goes to the new end if its bit is set.
//!
//! Source: F. Corbató, "A paging experiment with the Multics system" (1968).

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The policy. State: the circle, opened at the hand; a slot's mark is its bit.
#[derive(Debug, Default)]
pub struct Clock {
    list: List,
}

impl Eviction for Clock {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = 1;
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        self.list.push(slot, slots);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        while let Some(slot) = self.list.pop(slots) {
            if slots[slot].mark == 0 {
                return Some(slot);
            }
            slots[slot].mark = 0;
            self.list.push(slot, slots);
        }
        None
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        self.list.remove(slot, slots);
    }
}
