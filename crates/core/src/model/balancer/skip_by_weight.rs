//! Skipping by weight: a weighted round robin as it is often written, and wrong: the heavier an instance, the *fewer* calls it gets.
//!
//! A counter goes up by one with every call; from there on the first number is looked for that its instance's weight divides. An
//! instance of weight 1 takes every number that falls to it, one of weight 4 only every fourth. With weights 1, 2 and 4 the shares
//! are 8/12, 2/12 and 2/12. It is here to show that; use `weighted_round_robin`. Weights are rounded to whole numbers.

use super::{Balancer, Call, View};
use crate::engine::Stream;

/// The policy. State: the counter.
#[derive(Debug, Default)]
pub struct SkipByWeight {
    counter: u64,
}

impl Balancer for SkipByWeight {
    fn choose(&mut self, _call: &Call, view: &View, _random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        self.counter += 1;
        let mut number = self.counter;
        // Multiples of all weights come by sooner or later; whoever is looked at when patience ends takes the call.
        for _ in 0..10_000 {
            let instance = eligible[(number % eligible.len() as u64) as usize];
            let weight = view.members.weights[instance as usize].round().max(1.0) as u64;
            if number.is_multiple_of(weight) {
                return instance;
            }
            number += 1;
        }
        eligible[(number % eligible.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Members;
    use super::*;

    #[test]
    fn the_heaviest_gets_least() {
        let members = Members { weights: vec![1.0, 2.0, 4.0], ..Members::alike("a", 3) };
        let view = View { members: &members, in_flight: &[0; 3], present: &[0; 3], latencies: None };
        let (mut policy, mut random, mut chosen) = (SkipByWeight::default(), Stream::new(0), [0; 3]);
        (0..1200).for_each(|_| chosen[policy.choose(&Call::at(0), &view, &mut random) as usize] += 1);
        assert_eq!(chosen, [800, 200, 200]);
    }
}
