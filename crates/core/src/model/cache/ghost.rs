//! A ghost list: the items that went last, without their data, in order.
//!
//! Holds up to a given weight; the oldest are forgotten. Memory: about 20 bytes per item.

use std::collections::VecDeque;

use super::index::Index;

/// Items that were evicted, oldest first.
#[derive(Debug)]
pub struct Ghost {
    /// Number of the first entry of `order`.
    first: u32,
    /// Items and weights; an item that was taken out leaves its place empty (weight `u32::MAX`).
    order: VecDeque<(u32, u32)>,
    /// From items to their number in `order`.
    index: Index,
    weight: u64,
    room: u64,
}

/// Marks a place whose item was taken out.
const GONE: u32 = u32::MAX;

impl Ghost {
    /// A list for items of at most this weight together.
    pub fn new(room: u64) -> Self {
        Ghost { first: 0, order: VecDeque::new(), index: Index::new(), weight: 0, room }
    }

    /// Remembers an item that it does not hold.
    pub fn push(&mut self, item: u32, weight: u32) {
        let Ghost { first, order, index, .. } = self;
        order.push_back((item, weight));
        let number = first.wrapping_add(order.len() as u32 - 1);
        index.insert(item, number, |number| order[number.wrapping_sub(*first) as usize].0);
        self.weight += u64::from(weight);
        while self.weight > self.room || self.order.front().is_some_and(|entry| entry.1 == GONE) {
            let Some(&(item, weight)) = self.order.front() else { break };
            if weight != GONE {
                self.forget(item);
            }
            self.order.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    /// Takes an item out; whether it was there.
    pub fn take(&mut self, item: u32) -> bool {
        self.forget(item)
    }

    /// Bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.order.capacity() * size_of::<(u32, u32)>()
    }

    fn forget(&mut self, item: u32) -> bool {
        let Ghost { first, order, index, .. } = self;
        let Some(number) = index.remove(item, |number| order[number.wrapping_sub(*first) as usize].0) else {
            return false;
        };
        let entry = &mut order[number.wrapping_sub(*first) as usize];
        self.weight -= u64::from(entry.1);
        entry.1 = GONE;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};

    #[test]
    fn the_list_agrees_with_an_obvious_one() {
        let mut random = Stream::new(4);
        let (mut ghost, mut twin) = (Ghost::new(30), VecDeque::new());
        for _ in 0..20_000 {
            let item = below(&mut random, 60) as u32;
            let known = twin.iter().position(|other| *other == item);
            if let Some(place) = known {
                twin.remove(place);
            }
            assert_eq!(ghost.take(item), known.is_some());
            if below(&mut random, 3) > 0 {
                ghost.push(item, 1);
                twin.push_back(item);
                if twin.len() > 30 {
                    twin.pop_front();
                }
            }
        }
    }
}
