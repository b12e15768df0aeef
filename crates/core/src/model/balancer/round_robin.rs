//! Round robin: one instance after the other, beginning with the first; weights count for nothing.
//!
//! Instances that may not be chosen are passed over, O(log n); whoever comes back takes its old turn.

use super::{Balancer, Call, View};
use crate::engine::Stream;

/// The policy. State: whose turn it is.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: u32,
}

impl Balancer for RoundRobin {
    #[inline]
    fn choose(&mut self, _call: &Call, view: &View, _random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        let instance = if eligible.len() == view.members.instances() {
            // All of them, so there is nothing to look up.
            if self.next < eligible.len() as u32 { self.next } else { 0 }
        } else {
            let place = eligible.partition_point(|instance| *instance < self.next);
            eligible.get(place).copied().unwrap_or(eligible[0])
        };
        self.next = instance + 1;
        instance
    }
}

#[cfg(test)]
mod tests {
    use super::super::Members;
    use super::*;

    #[test]
    fn turns_go_around_in_order_and_pass_over_those_that_may_not() {
        let mut policy = RoundRobin::default();
        let mut random = Stream::new(0);
        let mut members = Members::alike("a", 4);
        let mut turns = |members: &Members, count: usize| -> Vec<u32> {
            let view = View { members, in_flight: &[9, 0, 5, 1], present: &[9, 0, 5, 1], latencies: None };
            (0..count).map(|_| policy.choose(&Call::at(0), &view, &mut random)).collect()
        };
        assert_eq!(turns(&members, 6), [0, 1, 2, 3, 0, 1]);
        members.eligible = vec![0, 3];
        assert_eq!(turns(&members, 3), [3, 0, 3]);
        members.eligible = vec![1, 2];
        assert_eq!(turns(&members, 3), [1, 2, 1]);
    }
}
