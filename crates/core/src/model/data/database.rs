//! What a database is.
//!
//! A database is a service whose instances are the nodes of its shards: instance `shard · nodes + k` is node k of the shard. Node 0
//! begins as the primary of its shard, the others are its replicas; with quorums all nodes are equal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Resharding;
use crate::engine::Nanos;
use crate::engine::random::mix;

/// A database.
#[derive(Debug, Clone)]
pub struct DatabasePlan {
    /// Its name in the file.
    pub name: String,
    /// Shards that there are nodes for.
    pub shards: u32,
    /// Shards that have items at the start.
    pub placed: u32,
    /// Nodes of every shard.
    pub nodes: u32,
    /// Which shard has an item at the start.
    pub sharding: Placement,
    /// How shards are added while it runs.
    pub reshard: Option<Resharding>,
    /// Where reads go.
    pub reads: Reads,
    /// With quorums: how many answers a read and a write need.
    pub quorum: Option<[u32; 2]>,
    /// Whether a write that had not seen the newest version overwrites it, or is merged with it.
    pub merges: bool,
    /// How long until another node is the primary when the primary is down [ns]; never if `None`.
    pub failover: Option<Nanos>,
    /// When the last so many nodes of every shard are cut off from the others, and for how long [ns].
    pub partition: Option<(Nanos, Nanos, u32)>,
    /// Items and their size [bytes], and what a node can hold [bytes], if known.
    pub data: Option<(u64, f64, Option<f64>)>,
    /// The service.
    pub service: u32,
}

/// Where reads go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// To the primary.
    #[default]
    Primary,
    /// To any node, one at random for every read.
    Any,
    /// To any replica, not to the primary, one at random for every read.
    Replicas,
    /// To the node whose number is that of the caller's instance (modulo the nodes): the one in the same zone.
    Nearest,
    /// To the primary for a second after the user's last write, otherwise to any replica.
    ReadYourWrites,
    /// To the same node for all reads of a user.
    Monotonic,
}

/// For how long reads of a user who wrote go to the primary [ns]. Own rule: about fifty times a usual replication lag.
pub const STICKY: Nanos = 1_000_000_000;

/// Which shard has an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Placement {
    /// The remainder of its hash.
    Modulo,
    /// The first point of a shard behind its hash on a ring: points and their shards, ascending.
    Ring(Vec<(u64, u32)>),
    /// Its number, of so many.
    Range(u64),
    /// A directory: the upper ends of runs of items, ascending, and their shards.
    Directory(Vec<(u32, u32)>),
}

impl Placement {
    /// A ring with so many points for each shard, as Karger et al. 1997.
    pub fn ring(shards: u32, points: u32) -> Self {
        let point = |shard: u32, number: u32| mix(mix(u64::from(shard) + 1) ^ (u64::from(number) << 32 | 0x5bd1));
        let mut ring: Vec<(u64, u32)> =
            (0..shards).flat_map(|shard| (0..points).map(move |number| (point(shard, number), shard))).collect();
        ring.sort_unstable();
        Placement::Ring(ring)
    }

    /// The shard, of so many, that has an item.
    pub fn shard(&self, item: u32, shards: u32) -> u32 {
        let hash = mix(u64::from(item) ^ 0x9e6c_63d0_876a_3f6b);
        match self {
            Placement::Modulo => (hash % u64::from(shards)) as u32,
            Placement::Ring(points) => {
                let next = points.partition_point(|(point, _)| *point < hash);
                points.get(next).or(points.first()).map_or(0, |(_, shard)| *shard)
            }
            Placement::Range(items) => (u64::from(item) * u64::from(shards) / items).min(u64::from(shards) - 1) as u32,
            Placement::Directory(runs) => {
                let run = runs.partition_point(|(end, _)| *end <= item);
                runs.get(run).or(runs.last()).map_or(0, |(_, shard)| *shard)
            }
        }
    }
}

impl DatabasePlan {
    /// The shard that has an item at the start.
    #[inline]
    pub fn shard(&self, item: u32) -> u32 {
        if self.placed == 1 { 0 } else { self.sharding.shard(item, self.placed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of 100 000 items that are elsewhere after a shard was added.
    fn moved(before: &Placement, after: &Placement, shards: u32) -> f64 {
        let moved = (0..100_000).filter(|&item| before.shard(item, shards) != after.shard(item, shards + 1)).count();
        moved as f64 / 100_000.0
    }

    #[test]
    fn a_shard_more_moves_nearly_all_items_by_remainder_and_few_on_a_ring() {
        for shards in [4, 10, 16] {
            // Modulo n/(n+1) of the items, exactly in the mean; binomial with 0.0015; bound at three.
            let share = moved(&Placement::Modulo, &Placement::Modulo, shards);
            assert!((share - f64::from(shards) / f64::from(shards + 1)).abs() < 0.005, "{shards}: {share}");
            // A ring 1/(n+1); with 400 points a shard's share has a coefficient of variation of 5 %.
            let share = moved(&Placement::ring(shards, 400), &Placement::ring(shards + 1, 400), shards);
            assert!((share * f64::from(shards + 1) - 1.0).abs() < 0.2, "{shards}: {share}");
        }
    }

    #[test]
    fn ranges_and_directories_keep_neighbours_together() {
        let range = Placement::Range(1000);
        assert_eq!([0, 249, 250, 999, 5000].map(|item| range.shard(item, 4)), [0, 0, 1, 3, 3]);
        let directory = Placement::Directory(vec![(10, 2), (100, 0), (1000, 1)]);
        assert_eq!([0, 9, 10, 99, 100, 7000].map(|item| directory.shard(item, 3)), [2, 2, 0, 0, 1, 1]);
    }
}
