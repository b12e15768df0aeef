//! Balancing policies: which instance gets the next call.
//!
//! One file per policy. A policy sees what a real balancer sees: how many of its calls each instance has not answered.
//! It draws from a stream of its own.
//!
//! Invariant: the chosen index is below the number of instances. Ties are decided as the policy's file says.

mod least_in_flight;
mod random;
mod round_robin;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Stream;

/// What a balancer sees of the instances.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Calls sent and not answered.
    pub in_flight: &'a [u32],
    /// Whether they run.
    pub up: &'a [bool],
    /// Whether all of them do.
    pub all_up: bool,
}

/// Chooses instances for calls.
pub trait Balancer: std::fmt::Debug {
    /// The instance for the next call, one of those that are up; there is one.
    fn choose(&mut self, view: View<'_>, random: &mut Stream) -> usize;

    /// Whether the policy wants to be told of every change ([`Balancer::changed`]); asked once.
    fn watches(&self) -> bool {
        false
    }

    /// Takes note that an instance's calls in flight changed by one, to `in_flight`.
    fn changed(&mut self, _instance: usize, _in_flight: u32) {}
}

/// A balancing policy, as written in a model file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Any instance with equal probability.
    Random,
    /// One after the other, in order.
    #[default]
    RoundRobin,
    /// The instance with the fewest calls sent and not answered; ties at random.
    LeastInFlight,
}

impl Policy {
    /// All policies.
    pub const ALL: [Policy; 3] = [Policy::Random, Policy::RoundRobin, Policy::LeastInFlight];

    /// Makes the policy for so many instances.
    pub fn build(self, instances: usize) -> Box<dyn Balancer> {
        match self {
            Policy::Random => Box::new(random::Random),
            Policy::RoundRobin => Box::new(round_robin::RoundRobin::default()),
            Policy::LeastInFlight => Box::new(least_in_flight::LeastInFlight::new(instances)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::below;

    /// Plays random calls and answers against a policy; returns how often each instance was chosen.
    fn play(policy: Policy, instances: usize, steps: u32) -> Vec<u32> {
        let mut balancer = policy.build(instances);
        let (mut random, mut own) = (Stream::new(1), Stream::new(2));
        let (mut in_flight, up) = (vec![0; instances], vec![true; instances]);
        let mut chosen = vec![0; instances];
        for _ in 0..steps {
            let busy: Vec<usize> = (0..instances).filter(|&instance| in_flight[instance] > 0).collect();
            if below(&mut random, 2) == 0 && !busy.is_empty() {
                let instance = busy[below(&mut random, busy.len() as u64) as usize];
                in_flight[instance] -= 1;
                balancer.changed(instance, in_flight[instance]);
            } else {
                let view = View { in_flight: &in_flight, up: &up, all_up: true };
                let instance = balancer.choose(view, &mut own);
                if policy == Policy::LeastInFlight {
                    assert_eq!(in_flight[instance], *in_flight.iter().min().unwrap());
                }
                chosen[instance] += 1;
                in_flight[instance] += 1;
                balancer.changed(instance, in_flight[instance]);
            }
        }
        chosen
    }

    #[test]
    fn every_policy_stays_in_range_is_fair_among_equals_and_is_deterministic() {
        for policy in Policy::ALL {
            for instances in [1, 2, 7, 64] {
                let chosen = play(policy, instances, 20_000);
                let (least, most) = (chosen.iter().min().unwrap(), chosen.iter().max().unwrap());
                // About 10 000 choices; 64 instances get 156 each, with a standard deviation of 12.5 at random.
                assert!(*least as f64 > 0.6 * *most as f64, "{policy:?} {chosen:?}");
                assert_eq!(chosen, play(policy, instances, 20_000), "{policy:?}");
            }
        }
    }
}
