//! Taking frames out of what they wait for: crashes and cancelling.
//!
//! A condemned frame is interrupted when no frame is running any more at this instant. It then goes on at the unwinding
//! code of the instruction at which it waited, gives back what it holds, and ends with the outcome it was condemned to.
//! Its time until then is in its ledger. What it had called goes on for nobody; its branches are part of it and end too.

use super::System;
use crate::engine::time::Nanos;
use crate::measure::ledger::Ledger;
use crate::model::frame::{Frame, NONE, Outcome, Role, Stage};
use crate::model::program::Instruction;

/// A frame that will be interrupted. Frames end and their places are used again, so the key tells which one was meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condemned {
    frame: u32,
    key: u64,
    outcome: Outcome,
}

impl System<'_> {
    /// The next frame that runs at this instant: those let go on, in their order, then those condemned meanwhile.
    #[inline(always)]
    pub(super) fn next_ready(&mut self) -> Option<u32> {
        match self.ready.pop() {
            None if !self.condemned.is_empty() => {
                self.interrupt_condemned();
                self.ready.pop()
            }
            next => next,
        }
    }

    /// Notes that a frame will be taken out of what it waits for, at this instant.
    pub(super) fn condemn(&mut self, frame: u32, outcome: Outcome) {
        self.condemned.push(Condemned { frame, key: self.frames[frame].key, outcome });
    }

    /// Lets an instance die: all that is in flight there ends as crashed, and nothing is sent there any more.
    pub(super) fn crash(&mut self, instance: u32) {
        let here = |frame: &Frame| {
            frame.instance == instance && matches!(frame.role, Role::Attempt | Role::Direct | Role::Branch)
        };
        let frames = &self.frames;
        let lost = frames.places().filter(|place| here(&frames[*place]));
        let lost = lost.map(|frame| Condemned { frame, key: frames[frame].key, outcome: Outcome::Crashed });
        self.condemned.extend(lost);
        self.data.crashed(instance);
        self.set_up(instance, false);
        self.memory_up(instance, false);
    }

    pub(super) fn set_up(&mut self, instance: u32, up: bool) {
        let place = &mut self.instances[instance as usize];
        if place.up != up {
            place.up = up;
            self.services[place.service as usize].set_up(place.number as usize, up, self.calendar.now());
            let takes_part = up && self.is_ready(instance);
            self.members_changed(instance, takes_part);
        }
    }

    /// Interrupts all condemned frames.
    #[cold]
    fn interrupt_condemned(&mut self) {
        let mut next = 0;
        // Branches of the condemned join the list while it is worked off.
        while let Some(&Condemned { frame, key, outcome }) = self.condemned.get(next) {
            next += 1;
            let meant = &self.frames[frame];
            if meant.key == key && meant.role != Role::Vacant && meant.stage != Stage::Running {
                self.interrupt(frame, outcome);
            }
        }
        self.condemned.clear();
    }

    /// Takes a waiting frame out of what it waits for; it goes on unwinding.
    fn interrupt(&mut self, index: u32, outcome: Outcome) {
        let now = self.calendar.now();
        let mut ledger = Ledger::EMPTY;
        self.collect_stage(index, &mut ledger);
        let frame = &mut self.frames[index];
        let passed = now - frame.since;
        self.pool.splice(&mut frame.ledger, &ledger);
        let (stage, account, account2, child) = (frame.stage, frame.account, frame.account2, frame.child);
        match stage {
            Stage::Running => {}
            Stage::Delay | Stage::Parked => self.books.served(account, passed),
            Stage::Queue => {
                let waited = self.servers[account2 as usize].abandon(now, index, &mut self.frames);
                self.books.passed(account, waited);
            }
            Stage::Share => {
                self.withdraw(index);
            }
            Stage::Transfer => self.abandon_transfer(index),
            Stage::Lock => self.abandon_lock(index),
            Stage::Room => self.abandon_room(index),
            Stage::Buffer => self.lose_item(index),
            Stage::Children => self.condemn_children(index, child, outcome),
        }
        let frame = &mut self.frames[index];
        // A direct request keeps the generation with which it began; its patience is a matter of that one.
        frame.generation = frame.generation.wrapping_add(1);
        frame.stage = Stage::Running;
        frame.child = NONE;
        if frame.outcome == Outcome::Success {
            (frame.outcome, frame.reason) = (outcome, outcome);
        }
        let program = &self.blueprint.program;
        frame.place = match stage {
            Stage::Parked => program.unwinding_from(frame.place),
            _ => program.unwind[frame.place as usize - 1],
        };
        self.ready.push(index);
    }

    /// Condemns what a frame waits for, if it ends with it: the branches of a fork, whose first one is given, or a callee that
    /// is told. The dead tell nobody anything.
    fn condemn_children(&mut self, index: u32, first: u32, outcome: Outcome) {
        let place = self.frames[index].place as usize - 1;
        if let Instruction::Call { site } = self.blueprint.program.code[place]
            && self.targets[site as usize].passes_cancel
            && outcome == Outcome::Canceled
        {
            self.condemn(first, Outcome::Canceled);
        }
        let mut child = first;
        while child != NONE && self.frames[child].role == Role::Branch {
            self.condemn(child, Outcome::Canceled);
            child = self.frames[child].sibling[1];
        }
    }

    /// Takes a frame out of the sharing station where it is, with what is done of its work; returns how much that is [ns].
    pub(super) fn withdraw(&mut self, index: u32) -> Nanos {
        let now = self.calendar.now();
        let Some(station) = self.sharing_of(index) else { return 0 };
        let &Frame { account, account2, since, work, .. } = &self.frames[index];
        let done = self.sharing[station as usize].withdraw(now, index, work).min(now - since);
        self.books.passed(account2, now - since - done);
        self.books.served(account, done);
        self.arrange(station);
        done
    }
}
