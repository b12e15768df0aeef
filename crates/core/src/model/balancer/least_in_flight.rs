//! Least in flight: the instance with the fewest calls sent and not answered; ties at random. Weights count for nothing.
//!
//! Known as least connections or join the shortest queue. Choosing and taking note cost O(1): the eligible instances stand
//! in an array sorted by their count, and a count changes by one, so that an exchange with the end of its run of equals
//! keeps the order.

use super::{Balancer, Call, Members, View};
use crate::engine::random::below;
use crate::engine::{Nanos, Stream};
use crate::model::frame::NONE;

/// The policy. State: the eligible instances in order of their calls in flight.
#[derive(Debug, Default)]
pub struct LeastInFlight {
    /// Eligible instances, fewest in flight first.
    order: Vec<u32>,
    /// Where each instance stands in `order`; [`NONE`] for one that is not eligible.
    place: Vec<u32>,
    /// How many are in flight at each instance.
    count: Vec<u32>,
    /// Per count k: how many eligible instances have fewer than k in flight; where the run of k begins.
    start: Vec<u32>,
}

impl LeastInFlight {
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
        if self.place[instance] != NONE {
            let last = self.start_of(count + 1) - 1;
            self.exchange(self.place[instance], last);
            if self.start.len() as u32 == count + 1 {
                self.start.push(self.order.len() as u32);
            }
            self.start[count as usize + 1] = last;
        }
        self.count[instance] = count + 1;
    }

    fn down(&mut self, instance: usize) {
        let count = self.count[instance];
        if self.place[instance] != NONE {
            let first = self.start_of(count);
            self.exchange(self.place[instance], first);
            self.start[count as usize] = first + 1;
        }
        self.count[instance] = count - 1;
    }
}

impl Balancer for LeastInFlight {
    #[inline]
    fn choose(&mut self, _call: &Call, _view: &View, random: &mut Stream) -> u32 {
        let least = self.count[self.order[0] as usize];
        let equals = self.start_of(least + 1);
        let pick = if equals == 1 { 0 } else { below(random, u64::from(equals)) };
        self.order[pick as usize]
    }

    fn members(&mut self, members: &Members) {
        self.count.resize(members.instances(), 0);
        self.order.clone_from(&members.eligible);
        self.order.sort_by_key(|instance| self.count[*instance as usize]);
        self.place = vec![NONE; members.instances()];
        for (place, instance) in self.order.iter().enumerate() {
            self.place[*instance as usize] = place as u32;
        }
        let most = self.order.last().map_or(0, |instance| self.count[*instance as usize]);
        let fewer = |count| self.order.partition_point(|instance| self.count[*instance as usize] < count) as u32;
        self.start = (0..=most).map(fewer).collect();
    }

    fn watches(&self) -> bool {
        true
    }

    fn changed(&mut self, instance: u32, in_flight: u32, _now: Nanos) {
        let instance = instance as usize;
        while self.count[instance] < in_flight {
            self.up(instance);
        }
        while self.count[instance] > in_flight {
            self.down(instance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_win_and_ties_are_shared() {
        let members = Members::alike("a", 3);
        let mut policy = LeastInFlight::default();
        policy.members(&members);
        let mut random = Stream::new(3);
        policy.changed(0, 2, 0);
        policy.changed(1, 1, 0);
        let view = View { members: &members, in_flight: &[2, 1, 0], present: &[2, 1, 0], latencies: None };
        assert_eq!(policy.choose(&Call::at(0), &view, &mut random), 2);
        policy.changed(2, 1, 0);
        let mut chosen = [0; 3];
        (0..1000).for_each(|_| chosen[policy.choose(&Call::at(0), &view, &mut random) as usize] += 1);
        assert_eq!(chosen[0], 0);
        // Binomial with mean 500 and standard deviation 16; bound at five.
        assert!((chosen[1] - 500i32).abs() < 80, "{chosen:?}");
    }
}
