//! Connection pools at work: waiting no longer than allowed, opening and closing connections.
//!
//! A pool is a servers station whose slots are the connections that may exist. The unused open connections of an instance
//! stand on a stack, the latest used on top, as HikariCP and Go's `database/sql` hand them out; those unused for longer
//! than `idle` are closed when the stack is looked at. A call that finds no open one opens one, which takes `connect`.

use std::collections::VecDeque;

use super::{Event, System};
use crate::engine::Nanos;
use crate::engine::random::{Draw, named};
use crate::engine::time::round;
use crate::model::blueprint::Blueprint;
use crate::model::frame::{Outcome, Stage, Wait};
use crate::model::program::Place;
use crate::model::station::Entry;

/// The open connections of the pools: those of a plan stand together, by the number of the instance.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// Per pool of an instance: when each unused connection was last used, the oldest first.
    unused: Vec<VecDeque<Nanos>>,
    /// Per plan: the first, and how many there are.
    places: Vec<(usize, u32)>,
}

impl Connections {
    pub(super) fn new(blueprint: &Blueprint) -> Self {
        let mut all = Connections::default();
        for plan in &blueprint.program.pools {
            let service = blueprint.services.iter().find(|service| service.name == plan.part);
            let count = service.map_or(1, |service| service.instances.max(1));
            all.places.push((all.unused.len(), count));
            all.unused.extend((0..count).map(|_| VecDeque::new()));
        }
        all
    }

    /// The unused connections of a plan at the instance of this number.
    fn of(&mut self, pool: u32, number: u32) -> &mut VecDeque<Nanos> {
        let (first, count) = self.places[pool as usize];
        &mut self.unused[first + (number % count) as usize]
    }
}

impl System<'_> {
    /// Lets a frame wait, and longer for each [µs] that holds a server of a station; whether it has to wait.
    #[cold]
    pub(super) fn crowd(&mut self, index: u32, slot: u16, nanos: Nanos, account: u32, each: u32) -> bool {
        let instance = self.instances[self.frames[index].instance as usize];
        let present = self.servers[instance.servers as usize + usize::from(slot)].busy().value();
        let nanos = nanos.saturating_add(u64::from(present) * u64::from(each) * 1000);
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        frame.stage = Stage::Delay;
        (frame.since, frame.work, frame.account) = (now, nanos, account);
        self.calendar.after(nanos, Event::Resume { frame: index, generation: frame.generation });
        true
    }

    /// Asks for a slot of a servers station, for no longer than a limit; whether the frame waits.
    pub(super) fn acquire_within(&mut self, index: u32, slot: u16, waiting: u32, limit: u32, place: Place) -> bool {
        let now = self.calendar.now();
        let station = self.instances[self.frames[index].instance as usize].servers + u32::from(slot);
        let wait = Wait { account: waiting, station };
        match self.servers[station as usize].enter(now, index, wait, &mut self.frames) {
            Entry::Served => self.books.passed_at_once(waiting),
            Entry::Queued | Entry::Displaces(_) => {
                let generation = self.frames[index].generation;
                self.calendar.in_lane(self.waits[limit as usize], Event::Timeout { frame: index, generation });
                return true;
            }
            // Pools serve in order of arrival: the queue is full, and the other answers do not occur.
            Entry::Refused | Entry::Shed | Entry::Interrupts(_) => {
                self.books.refused(waiting);
                self.fail(index, place, Outcome::Rejected);
            }
        }
        false
    }

    /// The longest wait in a queue is over: the frame fails.
    pub(super) fn give_up_waiting(&mut self, index: u32) {
        let now = self.calendar.now();
        let frame = &self.frames[index];
        let (account, station, place) = (frame.account, frame.account2, frame.place - 1);
        let waited = self.servers[station as usize].abandon(now, index, &mut self.frames);
        self.books.passed(account, waited);
        self.books.refused(account);
        let frame = &mut self.frames[index];
        frame.generation = frame.generation.wrapping_add(1);
        frame.stage = Stage::Running;
        self.pool.add(&mut frame.ledger, account, waited);
        self.fail(index, place, Outcome::TimedOut);
    }

    /// The number of a frame's instance within its service.
    fn number_of(&self, index: u32) -> u32 {
        self.instances.get(self.frames[index].instance as usize).map_or(0, |instance| instance.number)
    }

    /// Takes an open connection, or opens one; whether the frame waits for it.
    pub(super) fn connect(&mut self, index: u32, pool: u32) -> bool {
        let now = self.calendar.now();
        let number = self.number_of(index);
        let plan = &self.blueprint.program.pools[pool as usize];
        let unused = self.connections.of(pool, number);
        if let Some(idle) = plan.idle {
            while unused.front().is_some_and(|used| used.saturating_add(idle) <= now) {
                unused.pop_front();
            }
        }
        if unused.pop_back().is_some() {
            return false;
        }
        let Some(demand) = plan.connect else { return false };
        let frame = &mut self.frames[index];
        let drawn = &self.blueprint.program.demands[demand as usize];
        let mut draw = Draw::new(frame.key, named(drawn.salt, "connect"), frame.visit());
        let nanos = round(drawn.distribution.sample(&mut draw));
        if nanos == 0 {
            return false;
        }
        frame.stage = Stage::Delay;
        frame.since = now;
        frame.account = plan.account;
        self.calendar.after(nanos, Event::Resume { frame: index, generation: frame.generation });
        true
    }

    /// Puts a connection back; a failing frame goes on unwinding.
    pub(super) fn disconnect(&mut self, index: u32, pool: u32, place: Place) {
        let now = self.calendar.now();
        let number = self.number_of(index);
        self.connections.of(pool, number).push_back(now);
        let frame = &mut self.frames[index];
        if frame.outcome != Outcome::Success {
            frame.place = self.blueprint.program.unwind[place as usize];
        }
    }
}
