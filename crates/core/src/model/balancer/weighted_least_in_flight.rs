//! Weighted least in flight: the instance with the fewest calls in flight per weight; ties at random by weight.
//!
//! Source: the rule of nginx's `least_conn` and of LVS's weighted least connections (calls ÷ weight). They break ties by
//! weighted round robin; here it is a draw with the same proportions. O(log n) per choice and change.

use super::tournament::Tournament;
use super::{Balancer, Call, Members, View};
use crate::engine::{Nanos, Stream};

/// The policy. State: calls in flight per weight, in a tournament.
#[derive(Debug, Default)]
pub struct WeightedLeastInFlight {
    count: Vec<u32>,
    /// Per instance; 0 for one that is not eligible.
    weights: Vec<f64>,
    tournament: Tournament,
}

impl WeightedLeastInFlight {
    fn enter(&mut self, instance: u32) {
        let weight = self.weights[instance as usize];
        if weight > 0.0 {
            self.tournament.set(instance, f64::from(self.count[instance as usize]) / weight, weight);
        }
    }
}

impl Balancer for WeightedLeastInFlight {
    fn choose(&mut self, _call: &Call, _view: &View, random: &mut Stream) -> u32 {
        self.tournament.least(random)
    }

    fn members(&mut self, members: &Members) {
        self.count.resize(members.instances(), 0);
        self.weights = vec![0.0; members.instances()];
        self.tournament = Tournament::new(members.instances());
        for &instance in &members.eligible {
            self.weights[instance as usize] = members.weights[instance as usize];
            self.enter(instance);
        }
    }

    fn watches(&self) -> bool {
        true
    }

    fn changed(&mut self, instance: u32, in_flight: u32, _now: Nanos) {
        self.count[instance as usize] = in_flight;
        self.enter(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_per_weight_decide() {
        let members = Members { weights: vec![1.0, 4.0], ..Members::alike("a", 2) };
        let mut policy = WeightedLeastInFlight::default();
        policy.members(&members);
        let view = View { members: &members, in_flight: &[0, 0], present: &[0, 0], latencies: None };
        let mut random = Stream::new(1);
        policy.changed(0, 1, 0);
        policy.changed(1, 3, 0);
        assert_eq!(policy.choose(&Call::at(0), &view, &mut random), 1);
        policy.changed(1, 5, 0);
        assert_eq!(policy.choose(&Call::at(0), &view, &mut random), 0);
    }
}
