//! SLRU: new items are on probation; those asked for again are protected, up to 80 % of the capacity.
//!
//! Both segments are LRU lists. What the protected one pushes out goes back on probation; victims come from probation.
//!
//! Source: R. Karedla, J. Love, B. Wherry, "Caching strategies to improve disk system performance" (IEEE Computer 1994);
//! the share of 80 % is Caffeine's.

use super::eviction::Eviction;
use super::order::{List, Slots};
use crate::engine::Stream;

/// The protected segment's part of the capacity.
pub const PROTECTED: f64 = 0.8;

/// The policy. State: both segments; a slot's mark is 1 if it is protected.
#[derive(Debug)]
pub struct Slru {
    probation: List,
    protected: List,
    room: u64,
}

impl Slru {
    /// The policy for a cache of this capacity (items or bytes).
    pub fn new(capacity: u64) -> Self {
        Slru { probation: List::new(), protected: List::new(), room: (capacity as f64 * PROTECTED) as u64 }
    }

    /// The slot that would go next.
    pub fn next(&self) -> Option<u32> {
        self.probation.back().or(self.protected.back())
    }
}

impl Eviction for Slru {
    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        if slots[slot].mark == 1 {
            self.protected.refresh(slot, slots);
            return;
        }
        self.probation.remove(slot, slots);
        slots[slot].mark = 1;
        self.protected.push(slot, slots);
        while self.protected.weight() > self.room {
            let Some(oldest) = self.protected.pop(slots) else { break };
            slots[oldest].mark = 0;
            self.probation.push(oldest, slots);
        }
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = 0;
        self.probation.push(slot, slots);
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, _random: &mut Stream) -> Option<u32> {
        self.probation.pop(slots).or_else(|| self.protected.pop(slots))
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let list = if slots[slot].mark == 1 { &mut self.protected } else { &mut self.probation };
        list.remove(slot, slots);
    }
}
