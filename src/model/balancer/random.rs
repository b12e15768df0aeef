//! Random: any instance with equal probability, independent of everything.

use super::{Balancer, View};
use crate::engine::Stream;
use crate::engine::random::below;

/// The policy; it remembers nothing.
#[derive(Debug)]
pub struct Random;

impl Balancer for Random {
    #[inline]
    fn choose(&mut self, view: View<'_>, random: &mut Stream) -> usize {
        loop {
            let instance = below(random, view.up.len() as u64) as usize;
            if view.up[instance] {
                return instance;
            }
        }
    }
}
