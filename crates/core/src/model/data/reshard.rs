//! Adding shards to a running database: which items move, in which batches, from where to where.
//!
//! A batch holds items that go from one shard to another. It is read at the old one, sent, written at the new one, and then its
//! items belong to the new shard; until then all requests for them go to the old one. This is how Redis Cluster moves slots and
//! MongoDB chunks, without the copying of a chunk's last writes, which happen at both here.
//!
//! Invariant: every item whose shard differs is in exactly one batch.

use super::Placement;
use crate::engine::Nanos;

/// How a database gets more shards while it runs.
#[derive(Debug, Clone)]
pub struct Resharding {
    /// When the movement begins [ns].
    pub at: Nanos,
    /// Shards afterwards.
    pub shards: u32,
    /// Which shard has an item afterwards.
    pub after: Placement,
    /// The items that move, batch by batch.
    pub moved: Vec<u32>,
    /// The batches, in the order in which they are begun.
    pub batches: Vec<MovedBatch>,
    /// How many are under way at once.
    pub movers: u32,
}

/// Items that move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedBatch {
    /// The shard that has them before.
    pub from: u32,
    /// The shard that has them afterwards.
    pub to: u32,
    /// The first of them in [`Resharding::moved`], and how many they are.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Resharding {
    /// Plans the movement of items 0 to `items` − 1 from `before` (placement and shards) to `after`, in batches of at most
    /// `size` items, with all pairs of shards in turns.
    pub fn plan(before: (&Placement, u32), after: (Placement, u32), items: u32, size: u32) -> Self {
        let shard = |item| (before.0.shard(item, before.1), after.0.shard(item, after.1));
        let mut moving: Vec<(u32, u32, u32)> = (0..items)
            .map(|item| (shard(item), item))
            .filter(|((from, to), _)| from != to)
            .map(|((from, to), item)| (from, to, item))
            .collect();
        moving.sort_unstable();
        let mut batches: Vec<(u32, MovedBatch)> = Vec::new();
        for (first, (from, to, _)) in (0..).zip(&moving) {
            match batches.last_mut() {
                Some((_, last)) if (last.from, last.to) == (*from, *to) && last.count < size => last.count += 1,
                last => {
                    let round =
                        last.filter(|(_, last)| (last.from, last.to) == (*from, *to)).map_or(0, |last| last.0 + 1);
                    batches.push((round, MovedBatch { from: *from, to: *to, first, count: 1 }));
                }
            }
        }
        batches.sort_by_key(|(round, batch)| (*round, batch.from, batch.to));
        Resharding {
            at: 0,
            shards: after.1,
            after: after.0,
            moved: moving.into_iter().map(|(_, _, item)| item).collect(),
            batches: batches.into_iter().map(|(_, batch)| batch).collect(),
            movers: 1,
        }
    }

    /// The items of a batch.
    pub fn items(&self, batch: MovedBatch) -> &[u32] {
        &self.moved[batch.first as usize..(batch.first + batch.count) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_that_changes_its_shard_is_in_one_batch_between_these_shards() {
        let (before, after) = (Placement::Modulo, Placement::Modulo);
        let plan = Resharding::plan((&before, 4), (after.clone(), 5), 10_000, 100);
        let mut seen: Vec<u32> = Vec::new();
        for batch in &plan.batches {
            assert!((1..=100).contains(&batch.count) && batch.from != batch.to, "{batch:?}");
            for item in plan.items(*batch) {
                assert_eq!((before.shard(*item, 4), after.shard(*item, 5)), (batch.from, batch.to));
                seen.push(*item);
            }
        }
        seen.sort_unstable();
        let expected: Vec<u32> = (0..10_000).filter(|item| before.shard(*item, 4) != after.shard(*item, 5)).collect();
        assert_eq!(seen, expected);
        // All pairs take turns: the first batches are between different ones.
        let pairs: std::collections::BTreeSet<_> =
            plan.batches[..20].iter().map(|batch| (batch.from, batch.to)).collect();
        assert!(pairs.len() >= 16, "{pairs:?}");
    }

    #[test]
    fn on_a_ring_items_move_to_the_new_shard_only() {
        let plan = Resharding::plan((&Placement::ring(4, 200), 4), (Placement::ring(5, 200), 5), 10_000, 64);
        assert!(plan.batches.iter().all(|batch| batch.to == 4));
        // A fifth of the items; a share of a ring of 200 points has a coefficient of variation of 7 %; bound at four.
        assert!((plan.moved.len() as f64 / 2000.0 - 1.0).abs() < 0.28, "{}", plan.moved.len());
    }
}
