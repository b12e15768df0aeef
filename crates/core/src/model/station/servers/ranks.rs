//! A heap of waiting frames by rank that knows where each of them is: its place is kept in the frame's `work`, which has no other
//! use while the frame waits. So one that gives up is taken out in O(log n), and nothing is allocated for it.
//!
//! Equal ranks are in order of arrival.

use crate::model::frame::Frames;

/// A waiting frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Its rank; the least is served first.
    pub(super) rank: u64,
    /// Its number in the order of arrival.
    pub(super) arrival: u64,
    pub(super) frame: u32,
    /// Work left of a step that was interrupted [ns]; 0 if none was.
    pub(super) left: u64,
}

/// The heap.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranks {
    entries: Vec<Entry>,
}

impl Ranks {
    /// Adds a frame.
    pub(super) fn push(&mut self, entry: Entry, frames: &mut Frames) {
        self.entries.push(entry);
        self.rise(self.entries.len() - 1, frames);
    }

    /// The first.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// Takes a frame out.
    pub(super) fn remove(&mut self, frame: u32, frames: &mut Frames) -> Option<Entry> {
        let at = frames[frame].work as usize;
        if self.entries.get(at).is_none_or(|entry| entry.frame != frame) {
            return None;
        }
        let removed = self.entries.swap_remove(at);
        if at < self.entries.len() {
            let at = self.rise(at, frames);
            self.sink(at, frames);
        }
        Some(removed)
    }

    fn rise(&mut self, mut at: usize, frames: &mut Frames) -> usize {
        while at > 0 && self.entries[at] < self.entries[(at - 1) / 2] {
            self.entries.swap(at, (at - 1) / 2);
            self.settle(at, frames);
            at = (at - 1) / 2;
        }
        self.settle(at, frames);
        at
    }

    fn sink(&mut self, mut at: usize, frames: &mut Frames) {
        loop {
            let children = [2 * at + 1, 2 * at + 2].into_iter().filter(|child| *child < self.entries.len());
            match children.min_by_key(|child| self.entries[*child]) {
                Some(child) if self.entries[child] < self.entries[at] => {
                    self.entries.swap(at, child);
                    self.settle(at, frames);
                    at = child;
                }
                _ => break,
            }
        }
        self.settle(at, frames);
    }

    fn settle(&self, at: usize, frames: &mut Frames) {
        frames[self.entries[at].frame].work = at as u64;
    }
}
