//! Balancing policies: which instance gets the next call.
//!
//! One file per policy. A policy sees what a real balancer sees: the call (its key, its session, the zone of its
//! caller), the instances that may be chosen with their weights and zones, how many of its own calls each of them has
//! not answered, and each answer with its response time. It draws from a stream of its own. A policy that is given more
//! than that is called an oracle in its file.
//!
//! Invariants: the chosen instance is one of [`Members::eligible`], which is never empty when a policy is asked; equal
//! questions with equal streams have equal answers. Ties are decided as the policy's file says.

mod bounded_load;
mod join_idle_queue;
mod least_in_flight;
mod least_request;
mod least_work_left;
mod maglev;
mod modulo;
mod peak_ewma;
mod policy;
mod power_of_choices;
mod prequal;
mod random;
mod rendezvous;
mod ring;
mod ring_hash;
mod round_robin;
mod shuffle_shard;
mod skip_by_weight;
mod sticky;
mod subset;
mod tournament;
mod weighted_least_in_flight;
mod weighted_round_robin;
mod zone_aware;

#[cfg(test)]
mod tests;

pub use policy::Policy;
pub use round_robin::RoundRobin;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Nanos, Stream};
use crate::model::balancing::latencies::Latencies;
use crate::model::frame::NONE;

/// What a balancer knows of a call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// When it is made [ns].
    pub now: Nanos,
    /// The data key it is about; [`NONE`] if it has none.
    pub key: u32,
    /// Whose it is: the user's number; [`NONE`] if it belongs to no session.
    pub session: u32,
    /// The zone of the caller.
    pub zone: u16,
    /// All work that it will be at the instance [ns]; only for policies that foresee ([`Balancer::foresees`]).
    pub work: Nanos,
}

impl Call {
    /// A call at an instant, about nothing in particular.
    pub fn at(now: Nanos) -> Self {
        Call { now, key: NONE, session: NONE, zone: 0, work: 0 }
    }

    /// What the call is placed by; `None` if it does not have it.
    pub fn by(&self, by: By) -> Option<u32> {
        let value = match by {
            By::Key => self.key,
            By::Session => self.session,
        };
        (value != NONE).then_some(value)
    }
}

/// What of a call decides where it goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The data key of the request (`keys` of the client).
    #[default]
    Key,
    /// The user whose request it is.
    Session,
}

/// What a balancer knows of the instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Members {
    /// The name of the service; `name-7` is its instance 7 in hashes.
    pub name: String,
    /// The instances that may be chosen, ascending.
    pub eligible: Vec<u32>,
    /// Per instance: its share of the calls relative to the others. Greater than 0.
    pub weights: Vec<f64>,
    /// Per instance: its zone.
    pub zones: Vec<u16>,
    /// Per instance: how much it can do at once (workers or cores); for oracles.
    pub capacity: Vec<f64>,
    /// Per instance: how fast it does it, 1 being the fastest; for oracles.
    pub speeds: Vec<f64>,
    /// Which of the service's balancers this is, and of how many.
    pub balancer: [u32; 2],
}

impl Members {
    /// So many instances that are alike, all eligible.
    pub fn alike(name: &str, instances: usize) -> Self {
        Members {
            name: name.to_owned(),
            eligible: (0..instances as u32).collect(),
            weights: vec![1.0; instances],
            zones: vec![0; instances],
            capacity: vec![1.0; instances],
            speeds: vec![1.0; instances],
            balancer: [0, 1],
        }
    }

    /// How many instances there are, eligible or not.
    pub fn instances(&self) -> usize {
        self.weights.len()
    }

    /// The name of an instance in hashes.
    pub fn name_of(&self, instance: u32) -> String {
        format!("{}-{instance}", self.name)
    }

    /// Whether all eligible instances have the same weight.
    pub fn equal_weights(&self) -> bool {
        let mut weights = self.eligible.iter().map(|instance| self.weights[*instance as usize]);
        let first = weights.next();
        weights.all(|weight| Some(weight) == first)
    }
}

/// What a policy looks at when it chooses.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The instances.
    pub members: &'a Members,
    /// Per instance: calls sent and not answered, as this balancer knows them.
    pub in_flight: &'a [u32],
    /// Per instance: calls of all balancers that it has; only for probes, which ask the instance itself.
    pub present: &'a [u32],
    /// What the instances know of their response times; only for probes ([`Balancer::probes`]).
    pub latencies: Option<&'a Latencies>,
}

/// An answer that came back.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// When [ns].
    pub now: Nanos,
    /// From which instance.
    pub instance: u32,
    /// How long after the call [ns].
    pub latency: Nanos,
    /// Whether it was a success.
    pub success: bool,
    /// How many calls of all balancers the instance had then, this one included; it may say so in its answer.
    pub present: u32,
}

/// Chooses instances for calls.
pub trait Balancer: std::fmt::Debug {
    /// The instance for the next call; one of the eligible.
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32;

    /// Takes note of other eligible instances, weights or zones; also told once before the first choice.
    fn members(&mut self, _members: &Members) {}

    /// Whether the policy wants to be told of calls in flight and of answers; asked once.
    fn watches(&self) -> bool {
        false
    }

    /// Whether the policy wants to know the work of a call before it is done; asked once. Such a policy is an oracle.
    fn foresees(&self) -> bool {
        false
    }

    /// Whether the policy asks instances for their response times ([`View::latencies`]); asked once.
    fn probes(&self) -> bool {
        false
    }

    /// Takes note that the calls in flight at an instance are now `in_flight`, as far as this balancer knows.
    fn changed(&mut self, _instance: u32, _in_flight: u32, _now: Nanos) {}

    /// Takes note of an answer; [`Balancer::changed`] follows.
    fn answered(&mut self, _reply: &Reply) {}

    /// An instance that has become idle says so to this balancer.
    fn idle(&mut self, _instance: u32) {}
}
