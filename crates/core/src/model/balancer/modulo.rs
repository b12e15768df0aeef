//! Modulo: instance number hash(key) mod n of the eligible ones. When n becomes n + 1, n/(n + 1) of the keys move. A call
//! without a key goes anywhere at random. O(1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, By, Call, View};
use crate::engine::Stream;
use crate::engine::hash::Hash;
use crate::engine::random::below;

/// Parameters of hashing by remainder; the policy has no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modulo {
    /// What of a call is hashed; its `key` if left out.
    #[serde(default)]
    pub by: By,
    /// The hash function; `xxhash` if left out.
    #[serde(default)]
    pub hash: Hash,
}

impl Balancer for Modulo {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let n = eligible.len() as u64;
        let place = match call.by(self.by) {
            Some(key) => self.hash.modulo(self.hash.of_number(key), n),
            None => below(random, n),
        };
        eligible[place as usize]
    }
}
