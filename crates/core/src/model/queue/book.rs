//! What is counted at a group of consumers.

use crate::engine::Nanos;
use crate::measure::{Histogram, Level, Tally};

/// Counts of a group. The totals are those since the start of the run and obey the law of conservation: what was accepted was
/// delivered, or died, or expired, or was lost, or is still there.
#[derive(Debug, Clone, Default)]
pub struct GroupBook {
    /// Messages taken in.
    pub accepted: u64,
    /// Messages processed with success, each counted once.
    pub delivered: u64,
    /// Messages given up after too many tries.
    pub dead: u64,
    /// Messages thrown away because they waited too long.
    pub expired: u64,
    /// Messages lost: acknowledged and then not processed, pushed out of a full queue, or published to a member that was down.
    pub lost: u64,
    /// Messages processed with success once more.
    pub duplicates: u64,
    /// Messages given out again after a failure or a timeout.
    pub redelivered: u64,
    /// Deliveries to members that ran out of memory, and when the first one did [ns].
    pub overflows: u64,
    /// See `overflows`.
    pub first_overflow: Option<Nanos>,
    /// Messages that wait.
    pub waiting: Level,
    /// Messages fetched and not begun.
    pub buffered: Level,
    /// Members that pause fetching.
    pub paused: Level,
    /// Pauses that began within the window, and when the first one of the run did [ns].
    pub pauses: u64,
    /// See `pauses`.
    pub first_pause: Option<Nanos>,
    /// The counts above, from `accepted` to `redelivered`, when the window opened; later those within it.
    pub window: [u64; 7],
    /// Whether the window is open.
    pub open: bool,
    /// From publishing to taking, of messages delivered within the window.
    pub waits: Histogram,
    /// From publishing to the end of processing.
    pub delays: Histogram,
    /// From the beginning of the request that they go back to, to the end of processing.
    pub ages: Histogram,
    /// Sums of the same, for means.
    pub wait: Tally,
    /// See `wait`.
    pub delay: Tally,
    /// See `wait`.
    pub age: Tally,
    /// Batches begun within the window, and messages in them.
    pub batches: [u64; 2],
    /// Areas under `waiting`, `buffered` and `paused` when the window opened; later those within it [messages·ns, members·ns].
    pub areas: [u128; 3],
    /// Messages that waited, and the age of the oldest one [ns], when the window closed.
    pub end: (u32, Nanos),
    /// Messages that waited when the window opened.
    pub begin: u32,
}

impl GroupBook {
    /// The counts, from `accepted` to `redelivered`.
    pub fn counts(&self) -> [u64; 7] {
        [self.accepted, self.delivered, self.dead, self.expired, self.lost, self.duplicates, self.redelivered]
    }

    /// The window opens (`false`) or closes (`true`) now.
    pub fn mark(&mut self, closes: bool, now: Nanos, oldest: Nanos) {
        self.open = !closes;
        let areas = [&self.waiting, &self.buffered, &self.paused].map(|level| level.area(now));
        let counts = self.counts();
        if closes {
            self.window = std::array::from_fn(|which| counts[which] - self.window[which]);
            self.areas = std::array::from_fn(|which| areas[which] - self.areas[which]);
            self.end = (self.waiting.value(), oldest);
        } else {
            (self.window, self.areas) = (counts, areas);
            self.begin = self.waiting.value();
        }
    }
}
