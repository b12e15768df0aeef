//! Smooth weighted round robin: calls in proportion to the weights, spread as evenly as possible.
//!
//! Source: nginx, `ngx_http_upstream_get_peer` (commit 52327e0, 2012): every instance earns its weight, the richest is
//! chosen (the first of equals) and pays the total. Weights 5, 1, 1 give a a b a c a a. O(n) per choice.

use super::{Balancer, Call, Members, View};
use crate::engine::Stream;

/// The policy. State: what each instance has earned.
#[derive(Debug, Default)]
pub struct WeightedRoundRobin {
    earned: Vec<f64>,
}

impl Balancer for WeightedRoundRobin {
    fn choose(&mut self, _call: &Call, view: &View, _random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let (mut best, mut most, mut total) = (eligible[0], f64::NEG_INFINITY, 0.0);
        for &instance in eligible {
            let weight = view.members.weights[instance as usize];
            let earned = &mut self.earned[instance as usize];
            *earned += weight;
            total += weight;
            if *earned > most {
                (best, most) = (instance, *earned);
            }
        }
        self.earned[best as usize] -= total;
        best
    }

    fn members(&mut self, members: &Members) {
        self.earned.resize(members.instances(), 0.0);
        // Whoever was away begins anew.
        for instance in 0..members.instances() as u32 {
            if members.eligible.binary_search(&instance).is_err() {
                self.earned[instance as usize] = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[f64], count: usize) -> Vec<u32> {
        let members = Members { weights: weights.to_vec(), ..Members::alike("a", weights.len()) };
        let mut policy = WeightedRoundRobin::default();
        policy.members(&members);
        let (in_flight, mut random) = (vec![0; weights.len()], Stream::new(0));
        let view = View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None };
        (0..count).map(|_| policy.choose(&Call::at(0), &view, &mut random)).collect()
    }

    #[test]
    fn weights_5_1_1_give_the_published_order() {
        assert_eq!(turns(&[5.0, 1.0, 1.0], 14), [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn every_period_holds_each_instance_as_often_as_its_weight() {
        let chosen = turns(&[1.0, 2.0, 4.0], 7000);
        let count = |instance| chosen.iter().filter(|chosen| **chosen == instance).count();
        assert_eq!([count(0), count(1), count(2)], [1000, 2000, 4000]);
    }
}
