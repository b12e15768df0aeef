//! Least work left, an oracle: the instance that will be done first with what it has; ties at random.
//!
//! No real balancer knows the work of a call before it is done; this is the bound that others can be compared with. The
//! work left at an instance drains at the rate min(calls in flight, capacity), its workers or cores, times their speed; with one worker each
//! this is the same as one queue for all (M/M/n, if all are alike). Divided by both so that it is a time. It knows all
//! calls, however many balancers there are.
//!
//! Source: M. Harchol-Balter, Performance Modeling and Design of Computer Systems (2013), section 24.2. O(n).

use super::{Balancer, Call, Members, View};
use crate::engine::random::below;
use crate::engine::{Nanos, Stream};

/// What is left at one instance.
#[derive(Debug, Clone, Copy, Default)]
struct Backlog {
    /// Work left at `since` [ns].
    work: f64,
    since: Nanos,
    in_flight: u32,
    capacity: f64,
    speed: f64,
}

impl Backlog {
    fn left(&self, now: Nanos) -> f64 {
        let rate = f64::from(self.in_flight).min(self.capacity) * self.speed;
        (self.work - now.saturating_sub(self.since) as f64 * rate).max(0.0)
    }

    fn drain(&mut self, now: Nanos) {
        self.work = self.left(now);
        self.since = now;
    }
}

/// The policy. State: the work left at every instance.
#[derive(Debug, Default)]
pub struct LeastWorkLeft {
    backlogs: Vec<Backlog>,
}

impl Balancer for LeastWorkLeft {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let (mut best, mut least, mut equals) = (view.members.eligible[0], f64::INFINITY, 0);
        for &instance in &view.members.eligible {
            let backlog = &self.backlogs[instance as usize];
            let left = backlog.left(call.now) / (backlog.capacity * backlog.speed);
            if left < least {
                (best, least, equals) = (instance, left, 1);
            } else if left == least {
                equals += 1;
                if below(random, equals) == 0 {
                    best = instance;
                }
            }
        }
        let backlog = &mut self.backlogs[best as usize];
        backlog.drain(call.now);
        backlog.work += call.work as f64;
        best
    }

    fn members(&mut self, members: &Members) {
        self.backlogs.resize(members.instances(), Backlog::default());
        for (number, backlog) in self.backlogs.iter_mut().enumerate() {
            (backlog.capacity, backlog.speed) = (members.capacity[number], members.speeds[number]);
        }
    }

    fn watches(&self) -> bool {
        true
    }

    fn foresees(&self) -> bool {
        true
    }

    fn changed(&mut self, instance: u32, in_flight: u32, now: Nanos) {
        let backlog = &mut self.backlogs[instance as usize];
        backlog.drain(now);
        backlog.in_flight = in_flight;
        if in_flight == 0 {
            backlog.work = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_drains_and_the_least_wins() {
        let members = Members::alike("a", 2);
        let mut policy = LeastWorkLeft::default();
        policy.members(&members);
        let mut random = Stream::new(1);
        let mut place = |policy: &mut LeastWorkLeft, now, work| {
            let view = View { members: &members, in_flight: &[0, 0], present: &[0, 0], latencies: None };
            let instance = policy.choose(&Call { work, ..Call::at(now) }, &view, &mut random);
            let in_flight = policy.backlogs[instance as usize].in_flight + 1;
            policy.changed(instance, in_flight, now);
            instance
        };
        let first = place(&mut policy, 0, 100);
        assert_eq!(place(&mut policy, 0, 10), 1 - first);
        assert_eq!(place(&mut policy, 0, 10), 1 - first, "20 are less than 100");
        assert_eq!(place(&mut policy, 5, 200), 1 - first);
        assert_eq!(place(&mut policy, 50, 1), first, "50 are left against 170");
    }
}
