//! Consistent hashing with bounded loads: as ring hash, but an instance that has its fair share of the calls in flight times a
//! factor is passed over, and the call goes to the next on the ring that has room.
//!
//! The bound on calls in flight with m in flight (this one included) and n instances: ⌈factor · m / n⌉. So a hot key cannot
//! drown its instance; it spills over, always in the same order.
//!
//! Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018; in HAProxy
//! (`hash-balance-factor`) and Envoy. Weights count as points on the ring. A call without a key goes anywhere at random.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ring::Ring;
use super::{Balancer, By, Call, Members, View};
use crate::engine::hash::Hash;
use crate::engine::random::below;
use crate::engine::{Nanos, Stream};

/// Parameters of bounded loads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundedLoadSpec {
    /// How much more than its fair share an instance may have in flight; 1.25 if left out, a quarter more.
    #[serde(default = "quarter_more")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub factor: f64,
    /// What of a call is hashed; its `key` if left out.
    #[serde(default)]
    pub by: By,
    /// How many points each instance has on the ring; 100 if left out.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 10_000))]
    pub virtual_nodes: u32,
    /// The hash function; `xxhash` if left out.
    #[serde(default)]
    pub hash: Hash,
}

fn quarter_more() -> f64 {
    1.25
}

fn hundred() -> u32 {
    100
}

/// The policy. State: the ring, and how many calls are in flight at eligible instances.
#[derive(Debug)]
pub struct BoundedLoad {
    spec: BoundedLoadSpec,
    ring: Ring,
    count: Vec<u32>,
    eligible: Vec<bool>,
    total: u64,
}

impl BoundedLoad {
    /// The policy with these parameters.
    pub fn new(spec: BoundedLoadSpec) -> Self {
        BoundedLoad { spec, ring: Ring::default(), count: Vec::new(), eligible: Vec::new(), total: 0 }
    }

    /// The most calls that an instance may have in flight, the next one included.
    fn bound(&self, instances: usize) -> u32 {
        (self.spec.factor * (self.total + 1) as f64 / instances as f64).ceil() as u32
    }
}

impl Balancer for BoundedLoad {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let Some(key) = call.by(self.spec.by) else {
            return eligible[below(random, eligible.len() as u64) as usize];
        };
        let bound = self.bound(eligible.len());
        let point = self.spec.hash.of_number(key);
        let has_room = |instance: &u32| self.count[*instance as usize] < bound;
        self.ring.from(point).find(has_room).unwrap_or_else(|| self.ring.owner(point))
    }

    fn members(&mut self, members: &Members) {
        self.ring = Ring::new(members, self.spec.virtual_nodes, self.spec.hash);
        self.count.resize(members.instances(), 0);
        self.eligible = vec![false; members.instances()];
        members.eligible.iter().for_each(|instance| self.eligible[*instance as usize] = true);
        self.total = members.eligible.iter().map(|instance| u64::from(self.count[*instance as usize])).sum();
    }

    fn watches(&self) -> bool {
        true
    }

    fn changed(&mut self, instance: u32, in_flight: u32, _now: Nanos) {
        let count = std::mem::replace(&mut self.count[instance as usize], in_flight);
        if self.eligible[instance as usize] {
            self.total = self.total + u64::from(in_flight) - u64::from(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instance_has_more_than_its_bound_even_if_all_calls_have_one_key() {
        // m = 1000, n = 10: at most 125 with a factor of 1.25 and 110 with 1.1.
        for (factor, most) in [(1.25, 125), (1.1, 110)] {
            let members = Members::alike("a", 10);
            let spec = BoundedLoadSpec { factor, by: By::Key, virtual_nodes: 100, hash: Hash::Xxhash };
            let mut policy = BoundedLoad::new(spec);
            policy.members(&members);
            let (mut in_flight, mut random) = ([0u32; 10], Stream::new(1));
            for _ in 0..1000 {
                let view = View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None };
                let instance = policy.choose(&Call { key: 7, ..Call::at(0) }, &view, &mut random);
                in_flight[instance as usize] += 1;
                policy.changed(instance, in_flight[instance as usize], 0);
            }
            assert_eq!(in_flight.iter().sum::<u32>(), 1000);
            assert_eq!(in_flight.iter().max(), Some(&most), "{in_flight:?}");
        }
    }
}
