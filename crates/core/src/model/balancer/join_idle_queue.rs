//! Join the idle queue: an instance that says it is idle, otherwise any at random.
//!
//! An instance that becomes idle says so to one of the balancers, chosen at random; that one keeps it in a list until it has
//! sent it a call. What a balancer believes may be out of date when there are several. Ties: the one idle for longest.
//!
//! Source: Y. Lu et al., "Join-Idle-Queue: a novel load balancing algorithm for dynamically scalable web services",
//! Performance Evaluation 68 (2011), with JIQ-Random. O(1).

use std::collections::VecDeque;

use super::{Balancer, Call, Members, View};
use crate::engine::Stream;
use crate::engine::random::below;

/// The policy. State: who said it is idle.
#[derive(Debug, Default)]
pub struct JoinIdleQueue {
    idle: VecDeque<u32>,
    /// Per instance: whether it stands in the list.
    listed: Vec<bool>,
    eligible: Vec<bool>,
}

impl Balancer for JoinIdleQueue {
    fn choose(&mut self, _call: &Call, view: &View, random: &mut Stream) -> u32 {
        while let Some(instance) = self.idle.pop_front() {
            self.listed[instance as usize] = false;
            if self.eligible[instance as usize] {
                return instance;
            }
        }
        let eligible = &view.members.eligible;
        eligible[below(random, eligible.len() as u64) as usize]
    }

    fn members(&mut self, members: &Members) {
        let first = self.listed.is_empty();
        self.listed.resize(members.instances(), false);
        self.eligible = vec![false; members.instances()];
        let [number, of] = members.balancer;
        for &instance in &members.eligible {
            self.eligible[instance as usize] = true;
            // At the start all are idle, and have told one balancer each.
            if first && instance % of == number {
                self.idle(instance);
            }
        }
    }

    fn watches(&self) -> bool {
        true
    }

    fn idle(&mut self, instance: u32) {
        if !std::mem::replace(&mut self.listed[instance as usize], true) {
            self.idle.push_back(instance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_instances_come_first_and_once() {
        let members = Members::alike("a", 3);
        let mut policy = JoinIdleQueue::default();
        policy.members(&members);
        let (view, mut random) =
            (View { members: &members, in_flight: &[0; 3], present: &[0; 3], latencies: None }, Stream::new(1));
        let mut turns: Vec<u32> = (0..3).map(|_| policy.choose(&Call::at(0), &view, &mut random)).collect();
        turns.sort_unstable();
        assert_eq!(turns, [0, 1, 2]);
        policy.idle(2);
        policy.idle(2);
        assert_eq!(policy.choose(&Call::at(0), &view, &mut random), 2);
        let rest: Vec<u32> = (0..50).map(|_| policy.choose(&Call::at(0), &view, &mut random)).collect();
        assert!(rest.iter().any(|instance| *instance != 2), "otherwise at random");
    }
}
