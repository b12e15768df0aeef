//! The far part of a large calendar: entries that are not next, unsorted, in buckets by distance.
//!
//! Bucket b holds the entries whose time differs from a base in bit b and in none above: each bucket lies behind all lower
//! ones and is as wide as all of those together. Whoever wants the next entries takes the lowest bucket that is not empty; if that
//! holds too many, it is dealt among lower buckets first. An entry moves down by two buckets at a time in the mean, always from one
//! array to the end of another, so a million entries cost little more than ten thousand.
//!
//! Invariant: all times are at least the base, and beyond the range that was taken last.
//!
//! Limits: entries of one instant cannot be told apart by time; they are handed out together, however many they are.
//!
//! Source: the radix heap of R. Ahuja, K. Mehlhorn, J. Orlin, R. Tarjan, "Faster algorithms for the shortest path problem"
//! (1990), with a heap for what is near as in the ladder queue of W. Tang, R. Goh, I. Thng (2005).

use super::time::Nanos;

/// An entry with a time.
pub trait Timed: Copy {
    /// Its time.
    fn time(&self) -> Nanos;
}

/// Entries by distance.
#[derive(Debug, Clone)]
pub struct Far<T> {
    base: Nanos,
    /// One per bit of a time; none before the first use.
    buckets: Vec<Vec<T>>,
    /// Which buckets hold anything.
    filled: u64,
    len: usize,
}

impl<T: Timed> Far<T> {
    /// No entries.
    pub const fn new() -> Self {
        Far { base: 0, buckets: Vec::new(), filled: 0, len: 0 }
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry, whose time is neither before the base nor within a range that was taken.
    pub fn push(&mut self, entry: T) {
        if self.buckets.is_empty() {
            self.buckets = (0..Nanos::BITS).map(|_| Vec::new()).collect();
        }
        let bucket = ((entry.time() ^ self.base) | 1).ilog2() as usize;
        self.buckets[bucket].push(entry);
        self.filled |= 1 << bucket;
        self.len += 1;
    }

    /// Begins anew from a base: deals all entries again, those of `more` too.
    pub fn rebase(&mut self, base: Nanos, more: impl Iterator<Item = T>) {
        let old: Vec<Vec<T>> = self.buckets.iter_mut().map(std::mem::take).collect();
        (self.base, self.filled, self.len) = (base, 0, 0);
        old.into_iter().flatten().chain(more).for_each(|entry| self.push(entry));
    }

    /// Takes the next entries, `batch` at most unless they are of one or two instants, and hands them to `take` in no order.
    /// Returns the last instant of the range that they stood for; `None` if there are none.
    pub fn take(&mut self, batch: usize, mut take: impl FnMut(T)) -> Option<Nanos> {
        loop {
            if self.filled == 0 {
                return None;
            }
            let bucket = self.filled.trailing_zeros() as usize;
            self.filled &= self.filled - 1;
            let mut entries = std::mem::take(&mut self.buckets[bucket]);
            self.len -= entries.len();
            if bucket == 0 || entries.len() <= batch {
                entries.drain(..).for_each(&mut take);
                self.buckets[bucket] = entries;
                return Some(((self.base >> bucket) | 1) << bucket | ((1 << bucket) - 1));
            }
            self.base = entries.iter().map(Timed::time).min().unwrap_or(self.base);
            entries.drain(..).for_each(|entry| self.push(entry));
            self.buckets[bucket] = entries;
        }
    }
}

impl<T: Timed> Default for Far<T> {
    fn default() -> Self {
        Self::new()
    }
}
