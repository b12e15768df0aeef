//! Power of d choices: of d instances drawn at random, the one with the fewest calls in flight.
//!
//! Drawn without replacement (distinct instances, as NGINX's `random two` and HAProxy's `random(2)`) unless said otherwise. Ties:
//! the first drawn stays. Sources: M. Mitzenmacher, IEEE TPDS 12 (2001); Vvedenskaya, Dobrushin, Karpelevich 1996. O(d²).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Call, View};
use crate::engine::Stream;
use crate::engine::random::below;

/// The most instances that are drawn.
pub const MOST_CHOICES: u32 = 16;

/// Parameters of the power of d choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerOfChoices {
    /// How many instances are drawn; 2 if left out.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 16))]
    pub choices: u32,
    /// Whether an instance may be drawn twice; no if left out.
    #[serde(default)]
    pub replacement: bool,
}

fn two() -> u32 {
    2
}

impl Balancer for PowerOfChoices {
    fn choose(&mut self, _call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let n = eligible.len();
        let choices = (self.choices.min(MOST_CHOICES) as usize).max(1);
        let choices = if self.replacement { choices } else { choices.min(n) };
        let (mut best, mut least) = (eligible[0], u32::MAX);
        // Places drawn so far, ascending; the next is drawn among the others and moved past them.
        let mut drawn = [usize::MAX; MOST_CHOICES as usize];
        for number in 0..choices {
            let place = if self.replacement {
                below(random, n as u64) as usize
            } else {
                let mut place = below(random, (n - number) as u64) as usize;
                let mut at = 0;
                while at < number && drawn[at] <= place {
                    place += 1;
                    at += 1;
                }
                drawn.copy_within(at..number, at + 1);
                drawn[at] = place;
                place
            };
            let instance = eligible[place];
            let in_flight = view.in_flight[instance as usize];
            if in_flight < least {
                (best, least) = (instance, in_flight);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::super::Members;
    use super::*;

    fn shares(choices: u32, replacement: bool) -> [f64; 3] {
        let members = Members::alike("a", 3);
        let view = View { members: &members, in_flight: &[0, 1, 2], present: &[0, 1, 2], latencies: None };
        let (mut policy, mut random) = (PowerOfChoices { choices, replacement }, Stream::new(9));
        let mut chosen = [0f64; 3];
        (0..90_000).for_each(|_| chosen[policy.choose(&Call::at(0), &view, &mut random) as usize] += 1.0 / 90_000.0);
        chosen
    }

    #[test]
    fn the_least_loaded_of_three_is_found_as_often_as_it_is_drawn() {
        // With replacement it is drawn with probability 5/9, the most loaded is chosen with 1/9; without, 2/3 and 0.
        // Standard errors 0.0017 and 0.001; bounds at five.
        let with = shares(2, true);
        assert!((with[0] - 5.0 / 9.0).abs() < 0.0085 && (with[2] - 1.0 / 9.0).abs() < 0.0053, "{with:?}");
        let without = shares(2, false);
        assert!((without[0] - 2.0 / 3.0).abs() < 0.008 && without[2] == 0.0, "{without:?}");
        assert!(shares(5, false)[0] > 0.999_999, "all are drawn");
    }
}
