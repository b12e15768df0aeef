//! Guarded calls at work: retries with their budgets, breakers, throttles, hedges and fallbacks.
//!
//! A frame remembers between the instructions of a guarded call: `retries` (how many there were), and in `work` the
//! generation with which its breaker let it pass, or that it was refused. Each instance of a service has a state of its own
//! for every guarded call in its code; a client has one.

use super::{Event, System};
use crate::engine::Nanos;
use crate::engine::random::{Draw, child, unit};
use crate::engine::time::round;
use crate::model::blueprint::Blueprint;
use crate::model::frame::{Frame, Outcome, Role, Stage};
use crate::model::program::{GuardPlan, HedgeDelay, Place};
use crate::model::resilience::adaptive_rate::AdaptiveRate;
use crate::model::resilience::breaker::Breaker;
use crate::model::resilience::budget::Budget;
use crate::model::resilience::recent::Recent;
use crate::model::resilience::throttle::Throttle;

/// In `work`: the try was refused by the guard itself.
const REFUSED: Nanos = Nanos::MAX;

/// The state of one guarded call at one instance.
#[derive(Debug)]
struct Guard {
    budget: Option<Box<dyn Budget>>,
    adaptive_rate: Option<AdaptiveRate>,
    breaker: Option<Breaker>,
    throttle: Option<Throttle>,
    recent: Option<Recent>,
}

impl Guard {
    fn new(plan: &GuardPlan) -> Self {
        let percentile = matches!(plan.hedge, Some(HedgeDelay::Percentile(_)));
        Guard {
            budget: plan.budget.as_ref().map(|spec| spec.build()),
            adaptive_rate: plan.adaptive_rate.then(AdaptiveRate::default),
            breaker: plan.breaker.as_ref().and_then(|spec| spec.build().ok()),
            throttle: plan.throttle.as_ref().map(Throttle::new),
            recent: percentile.then(Recent::default),
        }
    }
}

/// The guards of a system: those of a plan stand together, by the number of the instance.
#[derive(Debug, Default)]
pub(super) struct Guards {
    guards: Vec<Guard>,
    /// Per plan: the first guard, and how many there are.
    places: Vec<(usize, u32)>,
}

impl Guards {
    pub(super) fn new(blueprint: &Blueprint) -> Self {
        let mut all = Guards::default();
        for plan in &blueprint.program.guards {
            let service = blueprint.services.iter().find(|service| service.name == plan.part);
            let count = service.map_or(1, |service| service.instances.max(1));
            all.places.push((all.guards.len(), count));
            all.guards.extend((0..count).map(|_| Guard::new(plan)));
        }
        all
    }
}

