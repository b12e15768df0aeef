//! The parts of a running system that are prepared from the blueprint once, so that an event finds what it needs in one
//! place.

use crate::engine::random::{Draw, named};
use crate::engine::time::round;
use crate::engine::{Calendar, LaneId, Stream};
use crate::model::balancer::{Balancer, View};
use crate::model::blueprint::{self, Blueprint};
use crate::model::distribution::Distribution;
use crate::model::frame::Frame;
use crate::model::program::{Demand, Place, Site};

/// A service at work.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) first_instance: u32,
    /// Whether there is anything to balance: more than one instance.
    balanced: bool,
    /// Whether the balancer wants to know of every change.
    watched: bool,
    balancer: Box<dyn Balancer>,
    random: Stream,
    /// Per instance: calls sent and not answered.
    in_flight: Vec<u32>,
    /// Per instance: whether it runs.
    up: Vec<bool>,
    /// How many do not.
    down: usize,
}

impl Service {
    /// The service whose instances begin at `first_instance`; `root` is the key of the run.
    pub(super) fn new(service: &blueprint::Service, first_instance: u32, root: u64) -> Self {
        let balancer = service.balancer.build(service.instances as usize);
        Service {
            first_instance,
            balanced: service.instances > 1,
            watched: balancer.watches(),
            balancer,
            random: Stream::new(named(named(root, &service.name), "balancer")),
            in_flight: vec![0; service.instances as usize],
            up: vec![true; service.instances as usize],
            down: 0,
        }
    }

    /// Chooses the instance of a call, which is in flight from now on; `None` if all are down.
    #[inline]
    pub(super) fn choose(&mut self) -> Option<u32> {
        if self.down == self.up.len() {
            return None;
        }
        if !self.balanced {
            return Some(self.first_instance);
        }
        let view = View { in_flight: &self.in_flight, up: &self.up, all_up: self.down == 0 };
        let number = self.balancer.choose(view, &mut self.random);
        self.in_flight[number] += 1;
        if self.watched {
            self.balancer.changed(number, self.in_flight[number]);
        }
        Some(self.first_instance + number as u32)
    }

    /// Takes note that an instance runs or does not; the balancer knows at once.
    pub(super) fn set_up(&mut self, number: usize, up: bool) {
        self.up[number] = up;
        self.down = self.up.iter().filter(|up| !**up).count();
    }

    /// Takes note that an instance answered a call.
    #[inline]
    pub(super) fn answered(&mut self, instance: u32) {
        if self.balanced {
            let number = (instance - self.first_instance) as usize;
            self.in_flight[number] -= 1;
            if self.watched {
                self.balancer.changed(number, self.in_flight[number]);
            }
        }
    }
}

/// A demand of the program.
#[derive(Debug)]
pub(super) struct Drawn {
    distribution: Distribution,
    salt: u64,
    /// The lane of its delay, if it is constant.
    pub(super) lane: Option<LaneId>,
}

impl Drawn {
    pub(super) fn new<E: Copy>(demand: &Demand, calendar: &mut Calendar<E>) -> Self {
        let Demand { distribution, salt } = demand.clone();
        let lane = distribution.as_constant().map(|delay| calendar.lane(round(delay)));
        Drawn { distribution, salt, lane }
    }

    /// Draws it for a frame at its present step.
    #[inline]
    pub(super) fn draw(&self, frame: &Frame) -> f64 {
        self.distribution.sample(&mut Draw::new(frame.key, self.salt, frame.visit()))
    }
}

/// Where a call of the program goes.
#[derive(Debug)]
pub(super) struct Target {
    /// Keys the callee.
    pub(super) salt: u64,
    pub(super) operation: u32,
    pub(super) service: u32,
    /// Where the operation's code begins.
    pub(super) entry: Place,
    /// The lane of the caller's timeout.
    pub(super) timeout: Option<LaneId>,
}

impl Target {
    pub(super) fn new<E: Copy>(site: &Site, blueprint: &Blueprint, calendar: &mut Calendar<E>) -> Self {
        let operation = &blueprint.operations[site.operation as usize];
        Target {
            salt: site.salt,
            operation: site.operation,
            service: operation.service,
            entry: operation.entry,
            timeout: site.timeout.map(|nanos| calendar.lane(nanos)),
        }
    }
}

/// The frames that go on at this instant, in the order in which they were let go.
#[derive(Debug, Default)]
pub(super) struct Ready {
    frames: Vec<u32>,
    /// How many of them run already.
    taken: usize,
}

impl Ready {
    /// Adds a frame behind all others.
    #[inline]
    pub(super) fn push(&mut self, frame: u32) {
        self.frames.push(frame);
    }

    /// The next frame.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let next = self.frames.get(self.taken).copied();
        match next {
            Some(_) => self.taken += 1,
            None => {
                self.frames.clear();
                self.taken = 0;
            }
        }
        next
    }
}
