//! Node pools: the machines under the instances of services, and what scales them.
//!
//! An instance (a pod) of a service that lives on a pool asks for cores and memory, and gets a node that has so much left. Which one, is the
//! scheduler's choice: the node with the least requested (to spread) or with the most (to fill up). The score of a node is the mean over cores
//! and memory of what would be free, or requested, with the pod, in whole percent; ties: the oldest node. Source: Kubernetes,
//! `NodeResourcesFit` with `LeastAllocated` (the default) and `MostAllocated`; it breaks ties at random.
//!
//! A pod that fits nowhere waits. The scaler looks every 10 s: it packs those that wait by *first fit decreasing* into the nodes
//! that are on their way and into new ones, and orders as many as that takes. A node whose requests are below half of it, and
//! whose pods fit elsewhere, is unneeded; after 10 min of that it is drained and given back, unless one was added within 10 min.
//! Source: kubernetes/autoscaler, cluster-autoscaler FAQ (`scan-interval`, `scale-down-utilization-threshold`, `scale-down-unneeded-time`,
//! `scale-down-delay-after-add`) and `estimator/binpacking_estimator.go` (pods by their share of a node's cores plus that of its memory, the largest first).
//!
//! Limits: the nodes of a pool are alike; a pod uses no more than it asked for, so neighbors on a node do not slow each other down;
//! nodes do not fail; there are no priorities, affinities or disruption budgets. Empty nodes go all at once, others one at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::Random;
use super::program::Demand;
use crate::engine::Nanos;
use crate::quantity::{Bytes, Cores, Duration, Price, Share};

/// A pool of machines that are alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NodePool")]
#[serde(deny_unknown_fields)]
pub struct NodePoolSpec {
    /// Cores of a node.
    pub cores: Cores,
    /// Memory of a node; not limited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// What a node costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// What the system takes of every node; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<ReservedSpec>,
    /// The fewest nodes; 0 if left out.
    #[serde(default)]
    pub min: u32,
    /// The most nodes.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: u32,
    /// How long it takes until a node is there; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Random<Duration>>,
    /// Which node a pod gets; `least_allocated` if left out.
    #[serde(default)]
    pub placement: Placement,
    /// How often the scaler looks; 10s if left out.
    #[serde(default = "ten_seconds")]
    pub scan: Duration,
    /// A node with less requested than this may be unneeded; 50% if left out.
    #[serde(default = "half")]
    pub threshold: Share,
    /// For how long a node is unneeded before it is given back; 10min if left out.
    #[serde(default = "ten_minutes")]
    pub unneeded: Duration,
    /// For how long after an order no node is given back; 10min if left out.
    #[serde(default = "ten_minutes")]
    pub after_add: Duration,
}

/// What the system takes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Reserved")]
#[serde(deny_unknown_fields)]
pub struct ReservedSpec {
    /// Cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<Cores>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
}

/// Which node a pod gets among those that have room for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// The one with the most left: pods are spread.
    #[default]
    LeastAllocated,
    /// The one with the least left: nodes are filled up, so that others become free.
    MostAllocated,
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

fn ten_minutes() -> Duration {
    Duration::from_nanos(600_000_000_000)
}

fn half() -> Share {
    Share::from_fraction(0.5).unwrap_or_default()
}

/// Cores and bytes: what a pod asks for, or what a node has.
pub type Amounts = [f64; 2];

/// A pool, ready for use.
#[derive(Debug, Clone)]
pub struct NodePoolPlan {
    /// Its name.
    pub name: String,
    /// What pods can have of a node; infinite memory if it is not limited.
    pub room: Amounts,
    /// Cores of a node, the reserved ones included.
    pub cores: f64,
    /// What a node costs [currency units/h].
    pub price: Option<f64>,
    /// The fewest nodes and the most.
    pub bounds: [u32; 2],
    /// Until a node is there.
    pub provisioning: Option<Demand>,
    /// Which node a pod gets.
    pub placement: Placement,
    /// How often the scaler looks [ns].
    pub scan: Nanos,
    /// A node with a smaller share requested may be unneeded.
    pub threshold: f64,
    /// For how long, before it goes [ns].
    pub unneeded: Nanos,
    /// For how long after an order no node goes [ns].
    pub after_add: Nanos,
    /// How many there are at the start.
    pub start: u32,
}

/// How the instances of a service live on a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lodging {
    /// The pool.
    pub pool: u32,
    /// What an instance asks for; its cores, unless they change while it runs, and its memory.
    pub asks: Amounts,
}

