//! Random: any instance with equal probability, independent of everything.

use super::Balancer;
use crate::engine::Stream;
use crate::engine::random::below;

/// The policy; it remembers nothing.
#[derive(Debug)]
pub struct Random;

impl Balancer for Random {
    #[inline]
    fn choose(&mut self, in_flight: &[u32], random: &mut Stream) -> usize {
        below(random, in_flight.len() as u64) as usize
    }
}
