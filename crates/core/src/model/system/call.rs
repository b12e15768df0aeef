//! Beginning and ending attempts: calls, replies, joins, timeouts.

use super::balancers::Placed;
use super::parts::Target;
use super::traffic::Book;
use super::{Event, System};
use crate::engine::Nanos;
use crate::engine::random::child;
use crate::engine::time::round;
use crate::measure::ledger::{Ledger, Pool};
use crate::measure::{Binned, Kind};
use crate::model::balancer::Call;
use crate::model::frame::{Answer, Frame, NONE, Outcome, Role, Stage, Start};
use crate::model::program::{Instruction, Place, Route};

impl System<'_> {
    /// Sends a call; returns the frame of the attempt, which runs next.
    ///
    /// # Errors
    /// The call's outcome, if there is no instance to send it to.
    #[inline(always)]
    pub(super) fn call(&mut self, caller: u32, site: u32) -> Result<u32, Outcome> {
        let now = self.calendar.now();
        let target = &self.targets[site as usize];
        if self.frames[caller].deadline <= now {
            return Err(Outcome::TimedOut);
        }
        let frame = &self.frames[caller];
        let attempt_key = child(frame.key, target.salt, frame.visit());
        let alone = self.services[target.service as usize].alone(now).filter(|_| target.route == Route::Balanced);
        let Placed { instance, balancer } = match alone {
            Some(placed) => placed,
            None => self.place_call(caller, site, attempt_key)?,
        };
        let target = &self.targets[site as usize];
        let size = self.size_of(target, self.frames[caller].key, self.frames[caller].visit());

        let frame = &mut self.frames[caller];
        frame.stage = Stage::Children;
        frame.since = now;
        let generation = frame.generation;
        let bearing = target.bearing(frame, now);
        let event = Event::Timeout { frame: caller, generation };
        match target.timeout {
            _ if bearing.deadline < target.patience(now) => self.calendar.at(bearing.deadline, event),
            Some(lane) => self.calendar.in_lane(lane, event),
            None => {}
        }
        let (attempt, frame) = self.frames.start(
            now,
            Start {
                role: Role::Attempt,
                owner: target.operation,
                instance,
                key: attempt_key,
                place: target.entry,
                bearing,
            },
        );
        (frame.parent, frame.parent_generation) = (caller, generation);
        (frame.balancer, frame.size) = (balancer, size);
        self.frames[caller].child = attempt;
        self.data.inherit(caller, attempt);
        self.books.called(target.operation);
        if let Some(network) = &self.blueprint.network {
            self.send_off(network, caller, attempt, site);
        }
        Ok(attempt)
    }

    /// Chooses the instance of a call.
    #[inline(never)]
    fn place_call(&mut self, caller: u32, site: u32, attempt_key: u64) -> Result<Placed, Outcome> {
        let now = self.calendar.now();
        let target = &self.targets[site as usize];
        if target.route != Route::Balanced {
            return self.route(caller, site).ok_or(Outcome::Unreachable);
        }
        let frame = &self.frames[caller];
        let service = &mut self.services[target.service as usize];
        if self.blueprint.network.is_none()
            && let Some(placed) = service.choose_by_data(frame.item, now)
        {
            return Ok(placed);
        }
        let service = &self.services[target.service as usize];
        let mut call = Call { key: frame.item, ..Call::at(now) };
        if service.of_sessions {
            call.session = self.session_of(caller);
        }
        if let Some(network) = &self.blueprint.network {
            call.zone = self.zone_of(network, caller, site);
        }
        if service.foresees {
            call.work = self.foresee(target.entry, attempt_key);
        }
        let number = || match frame.role {
            Role::Request => None,
            _ => self.instances.get(frame.instance as usize).map(|place| place.number),
        };
        self.services[target.service as usize].choose(&call, number)
    }

    /// The size of a call's request [B] for a caller with this key at a visit; 0 where nobody counts it.
    #[inline]
    pub(super) fn size_of(&self, target: &Target, key: u64, visit: u64) -> u32 {
        if target.size == NONE { 0 } else { self.drawn_size(target.size, key, visit) }
    }

    /// The size that is drawn. A function of its own, so that the main loop does not hold the draw.
    #[inline(never)]
    fn drawn_size(&self, demand: u32, key: u64, visit: u64) -> u32 {
        round(self.demands[demand as usize].draw_at(key, visit)).min(u64::from(u32::MAX)) as u32
    }

    /// Books an attempt's answer; `heard` tells whether its caller still waited.
    #[inline(always)]
    fn book(&mut self, answer: &Answer, response: Binned, heard: bool) {
        let now = self.calendar.now();
        let &Answer { owner, instance, started, outcome, .. } = answer;
        if answer.balancer != Placed::BY_NOBODY {
            let service = self.instances[instance as usize].service;
            self.services[service as usize].answered(now, answer);
        }
        self.books.answered(owner, response, outcome, heard);
        self.fingerprint.absorb(u64::from(owner) << 8 | outcome as u64, now.rotate_left(20) ^ started);
    }

    /// Hands the answer of the attempt at `index` to its caller, if that still waits, and returns it: it can go on.
    #[inline(always)]
    pub(super) fn reply(&mut self, index: u32, answer: Answer) -> Option<u32> {
        let Answer { parent, awaited, outcome, .. } = answer;
        let heard = self.frames[parent].generation == awaited;
        let response = Binned::new(self.calendar.now() - answer.started);
        self.book(&answer, response, heard);
        if !heard {
            self.waste(index, answer.owner);
            return None;
        }
        if self.books.detail.is_some() && outcome == Outcome::Success {
            self.detail_attempt(index, answer.owner, response);
        }
        self.hand_on(index, parent, outcome);
        self.data.bring_back(index, parent);
        Some(parent)
    }

    /// Books the work of an attempt of an operation whose answer nobody hears.
    #[inline(never)]
    fn waste(&mut self, index: u32, operation: u32) {
        let wasted = self.service_time(index);
        self.books.wasted(operation, wasted);
        self.forget_ledger(index);
    }

    /// Gives a waiting frame the ledger of another one, and the outcome.
    #[inline(always)]
    pub(super) fn hand_on(&mut self, from: u32, to: u32, outcome: Outcome) {
        let [from, to] = self.frames.both(from, to);
        end_wait(to, &from.ledger, outcome, &mut self.pool, &self.blueprint.program.unwind);
        from.ledger.clear();
    }

    /// Gives a waiting frame the ledger of the time it waited, and the outcome.
    pub(super) fn hand_over(&mut self, waiting: u32, ledger: &Ledger, outcome: Outcome) {
        let unwind = &self.blueprint.program.unwind;
        end_wait(&mut self.frames[waiting], ledger, outcome, &mut self.pool, unwind);
    }

    /// The work in the ledger of a frame [ns].
    pub(super) fn service_time(&self, index: u32) -> Nanos {
        let accounts = &self.blueprint.program.accounts;
        let served = |account: u32| accounts[account as usize].kind == Kind::Service;
        let entries = self.pool.entries(&self.frames[index].ledger);
        entries.filter(|(account, _)| served(*account)).map(|(_, nanos)| nanos).sum()
    }

    /// Gives up the ledger of a frame.
    #[inline]
    pub(super) fn forget_ledger(&mut self, index: u32) {
        let ledger = &mut self.frames[index].ledger;
        self.pool.release(ledger);
        ledger.clear();
    }

    /// Ends a frame whose code is at its end; returns the frame that goes on in its place.
    #[inline(always)]
    pub(super) fn end(&mut self, index: u32) -> Option<u32> {
        let now = self.calendar.now();
        let (role, frame) = self.frames.remove(index);
        if role == Role::Attempt {
            let Some(answer) = frame.answer() else {
                self.forget_ledger(index);
                return None;
            };
            return self.reply(index, answer);
        }
        if role == Role::Direct {
            // It has not been answered before: who answers early has a frame apart.
            let ([client, user], answer) = (frame.sibling, frame.as_answer());
            let response = Binned::new(now - answer.started);
            self.book(&answer, response, true);
            if self.books.detail.is_some() {
                self.detail_direct(index, client, response);
            }
            self.end_request(client, user, response, answer.outcome, Book::Of(index));
            return None;
        }
        if role == Role::Branch { self.join(index) } else { self.end_program(index) }
    }

    /// Ends a client's request that has a program of its own.
    #[inline(never)]
    fn end_program(&mut self, index: u32) -> Option<u32> {
        let &Frame { owner: client, instance: user, started, outcome, ledger, .. } = &self.frames[index];
        let response = Binned::new(self.calendar.now() - started);
        self.end_request_apart(client, user, response, outcome, &ledger);
        None
    }

    /// Ends a frame's patience with what it waits for; returns the frame, which goes on, if it still waited. A callee
    /// goes on working for nobody, unless it is told to stop.
    pub(super) fn time_out(&mut self, index: u32, generation: u32) -> Option<u32> {
        let frame = &self.frames[index];
        if frame.generation != generation {
            return None;
        }
        let child = frame.child;
        match self.blueprint.program.code[frame.place as usize - 1] {
            Instruction::AcquireWithin { .. } => self.give_up_waiting(index),
            Instruction::Fork { fork } => self.late(index, fork),
            instruction => {
                let mut ledger = Ledger::EMPTY;
                self.collect(child, &mut ledger);
                if let Instruction::Call { site } = instruction
                    && self.targets[site as usize].cancels
                {
                    self.condemn(child, Outcome::Canceled);
                }
                self.hand_over(index, &ledger, Outcome::TimedOut);
            }
        }
        Some(index)
    }

    /// Ends a direct request whose client's patience is over; its attempt goes on working for nobody.
    pub(super) fn lose_patience(&mut self, index: u32, generation: u32) {
        if !self.frames[index].is_direct(generation) {
            return;
        }
        let mut ledger = Ledger::EMPTY;
        self.collect(index, &mut ledger);
        let Frame { sibling: [client, user], started, .. } = self.frames[index];
        if self.sources[client as usize].cancels {
            self.condemn(index, Outcome::Canceled);
        }
        self.frames.abandon(index);
        let response = Binned::new(self.calendar.now() - started);
        self.end_request_apart(client, user, response, Outcome::TimedOut, &ledger);
    }
}

/// Gives a waiting frame the ledger of the time it waited, and the outcome.
#[inline(always)]
fn end_wait(waiting: &mut Frame, ledger: &Ledger, outcome: Outcome, pool: &mut Pool, unwind: &[Place]) {
    waiting.generation = waiting.generation.wrapping_add(1);
    waiting.stage = Stage::Running;
    waiting.child = NONE;
    pool.splice(&mut waiting.ledger, ledger);
    if outcome != Outcome::Success {
        waiting.outcome = if waiting.role == Role::Request { outcome } else { Outcome::Error };
        waiting.reason = outcome;
        waiting.place = unwind[waiting.place as usize - 1];
    }
}