impl NodePoolSpec {
    /// What pods can have of a node.
    ///
    /// # Errors
    /// If nothing is left for them.
    pub fn room(&self) -> Result<Amounts, (&'static str, &'static str)> {
        let reserved = self.reserved.as_ref();
        let cores = self.cores.get() - reserved.and_then(|taken| taken.cores).map_or(0.0, Cores::get);
        let taken = reserved.and_then(|taken| taken.memory).map_or(0.0, |memory| memory.as_u64() as f64);
        let memory = self.memory.map_or(f64::INFINITY, |memory| memory.as_u64() as f64 - taken);
        if cores <= 0.0 {
            Err(("reserved.cores", "no cores are left for anything else"))
        } else if memory <= 0.0 {
            Err(("reserved.memory", "no memory is left for anything else"))
        } else {
            Ok([cores, memory])
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The key that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.min > self.max {
            return Err(("min", "the fewest nodes must not be more than the most"));
        }
        if self.scan == Duration::ZERO {
            return Err(("scan", "the time between looks must be longer than 0"));
        }
        self.room().map(|_| ())
    }
}

/// Whether so much more fits.
pub fn fits(room: &Amounts, used: &Amounts, asks: &Amounts) -> bool {
    // What adds up to a whole but for rounding is one.
    (0..2).all(|what| used[what] + asks[what] <= room[what] * (1.0 + 1e-9))
}

/// How much of a node a pod asks for: the share of its cores and that of its memory, added.
pub fn share(room: &Amounts, asks: &Amounts) -> f64 {
    let limited = (0..2).filter(|what| room[*what].is_finite());
    limited.map(|what| asks[what] / room[what]).sum()
}

/// The sum of both.
pub fn plus(one: &Amounts, other: &Amounts) -> Amounts {
    [one[0] + other[0], one[1] + other[1]]
}

impl Placement {
    /// How good it is to have so much used of a node, in whole percent.
    fn score(self, room: &Amounts, used: &Amounts) -> u32 {
        let limited = (0..2).filter(|what| room[*what].is_finite());
        let percent = limited.map(|what| {
            let requested = (used[what] / room[what] * 100.0 + 1e-9) as u32;
            if self == Placement::LeastAllocated { 100_u32.saturating_sub(requested) } else { requested.min(100) }
        });
        let (sum, count) = percent.fold((0, 0), |(sum, count), percent| (sum + percent, count + 1));
        sum / count.max(1)
    }

    /// The node that a pod gets, of nodes with so much used, the oldest first; none if it fits nowhere.
    pub fn choose(
        self,
        room: &Amounts,
        nodes: impl Iterator<Item = (usize, Amounts)>,
        asks: &Amounts,
    ) -> Option<usize> {
        let mut best: Option<(u32, usize)> = None;
        for (number, used) in nodes.filter(|(_, used)| fits(room, used, asks)) {
            let score = self.score(room, &plus(&used, asks));
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, number));
            }
        }
        best.map(|(_, number)| number)
    }
}

/// Packs pods by first fit decreasing into nodes with so much used, and into at most so many new ones; returns how many new ones it took.
pub fn new_nodes(room: &Amounts, used: &[Amounts], pods: &[Amounts], most: u32) -> u32 {
    let mut sorted = pods.to_vec();
    // A stable sort: pods that are alike stay in their order.
    sorted.sort_by(|one, other| share(room, other).total_cmp(&share(room, one)));
    let mut nodes = used.to_vec();
    for pod in &sorted {
        match nodes.iter().position(|node| fits(room, node, pod)) {
            Some(number) => nodes[number] = plus(&nodes[number], pod),
            None if nodes.len() < used.len().saturating_add(most as usize) && fits(room, &[0.0; 2], pod) => {
                nodes.push(*pod)
            }
            None => {}
        }
    }
    (nodes.len() - used.len()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Amounts = [8.0, f64::INFINITY];

    fn cores(cores: &[f64]) -> Vec<Amounts> {
        cores.iter().map(|cores| [*cores, 0.0]).collect()
    }

    #[test]
    fn first_fit_decreasing_takes_the_large_ones_first() {
        // In this order first fit alone takes four nodes: 3+3, 5+3, 5, 5.
        assert_eq!(new_nodes(&ROOM, &[], &cores(&[3.0, 3.0, 5.0, 3.0, 5.0, 5.0]), 10), 3);
        assert_eq!(
            new_nodes(&ROOM, &cores(&[5.0]), &cores(&[3.0, 8.0]), 10),
            1,
            "three cores fit into what is on its way"
        );
        assert_eq!(new_nodes(&ROOM, &[], &cores(&[8.0; 5]), 2), 2, "no more than there may be");
        assert_eq!(new_nodes(&ROOM, &[], &cores(&[9.0]), 2), 0, "what fits on no node calls for none");
        let memory = [8.0, 32.0];
        assert_eq!(new_nodes(&memory, &[], &[[1.0, 20.0]; 3], 10), 3, "memory counts too");
        assert_eq!(new_nodes(&ROOM, &[], &cores(&[0.1; 80]), 10), 1, "a whole is a whole in spite of rounding");
    }

    #[test]
    fn the_scheduler_spreads_or_fills_up() {
        let nodes = || cores(&[4.0, 2.0, 7.5]).into_iter().enumerate();
        assert_eq!(Placement::LeastAllocated.choose(&ROOM, nodes(), &[1.0, 0.0]), Some(1));
        assert_eq!(Placement::MostAllocated.choose(&ROOM, nodes(), &[1.0, 0.0]), Some(0), "7.5 and 1 are too much");
        assert_eq!(Placement::MostAllocated.choose(&ROOM, nodes(), &[0.5, 0.0]), Some(2));
        assert_eq!(Placement::LeastAllocated.choose(&ROOM, nodes(), &[7.0, 0.0]), None);
        let alike = || cores(&[2.0, 2.0]).into_iter().enumerate();
        assert_eq!(Placement::LeastAllocated.choose(&ROOM, alike(), &[1.0, 0.0]), Some(0), "ties: the oldest");
        // With memory the score is the mean of both: 50 % and 25 % requested beat 62 % and 62 %.
        let room = [8.0, 32.0];
        let both = [[3.0, 7.0], [4.0, 19.0]].into_iter().enumerate();
        assert_eq!(Placement::LeastAllocated.choose(&room, both, &[1.0, 1.0]), Some(0));
    }
}
