//! What is counted at caches, databases and queues within the window.

use crate::engine::Nanos;
use crate::measure::{Histogram, Tally};
use crate::model::cache::Gone;

/// What is known of a database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseBook {
    /// Reads answered.
    pub reads: u64,
    /// Of these: older than what had been acknowledged when they began.
    pub stale: u64,
    /// For how long a newer version had been acknowledged, of these.
    pub age: Tally,
    /// Reads by users, older than what the same user had read of the item before.
    pub backwards: u64,
    /// Reads by users, older than what the same user had written.
    pub own_stale: u64,
    /// Reads by users.
    pub of_users: u64,
    /// Writes.
    pub writes: u64,
    /// Of these: had not seen the newest version and overwrote it.
    pub overwritten: u64,
    /// Of these: had not seen the newest version and were merged with it.
    pub merged: u64,
    /// From a write's version to its arrival at another node.
    pub lags: Histogram,
    /// The same, for the mean.
    pub lag: Tally,
    /// Requests that found no node.
    pub unavailable: u64,
    /// Writes that waited for a lock.
    pub locked: u64,
    /// Primaries replaced, since the start of the run.
    pub failovers: u64,
    /// Writes that were acknowledged or on their way and are gone, since the start of the run.
    pub lost_writes: u64,
    /// Items that have moved to another shard, since the start of the run.
    pub moved: u64,
    /// When the last of all that were to move did [ns].
    pub settled: Option<Nanos>,
    /// Requests per shard.
    pub shards: Vec<u64>,
}

impl DatabaseBook {
    pub(super) fn asked(&mut self, open: bool, shard: u32) {
        self.shards[shard as usize] += u64::from(open);
    }

    pub(super) fn unavailable(&mut self, open: bool) {
        self.unavailable += u64::from(open);
    }

    pub(super) fn read(&mut self, open: bool, stale: Option<Nanos>) {
        self.reads += u64::from(open);
        if open && let Some(age) = stale {
            self.stale += 1;
            self.age.record(age);
        }
    }

    pub(super) fn seen(&mut self, open: bool, backwards: bool, own_stale: bool) {
        self.of_users += u64::from(open);
        self.backwards += u64::from(open && backwards);
        self.own_stale += u64::from(open && own_stale);
    }

    pub(super) fn wrote(&mut self, open: bool, conflict: bool, merges: bool) {
        self.writes += u64::from(open);
        self.overwritten += u64::from(open && conflict && !merges);
        self.merged += u64::from(open && conflict && merges);
    }

    pub(super) fn applied(&mut self, open: bool, lag: Nanos) {
        if open {
            self.lags.record(lag);
            self.lag.record(lag);
        }
    }

    pub(super) fn locked(&mut self, open: bool) {
        self.locked += u64::from(open);
    }
}

/// What is known of a queue, whatever its groups do.
#[derive(Debug, Clone, Default)]
pub struct QueueBook {
    /// Whether the window is open.
    pub open: bool,
    /// Messages taken in.
    pub published: u64,
    /// Messages refused because the queue was full.
    pub rejected: u64,
    /// Messages thrown away because the queue was full.
    pub dropped: u64,
    /// Of these, how many made room for a new one.
    pub pushed_out: u64,
    /// Publishers that had to wait for room.
    pub blocked: u64,
}

/// What is known of a cache.
#[derive(Debug, Clone, Default)]
pub struct CacheBook {
    /// Requests that found their item.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Hits on items of which a newer version had been acknowledged.
    pub stale: u64,
    /// How much newer: since when that version had been acknowledged.
    pub ages: Histogram,
    /// The same, for the mean.
    pub age: Tally,
    /// Items that were evicted to make room.
    pub evictions: u64,
    /// Items that were invalidated.
    pub dropped: u64,
    /// How long outdated copies were held before they were invalidated.
    pub windows: Histogram,
    /// The same, for the mean.
    pub window: Tally,
    /// Messages to other instances to drop an item.
    pub told: u64,
    /// Items fetched anew while the old one was given.
    pub refreshed: u64,
    /// Misses that waited for another's fetch.
    pub joined: u64,
    /// Changes that were taken in behind, and those that joined one that still waited.
    pub written: [u64; 2],
    /// Changes that were lost with an instance, since the start of the run.
    pub lost: u64,
    /// Items held at the end of the run.
    pub items: u64,
    /// Requests and misses of the best possible policy, since the start of the run.
    pub best: Option<(u64, u64)>,
    /// For the time series: requests and hits since the start of the run.
    pub running: [u64; 2],
    /// The same at the last point of the time series.
    pub(super) sampled: [u64; 2],
    /// Room for items that go.
    pub(super) scratch: Vec<Gone>,
}

impl CacheBook {
    pub(super) fn asked(&mut self, open: bool, hit: bool) {
        self.running[0] += 1;
        self.running[1] += u64::from(hit);
        self.hits += u64::from(open && hit);
        self.misses += u64::from(open && !hit);
    }

    /// Adds the values of an interval of the time series, of this length [s].
    pub(super) fn sample(&mut self, length: f64, row: &mut Vec<f64>) {
        let [asked, hits] = [0, 1].map(|which| self.running[which] - self.sampled[which]);
        row.push(if asked > 0 { hits as f64 / asked as f64 } else { f64::NAN });
        row.push((asked - hits) as f64 / length);
        self.sampled = self.running;
    }

    pub(super) fn stale(&mut self, open: bool, age: Nanos) {
        if open {
            self.stale += 1;
            self.ages.record(age);
            self.age.record(age);
        }
    }

    pub(super) fn evicted(&mut self, open: bool) {
        self.evictions += u64::from(open);
    }

    pub(super) fn dropped(&mut self, open: bool, outdated: Option<Nanos>) {
        if open {
            self.dropped += 1;
            if let Some(window) = outdated {
                self.windows.record(window);
                self.window.record(window);
            }
        }
    }

    pub(super) fn told(&mut self, open: bool) {
        self.told += u64::from(open);
    }

    pub(super) fn refreshed(&mut self, open: bool) {
        self.refreshed += u64::from(open);
    }

    pub(super) fn joined(&mut self, open: bool) {
        self.joined += u64::from(open);
    }

    pub(super) fn written(&mut self, open: bool, before: bool) {
        self.written[0] += u64::from(open);
        self.written[1] += u64::from(open && before);
    }
}
