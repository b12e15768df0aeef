//! Slots, and the lists in which eviction policies keep them.
//!
//! A slot holds one item of a cache. A policy strings slots up in lists through the links in the slots themselves, so that
//! moving one costs the same whatever the size of the cache, and a million items need no allocation of their own.
//!
//! Invariant: a slot is in at most one list.

use crate::engine::time::Nanos;
use crate::model::frame::NONE;

/// One item of a cache.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// When it expires; `u64::MAX` for never [ns].
    pub expires: Nanos,
    /// The item.
    pub item: u32,
    /// Neighbours in the policy's list; of a free slot, the next free one.
    before: u32,
    behind: u32,
    /// What it takes of the capacity: 1, or its bytes.
    pub weight: u32,
    /// The policy's own: a count, a bit, a segment.
    pub mark: u32,
    /// Which version of the item it is.
    pub version: u32,
    /// Whether somebody is fetching it anew.
    pub refreshing: bool,
}

/// All slots of a cache.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slots {
    /// Takes a free slot for an item.
    pub fn take(&mut self, item: u32, weight: u32) -> u32 {
        let slot = Slot {
            expires: Nanos::MAX,
            item,
            before: NONE,
            behind: NONE,
            weight,
            mark: 0,
            version: 0,
            refreshing: false,
        };
        match self.free.pop() {
            Some(free) => {
                self.slots[free as usize] = slot;
                free
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        }
    }

    /// Gives a slot back.
    pub fn give(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// Bytes of memory they take.
    pub fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.free.capacity() * size_of::<u32>()
    }
}

impl std::ops::Index<u32> for Slots {
    type Output = Slot;

    #[inline]
    fn index(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Slots {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }
}

/// A list of slots with a front (new) and a back (old).
#[derive(Debug, Clone)]
pub struct List {
    front: u32,
    back: u32,
    weight: u64,
}

impl List {
    /// An empty list.
    pub const fn new() -> Self {
        List { front: NONE, back: NONE, weight: 0 }
    }

    /// The slot at the back.
    #[inline]
    pub fn back(&self) -> Option<u32> {
        (self.back != NONE).then_some(self.back)
    }

    /// What all its slots weigh.
    #[inline]
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Whether it has no slots.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.back == NONE
    }

    /// The neighbour of a slot towards the front.
    #[inline]
    pub fn toward_front(&self, slot: u32, slots: &Slots) -> Option<u32> {
        let before = slots[slot].before;
        (before != NONE).then_some(before)
    }

    /// Puts a slot at the front.
    #[inline]
    pub fn push(&mut self, slot: u32, slots: &mut Slots) {
        let entering = &mut slots[slot];
        (entering.before, entering.behind) = (NONE, self.front);
        self.weight += u64::from(entering.weight);
        match self.front {
            NONE => self.back = slot,
            front => slots[front].before = slot,
        }
        self.front = slot;
    }

    /// Takes a slot out.
    #[inline]
    pub fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let Slot { before, behind, weight, .. } = slots[slot];
        self.weight -= u64::from(weight);
        match before {
            NONE => self.front = behind,
            before => slots[before].behind = behind,
        }
        match behind {
            NONE => self.back = before,
            behind => slots[behind].before = before,
        }
    }

    /// Moves a slot to the front.
    #[inline]
    pub fn refresh(&mut self, slot: u32, slots: &mut Slots) {
        if self.front != slot {
            self.remove(slot, slots);
            self.push(slot, slots);
        }
    }

    /// Takes the slot at the back out.
    #[inline]
    pub fn pop(&mut self, slots: &mut Slots) -> Option<u32> {
        let back = self.back()?;
        self.remove(back, slots);
        Some(back)
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_of_a_million_item_cache_takes_40_bytes() {
        assert!(size_of::<Slot>() <= 40, "{}", size_of::<Slot>());
    }

    #[test]
    fn a_list_keeps_its_order_and_weight() {
        let mut slots = Slots::default();
        let mut list = List::new();
        let [a, b, c] = [1, 2, 3].map(|item| slots.take(item, item * 10));
        [a, b, c].into_iter().for_each(|slot| list.push(slot, &mut slots));
        list.refresh(a, &mut slots);
        assert_eq!(list.weight(), 60);
        list.remove(c, &mut slots);
        assert_eq!([list.pop(&mut slots), list.pop(&mut slots), list.pop(&mut slots)], [Some(b), Some(a), None]);
        assert_eq!(list.weight(), 0);
    }
}
