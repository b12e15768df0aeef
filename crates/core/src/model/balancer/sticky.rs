//! Sticky sessions: a user stays with the instance of the first call, as with a cookie; if that may no longer be chosen, another
//! one is chosen and stays. What the old instance knew of the user is lost then.
//!
//! New users are placed by another policy. Source: the session cookies of HAProxy (`cookie insert`) and of cloud
//! balancers. A call without a session is placed by the other policy and not remembered. O(log users).
//!
//! The same is a connection that stays open. With `reconnect` it ends at that age, give or take 10 %, and the user's next call is
//! placed anew; source: gRPC's `MAX_CONNECTION_AGE`, whose jitter spreads out the storm of connections that
//! were made together. A call in flight is not disturbed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, Policy, Reply, View};
use crate::engine::random::unit;
use crate::engine::time::round;
use crate::engine::{Nanos, Stream};
use crate::model::frame::NONE;
use crate::quantity::Duration;

/// Parameters of sticky sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StickySpec {
    /// The policy that places a user's first call; `round_robin` if left out.
    #[serde(default)]
    pub first: Box<Policy>,
    /// How old a user's connection gets, give or take 10 %, until the next call is placed anew; it stays for ever if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<Duration>,
}

/// How much the age of connections scatters to either side.
const JITTER: f64 = 0.1;

/// Where a user belongs.
#[derive(Debug, Clone, Copy)]
struct Home {
    instance: u32,
    /// Until when [ns].
    until: Nanos,
}

/// The policy. State: where each user belongs.
#[derive(Debug)]
pub struct Sticky {
    first: Box<dyn Balancer>,
    reconnect: Option<Duration>,
    homes: BTreeMap<u32, Home>,
    eligible: Vec<bool>,
}

impl Sticky {
    /// The policy with these parameters.
    pub fn new(spec: &StickySpec) -> Self {
        Sticky { first: spec.first.build(), reconnect: spec.reconnect, homes: BTreeMap::new(), eligible: Vec::new() }
    }
}

impl Balancer for Sticky {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        if call.session == NONE {
            return self.first.choose(call, view, random);
        }
        let home = self.homes.get(&call.session).copied();
        if let Some(home) = home
            && self.eligible[home.instance as usize]
            && call.now < home.until
        {
            return home.instance;
        }
        let instance = self.first.choose(call, view, random);
        let until = self.reconnect.map_or(Nanos::MAX, |age| {
            let share = 1.0 + JITTER * (2.0 * unit(random) - 1.0);
            call.now.saturating_add(round(age.as_nanos() as f64 * share))
        });
        self.homes.insert(call.session, Home { instance, until });
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
        let mut policy = Sticky::new(&StickySpec { first: Box::default(), reconnect: None });
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

    #[test]
    fn connections_end_at_their_age_give_or_take_a_tenth() {
        let members = Members::alike("a", 2);
        let mut policy =
            Sticky::new(&StickySpec { first: Box::default(), reconnect: Some(Duration::from_nanos(1000)) });
        policy.members(&members);
        let mut random = Stream::new(1);
        let view = View { members: &members, in_flight: &[0; 2], present: &[0; 2], latencies: None };
        let mut choose = |now| policy.choose(&Call { session: 5, ..Call::at(now) }, &view, &mut random);
        // In turn: a new connection is at the other instance.
        assert_eq!([0, 899, 1101, 1999, 2202].map(&mut choose), [0, 0, 1, 1, 0]);
    }
}
