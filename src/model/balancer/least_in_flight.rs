//! Least in flight: the instance with the fewest calls sent and not answered; ties at random.
//!
//! Known as least connections or join the shortest queue. Choosing and taking note cost O(1): the instances stand in an
//! array sorted by their count, and a count changes by one, so that an exchange with the end of its run of equals keeps
//! the order.

use super::{Balancer, View};
use crate::engine::Stream;
use crate::engine::random::below;

/// The policy. State: the instances in order of their calls in flight.
#[derive(Debug)]
pub struct LeastInFlight {
    /// Instances, fewest in flight first.
    order: Vec<u32>,
    /// Where each instance stands in `order`.
    place: Vec<u32>,
    /// How many are in flight at each instance.
    count: Vec<u32>,
    /// Per count k: how many instances have fewer than k in flight; where the run of k begins.
    start: Vec<u32>,
}

impl LeastInFlight {
    /// The policy for so many idle instances.
    pub fn new(instances: usize) -> Self {
        let order: Vec<u32> = (0..instances as u32).collect();
        LeastInFlight { place: order.clone(), order, count: vec![0; instances], start: vec![0] }
    }

    fn start_of(&self, count: u32) -> u32 {
        self.start.get(count as usize).copied().unwrap_or(self.order.len() as u32)
    }

    fn exchange(&mut self, one: u32, other: u32) {
        let (first, second) = (self.order[one as usize], self.order[other as usize]);
        self.order.swap(one as usize, other as usize);
        self.place[first as usize] = other;
        self.place[second as usize] = one;
    }

    fn up(&mut self, instance: usize) {
        let count = self.count[instance];
        let last = self.start_of(count + 1) - 1;
        self.exchange(self.place[instance], last);
        if self.start.len() as u32 == count + 1 {
            self.start.push(self.order.len() as u32);
        }
        self.start[count as usize + 1] = last;
        self.count[instance] = count + 1;
    }

    fn down(&mut self, instance: usize) {
        let count = self.count[instance];
        let first = self.start_of(count);
        self.exchange(self.place[instance], first);
        self.start[count as usize] = first + 1;
        self.count[instance] = count - 1;
    }
}

impl Balancer for LeastInFlight {
    #[inline]
    fn choose(&mut self, view: View<'_>, random: &mut Stream) -> usize {
        if !view.all_up {
            return choose_among_up(view, random);
        }
        let least = self.count[self.order[0] as usize];
        let equals = self.start_of(least + 1);
        let pick = if equals == 1 { 0 } else { below(random, u64::from(equals)) };
        self.order[pick as usize] as usize
    }

    fn watches(&self) -> bool {
        true
    }

    fn changed(&mut self, instance: usize, in_flight: u32) {
        if in_flight > self.count[instance] { self.up(instance) } else { self.down(instance) }
    }
}

/// The same choice while some instances are down: looks at every one.
#[cold]
fn choose_among_up(view: View<'_>, random: &mut Stream) -> usize {
    let up = || (0..view.up.len()).filter(|instance| view.up[*instance]);
    let least = up().map(|instance| view.in_flight[instance]).min();
    let equals = || up().filter(|instance| Some(view.in_flight[*instance]) == least);
    let pick = below(random, equals().count().max(1) as u64);
    equals().nth(pick as usize).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_win_and_ties_are_shared() {
        let mut policy = LeastInFlight::new(3);
        let mut random = Stream::new(3);
        policy.changed(0, 1);
        policy.changed(0, 2);
        policy.changed(1, 1);
        let view = View { in_flight: &[2, 1, 0], up: &[true; 3], all_up: true };
        assert_eq!(policy.choose(view, &mut random), 2);
        assert_eq!(policy.choose(View { up: &[true, true, false], all_up: false, ..view }, &mut random), 1);
        policy.changed(2, 1);
        let view = View { in_flight: &[2, 1, 1], ..view };
        let mut chosen = [0; 3];
        (0..1000).for_each(|_| chosen[policy.choose(view, &mut random)] += 1);
        assert_eq!(chosen[0], 0);
        // Binomial with mean 500 and standard deviation 16; bound at five.
        assert!((chosen[1] - 500i32).abs() < 80, "{chosen:?}");
    }
}
