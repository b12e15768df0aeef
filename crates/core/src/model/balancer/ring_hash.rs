//! Ring hash: consistent hashing with virtual nodes. A key goes to the same instance while the instances stay the same; when
//! one of n + 1 comes or goes, 1/(n + 1) of the keys move. A call without a key goes anywhere at random. O(log(n·v)).
//!
//! Source: D. Karger et al., STOC 1997; see [`super::ring`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ring::Ring;
use super::{Balancer, By, Call, Members, View};
use crate::engine::Stream;
use crate::engine::hash::Hash;
use crate::engine::random::below;

/// Parameters of the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RingHashSpec {
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

fn hundred() -> u32 {
    100
}

/// The policy. State: the ring of the eligible instances.
#[derive(Debug)]
pub struct RingHash {
    spec: RingHashSpec,
    ring: Ring,
}

impl RingHash {
    /// The policy with these parameters.
    pub fn new(spec: RingHashSpec) -> Self {
        RingHash { spec, ring: Ring::default() }
    }
}

impl Balancer for RingHash {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        match call.by(self.spec.by) {
            Some(key) => self.ring.owner(self.spec.hash.of_number(key)),
            None => eligible[below(random, eligible.len() as u64) as usize],
        }
    }

    fn members(&mut self, members: &Members) {
        self.ring = Ring::new(members, self.spec.virtual_nodes, self.spec.hash);
    }
}
