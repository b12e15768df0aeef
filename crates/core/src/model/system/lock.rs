//! Locks at work: critical sections of frames.

use super::System;
use crate::model::frame::{Outcome, Stage};
use crate::model::locks::Section;
use crate::model::program::Instruction;

impl System<'_> {
    /// The section and the lock of its instance that a frame takes there.
    fn lock_of(&self, index: u32, section: u32) -> (&Section, u32) {
        let section = &self.blueprint.program.sections[section as usize];
        let frame = &self.frames[index];
        (section, self.instances[frame.instance as usize].locks + section.shard(frame))
    }

    /// Asks for a lock; whether the frame has it and goes on.
    pub(super) fn lock(&mut self, index: u32, section: u32) -> bool {
        let now = self.calendar.now();
        let (&Section { writes, waiting, .. }, lock) = self.lock_of(index, section);
        if self.locks[lock as usize].enter(now, index, writes, &mut self.frames) {
            self.books.passed_at_once(waiting);
            return true;
        }
        let frame = &mut self.frames[index];
        frame.stage = Stage::Lock;
        (frame.account, frame.account2) = (waiting, lock);
        false
    }

    /// Gives a lock back and lets the next have it; a failing frame goes on unwinding.
    pub(super) fn unlock(&mut self, index: u32, section: u32, place: u32) {
        let now = self.calendar.now();
        let (&Section { writes, .. }, lock) = self.lock_of(index, section);
        let frame = &mut self.frames[index];
        if frame.outcome != Outcome::Success {
            frame.place = self.blueprint.program.unwind[place as usize];
        }
        self.locks[lock as usize].leave(now, writes);
        self.admit_to(lock, writes);
    }

    /// Lets all have a lock who may now.
    fn admit_to(&mut self, lock: u32, after_write: bool) {
        let now = self.calendar.now();
        while let Some((next, waited)) = self.locks[lock as usize].next(now, after_write, &mut self.frames) {
            let frame = &mut self.frames[next];
            frame.stage = Stage::Running;
            self.pool.add(&mut frame.ledger, frame.account, waited);
            self.books.passed(frame.account, waited);
            self.ready.push(next);
        }
    }

    /// Takes a frame that gives up out of the line for a lock.
    pub(super) fn abandon_lock(&mut self, index: u32) {
        let now = self.calendar.now();
        let frame = &self.frames[index];
        let (account, lock) = (frame.account, frame.account2);
        let Instruction::Lock { section } = self.blueprint.program.code[frame.place as usize - 1] else { return };
        let writes = self.blueprint.program.sections[section as usize].writes;
        let waited = self.locks[lock as usize].abandon(now, index, writes, &mut self.frames);
        self.books.passed(account, waited);
        self.admit_to(lock, false);
    }
}
