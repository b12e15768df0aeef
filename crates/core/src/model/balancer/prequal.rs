//! Prequal: probes ask random instances for their calls in flight and their present response time; of those with few calls
//! the fastest is chosen.
//!
//! Per call a few instances are probed; their answers go into a small pool and are used by later calls. A probe is *hot* if its
//! calls in flight exceed a quantile of those in the pool. Choice (hot–cold lexicographic): if some are cold, the cold one
//! with the lowest response time, otherwise the one with the fewest calls; ties: fewer calls, then the oldest probe. The chosen
//! probe counts one call more. A newer probe of an instance takes the place of an older one. A probe is dropped when it is too
//! old, when it was used often enough, and one per call, in turn the oldest and the worst. With fewer than two probes the choice is
//! random.
//!
//! The instance itself keeps the response times, each under the number of calls that it found, and tells the median at the
//! present number ([`Latencies`](crate::model::balancing::latencies::Latencies)).
//!
//! Promise: equal instances that answer alike get equal shares. Where response times scatter, chance decides for a while
//! who is thought the fastest, and at low load that one gets more than its share.
//!
//! Source: B. Wydrowski et al., "Load is not what you should balance: introducing Prequal", NSDI 2024, sections 4 and 5, with
//! its baseline parameters. Own simplifications: a probe takes no time, but serves later calls only; where the pool could hold
//! all instances, probes are not dropped but replaced; the quantile of calls in flight is taken over the pool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, View};
use crate::engine::random::{below, unit};
use crate::engine::{Nanos, Stream};
use crate::quantity::{Duration, Share};

/// The most probes in a pool.
const MOST: usize = 64;
/// δ of the reuse budget.
const DELTA: f64 = 1.0;

/// Parameters of Prequal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrequalSpec {
    /// Probes per call; 3 if left out. A fraction is a probability.
    #[serde(default = "three")]
    #[schemars(range(min = 0.1, max = 16.0))]
    pub probes: f64,
    /// The most probes that are kept; 16 if left out.
    #[serde(default = "sixteen")]
    #[schemars(range(min = 2, max = 64))]
    pub pool: u32,
    /// The quantile of the calls in flight above which an instance is hot; 84% if left out.
    #[serde(default = "quantile")]
    pub hot: Share,
    /// How long a probe may be used; 1s if left out.
    #[serde(default = "second")]
    pub age: Duration,
}

fn three() -> f64 {
    3.0
}

fn sixteen() -> u32 {
    16
}

fn quantile() -> Share {
    Share::from_fraction(0.84).unwrap_or_default()
}

fn second() -> Duration {
    Duration::from_nanos(1_000_000_000)
}

/// What an instance told.
#[derive(Debug, Clone, Copy)]
struct Probe {
    instance: u32,
    in_flight: u32,
    latency: Nanos,
    at: Nanos,
    uses: u32,
}

/// The policy. State: the pool of probes, oldest first.
#[derive(Debug)]
pub struct Prequal {
    spec: PrequalSpec,
    pool: Vec<Probe>,
    eligible: Vec<bool>,
    /// Whether the worst rather than the oldest is dropped next.
    worst_next: bool,
}

impl Prequal {
    /// The policy with these parameters.
    pub fn new(spec: PrequalSpec) -> Self {
        let pool = Vec::with_capacity(MOST);
        Prequal { spec, pool, eligible: Vec::new(), worst_next: false }
    }

    /// The calls in flight above which a probe is hot.
    fn threshold(&self) -> u32 {
        let mut counts = [0; MOST];
        for (count, probe) in counts.iter_mut().zip(&self.pool) {
            *count = probe.in_flight;
        }
        let counts = &mut counts[..self.pool.len()];
        counts.sort_unstable();
        let rank = (self.spec.hot.fraction() * counts.len() as f64).ceil() as usize;
        counts[rank.clamp(1, counts.len()) - 1]
    }

    /// The place of the best probe.
    fn best(&self) -> usize {
        let threshold = self.threshold();
        let rank = |probe: &Probe| match probe.in_flight <= threshold {
            true => (0, probe.latency, u64::from(probe.in_flight)),
            false => (1, u64::from(probe.in_flight), probe.latency),
        };
        (0..self.pool.len()).min_by_key(|place| rank(&self.pool[*place])).unwrap_or(0)
    }

    /// Drops one probe, in turn the oldest and the worst.
    fn drop_one(&mut self, instances: usize) {
        if self.pool.is_empty() || self.spec.pool as usize >= instances {
            return;
        }
        self.worst_next = !self.worst_next;
        if self.worst_next {
            self.pool.remove(0);
            return;
        }
        let threshold = self.threshold();
        let rank = |probe: &Probe| match probe.in_flight <= threshold {
            true => (0, probe.latency),
            false => (1, u64::from(probe.in_flight)),
        };
        let worst = (0..self.pool.len()).max_by_key(|place| rank(&self.pool[*place])).unwrap_or(0);
        self.pool.remove(worst);
    }

