//! Peak EWMA: of two instances drawn at random the one with the lower cost, its response time times its calls in flight.
//!
//! The response time is an exponentially weighted moving average that jumps up to a higher observation at once and comes
//! down slowly; without observations it decays. Cost = average × (in flight + 1). An instance that was never heard of
//! and has calls in flight costs a very large penalty.
//!
//! Source: Finagle, `com.twitter.finagle.loadbalancer.PeakEwma` (decay 10 s), also in tower and linkerd. Ties: the first
//! drawn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, Reply, View};
use crate::engine::random::below;
use crate::engine::{Nanos, Stream};
use crate::quantity::Duration;

/// The cost of an unknown instance with calls in flight, as in Finagle.
const PENALTY: f64 = (i64::MAX >> 16) as f64;

/// Parameters of peak EWMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakEwmaSpec {
    /// How long an observation counts: after this time it has lost 63 % of its weight. 10s if left out.
    #[serde(default = "ten_seconds")]
    pub decay: Duration,
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

/// The average of one instance.
#[derive(Debug, Clone, Copy, Default)]
struct Average {
    stamp: Nanos,
    cost: f64,
}

impl Average {
    fn observe(&mut self, now: Nanos, latency: f64, decay: f64) {
        let weight = libm::exp(-(now.saturating_sub(self.stamp) as f64) / decay);
        self.cost = if latency > self.cost { latency } else { self.cost * weight + latency * (1.0 - weight) };
        self.stamp = now;
    }
}

/// The policy. State: an average per instance.
#[derive(Debug)]
pub struct PeakEwma {
    decay: f64,
    averages: Vec<Average>,
}

impl PeakEwma {
    /// The policy with these parameters.
    pub fn new(spec: PeakEwmaSpec) -> Self {
        PeakEwma { decay: (spec.decay.as_nanos() as f64).max(1.0), averages: Vec::new() }
    }

    fn cost(&mut self, instance: u32, now: Nanos, in_flight: u32) -> f64 {
        let average = &mut self.averages[instance as usize];
        average.observe(now, 0.0, self.decay);
        let in_flight = f64::from(in_flight);
        if average.cost == 0.0 && in_flight > 0.0 { PENALTY + in_flight } else { average.cost * (in_flight + 1.0) }
    }
}

impl Balancer for PeakEwma {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let n = eligible.len() as u64;
        if n == 1 {
            return eligible[0];
        }
        let one = below(random, n);
        let other = (one + 1 + below(random, n - 1)) % n;
        let (one, other) = (eligible[one as usize], eligible[other as usize]);
        let costs = [one, other].map(|instance| self.cost(instance, call.now, view.in_flight[instance as usize]));
        if costs[1] < costs[0] { other } else { one }
    }

    fn members(&mut self, members: &Members) {
        self.averages.resize(members.instances(), Average::default());
    }

    fn watches(&self) -> bool {
        true
    }

    fn answered(&mut self, reply: &Reply) {
        self.averages[reply.instance as usize].observe(reply.now, reply.latency as f64, self.decay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_counts_at_once_and_fades() {
        let mut average = Average::default();
        average.observe(0, 10.0, 1000.0);
        average.observe(0, 50.0, 1000.0);
        assert_eq!(average.cost, 50.0);
        average.observe(1000, 10.0, 1000.0);
        let expected = 10.0 + 40.0 * libm::exp(-1.0);
        assert!((average.cost - expected).abs() < 1e-12, "{}", average.cost);
    }

    #[test]
    fn the_slow_one_of_two_is_avoided_until_its_cost_is_lower() {
        let members = Members::alike("a", 2);
        let mut policy = PeakEwma::new(PeakEwmaSpec { decay: ten_seconds() });
        policy.members(&members);
        policy.answered(&Reply { now: 0, instance: 0, latency: 100, success: true, present: 1 });
        policy.answered(&Reply { now: 0, instance: 1, latency: 1000, success: true, present: 1 });
        let mut random = Stream::new(0);
        let mut choose = |in_flight: [u32; 2]| {
            policy.choose(
                &Call::at(0),
                &View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None },
                &mut random,
            )
        };
        assert_eq!((choose([0, 0]), choose([8, 0]), choose([10, 0])), (0, 0, 1));
    }
}
