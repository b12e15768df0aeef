//! Watching single requests: what happened to them, span by span.
//!
//! A run can be watched after every event. What is watched is found by walking from a request's frame to its callees and
//! branches, and comparing with the event before; so the engine keeps no books for it, and a run that nobody watches is the same
//! code as without (the main loop is compiled once more for watched runs). Runs are deterministic: a request of a finished run is
//! traced by running its replication again.
//!
//! Invariant: time passes only while a frame waits, so the steps on the deciding path of a request add up to its response time,
//! to the nanosecond.

use std::collections::BTreeSet;

use super::{Event, System};
use crate::engine::time::Nanos;
use crate::model::frame::{NONE, Outcome, Role, Stage};

/// Sees a system after every event.
pub trait Watch {
    /// Whether anything is looked at; decides at compile time.
    const ON: bool = true;
    /// A request has begun in this frame; it has not run yet.
    fn began(&mut self, system: &System<'_>, frame: u32);
    /// An event has happened, with all that it causes at once.
    fn after(&mut self, system: &System<'_>);
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    const ON: bool = false;
    #[inline(always)]
    fn began(&mut self, _: &System<'_>, _: u32) {}
    #[inline(always)]
    fn after(&mut self, _: &System<'_>) {}
}

/// Whether an event makes a client's request begin.
#[inline(always)]
pub(super) fn begins_request(event: &Event) -> bool {
    matches!(event, Event::Arrival { .. } | Event::Think { .. })
}

/// A request that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which request of the run, from 0, in the order of their beginnings.
    pub number: u64,
    /// The client.
    pub client: u32,
    /// When it began [ns].
    pub started: Nanos,
    /// When it ended [ns].
    pub ended: Nanos,
    /// How it ended.
    pub outcome: Outcome,
}

/// A request that is under way.
#[derive(Debug, Clone, Copy)]
struct Root {
    number: u64,
    client: u32,
    frame: u32,
    key: u64,
    started: Nanos,
}

impl Root {
    fn new(system: &System<'_>, number: u64, frame: u32) -> Self {
        let own = &system.frames[frame];
        Root { number, client: own.client().unwrap_or(0), frame, key: own.key, started: own.started }
    }

    /// How it ended, if it has: its frame is free, used by another, or goes on without a client.
    fn outcome(&self, system: &System<'_>, ended: &Endings) -> Option<Outcome> {
        let frame = &system.frames[self.frame];
        match (frame.key == self.key, frame.role) {
            (true, Role::Request | Role::Direct) => None,
            (true, Role::Vacant) => Some(frame.outcome),
            (true, _) => Some(Outcome::TimedOut),
            (false, _) => Some(ended.latest(system, self.client)),
        }
    }
}

/// How many requests of each client have ended how, as of the last look.
#[derive(Debug, Default)]
struct Endings(Vec<Vec<u64>>);

impl Endings {
    fn total(system: &System<'_>) -> u64 {
        system.books.clients.iter().flat_map(|book| book.ended.iter()).sum()
    }

    fn look(&mut self, system: &System<'_>) {
        self.0 = system.books.clients.iter().map(|book| book.ended.to_vec()).collect();
    }

    /// How a request of a client has ended since the last look.
    fn latest(&self, system: &System<'_>, client: u32) -> Outcome {
        let now = &system.books.clients[client as usize].ended;
        let before = |outcome: &Outcome| self.0.get(client as usize).map_or(0, |row| row[*outcome as usize]);
        let grown = |outcome: &&Outcome| now[**outcome as usize] > before(outcome);
        Outcome::ALL.iter().find(grown).copied().unwrap_or(Outcome::Success)
    }
}

/// Notes when every request began and ended.
#[derive(Debug, Default)]
pub struct Survey {
    /// The requests that have ended, in the order of their ends.
    pub seen: Vec<Seen>,
    roots: Vec<Root>,
    begun: u64,
    total: u64,
    endings: Endings,
}

impl Watch for Survey {
    fn began(&mut self, system: &System<'_>, frame: u32) {
        self.roots.push(Root::new(system, self.begun, frame));
        self.begun += 1;
    }

    fn after(&mut self, system: &System<'_>) {
        let total = Endings::total(system);
        if total == self.total {
            return;
        }
        self.total = total;
        let ended = system.calendar.now();
        let (seen, endings) = (&mut self.seen, &self.endings);
        self.roots.retain(|root| {
            let Some(outcome) = root.outcome(system, endings) else { return true };
            seen.push(Seen { number: root.number, client: root.client, started: root.started, ended, outcome });
            false
        });
        self.endings.look(system);
    }
}

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The whole request.
    Request,
    /// An attempt at an operation, from the call to the answer or to the end of the caller's patience.
    Attempt {
        /// The operation.
        operation: u32,
        /// The number of the instance within its service.
        instance: u32,
    },
    /// A branch of a `parallel`.
    Branch,
    /// Time at a station or in a delay.
    Step {
        /// The account of the ledger to which it belongs.
        account: u32,
    },
}

/// A span of time in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The span that it is part of, an earlier one; `None` for the request.
    pub parent: Option<usize>,
    /// What it is about.
    pub what: What,
    /// When it began [ns].
    pub started: Nanos,
    /// When it ended [ns].
    pub ended: Nanos,
    /// Whether it lies on the path that decided when the request ended.
    pub decides: bool,
    /// Whether it went on for nobody when the caller's patience had ended.
    pub abandoned: bool,
}

/// What happened to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// When and how.
    pub request: Seen,
    /// The spans; the first is the request, and every other comes after the one that it is part of.
    pub spans: Vec<Span>,
}

