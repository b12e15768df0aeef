//! The calendar of the hand-written event loops: the standard binary heap, ordered by (time, order of scheduling).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// One pending event. 24 bytes for a kind of up to 8 bytes.
struct Entry<K> {
    time_ns: u64,
    sequence: u64,
    kind: K,
}

impl<K> Ord for Entry<K> {
    /// Reversed, because the standard heap yields its greatest entry first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time_ns, other.sequence).cmp(&(self.time_ns, self.sequence))
    }
}

impl<K> PartialOrd for Entry<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> PartialEq for Entry<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K> Eq for Entry<K> {}

/// Pending events of kind `K`; simultaneous ones come out in the order in which they were scheduled.
///
/// `REPLACE` says what a pop does to the heap:
/// - `false`, the plain way: it removes the top, and each schedule pushes;
/// - `true`, the tuned way: it leaves the top in place as spent, for the next schedule to overwrite, so that a pop and a
///   push cost one sift. Only if nothing is scheduled in between does the next pop remove it.
pub struct Calendar<K, const REPLACE: bool> {
    heap: BinaryHeap<Entry<K>>,
    scheduled: u64,
    top_is_spent: bool,
}

impl<K: Copy, const REPLACE: bool> Calendar<K, REPLACE> {
    /// An empty calendar with room for `capacity` events before it grows.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(capacity), scheduled: 0, top_is_spent: false }
    }

    /// Schedules an event of kind `kind` at `time_ns` \[ns\], which must not be before the last popped event.
    #[inline]
    pub fn schedule(&mut self, time_ns: u64, kind: K) {
        let entry = Entry { time_ns, sequence: self.scheduled, kind };
        self.scheduled += 1;
        if REPLACE && self.top_is_spent {
            self.top_is_spent = false;
            if let Some(mut top) = self.heap.peek_mut() {
                *top = entry;
            }
        } else {
            self.heap.push(entry);
        }
    }

    /// Takes the earliest event out: its time \[ns\] and its kind.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, K)> {
        if !REPLACE {
            return self.heap.pop().map(|entry| (entry.time_ns, entry.kind));
        }
        if self.top_is_spent {
            self.heap.pop();
        }
        let next = self.heap.peek().map(|entry| (entry.time_ns, entry.kind));
        self.top_is_spent = next.is_some();
        next
    }

    /// How many events were ever scheduled; once the calendar is empty, how many fired.
    #[must_use]
    pub fn scheduled(&self) -> u64 {
        self.scheduled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pops once in the middle, so that the tuned calendar overwrites a spent top, and drains, so that it removes some.
    fn order<const REPLACE: bool>() -> String {
        let mut calendar = Calendar::<char, REPLACE>::with_capacity(4);
        let mut names = String::new();
        for (time_ns, name) in [(7, 'c'), (3, 'a'), (7, 'd'), (3, 'b')] {
            calendar.schedule(time_ns, name);
        }
        names.extend(calendar.pop().map(|(_, name)| name));
        calendar.schedule(7, 'e');
        calendar.schedule(9, 'f');
        names.extend(std::iter::from_fn(|| calendar.pop()).map(|(_, name)| name));
        assert_eq!((calendar.pop(), calendar.scheduled()), (None, 6));
        names
    }

    #[test]
    fn events_come_out_by_time_and_then_in_the_order_of_scheduling() {
        assert_eq!((order::<false>().as_str(), order::<true>().as_str()), ("abcdef", "abcdef"));
    }

    #[test]
    fn an_entry_has_24_bytes() {
        assert_eq!(size_of::<Entry<u64>>(), 24);
    }
}
