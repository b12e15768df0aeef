//! Sticky sessions: a user stays with the instance of the first call, as with a cookie; if that may no longer be chosen, another
//! one is chosen and stays. What the old instance knew of the user is lost then.
//!
//! New users are placed by another policy. Source: the session cookies of HAProxy (`cookie insert`) and of cloud
//! balancers. A call without a session is placed by the other policy and not remembered. O(log users).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, Policy, Reply, View};
use crate::engine::{Nanos, Stream};
use crate::model::frame::NONE;

/// Parameters of sticky sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StickySpec {
    /// The policy that places a user's first call; `round_robin` if left out.
    #[serde(default)]
    pub first: Box<Policy>,
}

/// The policy. State: where each user belongs.
#[derive(Debug)]
pub struct Sticky {
    first: Box<dyn Balancer>,
    homes: BTreeMap<u32, u32>,
    eligible: Vec<bool>,
}

impl Sticky {
    /// The policy with these parameters.
    pub fn new(spec: &StickySpec) -> Self {
        Sticky { first: spec.first.build(), homes: BTreeMap::new(), eligible: Vec::new() }
    }
}

impl Balancer for Sticky {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        if call.session == NONE {
            return self.first.choose(call, view, random);
        }
        let home = self.homes.get(&call.session).copied();
        if let Some(home) = home
            && self.eligible[home as usize]
        {
            return home;
        }
        let instance = self.first.choose(call, view, random);
        self.homes.insert(call.session, instance);
        instance
    }

    fn members(&mut self, members: &Members) {
        self.eligible = vec![false; members.instances()];
        members.eligible.iter().for_each(|instance| self.eligible[*instance as usize] = true);
        self.first.members(members);
    }

    fn watches(&self) -> bool {
        self.first.watches()
    }

    fn probes(&self) -> bool {
        self.first.probes()
    }

    fn foresees(&self) -> bool {
        self.first.foresees()
    }

    fn changed(&mut self, instance: u32, in_flight: u32, now: Nanos) {
        self.first.changed(instance, in_flight, now);
    }

    fn answered(&mut self, reply: &Reply) {
        self.first.answered(reply);
    }

    fn idle(&mut self, instance: u32) {
        self.first.idle(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_stay_until_their_instance_goes() {
        let mut members = Members::alike("a", 3);
        let mut policy = Sticky::new(&StickySpec { first: Box::default() });
        policy.members(&members);
        let mut random = Stream::new(1);
        let mut choose = |policy: &mut Sticky, members: &Members, session| {
            policy.choose(
                &Call { session, ..Call::at(0) },
                &View { members, in_flight: &[0; 3], present: &[0; 3], latencies: None },
                &mut random,
            )
        };
        let homes: Vec<u32> = [10, 11, 12, 10, 12].map(|user| choose(&mut policy, &members, user)).to_vec();
        assert_eq!(homes, [0, 1, 2, 0, 2]);
        members.eligible = vec![1, 2];
        policy.members(&members);
        let other = choose(&mut policy, &members, 10);
        assert_ne!(other, 0);
        members.eligible = vec![0, 1, 2];
        policy.members(&members);
        assert_eq!(choose(&mut policy, &members, 10), other, "a user does not go back");
    }
}
