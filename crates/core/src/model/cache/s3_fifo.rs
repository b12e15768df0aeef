//! S3-FIFO: three static FIFO queues. A small one (10 %) filters items that are asked for only once.
//!
//! New items enter the small queue, those remembered by the ghost queue the main one. What leaves the small queue goes to the
//! main one if it was asked for more than once meanwhile, else it is evicted and remembered. In the main queue an item that
//! was asked for goes round again, with its count (at most 3) less one.
//!
//! Source: J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you need for cache eviction" (SOSP 2023),
//! algorithm 1. The ghost queue holds as much as the main queue.

use super::eviction::Eviction;
use super::ghost::Ghost;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The small queue's part of the capacity.
pub const SMALL: f64 = 0.1;

/// The mark's bit that says that the slot is in the main queue; the lower ones count.
const MAIN: u32 = 1 << 8;
/// The greatest count.
const MOST: u32 = 3;

/// The policy. State: the three queues.
#[derive(Debug)]
pub struct S3Fifo {
    small: List,
    main: List,
    ghost: Ghost,
    room: u64,
}

impl S3Fifo {
    /// The policy for a cache of this capacity (items or bytes).
    pub fn new(capacity: u64) -> Self {
        let room = ((capacity as f64 * SMALL) as u64).max(1);
        S3Fifo { small: List::new(), main: List::new(), ghost: Ghost::new((capacity - room).max(1)), room }
    }

    /// Evicts from the small queue; `None` if all its items went to the main queue.
    fn evict_small(&mut self, slots: &mut Slots) -> Option<u32> {
        while let Some(slot) = self.small.pop(slots) {
            if slots[slot].mark > 1 {
                slots[slot].mark = MAIN;
                self.main.push(slot, slots);
            } else {
                self.ghost.take(slots[slot].item);
                self.ghost.push(slots[slot].item, slots[slot].weight);
                return Some(slot);
            }
        }
        None
    }

    fn evict_main(&mut self, slots: &mut Slots) -> Option<u32> {
        while let Some(slot) = self.main.pop(slots) {
            if slots[slot].mark == MAIN {
                return Some(slot);
            }
            slots[slot].mark -= 1;
            self.main.push(slot, slots);
        }
        None
    }
}

impl Eviction for S3Fifo {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        let mark = &mut slots[slot].mark;
        if *mark & (MAIN - 1) < MOST {
            *mark += 1;
        }
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        if self.ghost.take(slots[slot].item) {
            slots[slot].mark = MAIN;
            self.main.push(slot, slots);
        } else {
            slots[slot].mark = 0;
            self.small.push(slot, slots);
        }
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        if self.small.weight() >= self.room || self.main.is_empty() {
            return self.evict_small(slots).or_else(|| self.evict_main(slots));
        }
        self.evict_main(slots)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let list = if slots[slot].mark & MAIN != 0 { &mut self.main } else { &mut self.small };
        list.remove(slot, slots);
    }

    fn memory(&self) -> usize {
        self.ghost.memory()
    }
}
