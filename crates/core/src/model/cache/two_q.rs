//! 2Q: new items pass through a short FIFO queue; only those asked for again after they left it enter the main LRU list.
//!
//! The full version: A1in (25 % of the capacity) is a FIFO queue, A1out remembers the names of what left it (50 % of
//! the capacity), Am is an LRU list. A hit in A1in changes nothing.
//!
//! Source: T. Johnson, D. Shasha, "2Q: a low overhead high performance buffer management replacement algorithm" (VLDB 1994).

use super::eviction::Eviction;
use super::ghost::Ghost;
use super::order::{List, Slots};
use crate::engine::Stream;

/// A1in's part of the capacity.
pub const IN: f64 = 0.25;
/// A1out's part of the capacity.
pub const OUT: f64 = 0.5;

/// The policy. State: the three queues; a slot's mark is 1 if it is in Am.
#[derive(Debug)]
pub struct TwoQ {
    recent: List,
    main: List,
    out: Ghost,
    room: u64,
}

impl TwoQ {
    /// The policy for a cache of this capacity (items or bytes).
    pub fn new(capacity: u64) -> Self {
        let share = |part: f64| ((capacity as f64 * part) as u64).max(1);
        TwoQ { recent: List::new(), main: List::new(), out: Ghost::new(share(OUT)), room: share(IN) }
    }
}

impl Eviction for TwoQ {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        if slots[slot].mark == 1 {
            self.main.refresh(slot, slots);
        }
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        if self.out.take(slots[slot].item) {
            slots[slot].mark = 1;
            self.main.push(slot, slots);
        } else {
            slots[slot].mark = 0;
            self.recent.push(slot, slots);
        }
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        if self.recent.weight() > self.room || self.main.is_empty() {
            let oldest = self.recent.pop(slots)?;
            self.out.push(slots[oldest].item, slots[oldest].weight);
            return Some(oldest);
        }
        self.main.pop(slots)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let list = if slots[slot].mark == 1 { &mut self.main } else { &mut self.recent };
        list.remove(slot, slots);
    }

    fn memory(&self) -> usize {
        self.out.memory()
    }
}
