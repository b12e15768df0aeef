//! A 4-ary heap whose first entry can be taken and replaced in one pass.
//!
//! Taking the first entry leaves a hole; the next push fills it from the top with a single sift, which is what a
//! simulation does most of the time (an event ends, another is scheduled). If nothing is pushed, the hole is closed when
//! the heap is asked for its first entry again.
//!
//! Ties: entries compare by a rank of 128 bits; whoever needs an order among equals puts it into the lower bits.
//!
//! Source: the array layout of d-ary heaps, D. Johnson (1975); the children's least is found by a tournament, without
//! unpredictable branches.

/// The heap's arity.
const ARITY: usize = 4;

/// An entry of a heap.
pub trait Ranked: Copy {
    /// The entry of the least rank comes first.
    fn rank(&self) -> u128;
}

/// The heap.
#[derive(Debug, Clone)]
pub struct Heap<T> {
    entries: Vec<T>,
    /// Whether the first entry was taken already.
    hole: bool,
}

impl<T: Ranked> Heap<T> {
    /// An empty heap.
    pub const fn new() -> Self {
        Heap { entries: Vec::new(), hole: false }
    }

    /// How many entries it holds.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len() - usize::from(self.hole)
    }

    /// How many places are taken, that of the hole included.
    #[inline]
    pub fn places(&self) -> usize {
        self.entries.len()
    }

    /// Removes all entries, in no order.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        let first = usize::from(std::mem::take(&mut self.hole));
        self.entries.drain(..).skip(first)
    }

    /// Whether it holds none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first entry, which stays.
    #[inline]
    pub fn first(&mut self) -> Option<&T> {
        if self.hole {
            self.close();
        }
        self.entries.first()
    }

    /// Removes the first entry, which [`Heap::first`] has shown.
    #[inline]
    pub fn remove_first(&mut self) -> T {
        debug_assert!(!self.hole, "the first entry is there");
        self.hole = true;
        self.entries[0]
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: T) {
        if !self.hole {
            self.entries.push(entry);
            self.sift_up(self.entries.len() - 1, entry);
        } else {
            self.hole = false;
            match self.entries.as_mut_slice() {
                [only] => *only = entry,
                entries => sift_down(entries, 0, entry),
            }
        }
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries[usize::from(self.hole)..].iter()
    }

    /// All entries, in no order; changes must keep the order of their ranks.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries[usize::from(self.hole)..].iter_mut()
    }

    /// Fills the hole with the last entry.
    #[inline]
    fn close(&mut self) {
        self.hole = false;
        if let Some(last) = self.entries.pop()
            && !self.entries.is_empty()
        {
            sift_down(&mut self.entries, 0, last);
        }
    }

    /// Removes the entry of least rank among those that are wanted, wherever it stands; costs a look at every entry.
    pub fn remove(&mut self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        if self.hole {
            self.close();
        }
        let found = self.entries.iter().enumerate().filter(|(_, entry)| wanted(entry));
        let (place, _) = found.min_by_key(|(_, entry)| entry.rank())?;
        let removed = self.entries.swap_remove(place);
        if let Some(&moved) = self.entries.get(place) {
            if place > 0 && moved.rank() < self.entries[(place - 1) / ARITY].rank() {
                self.sift_up(place, moved);
            } else {
                sift_down(&mut self.entries, place, moved);
            }
        }
        Some(removed)
    }

    /// Moves `entry` from the place `from`, which is free, up to where it belongs.
    #[inline]
    fn sift_up(&mut self, from: usize, entry: T) {
        let heap = self.entries.as_mut_slice();
        let mut place = from;
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if entry.rank() >= heap[parent].rank() {
                break;
            }
            heap[place] = heap[parent];
            place = parent;
        }
        heap[place] = entry;
    }
}

/// Moves `entry` from the place `from`, which is free, down to where it belongs.
#[inline]
fn sift_down<T: Ranked>(heap: &mut [T], from: usize, entry: T) {
    let rank = entry.rank();
    let mut place = from;
    loop {
        let first = place * ARITY + 1;
        let (least, least_rank) = if let Some(children) = heap.get(first..first + ARITY) {
            let ranks: [u128; ARITY] = std::array::from_fn(|child| children[child].rank());
            let left = if ranks[1] < ranks[0] { (1, ranks[1]) } else { (0, ranks[0]) };
            let right = if ranks[3] < ranks[2] { (3, ranks[3]) } else { (2, ranks[2]) };
            let (child, rank) = if right.1 < left.1 { right } else { left };
            (first + child, rank)
        } else {
            let rest = heap.get(first..).unwrap_or_default();
            let Some((child, least)) = rest.iter().enumerate().min_by_key(|(_, child)| child.rank()) else { break };
            (first + child, least.rank())
        };
        if rank < least_rank {
            break;
        }
        heap[place] = heap[least];
        place = least;
    }
    heap[place] = entry;
}

impl<T: Ranked> Default for Heap<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use std::collections::BTreeSet;

    impl Ranked for u128 {
        fn rank(&self) -> u128 {
            *self
        }
    }

    #[test]
    fn the_heap_agrees_with_an_ordered_set_on_random_pushes_and_takes() {
        for seed in 0..20 {
            let mut random = Stream::new(seed);
            let (mut heap, mut twin) = (Heap::new(), BTreeSet::new());
            for number in 0..3_000u128 {
                // Grows at first and shrinks in the end, by single steps and in runs.
                if u128::from(below(&mut random, 3_000)) > number {
                    let entry = u128::from(below(&mut random, 50)) << 64 | number;
                    heap.push(entry);
                    twin.insert(entry);
                } else if number.is_multiple_of(7) {
                    let wanted = |entry: &u128| entry.is_multiple_of(3);
                    let removed = heap.remove(wanted);
                    assert_eq!(removed, twin.iter().copied().find(wanted));
                    removed.map(|entry| twin.remove(&entry));
                } else {
                    let first = heap.first().is_some().then(|| heap.remove_first());
                    assert_eq!(first, twin.pop_first());
                }
                assert_eq!(heap.len(), twin.len());
                assert!(heap.iter().copied().collect::<BTreeSet<_>>() == twin);
            }
            assert_eq!(heap.first(), twin.first());
        }
    }
}
