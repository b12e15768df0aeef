//! Round robin: one instance after the other, beginning with the first.

use super::{Balancer, View};
use crate::engine::Stream;

/// The policy. State: whose turn it is.
#[derive(Debug, Default)]
pub struct RoundRobin {
    next: usize,
}

impl Balancer for RoundRobin {
    #[inline]
    fn choose(&mut self, view: View<'_>, _random: &mut Stream) -> usize {
        loop {
            let instance = if self.next < view.up.len() { self.next } else { 0 };
            self.next = instance + 1;
            if view.up[instance] {
                return instance;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_around_in_order() {
        let mut policy = RoundRobin::default();
        let mut random = Stream::new(0);
        let mut turns = |up: &[bool]| -> Vec<usize> {
            let view = View { in_flight: &[9, 0, 5], up, all_up: up.iter().all(|up| *up) };
            (0..4).map(|_| policy.choose(view, &mut random)).collect()
        };
        assert_eq!(turns(&[true; 3]), [0, 1, 2, 0]);
        assert_eq!(turns(&[true, false, true]), [2, 0, 2, 0]);
    }
}
