//! Shuffle sharding: every key has a few instances of its own, drawn by its hash; of these the one with the fewest calls in
//! flight gets the call, the first drawn of equals. A key that breaks its instances breaks few others' all: with n instances and shards
//! of k two keys share a whole shard with probability 1/C(n, k).
//!
//! Source: C. MacCárthaigh, "Workload isolation using shuffle-sharding", Amazon Builders' Library (2019). A call without
//! a key goes anywhere at random. O(k²).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::power_of_choices::PowerOfChoices;
use super::{Balancer, By, Call, View};
use crate::engine::Stream;
use crate::engine::hash::Hash;
use crate::engine::random::below;

/// Parameters of shuffle sharding; the policy has no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShuffleShard {
    /// How many instances a key has; 2 if left out.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 16))]
    pub size: u32,
    /// What of a call has a shard; its `key` if left out.
    #[serde(default)]
    pub by: By,
}

fn two() -> u32 {
    2
}

impl Balancer for ShuffleShard {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        match call.by(self.by) {
            // The draws of a key are always the same: a shard is what the power of d choices draws from the key's own stream.
            Some(key) => {
                let mut own = Stream::new(Hash::Xxhash.of_number(key));
                PowerOfChoices { choices: self.size, replacement: false }.choose(call, view, &mut own)
            }
            None => eligible[below(random, eligible.len() as u64) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Members;
    use super::*;

    #[test]
    fn a_key_stays_within_its_shard_and_avoids_the_busy_one() {
        let members = Members::alike("a", 8);
        let (mut policy, mut random) = (ShuffleShard { size: 2, by: By::Key }, Stream::new(1));
        let mut seen = std::collections::BTreeSet::new();
        let mut in_flight = [0u32; 8];
        for _ in 0..100 {
            let view = View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None };
            let instance = policy.choose(&Call { key: 3, ..Call::at(0) }, &view, &mut random);
            in_flight[instance as usize] += 1;
            seen.insert(instance);
        }
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|instance| in_flight[*instance as usize] == 50), "{in_flight:?}");
    }
}
