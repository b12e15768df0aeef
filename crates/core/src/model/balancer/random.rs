//! Random: any instance with equal probability, independent of everything.
//!
//! With unequal weights the probability is proportional to them; it is then drawn from the cumulated weights, O(log n).

use super::{Balancer, Call, Members, View};
use crate::engine::Stream;
use crate::engine::random::{below, unit};

/// The policy. State: the cumulated weights, if they differ.
#[derive(Debug, Default)]
pub struct Random {
    cumulated: Vec<f64>,
}

impl Balancer for Random {
    #[inline]
    fn choose(&mut self, _call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        match self.cumulated.last() {
            None => eligible[below(random, eligible.len() as u64) as usize],
            Some(total) => {
                let point = unit(random) * total;
                eligible[self.cumulated.partition_point(|end| *end <= point).min(eligible.len() - 1)]
            }
        }
    }

    fn members(&mut self, members: &Members) {
        self.cumulated.clear();
        if !members.equal_weights() {
            let mut total = 0.0;
            self.cumulated.extend(members.eligible.iter().map(|instance| {
                total += members.weights[*instance as usize];
                total
            }));
        }
    }
}