impl System<'_> {
    /// The state of a guarded call for a frame.
    fn guard(&mut self, index: u32, guard: u32) -> &mut Guard {
        let frame = &self.frames[index];
        let instance = self.instances.get(frame.instance as usize).filter(|_| frame.role != Role::Request);
        let number = instance.map_or(0, |instance| instance.number);
        let (first, count) = self.guards.places[guard as usize];
        // A client has a single one, whatever the number of its user.
        &mut self.guards.guards[first + (number % count) as usize]
    }

    /// Begins a guarded call.
    pub(super) fn begin_guarded(&mut self, index: u32, guard: u32) {
        let now = self.calendar.now();
        self.frames[index].retries = 0;
        self.books.guard(guard, |book| book.calls += 1);
        if let Some(budget) = &mut self.guard(index, guard).budget {
            budget.began(now);
        }
    }

    /// Asks whether a try may be sent; the frame fails if not. Whether it has to wait and ask again.
    pub(super) fn admit(&mut self, index: u32, guard: u32, place: Place) -> bool {
        let now = self.calendar.now();
        if let Some(wait) = self.guard(index, guard).adaptive_rate.as_mut().and_then(|rate| rate.acquire(now)) {
            self.hold_back(index, guard, place, wait);
            return true;
        }
        let salt = self.blueprint.program.guards[guard as usize].salt;
        let frame = &mut self.frames[index];
        frame.since = now;
        let mut draw = Draw::new(frame.key, child(salt, 1, 0), frame.visit());
        let state = self.guard(index, guard);
        let passed = state.breaker.as_mut().map_or(Some(0), |breaker| breaker.admit(now));
        let Some(generation) = passed else {
            self.books.guard(guard, |book| book.broken += 1);
            self.frames[index].work = REFUSED;
            self.fail(index, place, Outcome::Broken);
            return false;
        };
        let admitted = state.throttle.as_mut().is_none_or(|throttle| throttle.admit(now, unit(&mut draw)));
        if !admitted {
            if let Some(breaker) = &mut state.breaker {
                breaker.forget(generation);
            }
            self.books.guard(guard, |book| book.throttled += 1);
            self.frames[index].work = REFUSED;
            self.fail(index, place, Outcome::Limited);
            return false;
        }
        self.books.guard(guard, |book| book.attempts += 1);
        self.frames[index].work = generation;
        false
    }

    /// A try has ended: the guard learns of it, and the frame tries again, goes on or fails; whether it waits.
    pub(super) fn settle(&mut self, index: u32, guard: u32, again: Place, place: Place) -> bool {
        let frame = &self.frames[index];
        let (success, doomed) = (frame.outcome == Outcome::Success, frame.is_doomed());
        self.inform(index, guard);
        if success {
            self.frames[index].retries = 0;
            return false;
        }
        if !doomed && let Some(wait) = self.retry(index, guard) {
            let frame = &mut self.frames[index];
            frame.outcome = Outcome::Success;
            frame.place = again;
            if wait > 0 {
                self.hold_back(index, guard, again, wait);
            }
            return wait > 0;
        }
        self.books.guard(guard, |book| book.failed += 1);
        let frame = &mut self.frames[index];
        frame.retries = 0;
        frame.place = self.blueprint.program.unwind[place as usize];
        false
    }

    /// Lets a frame wait so long before it goes on at a place.
    fn hold_back(&mut self, index: u32, guard: u32, place: Place, wait: Nanos) {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        frame.place = place;
        frame.stage = Stage::Delay;
        frame.since = now;
        frame.account = self.blueprint.program.guards[guard as usize].account;
        self.calendar.after(wait, Event::Resume { frame: index, generation: frame.generation });
    }

    /// Tells the guard how a try ended.
    fn inform(&mut self, index: u32, guard: u32) {
        let now = self.calendar.now();
        let &Frame { outcome, reason, work, since, retries, .. } = &self.frames[index];
        if work == REFUSED {
            return;
        }
        let success = outcome == Outcome::Success;
        let lost = self.frames[index].is_doomed() || (!success && reason == Outcome::Canceled);
        let state = self.guard(index, guard);
        if let Some(rate) = &mut state.adaptive_rate
            && !lost
        {
            rate.answered(now, !success && matches!(reason, Outcome::Limited | Outcome::Shed));
        }
        let mut opened = false;
        if let Some(breaker) = &mut state.breaker {
            let open = |breaker: &Breaker| matches!(breaker.state(), crate::model::resilience::breaker::State::Open(_));
            let before = open(breaker);
            if lost {
                breaker.forget(work)
            } else {
                breaker.record(now, work, success, now - since)
            }
            opened = open(breaker) && !before;
        }
        if let Some(throttle) = &mut state.throttle
            && (success || reason == Outcome::Error)
        {
            throttle.accepted(now);
        }
        if let Some(budget) = &mut state.budget
            && !lost
        {
            budget.ended(success, u32::from(retries & !Frame::SLOW), retries & Frame::SLOW != 0);
        }
        if let Some(recent) = &mut state.recent
            && success
        {
            recent.record(now - since);
        }
        if opened {
            self.books.guard(guard, |book| book.opened += 1);
        }
    }

    /// The wait [ns] before the next try of a frame that failed, if there is one.
    fn retry(&mut self, index: u32, guard: u32) -> Option<Nanos> {
        let now = self.calendar.now();
        let plan = &self.blueprint.program.guards[guard as usize];
        let &Frame { reason, retries, key, deadline, .. } = &self.frames[index];
        let before = u32::from(retries & !Frame::SLOW);
        if before + 1 >= plan.attempts || !plan.retryable[reason as usize] {
            return None;
        }
        let visit = self.frames[index].visit();
        let point = |number: u32| unit(&mut Draw::new(key, child(plan.salt, 2, u64::from(number)), visit));
        let wait = round(plan.backoff.wait(before + 1, point));
        if now.saturating_add(wait) >= deadline {
            return None;
        }
        let slow = reason == Outcome::TimedOut;
        if let Some(budget) = &mut self.guard(index, guard).budget
            && !budget.take(now, slow)
        {
            self.books.guard(guard, |book| book.unpaid += 1);
            return None;
        }
        self.books.guard(guard, |book| book.retries += 1);
        let frame = &mut self.frames[index];
        frame.retries = (before + 1) as u8 | if slow { Frame::SLOW } else { 0 };
        Some(wait)
    }

    /// Lets a hedge wait until it is its turn.
    pub(super) fn await_turn(&mut self, index: u32, guard: u32, number: u16) {
        let now = self.calendar.now();
        let plan = &self.blueprint.program.guards[guard as usize];
        let after = match plan.hedge {
            Some(HedgeDelay::After(after)) => Some(after),
            Some(HedgeDelay::Percentile(share)) => {
                self.guard(index, guard).recent.as_ref().and_then(|recent| recent.percentile(share))
            }
            None => None,
        };
        let frame = &mut self.frames[index];
        frame.stage = Stage::Delay;
        frame.since = now;
        frame.account = plan.account;
        // Without a percentile yet there is no hedge: the frame waits until the others have decided.
        if let Some(after) = after {
            let generation = frame.generation;
            self.calendar.after(after.saturating_mul(u64::from(number)), Event::Resume { frame: index, generation });
        }
    }

    /// A guarded call has failed: its frame goes on at its fallback, unless it must end.
    pub(super) fn fall_back(&mut self, index: u32, guard: u32, place: Place) {
        let frame = &mut self.frames[index];
        if frame.is_doomed() {
            frame.place = self.blueprint.program.unwind[place as usize];
            return;
        }
        frame.outcome = Outcome::Success;
        self.books.guard(guard, |book| book.fallbacks += 1);
    }

    /// Counts a hedge that is sent.
    pub(super) fn hedge_sent(&mut self, guard: u32) {
        self.books.guard(guard, |book| {
            book.hedges += 1;
            book.attempts += 1;
        });
    }
}
