//! Queues with a discipline: entering them, being turned away, being interrupted, giving up.
//!
//! A frame that is interrupted at a `cpu` or `wait` step stands in the queue with what is left of it; its place in the code is
//! still behind that step, which it goes on with when it has a slot again. Frames that wait for something else (a call, a
//! lock) cannot be interrupted: they use nothing of the server.

use super::record::Books;
use super::{Event, System};
use crate::engine::random::Draw;
use crate::engine::time::{Nanos, round};
use crate::measure::ledger::{Ledger, Pool};
use crate::model::discipline::RankBy;
use crate::model::frame::{Frame, Frames, Outcome, Stage, Wait};
use crate::model::program::{Instruction, Program};
use crate::model::station::Entry;

/// Keys the draws of chance that disciplines ask for.
const CHANCE: u64 = 0x7265_645f_6472_6f70;

impl System<'_> {
    /// Asks for a slot of a station whose queue has a discipline, or where those who wait give up some day.
    #[cold]
    pub(super) fn enter_apart(&mut self, index: u32, slot: u16, wait: Wait) -> Entry {
        let entry = self.enter_ranked(index, wait);
        if matches!(entry, Entry::Queued | Entry::Displaces(_)) && self.servers[wait.station as usize].limits_wait() {
            self.schedule_end_of_wait(index, slot);
        }
        entry
    }

    fn enter_ranked(&mut self, index: u32, wait: Wait) -> Entry {
        let station = wait.station;
        let frame = &self.frames[index];
        let rank = match self.servers[station as usize].rank_by() {
            Some(RankBy::Priority) => u64::from(frame.priority),
            Some(RankBy::Deadline) => frame.deadline,
            Some(RankBy::Work) => self.foresee(frame.place, frame.key),
            Some(RankBy::Chance) => {
                use rand::Rng;
                Draw::new(frame.key, CHANCE, frame.visit()).next_u64()
            }
            Some(RankBy::Nothing) | None => 0,
        };
        let (now, code) = (self.calendar.now(), &self.blueprint.program.code);
        let can_stop = |frames: &Frames, frame: u32| {
            let frame = &frames[frame];
            let at = code[(frame.place as usize).saturating_sub(1)];
            match frame.stage {
                Stage::Delay => matches!(at, Instruction::Delay { .. }) && frame.work > now - frame.since,
                Stage::Share => matches!(at, Instruction::Share { .. }),
                _ => false,
            }
        };
        let entry = self.servers[station as usize].enter_ranked(now, index, rank, wait, &mut self.frames, &can_stop);
        let Entry::Displaces(mut oldest) = entry else { return entry };
        loop {
            let waited = self.servers[station as usize].abandon(now, oldest, &mut self.frames);
            self.turn_away(oldest, waited, Outcome::Rejected);
            match self.servers[station as usize].surplus() {
                Some(next) => oldest = next,
                None => break,
            }
        }
        entry
    }

    /// Lets one that is being served wait, since another one has its slot.
    pub(super) fn stop(&mut self, wait: Wait, index: u32) {
        let now = self.calendar.now();
        let mut ledger = Ledger::EMPTY;
        self.collect_stage(index, &mut ledger);
        let frame = &mut self.frames[index];
        let passed = now - frame.since;
        self.pool.splice(&mut frame.ledger, &ledger);
        let left = match frame.stage {
            Stage::Share => frame.work - self.withdraw(index),
            _ => {
                self.books.served(frame.account, passed);
                frame.work - passed
            }
        };
        let frame = &mut self.frames[index];
        frame.generation = frame.generation.wrapping_add(1);
        self.servers[wait.station as usize].interrupted(now, index, left.max(1), wait, &mut self.frames);
    }

    /// Gives a slot of a station with a discipline back.
    #[cold]
    pub(super) fn release_ranked(&mut self, station: u32, index: u32) {
        let now = self.calendar.now();
        let mut dropped = std::mem::take(&mut self.dropped);
        let next = self.servers[station as usize].leave_ranked(now, index, &mut self.frames, &mut dropped);
        for (frame, waited) in dropped.drain(..) {
            self.turn_away(frame, waited, Outcome::Shed);
        }
        self.dropped = dropped;
        if let Some((next, waited, left)) = next {
            self.granted(next, waited);
            if left > 0 {
                self.go_on(next, left);
            } else {
                give_up_if_late(&mut self.frames[next], now, &self.blueprint.program);
                self.ready.push(next);
            }
        }
    }

    /// Books the wait of a frame that has a slot now.
    fn granted(&mut self, index: u32, waited: Nanos) {
        grant(&mut self.frames[index], waited, &mut self.pool, &mut self.books);
    }

    /// Lets a frame go on with what is left of the step at which it was interrupted.
    fn go_on(&mut self, index: u32, left: Nanos) {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        (frame.since, frame.work) = (now, left);
        match self.blueprint.program.code[frame.place as usize - 1] {
            Instruction::Delay { account, .. } => {
                (frame.stage, frame.account) = (Stage::Delay, account);
                let event = Event::Resume { frame: index, generation: frame.generation };
                self.calendar.after(left, event);
            }
            Instruction::Share { waiting, service, .. } => {
                (frame.stage, frame.account, frame.account2) = (Stage::Share, service, waiting);
                if let Some(station) = self.sharing_of(index) {
                    self.sharing[station as usize].enter(now, index, left);
                    self.arrange(station);
                }
            }
            _ => self.ready.push(index),
        }
    }

    /// Turns a frame away that waited in vain and stands in no queue any more.
    fn turn_away(&mut self, index: u32, waited: Nanos, outcome: Outcome) {
        self.granted(index, waited);
        let frame = &self.frames[index];
        let (account, at) = (frame.account, frame.place - 1);
        self.books.refused(account);
        self.fail(index, at, outcome);
        self.ready.push(index);
    }

    /// Sets a limit to the wait of a frame that has just begun to wait.
    fn schedule_end_of_wait(&mut self, index: u32, slot: u16) {
        let frame = &self.frames[index];
        let service = self.instances[frame.instance as usize].service;
        let plan = &self.blueprint.services[service as usize].servers[slot as usize];
        if let Some(limit) = &plan.wait {
            let mut draw = Draw::new(frame.key, limit.salt, frame.visit());
            let nanos = round(limit.distribution.sample(&mut draw));
            let event = Event::WaitEnds { frame: index, generation: frame.generation };
            self.calendar.after(nanos, event);
        }
    }

    /// Turns a frame away that has waited as long as it may; returns it if it still waited.
    pub(super) fn end_wait(&mut self, index: u32, generation: u32) -> Option<u32> {
        let frame = &self.frames[index];
        if frame.generation != generation || frame.stage != Stage::Queue {
            return None;
        }
        let (station, now) = (frame.account2, self.calendar.now());
        let waited = self.servers[station as usize].abandon(now, index, &mut self.frames);
        self.turn_away(index, waited, Outcome::Rejected);
        self.ready.pop()
    }
}

/// Books the wait of a frame that has a slot now.
#[inline(always)]
pub(super) fn grant(frame: &mut Frame, waited: Nanos, pool: &mut Pool, books: &mut Books) {
    frame.stage = Stage::Running;
    // A limit to its wait no longer concerns it.
    frame.generation = frame.generation.wrapping_add(1);
    let account = frame.account;
    pool.add(&mut frame.ledger, account, waited);
    books.passed(account, waited);
}

/// Lets a frame that has a slot now give it back at once if nobody needs the answer any more.
#[inline]
pub(super) fn give_up_if_late(frame: &mut Frame, now: Nanos, program: &Program) {
    if frame.deadline <= now {
        (frame.outcome, frame.reason) = (Outcome::TimedOut, Outcome::TimedOut);
        frame.place = program.unwinding_from(frame.place);
    }
}
