//! The policies by name, as written in a model file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Balancer;
use super::bounded_load::{BoundedLoad, BoundedLoadSpec};
use super::join_idle_queue::JoinIdleQueue;
use super::least_in_flight::LeastInFlight;
use super::least_request::{LeastRequest, LeastRequestSpec};
use super::least_work_left::LeastWorkLeft;
use super::maglev::{Maglev, MaglevSpec};
use super::modulo::Modulo;
use super::peak_ewma::{PeakEwma, PeakEwmaSpec};
use super::power_of_choices::PowerOfChoices;
use super::prequal::{Prequal, PrequalSpec};
use super::random::Random;
use super::rendezvous::{Rendezvous, RendezvousSpec};
use super::ring_hash::{RingHash, RingHashSpec};
use super::round_robin::RoundRobin;
use super::shuffle_shard::ShuffleShard;
use super::skip_by_weight::SkipByWeight;
use super::sticky::{Sticky, StickySpec};
use super::subset::{Subset, SubsetSpec};
use super::weighted_least_in_flight::WeightedLeastInFlight;
use super::weighted_round_robin::WeightedRoundRobin;
use super::zone_aware::{ZoneAware, ZoneAwareSpec};

/// A balancing policy. One with parameters is written `{ power_of_choices: { choices: 2 } }`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Any instance with probability proportional to its weight.
    Random,
    /// One after the other, in order.
    #[default]
    RoundRobin,
    /// In proportion to the weights, evenly spread, as nginx does it.
    WeightedRoundRobin,
    /// A common mistake, as a warning: meant as a weighted round robin, it gives the heaviest instances least.
    SkipByWeight,
    /// The instance with the fewest calls sent and not answered; ties at random.
    LeastInFlight,
    /// The instance with the fewest calls in flight per weight; ties at random by weight.
    WeightedLeastInFlight,
    /// An instance that said it is idle; otherwise any at random.
    JoinIdleQueue,
    /// An oracle, as a bound: the instance that will be done first with what it has.
    LeastWorkLeft,
    /// Of d instances drawn at random, the one with the fewest calls in flight.
    PowerOfChoices(PowerOfChoices),
    /// Least request as in Envoy: with equal weights the power of two choices with replacement, else weighted by calls in
    /// flight.
    LeastRequest(LeastRequestSpec),
    /// Of two instances drawn at random, the one with the lower response time × calls in flight, as in Finagle.
    PeakEwma(PeakEwmaSpec),
    /// Probes of calls in flight and response time, as Google's Prequal.
    Prequal(PrequalSpec),
    /// Consistent hashing on a ring with virtual nodes.
    RingHash(RingHashSpec),
    /// Consistent hashing with a bound on every instance's calls in flight.
    BoundedLoad(BoundedLoadSpec),
    /// Consistent hashing by Google's Maglev table.
    Maglev(MaglevSpec),
    /// Rendezvous (highest random weight) hashing.
    Rendezvous(RendezvousSpec),
    /// The hash modulo the number of instances.
    Modulo(Modulo),
    /// A user stays with the instance of the first call.
    Sticky(StickySpec),
    /// Every balancer talks to some of the instances only.
    Subset(SubsetSpec),
    /// Every key has a few instances of its own.
    ShuffleShard(ShuffleShard),
    /// In the zone of the caller, as far as the load stays even.
    ZoneAware(ZoneAwareSpec),
}

impl Policy {
    /// Makes the policy. It must be told the members before its first choice.
    pub fn build(&self) -> Box<dyn Balancer> {
        match self {
            Policy::Random => Box::new(Random::default()),
            Policy::RoundRobin => Box::new(RoundRobin::default()),
            Policy::WeightedRoundRobin => Box::new(WeightedRoundRobin::default()),
            Policy::SkipByWeight => Box::new(SkipByWeight::default()),
            Policy::LeastInFlight => Box::new(LeastInFlight::default()),
            Policy::WeightedLeastInFlight => Box::new(WeightedLeastInFlight::default()),
            Policy::JoinIdleQueue => Box::new(JoinIdleQueue::default()),
            Policy::LeastWorkLeft => Box::new(LeastWorkLeft::default()),
            Policy::PowerOfChoices(spec) => Box::new(*spec),
            Policy::LeastRequest(spec) => Box::new(LeastRequest::new(*spec)),
            Policy::PeakEwma(spec) => Box::new(PeakEwma::new(*spec)),
            Policy::Prequal(spec) => Box::new(Prequal::new(*spec)),
            Policy::RingHash(spec) => Box::new(RingHash::new(*spec)),
            Policy::BoundedLoad(spec) => Box::new(BoundedLoad::new(*spec)),
            Policy::Maglev(spec) => Box::new(Maglev::new(*spec)),
            Policy::Rendezvous(spec) => Box::new(Rendezvous::new(*spec)),
            Policy::Modulo(spec) => Box::new(*spec),
            Policy::Sticky(spec) => Box::new(Sticky::new(spec)),
            Policy::Subset(spec) => Box::new(Subset::new(spec)),
            Policy::ShuffleShard(spec) => Box::new(*spec),
            Policy::ZoneAware(spec) => Box::new(ZoneAware::new(spec)),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// What is wrong with them, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Policy::PowerOfChoices(spec) if !(1..=16).contains(&spec.choices) => {
                Err("between 1 and 16 instances can be drawn".to_owned())
            }
            Policy::Maglev(spec) if !spec.is_prime() => {
                Err(format!("the size of the table must be prime; {} is not (65537 is)", spec.table))
            }
            Policy::Subset(spec) if spec.size == 0 => Err("a subset needs at least one instance".to_owned()),
            Policy::Sticky(StickySpec { first: then, .. })
            | Policy::Subset(SubsetSpec { then, .. })
            | Policy::ZoneAware(ZoneAwareSpec { then }) => then.check(),
            _ => Ok(()),
        }
    }

    /// What of a call the policy or one inside it looks at, beside what all do.
    pub fn needs_session(&self) -> bool {
        use super::By::Session;
        match self {
            Policy::Sticky(_) => true,
            Policy::RingHash(spec) => spec.by == Session,
            Policy::BoundedLoad(spec) => spec.by == Session,
            Policy::Maglev(spec) => spec.by == Session,
            Policy::Rendezvous(spec) => spec.by == Session,
            Policy::Modulo(spec) => spec.by == Session,
            Policy::ShuffleShard(spec) => spec.by == Session,
            Policy::Subset(spec) => spec.then.needs_session(),
            Policy::ZoneAware(spec) => spec.then.needs_session(),
            _ => false,
        }
    }
}