    /// How often a probe may be used, so that the pool neither starves nor grows old.
    fn reuse(&self, instances: usize, random: &mut Stream) -> u32 {
        let spread = 1.0 - (f64::from(self.spec.pool) / instances as f64).min(1.0);
        let gain = spread * self.spec.probes - 1.0;
        let budget = if gain > 0.0 { ((1.0 + DELTA) / gain).max(1.0) } else { f64::from(self.spec.pool) };
        budget.floor() as u32 + u32::from(unit(random) < budget.fract())
    }

    fn probe(&mut self, now: Nanos, view: &View, random: &mut Stream) {
        let eligible = &view.members.eligible;
        let count = self.spec.probes.floor() as u32 + u32::from(unit(random) < self.spec.probes.fract());
        for _ in 0..count {
            let instance = eligible[below(random, eligible.len() as u64) as usize];
            let in_flight = view.present[instance as usize];
            let latency = view.latencies.map_or(0, |known| known.estimate(instance, in_flight, now));
            // What an instance says takes the place of what it said before.
            match self.pool.iter().position(|probe| probe.instance == instance) {
                Some(older) => {
                    self.pool.remove(older);
                }
                None if self.pool.len() >= self.spec.pool as usize => {
                    self.pool.remove(0);
                }
                None => {}
            }
            let uses = self.reuse(eligible.len(), random);
            self.pool.push(Probe { instance, in_flight, latency, at: now, uses });
        }
    }
}

impl Balancer for Prequal {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let oldest = call.now.saturating_sub(self.spec.age.as_nanos());
        let eligible = &self.eligible;
        self.pool.retain(|probe| probe.at >= oldest && eligible[probe.instance as usize]);
        let members = &view.members.eligible;
        let instance = if self.pool.len() < 2 {
            members[below(random, members.len() as u64) as usize]
        } else {
            let best = self.best();
            let probe = &mut self.pool[best];
            let instance = probe.instance;
            probe.in_flight += 1;
            probe.uses = probe.uses.saturating_sub(1);
            if probe.uses == 0 {
                self.pool.remove(best);
            }
            self.drop_one(members.len());
            instance
        };
        self.probe(call.now, view, random);
        instance
    }

    fn members(&mut self, members: &Members) {
        self.eligible = vec![false; members.instances()];
        members.eligible.iter().for_each(|instance| self.eligible[*instance as usize] = true);
    }

    fn probes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(probes: &[(u32, u32, Nanos)]) -> Prequal {
        let spec = PrequalSpec { probes: 3.0, pool: 16, hot: quantile(), age: second() };
        let mut policy = Prequal::new(spec);
        let probe = |(instance, in_flight, latency): &(u32, u32, Nanos)| Probe {
            instance: *instance,
            in_flight: *in_flight,
            latency: *latency,
            at: 0,
            uses: 1,
        };
        policy.pool.extend(probes.iter().map(probe));
        policy
    }

    #[test]
    fn the_fastest_cold_one_wins_and_without_cold_ones_the_least_busy() {
        // Six probes: the 84 % quantile of 1, 2, 3, 4, 5, 9 is the sixth of ⌈5.04⌉: all are cold, the fastest wins.
        let cold = policy(&[(0, 1, 50), (1, 2, 40), (2, 3, 30), (3, 4, 20), (4, 5, 10), (5, 9, 5)]);
        assert_eq!((cold.threshold(), cold.best()), (9, 5));
        // Of seven the quantile is the sixth: the one with nine is hot, and its short response time does not help it.
        let mixed = policy(&[(0, 1, 50), (1, 2, 40), (2, 3, 30), (3, 4, 20), (4, 5, 10), (5, 5, 60), (6, 9, 5)]);
        assert_eq!((mixed.threshold(), mixed.best()), (5, 4));
    }

    #[test]
    fn the_hot_one_is_dropped_as_the_worst() {
        let mut pool = policy(&[(0, 1, 50), (1, 2, 40), (2, 3, 30), (3, 4, 20), (4, 5, 10), (5, 5, 60), (6, 9, 5)]);
        pool.drop_one(100);
        assert_eq!(pool.pool[0].instance, 1, "first the oldest");
        pool.pool.insert(0, Probe { instance: 0, in_flight: 1, latency: 50, at: 0, uses: 1 });
        pool.drop_one(100);
        assert!(pool.pool.iter().all(|probe| probe.instance != 6), "then the worst");
    }
}
