//! Rate limits at work: which requests may pass.

use super::{Event, System};
use crate::model::blueprint::{LimitPlan, Scope};
use crate::model::frame::{NONE, Role, Stage};
use crate::model::limiter::{Limiter, Per, Verdict};
use crate::model::program::Place;

/// A limit of a service: its state for all instances together, or for each of them.
#[derive(Debug)]
pub(super) struct Limit {
    per: Per,
    /// One, or one per instance.
    states: Vec<Limiter>,
}

impl Limit {
    /// The limit of a plan for so many instances.
    pub(super) fn new(plan: &LimitPlan, instances: u32) -> Self {
        let count = match plan.scope {
            Scope::Service => 1,
            Scope::Instance => instances as usize,
        };
        Limit { per: plan.per, states: vec![Limiter::new(plan.allow); count] }
    }
}

impl System<'_> {
    /// Whose request a frame is, in the eyes of a limit.
    fn who(&self, per: Per, index: u32) -> Option<u64> {
        match per {
            Per::All => None,
            Per::Key => Some(self.frames[index].item).filter(|item| *item != NONE).map(u64::from),
            Per::Client => self.origin(index).map(|(client, _)| u64::from(client)),
            Per::User => self.origin(index).map(|(client, user)| u64::from(client) << 32 | u64::from(user)),
        }
    }

    fn limiter(&mut self, limit: u32, index: u32) -> (&mut Limiter, Option<u64>) {
        let who = self.who(self.limits[limit as usize].per, index);
        let number = self.instances[self.frames[index].instance as usize].number as usize;
        let states = &mut self.limits[limit as usize].states;
        let at = number.min(states.len() - 1);
        (&mut states[at], who)
    }

    /// Asks a limit; whether the frame goes on at once, perhaps where it is refused.
    pub(super) fn limit(&mut self, index: u32, limit: u32, account: u32, refused: Place) -> bool {
        let now = self.calendar.now();
        let (limiter, who) = self.limiter(limit, index);
        match limiter.ask(who, now) {
            Verdict::Pass => self.books.passed_at_once(account),
            Verdict::Later(nanos) => {
                let frame = &mut self.frames[index];
                (frame.stage, frame.since, frame.account) = (Stage::Delay, now, account);
                let event = Event::Resume { frame: index, generation: frame.generation };
                self.calendar.after(nanos, event);
                return false;
            }
            Verdict::Refused => {
                self.books.refused(account);
                self.frames[index].place = refused;
            }
        }
        true
    }

    /// Tells a limit that a frame that passed it is done.
    pub(super) fn unlimit(&mut self, index: u32, limit: u32) {
        let (limiter, who) = self.limiter(limit, index);
        limiter.done(who);
    }

    /// The client and user whose request a frame works for; `None` if nobody waits for it any more.
    pub(super) fn origin(&self, frame: u32) -> Option<(u32, u32)> {
        let mut index = frame;
        loop {
            let frame = &self.frames[index];
            match frame.role {
                Role::Request => return Some((frame.owner, frame.instance)),
                Role::Direct => return Some((frame.sibling[0], frame.sibling[1])),
                Role::Attempt | Role::Branch if self.frames[frame.parent].generation == frame.parent_generation => {
                    index = frame.parent;
                }
                _ => return None,
            }
        }
    }
}
