//! Zone-aware: a call stays in the zone of its caller as far as that keeps all instances equally loaded, and spills over otherwise.
//!
//! With s the share of the calls that come from a zone and u the share of the eligible instances that stand in it: if u ≥ s all
//! its calls stay, otherwise u/s of them; the others go to zones with room in proportion to their u − s. The shares of
//! the calls are those seen so far. Among the instances of the zone another policy chooses.
//!
//! Source: Envoy, "Zone aware routing" (`calculateLocality…` in `load_balancer_impl.cc`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, Members, Policy, Reply, View};
use crate::engine::random::unit;
use crate::engine::{Nanos, Stream};

/// Parameters of zone-aware balancing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneAwareSpec {
    /// The policy that chooses within a zone; `round_robin` if left out.
    #[serde(default)]
    pub then: Box<Policy>,
}

/// One zone: its instances and who chooses among them.
#[derive(Debug)]
struct Zone {
    members: Members,
    then: Box<dyn Balancer>,
    /// Calls that came from it.
    calls: u64,
}

/// The policy. State: the zones, and where calls come from.
#[derive(Debug)]
pub struct ZoneAware {
    then: Policy,
    zones: Vec<Zone>,
    zone_of: Vec<u16>,
    calls: u64,
    eligible: usize,
}

impl ZoneAware {
    /// The policy with these parameters.
    pub fn new(spec: &ZoneAwareSpec) -> Self {
        ZoneAware { then: (*spec.then).clone(), zones: Vec::new(), zone_of: Vec::new(), calls: 0, eligible: 0 }
    }

    /// How much more of the instances than of the calls a zone has.
    fn room(&self, zone: usize) -> f64 {
        let zone = &self.zones[zone];
        zone.members.eligible.len() as f64 / self.eligible as f64 - zone.calls as f64 / self.calls as f64
    }

    /// The zone that a call from `local` goes to.
    fn zone(&self, local: usize, random: &mut Stream) -> usize {
        let room = self.room(local);
        let share = self.zones[local].calls as f64 / self.calls as f64;
        if !self.zones[local].members.eligible.is_empty() && (room >= 0.0 || unit(random) * share < share + room) {
            return local;
        }
        let others =
            (0..self.zones.len()).filter(|zone| *zone != local && !self.zones[*zone].members.eligible.is_empty());
        let total: f64 = others.clone().map(|zone| self.room(zone).max(0.0)).sum();
        let mut point = unit(random) * total;
        let mut last = local;
        for zone in others {
            last = zone;
            point -= self.room(zone).max(0.0);
            if point < 0.0 {
                break;
            }
        }
        last
    }
}

impl Balancer for ZoneAware {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let local = usize::from(call.zone).min(self.zones.len() - 1);
        self.zones[local].calls += 1;
        self.calls += 1;
        let zone = self.zone(local, random);
        let Zone { members, then, .. } = &mut self.zones[zone];
        then.choose(
            call,
            &View { members, in_flight: view.in_flight, present: view.present, latencies: view.latencies },
            random,
        )
    }

    fn members(&mut self, members: &Members) {
        let zones = usize::from(members.zones.iter().copied().max().unwrap_or(0)) + 1;
        while self.zones.len() < zones {
            self.zones.push(Zone { members: members.clone(), then: self.then.build(), calls: 0 });
        }
        for (number, zone) in self.zones.iter_mut().enumerate() {
            zone.members = members.clone();
            zone.members.eligible.retain(|instance| usize::from(members.zones[*instance as usize]) == number);
            zone.then.members(&zone.members);
        }
        self.zone_of.clone_from(&members.zones);
        self.eligible = members.eligible.len();
    }

    fn watches(&self) -> bool {
        self.then.build().watches()
    }

    fn probes(&self) -> bool {
        self.then.build().probes()
    }

    fn foresees(&self) -> bool {
        self.then.build().foresees()
    }

    fn changed(&mut self, instance: u32, in_flight: u32, now: Nanos) {
        self.zones[usize::from(self.zone_of[instance as usize])].then.changed(instance, in_flight, now);
    }

    fn answered(&mut self, reply: &Reply) {
        self.zones[usize::from(self.zone_of[reply.instance as usize])].then.answered(reply);
    }

    fn idle(&mut self, instance: u32) {
        self.zones[usize::from(self.zone_of[instance as usize])].then.idle(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends calls from zone 0 with probability `from_first` to instances in the zones; returns the share that stayed, and the
    /// calls per instance.
    fn play(zones: &[u16], from_first: f64) -> (f64, Vec<u32>) {
        let members = Members { zones: zones.to_vec(), ..Members::alike("a", zones.len()) };
        let mut policy = ZoneAware::new(&ZoneAwareSpec { then: Box::default() });
        policy.members(&members);
        let (mut random, in_flight) = (Stream::new(2), vec![0; zones.len()]);
        let (mut chosen, mut stayed) = (vec![0; zones.len()], 0.0);
        for _ in 0..40_000 {
            let zone = u16::from(unit(&mut random) >= from_first);
            let view = View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None };
            let instance = policy.choose(&Call { zone, ..Call::at(0) }, &view, &mut random);
            chosen[instance as usize] += 1;
            stayed += f64::from(u8::from(zones[instance as usize] == zone)) / 40_000.0;
        }
        (stayed, chosen)
    }

    #[test]
    fn balanced_zones_keep_their_calls_and_crowded_ones_spill_what_is_too_much() {
        let (stayed, _) = play(&[0, 0, 1, 1], 0.5);
        assert!(stayed > 0.98, "{stayed}");
        // 75 % of the calls come from a zone with half of the instances: 25 % spill, and all have the same load.
        let (stayed, chosen) = play(&[0, 0, 1, 1], 0.75);
        assert!((stayed - 0.75).abs() < 0.01, "{stayed}");
        assert!(chosen.iter().all(|count| (*count as f64 - 10_000.0).abs() < 300.0), "{chosen:?}");
        // A zone without instances sends everything away.
        let (stayed, _) = play(&[1, 1], 0.5);
        assert!((stayed - 0.5).abs() < 0.02, "{stayed}");
    }
}
