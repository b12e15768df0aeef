//! Subsets (aperture): every balancer only talks to some of the instances, and another policy chooses among those.
//!
//! Fewer connections, but the less even the fewer calls a balancer sees. With several balancers the subsets are dealt so that
//! every instance is in equally many (±1) of them. Source: Google, Site Reliability Engineering (2016), chapter 20,
//! "A Subset Selection Algorithm: Deterministic Subsetting"; the aperture of Finagle and linkerd.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, Policy, Reply, View};
use crate::engine::random::below;
use crate::engine::{Nanos, Stream};

/// Parameters of subsets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubsetSpec {
    /// How many instances each balancer talks to.
    #[schemars(range(min = 1, max = 100_000))]
    pub size: u32,
    /// The policy that chooses among them; `round_robin` if left out.
    #[serde(default)]
    pub then: Box<Policy>,
}

/// The policy. State: the own subset.
#[derive(Debug)]
pub struct Subset {
    size: usize,
    then: Box<dyn Balancer>,
    /// The instances with only the own subset eligible.
    own: Members,
}

impl Subset {
    /// The policy with these parameters.
    pub fn new(spec: &SubsetSpec) -> Self {
        Subset { size: spec.size as usize, then: spec.then.build(), own: Members::alike("", 0) }
    }
}

/// The subset of one balancer: balancers are taken in rounds of as many as have disjoint subsets; each round deals the instances
/// in an order of its own.
fn subset(eligible: &[u32], balancer: u32, size: usize) -> Vec<u32> {
    let subsets = (eligible.len() / size).max(1) as u32;
    let mut order = eligible.to_vec();
    let mut random = Stream::new(u64::from(balancer / subsets));
    for last in (1..order.len()).rev() {
        order.swap(last, below(&mut random, last as u64 + 1) as usize);
    }
    let start = (balancer % subsets) as usize * size;
    let mut chosen = order[start..(start + size).min(order.len())].to_vec();
    chosen.sort_unstable();
    chosen
}

impl Balancer for Subset {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        self.then.choose(
            call,
            &View { members: &self.own, in_flight: view.in_flight, present: view.present, latencies: view.latencies },
            random,
        )
    }

    fn members(&mut self, members: &Members) {
        self.own = members.clone();
        if members.eligible.len() > self.size {
            self.own.eligible = subset(&members.eligible, members.balancer[0], self.size);
        }
        self.then.members(&self.own);
    }

    fn watches(&self) -> bool {
        self.then.watches()
    }

    fn probes(&self) -> bool {
        self.then.probes()
    }

    fn foresees(&self) -> bool {
        self.then.foresees()
    }

    fn changed(&mut self, instance: u32, in_flight: u32, now: Nanos) {
        self.then.changed(instance, in_flight, now);
    }

    fn answered(&mut self, reply: &Reply) {
        self.then.answered(reply);
    }

    fn idle(&mut self, instance: u32) {
        self.then.idle(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_is_in_equally_many_subsets() {
        let eligible: Vec<u32> = (0..12).collect();
        let mut count = [0; 12];
        for balancer in 0..30 {
            let chosen = subset(&eligible, balancer, 4);
            assert_eq!(chosen.len(), 4);
            chosen.iter().for_each(|instance| count[*instance as usize] += 1);
        }
        assert_eq!(count, [10; 12]);
    }
}
