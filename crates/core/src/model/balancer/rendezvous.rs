//! Rendezvous hashing: every instance draws a lot for the key, the highest wins. When one comes or goes, only its own keys move.
//! A call without a key goes anywhere at random. O(n).
//!
//! Source: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 6 (1998); weights by
//! the logarithmic method of J. Resch (2015): the highest −weight ÷ ln(lot). Ties: the lower instance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, By, Call, Members, View};
use crate::engine::Stream;
use crate::engine::hash::Hash;
use crate::engine::random::{below, key as mixed};

/// Parameters of rendezvous hashing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RendezvousSpec {
    /// What of a call is hashed; its `key` if left out.
    #[serde(default)]
    pub by: By,
    /// The hash function of keys and names, whose values are mixed to a lot; `xxhash` if left out.
    #[serde(default)]
    pub hash: Hash,
}

/// The policy. State: the hashes of the instances' names.
#[derive(Debug)]
pub struct Rendezvous {
    spec: RendezvousSpec,
    names: Vec<u64>,
    weighted: bool,
}

impl Rendezvous {
    /// The policy with these parameters.
    pub fn new(spec: RendezvousSpec) -> Self {
        Rendezvous { spec, names: Vec::new(), weighted: false }
    }
}

impl Balancer for Rendezvous {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let Some(key) = call.by(self.spec.by) else {
            return eligible[below(random, eligible.len() as u64) as usize];
        };
        let key = self.spec.hash.of_number(key);
        let (mut best, mut highest) = (eligible[0], f64::NEG_INFINITY);
        for &instance in eligible {
            let lot = (mixed(key, self.names[instance as usize]) >> 11) as f64 + 0.5;
            let score = if self.weighted {
                -view.members.weights[instance as usize] / libm::log(lot / (1u64 << 53) as f64)
            } else {
                lot
            };
            if score > highest {
                (best, highest) = (instance, score);
            }
        }
        best
    }

    fn members(&mut self, members: &Members) {
        self.weighted = !members.equal_weights();
        if self.names.len() != members.instances() {
            let name = |instance| self.spec.hash.of(members.name_of(instance).as_bytes(), 0);
            self.names = (0..members.instances() as u32).map(name).collect();
        }
    }
}
