//! The index: which slot holds an item.
//!
//! An open-addressing table with linear probing and backward-shift deletion, at most half full. Entries are slot numbers
//! of 4 bytes; the item of a slot is read from the slots themselves.
//!
//! Source: D. Knuth, The Art of Computer Programming, vol. 3, section 6.4, algorithms L and R.

use crate::engine::random::mix;
use crate::model::frame::NONE;

/// From items to slots.
#[derive(Debug, Clone)]
pub struct Index {
    table: Vec<u32>,
    mask: usize,
    len: usize,
}

impl Index {
    /// An empty index.
    pub fn new() -> Self {
        Index { table: vec![NONE; 16], mask: 15, len: 0 }
    }

    #[inline]
    fn home(&self, item: u32) -> usize {
        mix(u64::from(item) + 1) as usize & self.mask
    }

    /// The slot of an item; `item_of` tells the item of a slot.
    #[inline]
    pub fn find(&self, item: u32, item_of: impl Fn(u32) -> u32) -> Option<u32> {
        let mut place = self.home(item);
        loop {
            match self.table[place] {
                NONE => return None,
                slot if item_of(slot) == item => return Some(slot),
                _ => place = (place + 1) & self.mask,
            }
        }
    }

    /// Adds an item that is not there.
    pub fn insert(&mut self, item: u32, slot: u32, item_of: impl Fn(u32) -> u32) {
        if self.len * 2 >= self.table.len() {
            let old = std::mem::take(&mut self.table);
            self.table = vec![NONE; old.len() * 2];
            self.mask = self.table.len() - 1;
            old.into_iter().filter(|slot| *slot != NONE).for_each(|slot| self.place(item_of(slot), slot));
        }
        self.place(item, slot);
        self.len += 1;
    }

    fn place(&mut self, item: u32, slot: u32) {
        let mut place = self.home(item);
        while self.table[place] != NONE {
            place = (place + 1) & self.mask;
        }
        self.table[place] = slot;
    }

    /// Takes an item out; returns its slot.
    pub fn remove(&mut self, item: u32, item_of: impl Fn(u32) -> u32) -> Option<u32> {
        let mut hole = self.home(item);
        let removed = loop {
            match self.table[hole] {
                NONE => return None,
                slot if item_of(slot) == item => break slot,
                _ => hole = (hole + 1) & self.mask,
            }
        };
        // Those behind the hole move up unless that would put them before their home.
        let mut place = hole;
        loop {
            place = (place + 1) & self.mask;
            let slot = self.table[place];
            if slot == NONE {
                break;
            }
            let home = self.home(item_of(slot));
            if (place.wrapping_sub(home) & self.mask) >= (place.wrapping_sub(hole) & self.mask) {
                self.table[hole] = slot;
                hole = place;
            }
        }
        self.table[hole] = NONE;
        self.len -= 1;
        Some(removed)
    }

    /// The slots of all items, in an order that depends on the items only.
    pub fn slots(&self) -> Vec<u32> {
        self.table.iter().copied().filter(|slot| *slot != NONE).collect()
    }

    /// How many items it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.table.capacity() * size_of::<u32>()
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use std::collections::BTreeMap;

    #[test]
    fn the_table_agrees_with_a_map_on_random_insertions_and_removals() {
        let mut random = Stream::new(1);
        let (mut index, mut twin) = (Index::new(), BTreeMap::new());
        let mut items: Vec<u32> = Vec::new();
        for _ in 0..50_000 {
            let item = below(&mut random, 500) as u32;
            let items_now = items.clone();
            let item_of = |slot: u32| items_now[slot as usize];
            assert_eq!(index.find(item, item_of), twin.get(&item).copied());
            let known = twin.contains_key(&item);
            if below(&mut random, 2) == 0 {
                assert_eq!(index.remove(item, item_of), twin.remove(&item));
            } else if !known {
                // Slots are numbered by item here, which keeps the twin simple.
                items.resize(items.len().max(item as usize + 1), NONE);
                items[item as usize] = item;
                let items_now = items.clone();
                index.insert(item, item, |slot| items_now[slot as usize]);
                twin.insert(item, item);
            }
            assert_eq!(index.len(), twin.len());
        }
    }
}
