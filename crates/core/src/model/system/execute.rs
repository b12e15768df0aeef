//! Running the code of frames.

use super::queue::{give_up_if_late, grant};
use super::{Event, System};
use crate::engine::random::{Draw, unit};
use crate::engine::time::{Nanos, round};
use crate::measure::ledger::Ledger;
use crate::model::frame::{Frame, LOOP_DEPTH, Outcome, Role, Stage, Wait};
use crate::model::program::{Instruction, Size};
use crate::model::station::Entry;

impl System<'_> {
    /// Runs a frame, the frames it becomes (its callee, its caller) and those that are let go on meanwhile, until all of
    /// them have to wait.
    #[inline(always)]
    pub(super) fn execute(&mut self, first: u32, code: &[Instruction]) {
        let mut running = Some(first);
        while let Some(frame) = running {
            self.run_frame(frame, code);
            // A fork can explode within a single event, so the limit is looked at before every further frame.
            running = self.next_ready().filter(|_| !self.frames.crowded());
        }
    }

    /// Runs a frame, and the frames it becomes, until it has to wait.
    // Long: the dispatch, one arm per instruction; the compiler makes one jump table of it, and arms that are functions of
    // their own would be called at every step.
    #[inline(always)]
    fn run_frame(&mut self, mut index: u32, code: &[Instruction]) {
        if self.havoc.active > 0 && self.stands_still(index) {
            return;
        }
        loop {
            let frame = &mut self.frames[index];
            let place = frame.place;
            frame.place = place + 1;
            let mut ends = false;
            match code[place as usize] {
                Instruction::Crowd { slot, demand, account, each } => {
                    let nanos = round(self.demands[demand as usize].draw_apart(frame));
                    if self.crowd(index, slot, nanos, account, each) {
                        return;
                    }
                }
                Instruction::Delay { demand, account } => {
                    let demand = &self.demands[demand as usize];
                    let nanos = round(demand.draw(frame));
                    if nanos > 0 {
                        frame.stage = Stage::Delay;
                        frame.since = self.calendar.now();
                        frame.work = nanos;
                        frame.account = account;
                        let generation = frame.generation;
                        match demand.lane {
                            Some(lane) => self.calendar.in_lane(lane, Event::Resume { frame: index, generation }),
                            None => self.calendar.after(nanos, Event::Resume { frame: index, generation }),
                        }
                        return;
                    }
                }
                Instruction::Share { slot, demand, waiting, service } => {
                    let station = self.instances[frame.instance as usize].sharing + u32::from(slot);
                    let work = self.sharing[station as usize].work_of(self.demands[demand as usize].draw(frame));
                    frame.work = work;
                    if work > 0 {
                        let now = self.calendar.now();
                        frame.stage = Stage::Share;
                        frame.since = now;
                        (frame.account, frame.account2) = (service, waiting);
                        self.sharing[station as usize].enter(now, index, work);
                        self.arrange(station);
                        return;
                    }
                }
                Instruction::Acquire { slot, waiting } => {
                    let station = self.instances[frame.instance as usize].servers + u32::from(slot);
                    let wait = Wait { account: waiting, station };
                    let servers = &mut self.servers[station as usize];
                    let entry = match servers.is_plain() {
                        true => servers.enter(self.calendar.now(), index, wait, &mut self.frames),
                        false => self.enter_apart(index, slot, wait),
                    };
                    match entry {
                        Entry::Served => self.books.passed_at_once(waiting),
                        Entry::Queued | Entry::Displaces(_) => return,
                        Entry::Interrupts(other) => {
                            self.books.passed_at_once(waiting);
                            self.stop(wait, other);
                        }
                        Entry::Refused => {
                            self.books.refused(waiting);
                            self.fail(index, place, Outcome::Rejected);
                        }
                        Entry::Shed => {
                            self.books.refused(waiting);
                            self.fail(index, place, Outcome::Shed);
                        }
                    }
                }
                Instruction::Release { slot } => {
                    let failed = frame.outcome != Outcome::Success;
                    if failed {
                        frame.place = self.blueprint.program.unwind[place as usize];
                    }
                    let station = self.instances[frame.instance as usize].servers + u32::from(slot);
                    self.release(station, index);
                    // Mostly this was all; then it need not be looked for.
                    ends = !failed && matches!(code.get(place as usize + 1), Some(Instruction::Finish));
                }
                Instruction::Allocate { holding } => self.allocate(index, place, holding),
                Instruction::Free { holding } => self.free(index, place, holding),
                Instruction::AcquireWithin { slot, waiting, limit } => {
                    if self.acquire_within(index, slot, waiting, limit, place) {
                        return;
                    }
                }
                Instruction::Connect { pool } => {
                    if self.connect(index, pool) {
                        return;
                    }
                }
                Instruction::Disconnect { pool } => self.disconnect(index, pool, place),
                Instruction::Begin { guard } => self.begin_guarded(index, guard),
                Instruction::Admit { guard } => {
                    if self.admit(index, guard, place) {
                        return;
                    }
                }
                Instruction::Settle { guard, again } => {
                    if self.settle(index, guard, again, place) || self.turn() {
                        return;
                    }
                }
                Instruction::HedgeDelay { guard, number } => {
                    self.await_turn(index, guard, number);
                    return;
                }
                Instruction::EnterGate => self.enter_gate(index, place),
                Instruction::LeaveGate => self.leave_gate(index, place),
                Instruction::HedgeSent { guard } => self.hedge_sent(guard),
                Instruction::Fallback { guard } => self.fall_back(index, guard, place),
                Instruction::Limit { limit, account, refused } => {
                    if !self.limit(index, limit.into(), account, refused) {
                        return;
                    }
                }
                Instruction::Unlimit { limit } => {
                    if frame.outcome != Outcome::Success {
                        frame.place = self.blueprint.program.unwind[place as usize];
                    }
                    self.unlimit(index, limit.into());
                }
                Instruction::Refuse => self.fail(index, place, Outcome::Limited),
                Instruction::Lock { section } => {
                    if !self.lock(index, section) {
                        return;
                    }
                }
                Instruction::Unlock { section } => self.unlock(index, section, place),
                Instruction::Send { sending } => {
                    if !self.send(index, sending, place) {
                        return;
                    }
                }
                Instruction::Receive => {}
                Instruction::Received { channel } => self.received(index, channel),
                Instruction::Call { site } => {
                    if self.turn() {
                        return;
                    }
                    match self.call(index, site) {
                        Ok(attempt) => {
                            index = attempt;
                            if self.havoc.active > 0 && (self.arrives_late(index) || self.stands_still(index)) {
                                return;
                            }
                        }
                        Err(reason) => self.fail_call(index, place, reason),
                    }
                }
                Instruction::Fork { fork } => {
                    self.fork(index, fork);
                    return;
                }
                Instruction::Choose { choice } => {
                    let choice = &self.blueprint.program.choices[choice as usize];
                    let point = unit(&mut Draw::new(frame.key, choice.salt, frame.visit()));
                    frame.place = choice.way(point).unwrap_or(frame.place);
                }
                Instruction::Jump { to } => frame.place = to,
                Instruction::Repeat { demand, depth, past } => {
                    let rounds = round(self.demands[demand as usize].draw_apart(frame)).min(u64::from(u16::MAX)) as u16;
                    frame.rounds[depth as usize % LOOP_DEPTH] = rounds;
                    if rounds == 0 {
                        frame.place = past;
                    }
                }
                Instruction::PageFaults { slot, depth, past } => self.page_faults(index, slot, depth, past),
                Instruction::PageCached { working_set, past } => self.look_up_page(index, working_set, past),
                Instruction::Again { depth, body } => {
                    let rounds = &mut frame.rounds[depth as usize % LOOP_DEPTH];
                    *rounds -= 1;
                    if *rounds > 0 {
                        frame.place = body;
                        if self.turn() {
                            return;
                        }
                    }
                }
                Instruction::Fail => self.fail(index, place, Outcome::Error),
                Instruction::Recover if frame.is_doomed() => {
                    frame.place = self.blueprint.program.unwind[place as usize]
                }
                Instruction::Recover => frame.outcome = Outcome::Success,
                Instruction::Raise => {
                    if frame.outcome != Outcome::Success {
                        frame.place = self.blueprint.program.unwind[place as usize];
                    }
                }
                Instruction::Reply { size } => self.answer_early(index, size),
                Instruction::Data { step } => {
                    if !self.data_step(index, place, step) {
                        return;
                    }
                }
                Instruction::Transfer { back } => {
                    if !self.transfer(index, back) {
                        return;
                    }
                }
                Instruction::Hop { back } => {
                    if !self.hop(index, back, place) {
                        return;
                    }
                }
                Instruction::Enter => self.enter_operation(index),
                Instruction::Return if self.go_back(index) => {}
                Instruction::Finish | Instruction::Return | Instruction::Deliver => ends = true,
            }
            if ends {
                let Some(next) = self.end(index) else { return };
                index = next;
                if self.havoc.active > 0 && self.stands_still(index) {
                    return;
                }
            }
        }
    }

    /// Answers a frame's caller, while the frame goes on.
    #[inline(never)]
    fn answer_early(&mut self, index: u32, size: Size) {
        let frame = &self.frames[index];
        let bytes = match size {
            Size::Drawn(demand) => round(self.demands[demand as usize].draw_apart(frame)),
            Size::Recorded => u64::from(self.data.carry(index).recorded),
        };
        self.books.sent(self.frames[index].owner, bytes);
        if let Some(network) = &self.blueprint.network {
            self.send_courier(network, index, bytes);
        } else if let Some(caller) = self.frames[index].answer().and_then(|answer| self.reply(index, answer)) {
            self.ready.push(caller);
        }
    }

    /// Books a frame's delay, which is over; returns the frame, which goes on, if it still waited.
    #[inline(always)]
    pub(super) fn resume(&mut self, index: u32, generation: u32) -> Option<u32> {
        let frame = &mut self.frames[index];
        if frame.generation != generation {
            return None;
        }
        frame.stage = Stage::Running;
        let passed = self.calendar.now() - frame.since;
        self.pool.add(&mut frame.ledger, frame.account, passed);
        self.books.served(frame.account, passed);
        Some(index)
    }

    /// Lets all frames go on whose work at a sharing station is done.
    #[inline(always)]
    pub(super) fn shared(&mut self, station: u32) {
        let now = self.calendar.now();
        self.sharing[station as usize].woken(now);
        while let Some(index) = self.sharing[station as usize].leave(now) {
            let frame = &mut self.frames[index];
            if frame.stage == Stage::Transfer {
                self.transferred(index, station);
                continue;
            }
            frame.stage = Stage::Running;
            let passed = now - frame.since;
            // Rounding may end a job half a nanosecond early; then all its time was service.
            let service = frame.work.min(passed);
            self.pool.add(&mut frame.ledger, frame.account2, passed - service);
            self.pool.add(&mut frame.ledger, frame.account, service);
            self.books.passed(frame.account2, passed - service);
            self.books.served(frame.account, service);
            self.ready.push(index);
        }
        self.arrange(station);
    }

    /// Sets the alarm of a sharing station, after all that changes when its next job is done.
    #[inline]
    pub(super) fn arrange(&mut self, station: u32) {
        let time = self.sharing[station as usize].wakes(self.calendar.now());
        self.calendar.set_alarm(station, time);
    }

    /// Gives a slot back and lets the next in the queue have it.
    #[inline]
    fn release(&mut self, station: u32, index: u32) {
        let now = self.calendar.now();
        let servers = &mut self.servers[station as usize];
        if !servers.is_in_order() {
            return self.release_ranked(station, index);
        }
        if let Some((next, waited, frame)) = servers.leave(now, &mut self.frames) {
            grant(frame, waited, &mut self.pool, &mut self.books);
            give_up_if_late(frame, now, &self.blueprint.program);
            self.ready.push(next);
        }
    }

    /// Lets a frame fail at an instruction: it goes on at the unwinding code.
    #[inline]
    pub(super) fn fail(&mut self, index: u32, place: u32, outcome: Outcome) {
        let frame = &mut self.frames[index];
        (frame.outcome, frame.reason) = (outcome, outcome);
        frame.place = self.blueprint.program.unwind[place as usize];
    }

    /// Lets a frame fail whose call could not be sent: there is no instance, no connection or no time left. Only a client sees
    /// how.
    #[cold]
    fn fail_call(&mut self, index: u32, place: u32, reason: Outcome) {
        let own = if self.frames[index].role == Role::Request { reason } else { Outcome::Error };
        self.fail(index, place, own);
        self.frames[index].reason = reason;
    }

    /// Books where a frame's time went until now, including what it is waiting for at present, without touching it.
    pub(super) fn collect(&mut self, index: u32, into: &mut Ledger) {
        self.pool.copy(into, &self.frames[index].ledger);
        self.collect_stage(index, into);
    }

    /// Books the time that a frame has waited for what it is waiting for at present, without touching it.
    pub(super) fn collect_stage(&mut self, index: u32, into: &mut Ledger) {
        let now = self.calendar.now();
        let frame = self.frames[index].clone();
        let passed = now - frame.since;
        match frame.stage {
            Stage::Running => {}
            Stage::Buffer => {}
            Stage::Transfer => self.collect_transfer(index, into),
            Stage::Delay | Stage::Parked | Stage::Queue | Stage::Lock | Stage::Room => {
                self.pool.add(into, frame.account, passed)
            }
            Stage::Share => {
                let service = self.attained(index, &frame).min(passed);
                self.pool.add(into, frame.account2, passed - service);
                self.pool.add(into, frame.account, service);
            }
            Stage::Children => self.collect(frame.child, into),
        }
    }

    /// The work that a frame has had done at the sharing station where it is.
    pub(super) fn attained(&self, index: u32, frame: &Frame) -> Nanos {
        let station = self.sharing_of(index).map(|station| &self.sharing[station as usize]);
        station.map_or(0, |station| station.attained(self.calendar.now(), index, frame.work))
    }

    /// The sharing station at which a frame is.
    pub(super) fn sharing_of(&self, index: u32) -> Option<u32> {
        let frame = &self.frames[index];
        let Instruction::Share { slot, .. } = self.blueprint.program.code[frame.place as usize - 1] else {
            return None;
        };
        Some(self.instances[frame.instance as usize].sharing + u32::from(slot))
    }
}
