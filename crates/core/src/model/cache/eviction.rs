//! Eviction policies: which item goes when room is needed.
//!
//! One file per policy. A policy sees what a real one could: which items are asked for, come and go. It strings the cache's
//! slots up in lists of its own and may use the slots' marks as it likes.
//!
//! Invariant: [`Eviction::victim`] returns a slot that was inserted and neither returned nor removed since.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::order::Slots;
use super::{clock, fifo, lfu, lru, random, s3_fifo, sieve, slru, tiny_lfu, two_q};
use crate::engine::Stream;

/// Decides which item goes.
pub trait Eviction: std::fmt::Debug {
    /// An item is asked for, whether it is there or not; comes before all else.
    fn asked(&mut self, _item: u32) {}

    /// The item in this slot was asked for.
    fn hit(&mut self, slot: u32, slots: &mut Slots);

    /// An item came into this slot.
    fn insert(&mut self, slot: u32, slots: &mut Slots);

    /// Chooses who goes to make room for `candidate`, and forgets that slot; `None` if there is nobody.
    fn victim(&mut self, candidate: u32, slots: &mut Slots, random: &mut Stream) -> Option<u32>;

    /// The item in this slot went for another reason: it expired or was invalidated.
    fn remove(&mut self, slot: u32, slots: &mut Slots);

    /// Bytes of memory that it takes beside the marks and links in the slots.
    fn memory(&self) -> usize {
        0
    }
}

/// An eviction policy, as written in a model file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The item that was not asked for longest goes.
    #[default]
    Lru,
    /// The item that came first goes.
    Fifo,
    /// Any item goes, with equal probability.
    Random,
    /// The item asked for least often since it came goes.
    Lfu,
    /// First in, first out, with a second chance for items asked for since the hand last came.
    Clock,
    /// Segmented LRU: items asked for twice are protected, up to 80 % of the capacity.
    Slru,
    /// New items pass a short queue; only those asked for again after they left it enter the main list.
    #[serde(rename = "2q")]
    TwoQ,
    /// As CLOCK, but items that are passed over stay where they are.
    Sieve,
    /// Three queues; a small one filters items that are asked for only once.
    #[serde(rename = "s3_fifo")]
    S3Fifo,
    /// A window in front of a segmented LRU and a sketch of past frequency that decides who stays.
    #[serde(rename = "w_tiny_lfu")]
    TinyLfu,
}

impl Policy {
    /// All policies.
    pub const ALL: [Policy; 10] = [
        Policy::Lru,
        Policy::Fifo,
        Policy::Random,
        Policy::Lfu,
        Policy::Clock,
        Policy::Slru,
        Policy::TwoQ,
        Policy::Sieve,
        Policy::S3Fifo,
        Policy::TinyLfu,
    ];

    /// Makes the policy for a cache of this capacity (items or bytes) that holds about so many items.
    pub fn build(self, capacity: u64, items: u64) -> Box<dyn Eviction> {
        match self {
            Policy::Lru => Box::new(lru::Lru::default()),
            Policy::Fifo => Box::new(fifo::Fifo::default()),
            Policy::Random => Box::new(random::Random::default()),
            Policy::Lfu => Box::new(lfu::Lfu::default()),
            Policy::Clock => Box::new(clock::Clock::default()),
            Policy::Slru => Box::new(slru::Slru::new(capacity)),
            Policy::TwoQ => Box::new(two_q::TwoQ::new(capacity)),
            Policy::Sieve => Box::new(sieve::Sieve::default()),
            Policy::S3Fifo => Box::new(s3_fifo::S3Fifo::new(capacity)),
            Policy::TinyLfu => Box::new(tiny_lfu::TinyLfu::new(capacity, items)),
        }
    }
}
