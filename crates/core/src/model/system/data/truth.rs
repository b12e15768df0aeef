//! The truth about a set of items: which version of each is the newest that was acknowledged, and since when.

use crate::engine::Nanos;

/// The newest versions of all items of a database, or of what caches without one hold copies of.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Per item: its version, and when it was acknowledged [ns]. Items never written are version 0.
    items: Vec<(u32, Nanos)>,
    /// The newest version given out to a write of each item, acknowledged or not.
    given: Vec<u32>,
}

impl Truth {
    /// The newest acknowledged version of an item.
    #[inline]
    pub(super) fn newest(&self, item: u32) -> u32 {
        self.items.get(item as usize).map_or(0, |known| known.0)
    }

    /// The newest version given out to a write of an item.
    pub(super) fn latest(&self, item: u32) -> u32 {
        self.given.get(item as usize).copied().unwrap_or(0)
    }

    /// The newest writes of an item are lost: this version is the newest one now.
    pub(super) fn revert(&mut self, item: u32, version: u32, now: Nanos) {
        if let Some(known) = self.items.get_mut(item as usize) {
            *known = (version, now);
        }
    }

    /// When it was acknowledged [ns].
    pub(super) fn since(&self, item: u32) -> Nanos {
        self.items.get(item as usize).map_or(0, |known| known.1)
    }

    /// A new version for a write.
    pub(super) fn give(&mut self, item: u32) -> u32 {
        let item = item as usize;
        if item >= self.given.len() {
            self.given.resize(item + 1, 0);
        }
        self.given[item] += 1;
        self.given[item]
    }

    /// A write is acknowledged.
    pub(super) fn acknowledge(&mut self, item: u32, version: u32, now: Nanos) {
        let item = item as usize;
        if item >= self.items.len() {
            self.items.resize(item + 1, (0, 0));
        }
        if version > self.items[item].0 {
            self.items[item] = (version, now);
        }
    }
}
