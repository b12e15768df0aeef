//! FIFO: the item that came first goes, asked for or not.
//!
//! Source: the classic rule; under independent requests its hit ratio is that of random eviction (Gelenbe 1973).

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The policy. State: all slots in the order in which they came.
#[derive(Debug, Default)]
pub struct Fifo {
    list: List,
}

impl Eviction for Fifo {
    fn hit(&mut self, _slot: u32, _slots: &mut Slots) {}

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
