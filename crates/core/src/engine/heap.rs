//! A 4-ary heap whose first entry stands apart and can be replaced in one pass.
//!
//! Taking the first entry leaves its place free; the next push takes it, or lets the first of the rest take it and sifts
//! once, which is what a simulation does most of the time (an event ends, another is scheduled). If nothing is pushed, the place is
//! filled when the heap is asked for its first entry again. A heap of one entry touches no array.
//!
//! Who asks for the first entry of an empty heap may get [`Ranked::LAST`], which comes after all others, and need not ask whether
//! there was one.
//!
//! Invariants: the first entry, if its place is taken, is the least; the rest is a heap.
//!
//! Ties: entries compare by two numbers; whoever needs an order among equals puts it into the second. As equals are rare, the
//! tournament compares the first numbers only, and begins again if two of them were equal.
//!
//! Source: the array layout of d-ary heaps, D. Johnson (1975); the children's least is found by a tournament, without
//! unpredictable branches.

/// The heap's arity.
const ARITY: usize = 4;

/// An entry of a heap.
pub trait Ranked: Copy {
    /// Stands for no entry: nothing comes after it.
    const LAST: Self;

    /// The entry of the least rank comes first.
    fn rank(&self) -> (u64, u64);
}

/// The heap.
#[derive(Debug, Clone)]
pub struct Heap<T> {
    /// Whatever it was or [`Ranked::LAST`] if its place is free.
    first: T,
    free: bool,
    rest: Vec<T>,
}

impl<T: Ranked> Heap<T> {
    /// An empty heap.
    pub const fn new() -> Self {
        Heap { first: T::LAST, free: true, rest: Vec::new() }
    }

    /// How many entries it holds.
    #[inline]
    pub fn len(&self) -> usize {
        self.rest.len() + usize::from(!self.free)
    }

    /// How many entries it holds besides the first.
    #[inline]
    pub fn behind(&self) -> usize {
        self.rest.len()
    }

    /// Removes all entries, in no order.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        let first = (!std::mem::replace(&mut self.free, true)).then_some(self.first);
        first.into_iter().chain(self.rest.drain(..))
    }

    /// Whether it holds none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first entry, which stays; [`Ranked::LAST`] if there is none.
    #[inline(always)]
    pub fn first_or_last(&mut self) -> T {
        if self.free {
            self.move_up();
        }
        self.first
    }

    /// The first entry, which stays.
    #[inline]
    pub fn first(&mut self) -> Option<&T> {
        if self.free {
            self.move_up();
        }
        (!self.free).then_some(&self.first)
    }

    /// Lets the first of the rest take the free place before it.
    #[inline(never)]
    fn move_up(&mut self) {
        let next = pop(&mut self.rest);
        self.free = next.is_none();
        self.first = next.unwrap_or(T::LAST);
    }

    /// Removes the first entry, which [`Heap::first`] or [`Heap::first_or_last`] has just shown.
    #[inline(always)]
    pub fn take_first(&mut self) -> T {
        debug_assert!(!self.free, "the first entry has been shown");
        self.free = true;
        self.first
    }

    /// Puts an entry into the place of the first if that is free and nothing is before it; whether it was. Quicker than
    /// [`Heap::push`] where it succeeds.
    #[inline(always)]
    pub fn put_first(&mut self, entry: T) -> bool {
        let fits = self.free && self.rest.first().is_none_or(|least| entry.rank() < least.rank());
        if fits {
            self.first = entry;
            self.free = false;
        }
        fits
    }

    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, entry: T) {
        if self.put_first(entry) {
            return;
        }
        if self.free {
            // As it did not fit there, there are others.
            self.first = self.rest[0];
            self.free = false;
            sift_down(&mut self.rest, 0, entry);
        } else {
            let sooner = entry.rank() < self.first.rank();
            let behind = if sooner { std::mem::replace(&mut self.first, entry) } else { entry };
            self.rest.push(behind);
            sift_up(&mut self.rest, behind);
        }
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (!self.free).then_some(&self.first).into_iter().chain(&self.rest)
    }

    /// Removes the entry of least rank among those that are wanted, wherever it stands; costs a look at every entry.
    pub fn remove(&mut self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        if self.first().is_some_and(&wanted) {
            return Some(self.take_first());
        }
        let found = self.rest.iter().enumerate().filter(|(_, entry)| wanted(entry));
        let (place, _) = found.min_by_key(|(_, entry)| entry.rank())?;
        let removed = self.rest.swap_remove(place);
        if let Some(&moved) = self.rest.get(place) {
            if place > 0 && moved.rank() < self.rest[(place - 1) / ARITY].rank() {
                sift_up(&mut self.rest[..=place], moved);
            } else {
                sift_down(&mut self.rest, place, moved);
            }
        }
        Some(removed)
    }
}

/// Removes the first entry of a heap.
#[inline]
fn pop<T: Ranked>(heap: &mut Vec<T>) -> Option<T> {
    let last = heap.pop()?;
    let Some(&first) = heap.first() else { return Some(last) };
    sift_down(heap, 0, last);
    Some(first)
}

/// Moves `entry` from the last place, which is free, up to where it belongs.
#[inline]
fn sift_up<T: Ranked>(heap: &mut [T], entry: T) {
    let mut place = heap.len() - 1;
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

/// Moves `entry` from the place `from`, which is free, down to where it belongs.
#[inline]
fn sift_down<T: Ranked>(heap: &mut [T], from: usize, entry: T) {
    let rank = entry.rank();
    let mut place = from;
    loop {
        let first = place * ARITY + 1;
        let least = match heap.get(first..first + ARITY) {
            Some(children) => first + least_of(children),
            None => match heap.get(first..).and_then(least_of_few) {
                Some(child) => first + child,
                None => break,
            },
        };
        if rank < heap[least].rank() {
            break;
        }
        heap[place] = heap[least];
        place = least;
    }
    heap[place] = entry;
}

/// Which of four entries comes first.
#[inline(always)]
fn least_of<T: Ranked>(entries: &[T]) -> usize {
    let key = |place: usize| entries[place].rank().0;
    let keys: [u64; ARITY] = std::array::from_fn(key);
    let left = if keys[1] < keys[0] { (1, keys[1]) } else { (0, keys[0]) };
    let right = if keys[3] < keys[2] { (3, keys[3]) } else { (2, keys[2]) };
    if keys[0] == keys[1] || keys[2] == keys[3] || left.1 == right.1 {
        return least_of_few(entries).unwrap_or(0);
    }
    if right.1 < left.1 { right.0 } else { left.0 }
}

/// The same of any number of entries, and where some are equal in the first number.
#[cold]
#[inline(never)]
fn least_of_few<T: Ranked>(entries: &[T]) -> Option<usize> {
    entries.iter().enumerate().min_by_key(|(_, entry)| entry.rank()).map(|(place, _)| place)
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
        const LAST: u128 = u128::MAX;

        fn rank(&self) -> (u64, u64) {
            ((*self >> 64) as u64, *self as u64)
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
                    assert_eq!(heap.first_or_last(), twin.first().copied().unwrap_or(u128::MAX));
                    let first = heap.first().is_some().then(|| heap.take_first());
                    assert_eq!(first, twin.pop_first());
                }
                assert_eq!(heap.len(), twin.len());
                assert!(heap.iter().copied().collect::<BTreeSet<_>>() == twin);
            }
            assert_eq!(heap.first(), twin.first());
        }
    }
}