/// What a frame is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    stage: Stage,
    since: Nanos,
    place: u32,
    account: u32,
    account2: u32,
    work: Nanos,
}

/// A frame of a request that is traced.
#[derive(Debug, Clone, Copy)]
struct Open {
    frame: u32,
    key: u64,
    span: usize,
    wait: Option<Wait>,
    /// The look at which it was last there.
    look: u64,
}

#[derive(Debug)]
struct Active {
    root: Root,
    open: Vec<Open>,
    spans: Vec<Span>,
}

/// Traces some requests of a run.
#[derive(Debug, Default)]
pub struct Tracer {
    /// The traces of those that have ended, in the order of their ends.
    pub traces: Vec<Trace>,
    wanted: BTreeSet<u64>,
    active: Vec<Active>,
    begun: u64,
    look: u64,
    endings: Endings,
}

impl Tracer {
    /// Traces the requests with these numbers.
    pub fn new(wanted: BTreeSet<u64>) -> Self {
        Tracer { wanted, ..Tracer::default() }
    }
}

impl Watch for Tracer {
    fn began(&mut self, system: &System<'_>, frame: u32) {
        if self.wanted.contains(&self.begun) {
            let root = Root::new(system, self.begun, frame);
            let started = root.started;
            let span =
                Span { parent: None, what: What::Request, started, ended: started, decides: true, abandoned: false };
            self.active.push(Active { root, open: Vec::new(), spans: vec![span] });
        }
        self.begun += 1;
    }

    fn after(&mut self, system: &System<'_>) {
        if self.active.is_empty() {
            return;
        }
        self.look += 1;
        let (look, now) = (self.look, system.calendar.now());
        let (traces, endings) = (&mut self.traces, &self.endings);
        self.active.retain_mut(|active| {
            let outcome = active.root.outcome(system, endings);
            if outcome.is_none() {
                active.visit(system, active.root.frame, 0, look);
            }
            active.close(system, look, now);
            let Some(outcome) = outcome else { return true };
            let Root { number, client, started, .. } = active.root;
            active.spans[0].ended = now;
            let request = Seen { number, client, started, ended: now, outcome };
            let mut spans = std::mem::take(&mut active.spans);
            decide(&mut spans);
            traces.push(Trace { request, spans });
            false
        });
        self.endings.look(system);
    }
}

