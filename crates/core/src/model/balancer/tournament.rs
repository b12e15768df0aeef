//! A tournament over instances: who has the least, in O(log n) per change and choice.
//!
//! A full binary tree whose leaves are the instances. Each node holds the least value below it and the weight of all
//! leaves that have it; so ties are decided at random in proportion to the weights without looking at all of them.

use crate::engine::Stream;
use crate::engine::random::unit;

/// The tree. An instance with an infinite value never wins beside one with a finite value.
#[derive(Debug, Default, Clone)]
pub struct Tournament {
    /// Leaves, a power of two; node k has children 2k and 2k + 1, the root is 1.
    leaves: usize,
    nodes: Vec<(f64, f64)>,
}

impl Tournament {
    /// A tournament of so many instances, all out of it.
    pub fn new(instances: usize) -> Self {
        let leaves = instances.next_power_of_two();
        Tournament { leaves, nodes: vec![(f64::INFINITY, 0.0); 2 * leaves] }
    }

    /// Gives an instance a value and a weight.
    pub fn set(&mut self, instance: u32, value: f64, weight: f64) {
        let mut node = self.leaves + instance as usize;
        self.nodes[node] = (value, weight);
        while node > 1 {
            node /= 2;
            let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
            self.nodes[node] = if left.0 < right.0 {
                left
            } else if right.0 < left.0 {
                right
            } else {
                (left.0, left.1 + right.1)
            };
        }
    }

    /// The instance with the least value; among equals at random by weight.
    pub fn least(&self, random: &mut Stream) -> u32 {
        let mut node = 1;
        while node < self.leaves {
            let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
            let goes_left = match left.0.partial_cmp(&right.0) {
                Some(std::cmp::Ordering::Less) => true,
                Some(std::cmp::Ordering::Greater) => false,
                _ => unit(random) * (left.1 + right.1) < left.1,
            };
            node = 2 * node + usize::from(!goes_left);
        }
        (node - self.leaves) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::below;

    #[test]
    fn it_finds_the_least_of_random_values_as_a_scan_does() {
        let mut random = Stream::new(4);
        let mut tournament = Tournament::new(13);
        let mut values = [f64::INFINITY; 13];
        for _ in 0..5000 {
            let instance = below(&mut random, 13) as usize;
            values[instance] = below(&mut random, 20) as f64;
            tournament.set(instance as u32, values[instance], 1.0);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(values[tournament.least(&mut random) as usize], least);
        }
    }

    #[test]
    fn equals_win_in_proportion_to_their_weights() {
        let mut tournament = Tournament::new(3);
        [(0, 1.0), (1, 2.0), (2, 4.0)].into_iter().for_each(|(instance, weight)| tournament.set(instance, 5.0, weight));
        let (mut random, mut won) = (Stream::new(1), [0f64; 3]);
        (0..70_000).for_each(|_| won[tournament.least(&mut random) as usize] += 1.0);
        // Binomial: standard deviations 93, 120 and 131; bounds at five.
        assert!((won[0] - 10_000.0).abs() < 465.0 && (won[1] - 20_000.0).abs() < 600.0, "{won:?}");
    }
}
