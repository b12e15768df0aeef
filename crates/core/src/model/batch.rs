//! Batch jobs: a fixed number of items, dealt to workers at time 0.
//!
//! *Chunks*: every worker has items/workers consecutive items, rounded down, and the last worker the remainder as well.
//! *Stealing*: the same, but each worker takes from the end of its deque, and one that has none left takes the first item of
//! the first other worker that has any. *Queue*: all workers take the next item of one line, which is the best that can be done
//! without knowing the items' lengths.
//!
//! Source of stealing: R. Blumofe, C. Leiserson, "Scheduling multithreaded computations by work stealing" (1999): the owner works at
//! one end of its deque, thieves at the other. Victims are asked in order, and one item is stolen at a time. A worker that finds
//! nothing is done: all items are there from the start, so that looking again later would find nothing either.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Count;

/// A batch job, as written in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchSpec {
    /// A fixed number of items, worked off by workers as fast as they can from time 0 on.
    pub batch: Batch,
}

/// A fixed number of items and who works on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// How many items; at most 100 million. Each is one request, about the data item of its number.
    pub items: Count,
    /// How many workers, each with one item at a time.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub workers: u32,
    /// Who does which item; `chunks` if left out.
    #[serde(default)]
    pub schedule: Schedule,
}

/// Who does which item of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Every worker has as many consecutive items; the last one has the remainder as well.
    #[default]
    Chunks,
    /// As `chunks`, but a worker without items steals one from another.
    Stealing,
    /// Every worker takes the next item of one line.
    Queue,
}

/// The most items of a batch.
pub const MOST: u64 = 100_000_000;

/// Items that nobody has begun.
#[derive(Debug, Clone)]
pub struct Deal {
    schedule: Schedule,
    /// Per worker: the first of its items and the one behind the last.
    deques: Vec<[u32; 2]>,
}

impl Deal {
    /// Deals so many items to so many workers.
    pub fn new(items: u32, workers: u32, schedule: Schedule) -> Self {
        let chunk = items / workers.max(1);
        let deque = |worker: u32| match schedule {
            Schedule::Queue => [0, if worker == 0 { items } else { 0 }],
            _ => [worker * chunk, if worker + 1 == workers { items } else { (worker + 1) * chunk }],
        };
        Deal { schedule, deques: (0..workers).map(deque).collect() }
    }

    /// The next item of a worker; `None` if there is nothing left for it.
    pub fn take(&mut self, worker: u32) -> Option<u32> {
        match self.schedule {
            Schedule::Chunks => Self::first(&mut self.deques[worker as usize]),
            Schedule::Queue => Self::first(&mut self.deques[0]),
            Schedule::Stealing => {
                let own = &mut self.deques[worker as usize];
                if own[0] < own[1] {
                    own[1] -= 1;
                    return Some(own[1]);
                }
                self.deques.iter_mut().find_map(Self::first)
            }
        }
    }

    fn first(deque: &mut [u32; 2]) -> Option<u32> {
        let first = deque[0];
        (first < deque[1]).then(|| {
            deque[0] += 1;
            first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_of(deal: &mut Deal, worker: u32) -> Vec<u32> {
        std::iter::from_fn(|| deal.take(worker)).collect()
    }

    #[test]
    fn the_last_of_ten_workers_has_103_of_1003_items() {
        let mut deal = Deal::new(1003, 10, Schedule::Chunks);
        let counts: Vec<usize> = (0..10).map(|worker| all_of(&mut deal, worker).len()).collect();
        assert_eq!(counts, [100, 100, 100, 100, 100, 100, 100, 100, 100, 103]);
    }

    #[test]
    fn a_worker_takes_its_last_item_and_a_thief_the_first_of_another() {
        let mut deal = Deal::new(6, 2, Schedule::Stealing);
        assert_eq!([deal.take(0), deal.take(0), deal.take(0)], [Some(2), Some(1), Some(0)]);
        assert_eq!([deal.take(0), deal.take(1), deal.take(1), deal.take(0)], [Some(3), Some(5), Some(4), None]);
    }

    #[test]
    fn every_item_is_done_once_whoever_does_it() {
        for schedule in [Schedule::Chunks, Schedule::Stealing, Schedule::Queue] {
            for (items, workers) in [(0, 3), (2, 5), (1000, 7)] {
                let mut deal = Deal::new(items, workers, schedule);
                let mut done: Vec<u32> = Vec::new();
                for round in 0.. {
                    let taken = (0..workers).filter_map(|worker| deal.take((worker * 5 + round) % workers));
                    let before = done.len();
                    done.extend(taken);
                    if done.len() == before {
                        break;
                    }
                }
                (0..workers).for_each(|worker| done.extend(all_of(&mut deal, worker)));
                done.sort_unstable();
                assert_eq!(done, (0..items).collect::<Vec<_>>());
            }
        }
    }
}
