//! Services at work: which instance gets a call, as their balancer knows them.
//!
//! A balancer knows at once when an instance goes down or comes back. The state of an instance is told to the policy when it
//! changes; what is in flight when it happens.

use crate::engine::random::named;
use crate::engine::{Nanos, Stream};
use crate::model::balancer::{Balancer, Call, Members, Reply, View};
use crate::model::blueprint;

/// A service at work.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) first_instance: u32,
    /// Whether there is anything to balance: more than one instance.
    balanced: bool,
    /// Whether the policy wants to know of every change.
    watched: bool,
    /// Whether the policy looks at the session of a call.
    pub(super) of_sessions: bool,
    /// Whether the policy looks at the work of a call.
    pub(super) foresees: bool,
    policy: Box<dyn Balancer>,
    members: Members,
    random: Stream,
    /// Per instance: calls sent and not answered.
    in_flight: Vec<u32>,
    /// Per instance: whether it runs.
    up: Vec<bool>,
}

impl Service {
    /// The service whose instances begin at `first_instance`; `root` is the key of the run.
    pub(super) fn new(service: &blueprint::Service, first_instance: u32, root: u64) -> Self {
        let mut policy = service.balancer.build();
        let mut members = Members::alike(&service.name, service.instances as usize);
        members.capacity.fill(service.capacity());
        policy.members(&members);
        Service {
            first_instance,
            balanced: service.instances > 1,
            watched: policy.watches(),
            of_sessions: service.instances > 1 && service.balancer.needs_session(),
            foresees: service.instances > 1 && policy.foresees(),
            policy,
            members,
            random: Stream::new(named(named(root, &service.name), "balancer")),
            in_flight: vec![0; service.instances as usize],
            up: vec![true; service.instances as usize],
        }
    }

    /// Chooses the instance of a call, which is in flight from now on; `None` if all are down.
    #[inline]
    pub(super) fn choose(&mut self, call: &Call) -> Option<u32> {
        if self.members.eligible.is_empty() {
            return None;
        }
        if !self.balanced {
            return Some(self.first_instance);
        }
        let view = View { members: &self.members, in_flight: &self.in_flight, present: &self.in_flight };
        let number = self.policy.choose(call, &view, &mut self.random);
        self.in_flight[number as usize] += 1;
        if self.watched {
            self.policy.changed(number, self.in_flight[number as usize], call.now);
        }
        Some(self.first_instance + number)
    }

    /// Sends a call to a certain instance, which is in flight there from now on; `None` if it is down.
    pub(super) fn choose_number(&mut self, number: u32, now: Nanos) -> Option<u32> {
        if !self.up[number as usize] {
            return None;
        }
        if self.balanced {
            self.in_flight[number as usize] += 1;
            if self.watched {
                self.policy.changed(number, self.in_flight[number as usize], now);
            }
        }
        Some(self.first_instance + number)
    }

    /// Takes note that an instance runs or does not; the balancer knows at once.
    pub(super) fn set_up(&mut self, number: usize, up: bool) {
        self.up[number] = up;
        let eligible = (0..self.up.len() as u32).filter(|instance| self.up[*instance as usize]);
        self.members.eligible = eligible.collect();
        self.policy.members(&self.members);
    }

    /// Takes note of an instance's answer.
    #[inline]
    pub(super) fn answered(&mut self, reply: Reply) {
        if self.balanced {
            let number = reply.instance - self.first_instance;
            let in_flight = &mut self.in_flight[number as usize];
            let present = std::mem::replace(in_flight, *in_flight - 1);
            if self.watched {
                self.policy.answered(&Reply { instance: number, present, ..reply });
                self.policy.changed(number, present - 1, reply.now);
                if present == 1 {
                    self.policy.idle(number);
                }
            }
        }
    }
}
