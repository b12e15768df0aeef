//! Dealing the runs of a design to shares, so that all take about as long.
//!
//! Every point is begun once, for some thousand events; events per simulated second, times warm-up and window, are its expected
//! cost. Runs are dealt by falling cost, each to the share that has least (longest processing time first: R. L. Graham, "Bounds
//! on Multiprocessing Timing Anomalies", 1969), so the replications of a costly point go to different shares.
//!
//! Limits: what happens later than the first events (a ramp, a fault, a backlog that slows the simulator down, the drain of an
//! overloaded point) is not in the estimate. All replications of a point have the same error, and they are spread; so with
//! at least as many replications as shares no share is far off, whatever the points are.
//!
//! Invariant: the shares are a partition of the runs that depends on the design and their number only.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::Share;
use crate::experiment::design::{Design, DesignPoint};
use crate::experiment::runner::RunError;
use crate::model::system::{Ending, Plan, System};

/// How far a point is run to see what it costs [events].
const PILOT: u64 = 4096;

/// The runs of a share: points and replications, in order. Costs are found on `jobs` threads (0 for all cores).
///
/// # Errors
/// If the threads cannot be started.
pub fn share(design: &Design, share: Share, jobs: usize) -> Result<Vec<(usize, u64)>, RunError> {
    let replications = design.run.replications;
    if share.count == 1 {
        let of_point = |point| (0..replications).map(move |replication| (point, replication));
        return Ok((0..design.points.len()).flat_map(of_point).collect());
    }
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let threads = threads.map_err(|error| RunError::Threads(error.to_string()))?;
    let costs: Vec<u64> = threads.install(|| design.points.par_iter().map(|point| cost(design, point)).collect());
    Ok(deal(&costs, replications, share.count).swap_remove(share.index as usize - 1))
}

/// The events that a run of a point is expected to have.
pub fn cost(design: &Design, point: &DesignPoint) -> u64 {
    let simulated = design.plan.warm_up.saturating_add(design.plan.window);
    let plan = Plan {
        warm_up: 0,
        window: simulated,
        drain: 0,
        interval: simulated.max(1),
        event_limit: PILOT.min(design.plan.event_limit),
        ..design.plan
    };
    // A point that breaks its laws will say so when it is run.
    let Ok(record) = System::new(&point.blueprint, plan).run(&|| false) else { return 1 };
    let seen = record.window[1].max(1);
    let grow = if record.ending == Ending::Completed { 1.0 } else { simulated as f64 / seen as f64 };
    ((record.events as f64 * grow) as u64).clamp(1, design.plan.event_limit.max(1))
}

/// Deals `replications` runs of points with these costs to shares; each in order.
pub fn deal(costs: &[u64], replications: u64, shares: u32) -> Vec<Vec<(usize, u64)>> {
    let mut by_cost: Vec<usize> = (0..costs.len()).collect();
    by_cost.sort_by_key(|point| Reverse(costs[*point]));
    let mut dealt = vec![Vec::new(); shares as usize];
    // The share with the least cost; of equal ones that with the fewest runs, then the first.
    let mut least: BinaryHeap<Reverse<(u128, usize, usize)>> =
        (0..shares as usize).map(|share| Reverse((0, 0, share))).collect();
    for point in by_cost {
        for replication in 0..replications {
            let Some(Reverse((cost, runs, share))) = least.pop() else { return dealt };
            dealt[share].push((point, replication));
            least.push(Reverse((cost + u128::from(costs[point]), runs + 1, share)));
        }
    }
    dealt.iter_mut().for_each(|runs| runs.sort_unstable());
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_run_is_in_exactly_one_share(
            costs in proptest::collection::vec(1u64..1_000_000, 1..20),
            replications in 1u64..8,
            shares in 1u32..12,
        ) {
            let dealt = deal(&costs, replications, shares);
            prop_assert_eq!(dealt.len(), shares as usize);
            prop_assert!(dealt.iter().all(|runs| runs.is_sorted()));
            let mut all: Vec<(usize, u64)> = dealt.into_iter().flatten().collect();
            all.sort_unstable();
            let point = |point| (0..replications).map(move |replication| (point, replication));
            prop_assert_eq!(all, (0..costs.len()).flat_map(point).collect::<Vec<_>>());
        }

        /// Graham's bound: no share has more than the mean and one run.
        #[test]
        fn no_share_has_more_than_the_mean_and_one_run(
            costs in proptest::collection::vec(1u64..1_000_000, 1..20),
            replications in 1u64..8,
            shares in 1u32..12,
        ) {
            let cost = |runs: &Vec<(usize, u64)>| runs.iter().map(|(point, _)| costs[*point]).sum::<u64>();
            let loads: Vec<u64> = deal(&costs, replications, shares).iter().map(cost).collect();
            let mean = loads.iter().sum::<u64>() as f64 / f64::from(shares);
            let greatest = costs.iter().max().copied().unwrap_or(0);
            prop_assert!(loads.iter().all(|load| *load as f64 <= mean + greatest as f64), "{loads:?}");
        }
    }

    #[test]
    fn replications_of_a_costly_point_go_to_different_shares() {
        let dealt = deal(&[1, 1000, 1, 1], 4, 4);
        assert!(dealt.iter().all(|runs| runs.iter().filter(|(point, _)| *point == 1).count() == 1), "{dealt:?}");
        assert!(dealt.iter().all(|runs| runs.len() == 4), "{dealt:?}");
    }
}
