//! The parts of a running system that are prepared from the blueprint once, so that an event finds what it needs in one
//! place.

use crate::engine::random::Draw;
use crate::engine::time::round;
use crate::engine::{Calendar, LaneId, Nanos, Packed};
use crate::model::blueprint::Blueprint;
use crate::model::distribution::Distribution;
use crate::model::frame::{Bearing, Frame, NONE};
use crate::model::program::{Demand, Place, Route, Site};

/// A demand of the program, in a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Drawn {
    distribution: Distribution,
    salt: u64,
    /// The lane of its delay, if it is constant.
    pub(super) lane: Option<LaneId>,
}

impl Drawn {
    pub(super) fn new<E: Packed>(demand: &Demand, calendar: &mut Calendar<E>) -> Self {
        let Demand { distribution, salt } = demand.clone();
        let lane = distribution.as_constant().map(|delay| calendar.lane(round(delay)));
        Drawn { distribution, salt, lane }
    }

    /// Draws it for the frame of a key, at whatever step: always the same.
    pub(super) fn draw_by(&self, key: u64) -> f64 {
        self.distribution.sample(&mut Draw::new(key, self.salt, 0))
    }

    /// Draws it for a frame at its present step.
    #[inline]
    pub(super) fn draw(&self, frame: &Frame) -> f64 {
        self.draw_at(frame.key, frame.visit())
    }

    /// The same for steps that are seldom, outside the main loop.
    #[inline(never)]
    pub(super) fn draw_apart(&self, frame: &Frame) -> f64 {
        self.draw(frame)
    }

    /// Draws it for the frame with this key at a visit.
    #[inline]
    pub(super) fn draw_at(&self, key: u64, visit: u64) -> f64 {
        self.distribution.sample(&mut Draw::new(key, self.salt, visit))
    }
}

/// Where a call of the program goes, in a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Target {
    /// Keys the callee.
    pub(super) salt: u64,
    pub(super) operation: u32,
    pub(super) service: u32,
    /// Where the operation's code begins.
    pub(super) entry: Place,
    /// How the instance is chosen.
    pub(super) route: Route,
    /// The demand that is the size of the request, if a queue of the service counts it; else [`NONE`].
    pub(super) size: u32,
    /// The lane of the caller's timeout.
    pub(super) timeout: Option<LaneId>,
    /// The timeout itself [ns]; the greatest time if there is none.
    limit: Nanos,
    /// The same, if the callee is told when the answer is needed.
    told: Nanos,
    /// Whether it is.
    tells_deadline: bool,
    /// Whether the callee is stopped when its caller's patience ends, and when its caller is stopped.
    pub(super) cancels: bool,
    pub(super) passes_cancel: bool,
}

const _: () = assert!(size_of::<Target>() == 64 && size_of::<Drawn>() == 64);

impl Target {
    pub(super) fn new<E: Packed>(site: &Site, blueprint: &Blueprint, calendar: &mut Calendar<E>) -> Self {
        let operation = &blueprint.operations[site.operation as usize];
        let counts = blueprint.services[operation.service as usize].servers.iter().any(|plan| plan.bytes.is_some());
        Target {
            salt: site.salt,
            operation: site.operation,
            service: operation.service,
            entry: operation.entry,
            route: site.route,
            size: site.request.filter(|_| counts).unwrap_or(NONE),
            timeout: site.timeout.map(|nanos| calendar.lane(nanos)),
            limit: site.timeout.unwrap_or(Nanos::MAX),
            told: site.timeout.filter(|_| site.tells_deadline).unwrap_or(Nanos::MAX),
            tells_deadline: site.tells_deadline,
            cancels: site.cancels,
            passes_cancel: site.passes_cancel,
        }
    }

    /// When the caller's patience ends [ns].
    #[inline]
    pub(super) fn patience(&self, now: Nanos) -> Nanos {
        now.saturating_add(self.limit)
    }

    /// When the callee is told that the answer is needed, for a caller that is told this [ns].
    #[inline]
    pub(super) fn deadline(&self, told: Nanos, now: Nanos) -> Nanos {
        if self.tells_deadline { told.min(self.patience(now)) } else { Nanos::MAX }
    }

    /// The same for a caller that is told nothing.
    #[inline]
    pub(super) fn first_deadline(&self, now: Nanos) -> Nanos {
        now.saturating_add(self.told)
    }

    /// What the callee inherits.
    #[inline]
    pub(super) fn bearing(&self, caller: &Frame, now: Nanos) -> Bearing {
        Bearing { deadline: self.deadline(caller.deadline, now), ..caller.bearing() }
    }
}

/// The frames that go on at this instant, in the order in which they were let go. The next one stands apart: mostly there is no
/// other.
#[derive(Debug)]
pub(super) struct Ready {
    /// [`NONE`] if there is none; then there are no others.
    next: u32,
    others: Vec<u32>,
    /// How many of the others run already.
    taken: usize,
}

impl Default for Ready {
    fn default() -> Self {
        Ready { next: NONE, others: Vec::new(), taken: 0 }
    }
}

impl Ready {
    /// Adds a frame behind all others.
    #[inline]
    pub(super) fn push(&mut self, frame: u32) {
        if self.next == NONE {
            self.next = frame;
        } else {
            self.push_behind(frame);
        }
    }

    #[inline(never)]
    fn push_behind(&mut self, frame: u32) {
        self.others.push(frame);
    }

    /// The next frame.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<u32> {
        let next = self.next;
        if next == NONE {
            return None;
        }
        self.next = NONE;
        if !self.others.is_empty() {
            self.move_up();
        }
        Some(next)
    }

    /// Lets the first of the others be the next.
    #[inline(never)]
    fn move_up(&mut self) {
        match self.others.get(self.taken) {
            Some(other) => {
                self.next = *other;
                self.taken += 1;
            }
            None => {
                self.others.clear();
                self.taken = 0;
            }
        }
    }
}
