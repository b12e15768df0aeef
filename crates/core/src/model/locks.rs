//! Locks of a service's instances, as written in a model file, and which shard of a lock a section takes.
//!
//! Every instance has locks of its own. A lock in several shards is several locks: an attempt takes that of its data item (a hash
//! of the item's number), or a random one if it is about no item.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::random::{Draw, mix, unit};
use crate::model::frame::{Frame, LOOP_DEPTH, NONE};

/// A lock of every instance of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockSpec {
    /// Into how many locks it is split; 1 if left out. Each data item belongs to one of them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 100_000))]
    pub shards: u32,
    /// Who may hold it together; `mutex` if left out.
    #[serde(default)]
    pub kind: LockKind,
}

/// Who may hold a lock together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// One at a time.
    #[default]
    Mutex,
    /// Any number of readers, or one writer; a waiting writer keeps new readers out, and readers who wait go before the next
    /// writer (as Go's `sync.RWMutex`).
    Rwlock,
    /// So many at a time.
    Semaphore(#[schemars(range(min = 1, max = 1_000_000))] u32),
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

/// A lock that every instance of a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockPlan {
    /// Its name within the service.
    pub name: String,
    /// Into how many locks it is split.
    pub shards: u32,
    /// How many may hold a shard in write mode at once.
    pub permits: u32,
    /// Whether readers may hold it together.
    pub shared: bool,
}

impl LockSpec {
    /// The lock under a name.
    pub fn plan(&self, name: &str) -> LockPlan {
        let (permits, shared) = match self.kind {
            LockKind::Mutex => (1, false),
            LockKind::Rwlock => (1, true),
            LockKind::Semaphore(permits) => (permits.max(1), false),
        };
        LockPlan { name: name.to_owned(), shards: self.shards, permits, shared }
    }
}

/// A critical section of a program: which lock it takes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The first shard of the lock, among all shards of all locks of an instance.
    pub first: u32,
    /// How many shards the lock has.
    pub shards: u32,
    /// Whether nobody else may hold it meanwhile.
    pub writes: bool,
    /// Whether the shard is that of the data item; else a random one.
    pub by_item: bool,
    /// Keys the random draw.
    pub salt: u64,
    /// In how many loops it stands.
    pub depth: u8,
    /// The account of waiting.
    pub waiting: u32,
}

impl Section {
    /// The shard that a frame takes: among all shards of all locks of its instance. The same whenever it is asked between taking
    /// and giving back.
    pub fn shard(&self, frame: &Frame) -> u32 {
        if self.shards == 1 {
            return self.first;
        }
        let hash = if self.by_item && frame.item != NONE {
            mix(u64::from(frame.item).wrapping_add(0x9e37_79b9_7f4a_7c15))
        } else {
            // Rounds of loops inside the section must not matter.
            let kept = if usize::from(self.depth) >= LOOP_DEPTH { u64::MAX } else { (1 << (16 * self.depth)) - 1 };
            let point = unit(&mut Draw::new(frame.key, self.salt, frame.visit() & kept));
            (point * u64::MAX as f64) as u64
        };
        self.first + ((u128::from(hash) * u128::from(self.shards)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::{Bearing, Frames, Role, Start};

    fn section(by_item: bool) -> Section {
        Section { first: 3, shards: 16, writes: true, by_item, salt: 9, depth: 1, waiting: 0 }
    }

    fn counts(section: &Section, item: impl Fn(u32) -> u32) -> Vec<u32> {
        let mut frames = Frames::new(usize::MAX);
        let mut counts = vec![0; 19];
        for number in 0..16_000 {
            let bearing = Bearing { item: item(number), ..Bearing::PLAIN };
            let start =
                Start { role: Role::Attempt, owner: 0, instance: 0, key: mix(number.into()), place: 0, bearing };
            let (index, frame) = frames.start(0, start);
            let shard = section.shard(frame);
            frame.rounds[1] = 7;
            assert_eq!(section.shard(frame), shard, "loops inside do not matter");
            counts[shard as usize] += 1;
            frames.remove(index);
        }
        counts
    }

    #[test]
    fn items_and_draws_spread_evenly_over_the_shards() {
        for counts in [counts(&section(true), |number| number), counts(&section(true), |_| NONE)] {
            assert_eq!(counts[..3], [0; 3]);
            assert!(counts[3..].iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn an_item_always_has_the_same_shard() {
        let counts = counts(&section(true), |_| 4711);
        assert_eq!(counts.iter().filter(|count| **count > 0).count(), 1);
        assert!(self::counts(&section(false), |_| 4711)[3..].iter().all(|count| *count > 0), "drawn, not hashed");
    }
}
