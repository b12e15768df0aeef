//! Beginning and ending attempts: calls, replies, joins, timeouts.

use super::{Event, System};
use crate::engine::random::child;
use crate::measure::ledger::Ledger;
use crate::model::frame::{NONE, Outcome, Role, Stage};

impl System<'_> {
    /// Sends a call; returns the frame of the attempt, which runs next.
    #[inline]
    pub(super) fn call(&mut self, caller: u32, site: u32) -> u32 {
        let now = self.calendar.now();
        let blueprint = self.blueprint;
        let plan = &blueprint.program.sites[site as usize];
        let operation = &blueprint.operations[plan.operation as usize];
        let service = &mut self.services[operation.service as usize];
        let number = service.balancer.choose(&service.in_flight, &mut service.random);
        service.in_flight[number] += 1;
        service.balancer.changed(number, service.in_flight[number]);
        let instance = service.first_instance + number as u32;

        let frame = &mut self.frames[caller];
        frame.stage = Stage::Children;
        frame.since = now;
        let (generation, attempt_key) = (frame.generation, child(frame.key, plan.salt, frame.visit()));
        if let Some(lane) = self.timeout_lanes[site as usize] {
            self.calendar.in_lane(lane, Event::Timeout { frame: caller, generation });
        }
        let attempt = self.frames.start(Role::Attempt, plan.operation, instance, attempt_key, now, operation.entry);
        let frame = &mut self.frames[attempt];
        (frame.parent, frame.parent_generation) = (caller, generation);
        self.frames[caller].child = attempt;
        self.books.called(plan.operation);
        attempt
    }

    /// Answers a frame's caller, if it still waits, and returns it: it can go on.
    #[inline]
    pub(super) fn reply(&mut self, index: u32) -> Option<u32> {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        if frame.answered {
            return None;
        }
        frame.answered = true;
        let (parent, awaited, outcome) = (frame.parent, frame.parent_generation, frame.outcome);
        let ledger = std::mem::replace(&mut frame.ledger, Ledger::EMPTY);
        let (owner, started, instance) = (frame.owner, frame.started, frame.instance);
        let heard = self.frames[parent].generation == awaited;
        self.answer(instance);
        self.books.answered(owner, now - started, outcome, heard);
        self.fingerprint.absorb(u64::from(owner) << 8 | outcome as u64, now.rotate_left(20) ^ started);
        if !heard {
            self.pool.release(ledger);
            return None;
        }
        self.hand_over(parent, ledger, outcome);
        Some(parent)
    }

    /// Ends a frame whose code is at its end; returns the frame that goes on in its place.
    #[inline]
    pub(super) fn end(&mut self, index: u32) -> Option<u32> {
        let next = match self.frames[index].role {
            Role::Attempt => self.reply(index),
            Role::Branch => self.join(index),
            Role::Request | Role::Vacant => {
                self.end_request(index);
                None
            }
        };
        self.pool.release(self.frames[index].ledger);
        self.frames.remove(index);
        next
    }

    /// Ends a branch; returns its parent if it was the last one.
    fn join(&mut self, index: u32) -> Option<u32> {
        let branch = &mut self.frames[index];
        let ledger = std::mem::replace(&mut branch.ledger, Ledger::EMPTY);
        let (parent, awaited) = (branch.parent, branch.parent_generation);
        let (outcome, [before, behind]) = (branch.outcome, branch.sibling);
        if self.frames[parent].generation != awaited {
            self.pool.release(ledger);
            return None;
        }
        match before {
            NONE => self.frames[parent].child = behind,
            before => self.frames[before].sibling[1] = behind,
        }
        if behind != NONE {
            self.frames[behind].sibling[0] = before;
        }
        let waiting = &mut self.frames[parent];
        waiting.pending -= 1;
        if outcome != Outcome::Success {
            waiting.outcome = Outcome::Error;
        }
        if waiting.pending > 0 {
            self.pool.release(ledger);
            return None;
        }
        let outcome = waiting.outcome;
        self.hand_over(parent, ledger, outcome);
        Some(parent)
    }

    /// Gives a waiting frame the ledger of the time it waited, and the outcome.
    #[inline]
    fn hand_over(&mut self, parent: u32, ledger: Ledger, outcome: Outcome) {
        let waiting = &mut self.frames[parent];
        waiting.generation = waiting.generation.wrapping_add(1);
        waiting.stage = Stage::Running;
        waiting.child = NONE;
        self.pool.splice(&mut waiting.ledger, ledger);
        if outcome != Outcome::Success {
            let seen = if waiting.role == Role::Request { outcome } else { Outcome::Error };
            let place = waiting.place - 1;
            self.fail(parent, place, seen);
        }
    }

    /// Ends a frame's patience with its callee, which goes on working for nobody.
    pub(super) fn time_out(&mut self, index: u32) {
        let mut ledger = Ledger::EMPTY;
        self.collect(self.frames[index].child, &mut ledger);
        self.hand_over(index, ledger, Outcome::TimedOut);
        self.execute(index);
    }

    /// Takes note that an instance answered a call.
    #[inline]
    fn answer(&mut self, instance: u32) {
        let at = self.instances[instance as usize];
        let service = &mut self.services[at.service as usize];
        let in_flight = &mut service.in_flight[at.number as usize];
        *in_flight -= 1;
        service.balancer.changed(at.number as usize, *in_flight);
    }
}
