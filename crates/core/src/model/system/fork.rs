//! Branches: how a fork begins, and when its parent goes on.
//!
//! All branches are awaited unless the fork's plan says how many successes are enough; it fails as soon as these cannot
//! be reached. Hedges that were not sent yet end with those at work. A fork with a limit ends at it, with the results there
//! are or as a failure. Branches that are not awaited any more are stopped or go on for nobody.

use super::{Event, System};
use crate::engine::random::child;
use crate::measure::ledger::Ledger;
use crate::model::frame::{Frame, NONE, Outcome, Role, Stage, Start};
use crate::model::program::{Fork, Instruction, Late};

/// A frame that waits for branches stands in no queue; this place of its neighbors counts the branches that succeeded.
const DONE: usize = 0;

impl<'a> System<'a> {
    /// Starts the branches of a fork; the frame waits for them.
    pub(super) fn fork(&mut self, index: u32, fork: u32) {
        let now = self.calendar.now();
        let plan = &self.blueprint.program.forks[fork as usize];
        let parent = &mut self.frames[index];
        parent.stage = Stage::Children;
        parent.since = now;
        parent.pending = plan.branches.len() as u16;
        parent.queue[DONE] = 0;
        let parent = parent.clone();
        // Branches of a client's request run nowhere.
        let instance = if parent.role == Role::Request { NONE } else { parent.instance };
        let mut bearing = parent.bearing();
        if let Some((limit, _)) = plan.limit {
            let end = now.saturating_add(limit);
            self.calendar.at(end, Event::Timeout { frame: index, generation: parent.generation });
            if plan.tells_deadline {
                bearing.deadline = bearing.deadline.min(end);
            }
        }
        let mut last = NONE;
        for &(place, salt) in &plan.branches {
            let key = if salt == 0 { parent.key } else { child(parent.key, salt, parent.visit()) };
            let start = Start { role: Role::Branch, owner: parent.owner, instance, key, place, bearing };
            let (branch, frame) = self.frames.start(now, start);
            (frame.parent, frame.parent_generation) = (index, parent.generation);
            frame.sibling = [last, NONE];
            if salt == 0 {
                (frame.rounds, frame.retries) = (parent.rounds, parent.retries);
            }
            self.data.inherit(index, branch);
            match last {
                NONE => self.frames[index].child = branch,
                last => self.frames[last].sibling[1] = branch,
            }
            last = branch;
            self.ready.push(branch);
        }
    }

    /// Takes note of the end of the branch at `index`; returns its parent if that goes on.
    pub(super) fn join(&mut self, index: u32) -> Option<u32> {
        let &Frame { parent, parent_generation, outcome, reason, instance, owner, sibling: [before, behind], .. } =
            &self.frames[index];
        // Another frame may have the place of a parent that has ended.
        let awaited = self.frames[parent].generation == parent_generation;
        let plan = if awaited { self.fork_of(parent) } else { None };
        let Some(plan) = plan else {
            if instance != NONE {
                let wasted = self.service_time(index);
                self.books.wasted(owner, wasted);
            }
            self.forget_ledger(index);
            return None;
        };
        match before {
            NONE => self.frames[parent].child = behind,
            before => self.frames[before].sibling[1] = behind,
        }
        if behind != NONE {
            self.frames[behind].sibling[0] = before;
        }
        self.data.bring_best(index, parent);
        let waiting = &mut self.frames[parent];
        waiting.pending -= 1;
        if outcome == Outcome::Success {
            waiting.queue[DONE] += 1;
        } else {
            waiting.reason = reason;
        }
        let Some(outcome) = self.verdict(parent, plan) else {
            self.forget_ledger(index);
            return None;
        };
        self.leave_fork(parent, plan, outcome);
        self.hand_on(index, parent, outcome);
        Some(parent)
    }

    /// How a fork ends, if its branches that have ended decide it.
    fn verdict(&self, parent: u32, plan: &Fork) -> Option<Outcome> {
        let waiting = &self.frames[parent];
        let (done, left) = (waiting.queue[DONE], u32::from(waiting.pending));
        let all = plan.branches.len() as u32;
        let Some(need) = plan.need.map(u32::from) else {
            let enough = match plan.limit {
                Some((_, Late::Partial(least))) => u32::from(least),
                _ => all,
            };
            let outcome = if done >= enough { Outcome::Success } else { waiting.reason };
            return (left == 0).then_some(outcome);
        };
        let hopeless = done + left < need || (plan.hedges && self.all_unsent(parent));
        match done >= need {
            true => Some(Outcome::Success),
            false => hopeless.then_some(waiting.reason),
        }
    }

    /// Whether the branches that are left are hedges that were not sent.
    fn all_unsent(&self, parent: u32) -> bool {
        let code = &self.blueprint.program.code;
        let mut child = self.frames[parent].child;
        while child != NONE {
            let frame = &self.frames[child];
            let unsent =
                frame.stage == Stage::Delay && matches!(code[frame.place as usize - 1], Instruction::HedgeDelay { .. });
            if !unsent {
                return false;
            }
            child = frame.sibling[1];
        }
        true
    }

    /// The plan of the fork at which a frame waits.
    fn fork_of(&self, index: u32) -> Option<&'a Fork> {
        let program = &self.blueprint.program;
        match program.code[self.frames[index].place as usize - 1] {
            Instruction::Fork { fork } => Some(&program.forks[fork as usize]),
            _ => None,
        }
    }

    /// Counts a fork that goes on without all results, and ends the wait for its other branches.
    fn leave_fork(&mut self, parent: u32, plan: &Fork, outcome: Outcome) {
        let frame = &self.frames[parent];
        let needed = plan.need.map_or(plan.branches.len() as u32, u32::from);
        if outcome == Outcome::Success && frame.queue[DONE] < needed {
            let (owner, of_client) = (frame.owner, frame.role == Role::Request || frame.instance == NONE);
            self.books.partial(owner, of_client);
        }
        self.dismiss(parent, plan);
    }

    /// Ends the wait for the branches that are left: they are stopped, or go on for nobody.
    fn dismiss(&mut self, parent: u32, plan: &Fork) {
        let mut child = self.frames[parent].child;
        while child != NONE {
            let next = self.frames[child].sibling[1];
            if plan.stops {
                self.condemn(child, Outcome::Canceled);
            }
            child = next;
        }
    }

    /// The limit of a fork is reached: its frame goes on with what there is, or fails.
    pub(super) fn late(&mut self, index: u32, fork: u32) {
        let plan = &self.blueprint.program.forks[fork as usize];
        let frame = &self.frames[index];
        let (done, child) = (frame.queue[DONE], frame.child);
        let mut ledger = Ledger::EMPTY;
        self.collect(child, &mut ledger);
        let outcome = match plan.limit {
            Some((_, Late::Partial(least))) if done >= u32::from(least) => Outcome::Success,
            _ => Outcome::TimedOut,
        };
        self.leave_fork(index, plan, outcome);
        self.hand_over(index, &ledger, outcome);
    }
}
