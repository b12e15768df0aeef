//! Least request, as Envoy does it: with equal weights the better of two random hosts, with unequal weights a weighted
//! round robin whose weights shrink with the requests in flight.
//!
//! Source: Envoy, `least_request_lb.cc` and its documentation. Equal weights: `choice_count` hosts drawn *with*
//! replacement, the first drawn keeps ties. Unequal: earliest deadline first, a host's next deadline being 1 ÷ its
//! weight later, with weight ÷ (in flight + 1)^bias taken at the time of the choice; ties by insertion. O(log n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::power_of_choices::PowerOfChoices;
use super::{Balancer, Call, Members, View};
use crate::engine::Stream;

/// Parameters of Envoy's least request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastRequestSpec {
    /// How many hosts are drawn while weights are equal; 2 if left out.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 16))]
    pub choices: u32,
    /// How strongly requests in flight count while weights differ; 1 if left out, 0 for plain weighted round robin.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub bias: f64,
}

fn two() -> u32 {
    2
}

fn one() -> f64 {
    1.0
}

/// A host's place in the order of deadlines: deadline, insertion, instance. Deadlines are not negative, so their bits
/// are in order.
type Entry = Reverse<(u64, u64, u32)>;

/// The policy. State: the schedule of unequal hosts.
#[derive(Debug)]
pub struct LeastRequest {
    draw: PowerOfChoices,
    bias: f64,
    /// Empty while weights are equal.
    schedule: BinaryHeap<Entry>,
    now: f64,
    inserted: u64,
}

/// A host's weight given its requests in flight.
fn effective(weight: f64, in_flight: u32, bias: f64) -> f64 {
    if bias == 0.0 { weight } else { weight / libm::pow(f64::from(in_flight) + 1.0, bias) }
}

impl LeastRequest {
    /// The policy with these parameters.
    pub fn new(spec: LeastRequestSpec) -> Self {
        LeastRequest {
            draw: PowerOfChoices { choices: spec.choices, replacement: true },
            bias: spec.bias,
            schedule: BinaryHeap::new(),
            now: 0.0,
            inserted: 0,
        }
    }

    fn insert(&mut self, instance: u32, weight: f64) {
        self.inserted += 1;
        self.schedule.push(Reverse(((self.now + 1.0 / weight).to_bits(), self.inserted, instance)));
    }
}

impl Balancer for LeastRequest {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let Some(Reverse((deadline, _, instance))) = self.schedule.pop() else {
            return self.draw.choose(call, view, random);
        };
        self.now = f64::from_bits(deadline);
        let at = instance as usize;
        self.insert(instance, effective(view.members.weights[at], view.in_flight[at], self.bias));
        instance
    }

    fn members(&mut self, members: &Members) {
        self.schedule.clear();
        if !members.equal_weights() {
            for &instance in &members.eligible {
                self.insert(instance, members.weights[instance as usize]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_weights_are_the_documented_ones() {
        assert_eq!(effective(2.0, 4, 1.0), 0.4);
        assert!((effective(3.0, 2, 2.0) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(effective(3.0, 2, 0.0), 3.0);
    }

    #[test]
    fn idle_hosts_are_chosen_in_proportion_to_their_weights() {
        let members = Members { weights: vec![1.0, 3.0], ..Members::alike("a", 2) };
        let mut policy = LeastRequest::new(LeastRequestSpec { choices: 2, bias: 1.0 });
        policy.members(&members);
        let (view, mut random) =
            (View { members: &members, in_flight: &[0, 0], present: &[0, 0], latencies: None }, Stream::new(1));
        let second = (0..400).map(|_| policy.choose(&Call::at(0), &view, &mut random)).sum::<u32>();
        assert_eq!(second, 300);
    }
}