impl Active {
    /// Looks at a frame, which is part of a span, and at what it waits for.
    fn visit(&mut self, system: &System<'_>, index: u32, parent: usize, look: u64) {
        let frame = &system.frames[index];
        let known = self.open.iter().position(|open| (open.frame, open.key) == (index, frame.key));
        let place = known.unwrap_or_else(|| {
            let what = match frame.role {
                Role::Request | Role::Vacant => None,
                Role::Branch => Some(What::Branch),
                Role::Attempt | Role::Direct => Some(What::Attempt {
                    operation: frame.owner,
                    instance: system.instances.get(frame.instance as usize).map_or(0, |instance| instance.number),
                }),
            };
            let span = what.map_or(parent, |what| self.add(parent, what, frame.started, frame.started));
            self.open.push(Open { frame: index, key: frame.key, span, wait: None, look });
            self.open.len() - 1
        });
        self.open[place].look = look;
        let waits = !matches!(frame.stage, Stage::Running | Stage::Children);
        let wait = waits.then_some(Wait {
            stage: frame.stage,
            since: frame.since,
            place: frame.place,
            account: frame.account,
            account2: frame.account2,
            work: frame.work,
        });
        if self.open[place].wait != wait {
            self.end_wait(system, place);
            self.open[place].wait = wait;
        }
        if frame.stage != Stage::Children {
            return;
        }
        let (span, mut child) = (self.open[place].span, frame.child);
        while child != NONE {
            let role = system.frames[child].role;
            if role == Role::Vacant || system.frames[child].parent != index {
                break;
            }
            self.visit(system, child, span, look);
            child = if role == Role::Branch { system.frames[child].sibling[1] } else { NONE };
        }
    }

    fn add(&mut self, parent: usize, what: What, started: Nanos, ended: Nanos) -> usize {
        self.spans.push(Span { parent: Some(parent), what, started, ended, decides: false, abandoned: false });
        self.spans.len() - 1
    }

    /// Notes that what a frame was waiting for is over. At a sharing station waiting and service are one behind the other here;
    /// in truth they are mixed.
    fn end_wait(&mut self, system: &System<'_>, place: usize) {
        let Open { frame, key, span, wait, .. } = self.open[place];
        let (Some(wait), now) = (wait, system.calendar.now()) else { return };
        let passed = now - wait.since;
        if wait.stage != Stage::Share {
            if passed > 0 {
                self.add(span, What::Step { account: wait.account }, wait.since, now);
            }
            return;
        }
        // Who gave up on a frame that goes on sees what was done until then.
        let goes_on = system.frames[frame].key == key && system.frames[frame].role != Role::Vacant;
        let still = goes_on && system.frames[frame].stage == Stage::Share && system.frames[frame].since == wait.since;
        let done = if still { system.attained(frame, &system.frames[frame]) } else { wait.work };
        let service = done.min(passed);
        let middle = now - service;
        if middle > wait.since {
            self.add(span, What::Step { account: wait.account2 }, wait.since, middle);
        }
        if service > 0 {
            self.add(span, What::Step { account: wait.account }, middle, now);
        }
    }

    /// Ends the spans of frames that are no longer part of the request.
    fn close(&mut self, system: &System<'_>, look: u64, now: Nanos) {
        for place in (0..self.open.len()).rev() {
            if self.open[place].look == look {
                continue;
            }
            self.end_wait(system, place);
            let Open { frame, key, span, .. } = self.open[place];
            self.spans[span].ended = now;
            let own = &system.frames[frame];
            self.spans[span].abandoned = own.key == key && own.role == Role::Attempt && !own.answered;
            self.open.remove(place);
        }
    }
}

/// Marks the spans on the path that decided: everything in a deciding span, and of branches that began together the one that
/// ended last.
fn decide(spans: &mut [Span]) {
    for index in 1..spans.len() {
        let span = spans[index];
        let Some(parent) = span.parent else { continue };
        let later = |(place, other): (usize, &Span)| {
            let rival = other.parent == span.parent && other.what == What::Branch && other.started == span.started;
            rival && (other.ended, place) > (span.ended, index)
        };
        let beaten = span.what == What::Branch && spans.iter().enumerate().any(later);
        spans[index].decides = spans[parent].decides && !beaten;
    }
}

impl Trace {
    /// The time of the steps on the deciding path, which is the response time [ns].
    pub fn sum(&self) -> Nanos {
        let steps = self.spans.iter().filter(|span| span.decides && matches!(span.what, What::Step { .. }));
        steps.map(|span| span.ended - span.started).sum()
    }
}
