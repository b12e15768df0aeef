//! Round robin: one instance after the other, beginning with the first.

use super::Balancer;
use crate::engine::Stream;

/// The policy. State: whose turn it is.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: usize,
}

impl Balancer for RoundRobin {
    #[inline]
    fn choose(&mut self, in_flight: &[u32], _random: &mut Stream) -> usize {
        let instance = if self.next < in_flight.len() { self.next } else { 0 };
        self.next = instance + 1;
        instance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_around_in_order() {
        let mut policy = RoundRobin::default();
        let mut random = Stream::new(0);
        let turns: Vec<usize> = (0..7).map(|_| policy.choose(&[9, 0, 5], &mut random)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
    }
}
