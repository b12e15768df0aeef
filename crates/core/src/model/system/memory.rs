//! The memory of running instances: what requests take and give back, what happens at the limit, garbage collection.
//!
//! Each instance whose service has memory has a [`Memory`] and an agent. The agent acts at the next instant at which something
//! about the memory changes by itself: a collection or a restart is over, a leak has filled it. It is woken at most once
//! for each such instant; being woken for nothing does no harm.
//!
//! Amounts are drawn from the request's key, so they need not be kept: what a request gives back is drawn anew and is the same.
//!
//! Invariant: what the requests in flight hold, by the place of each in its code, is what the space says is held.

use super::agent::Agent;
use super::record::{MemoryBook, MemoryMarks};
use super::{Event, System};
use crate::engine::random::{Draw, key, named, unit};
use crate::engine::time::{NEVER, Nanos, round};
use crate::model::blueprint::{self, Blueprint, Collection, Limit, MemoryPlan};
use crate::model::frame::{LOOP_DEPTH, Outcome, Role};
use crate::model::program::Holding;
use crate::model::station::{Brake, Space};

/// The memory of one instance.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) space: Space,
    limit: Limit,
    /// Its agent.
    agent: u32,
    /// Its CPU among the sharing stations, if it has one.
    cpu: Option<u32>,
    /// When its agent will act next, as arranged.
    wake: Option<Nanos>,
    /// When it starts again after a kill.
    restart: Option<Nanos>,
    collection: Option<Collecting>,
    /// Since the start of the run: kills, requests refused, collections, pages read from its disk.
    pub(super) kills: u64,
    pub(super) refused: u64,
    pub(super) collections: u64,
    faults: u64,
    /// When it was killed for the first time.
    pub(super) first_kill: Option<Nanos>,
}

/// A garbage collector at work.
#[derive(Debug)]
struct Collecting {
    plan: Collection,
    /// Keys the lengths of its pauses.
    key: u64,
    /// Allocated since the latest collection [B].
    allocated: u64,
    /// When the present collection ends, or its pause does.
    ends: Option<Nanos>,
    /// Whether its pause is over and it works beside the requests.
    marking: bool,
}

/// Acts for the memory of one instance.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) service: u32,
    pub(super) instance: u32,
}

/// Which instance it is, and where its sharing stations begin.
pub(super) struct Place {
    pub(super) service: u32,
    pub(super) instance: u32,
    pub(super) sharing: u32,
}

impl Memory {
    /// The memory of an instance at time 0; `root` is the key of the run.
    pub(super) fn new(plan: &MemoryPlan, place: Place, blueprint: &Blueprint, root: u64) -> Self {
        let Place { service, instance, sharing } = place;
        let is_own = |agent: &blueprint::Agent| match agent {
            blueprint::Agent::Memory { service: of, instance: number } => (*of, *number) == (service, instance),
            _ => false,
        };
        let agent = blueprint.agents.iter().position(is_own).unwrap_or(0) as u32;
        let service = &blueprint.services[service as usize];
        let cpu = service.sharing.iter().position(|plan| plan.name == "cpu").map(|slot| sharing + slot as u32);
        let key = key(named(named(root, &service.name), "memory"), u64::from(instance));
        let collecting =
            |plan: &Collection| Collecting { plan: plan.clone(), key, allocated: 0, ends: None, marking: false };
        Memory {
            space: Space::new(plan.space),
            limit: plan.limit,
            agent,
            cpu,
            wake: None,
            restart: None,
            collection: plan.collection.as_ref().map(collecting),
            kills: 0,
            refused: 0,
            collections: 0,
            faults: 0,
            first_kill: None,
        }
    }

    /// The next instant at which something changes by itself, if its agent is not arranged to act by then.
    fn arrange(&mut self, now: Nanos) -> Option<Nanos> {
        let pause = self.collection.as_ref().and_then(|collecting| collecting.ends);
        let full = match self.limit {
            Limit::Kill { .. } => self.space.full_at(now),
            Limit::Refuse | Limit::Swap { .. } => None,
        };
        let next = pause.into_iter().chain(self.restart).chain(full).min().filter(|next| *next < NEVER)?;
        if self.wake.is_some_and(|wake| wake <= next) {
            return None;
        }
        self.wake = Some(next);
        Some(next)
    }
}

impl Agent for Keeper {
    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let place = system.services[self.service as usize].first_instance + self.instance;
        let now = system.calendar.now();
        let number = system.instances[place as usize].memory as usize;
        let memory = &mut system.memories[number];
        memory.wake = memory.wake.filter(|wake| *wake > now);
        if memory.restart.is_some_and(|restart| restart <= now) {
            memory.restart = None;
            system.open(place);
        }
        system.end_collection(place);
        let memory = &system.memories[number];
        if matches!(memory.limit, Limit::Kill { .. }) && memory.space.is_alive() && !memory.space.fits(now, 0) {
            system.kill(place);
        }
        system.memories[number].arrange(now)
    }

    fn first(&self) -> Option<Nanos> {
        Some(0)
    }
}

impl System<'_> {
    /// A request takes its memory, or fails for the lack of it.
    pub(super) fn allocate(&mut self, index: u32, place: u32, number: u32) {
        let now = self.calendar.now();
        let frame = &self.frames[index];
        let (instance, key) = (frame.instance, frame.key);
        let (amount, garbage) = self.amounts(number, key);
        let memory = &mut self.memories[self.instances[instance as usize].memory as usize];
        if !memory.space.fits(now, amount) {
            match memory.limit {
                _ if !memory.space.is_alive() => return self.fail(index, place, Outcome::Crashed),
                Limit::Kill { .. } => {
                    self.kill(instance);
                    return self.fail(index, place, Outcome::Crashed);
                }
                Limit::Refuse => {
                    memory.refused += 1;
                    return self.fail(index, place, Outcome::Rejected);
                }
                Limit::Swap { .. } => {}
            }
        }
        memory.space.take(now, amount);
        if let Some(collecting) = &mut memory.collection {
            collecting.allocated += garbage;
            self.collect_garbage(instance);
        }
    }

    /// A request gives its memory back; one that is failing goes on unwinding from here.
    pub(super) fn free(&mut self, index: u32, place: u32, number: u32) {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        if frame.outcome != Outcome::Success {
            frame.place = self.blueprint.program.unwind[place as usize];
        }
        let (instance, key) = (frame.instance, frame.key);
        let (amount, _) = self.amounts(number, key);
        let leaks = self.blueprint.program.holdings[number as usize].leak;
        self.memories[self.instances[instance as usize].memory as usize].space.give_back(now, amount, leaks);
    }

    /// What a request takes, and what it allocates in all [B].
    fn amounts(&self, number: u32, key: u64) -> (u64, u64) {
        let Holding { amount, fixed, leak, garbage, .. } = self.blueprint.program.holdings[number as usize];
        let draw = |demand: Option<u32>| demand.map_or(0, |demand| round(self.demands[demand as usize].draw_by(key)));
        (draw(amount).saturating_add(fixed).saturating_add(leak), draw(garbage))
    }

    /// The process of an instance is killed for lack of memory, and will start again.
    #[cold]
    fn kill(&mut self, instance: u32) {
        let now = self.calendar.now();
        let memory = &mut self.memories[self.instances[instance as usize].memory as usize];
        let Limit::Kill { restart } = memory.limit else { return };
        memory.kills += 1;
        memory.first_kill.get_or_insert(now);
        memory.restart = Some(now.saturating_add(restart.max(1)));
        self.close(instance);
        self.crash(instance);
        self.wake_keeper(instance);
    }

    /// Takes note that the process of an instance has died or begins anew.
    pub(super) fn memory_up(&mut self, instance: u32, up: bool) {
        let now = self.calendar.now();
        let Some(memory) = self.memories.get_mut(self.instances[instance as usize].memory as usize) else { return };
        if up && memory.space.is_alive() {
            return;
        }
        if up {
            memory.space.restart(now);
        } else {
            memory.space.lose(now);
            if let Some(collecting) = &mut memory.collection {
                collecting.allocated = 0;
                collecting.ends = collecting.ends.map(|_| now);
                collecting.marking = true;
            }
            self.end_collection(instance);
        }
        self.wake_keeper(instance);
    }

    /// Begins a collection if so much was allocated and none is under way.
    fn collect_garbage(&mut self, instance: u32) {
        let now = self.calendar.now();
        let memory = &mut self.memories[self.instances[instance as usize].memory as usize];
        let Some(collecting) = &mut memory.collection else { return };
        if collecting.ends.is_some() || collecting.allocated < collecting.plan.heap {
            return;
        }
        collecting.allocated = 0;
        let salt = collecting.plan.pause.salt;
        let mut draw = Draw::new(collecting.key, salt, memory.collections);
        let pause = round(collecting.plan.pause.distribution.sample(&mut draw));
        memory.collections += 1;
        if pause > 0 || collecting.plan.concurrent.is_some() {
            collecting.ends = Some(now.saturating_add(pause));
            collecting.marking = false;
            if let Some(cpu) = memory.cpu {
                self.set_speed(cpu, Brake::Garbage, 0.0);
            }
            self.wake_keeper(instance);
        }
    }

    /// Ends a collection whose time is over, another may begin at once; or only its pause.
    fn end_collection(&mut self, instance: u32) {
        let now = self.calendar.now();
        let memory = &mut self.memories[self.instances[instance as usize].memory as usize];
        let Some(collecting) = &mut memory.collection else { return };
        if collecting.ends.is_none_or(|ends| ends > now) {
            return;
        }
        collecting.ends = None;
        let mut lanes_left = 1.0;
        if let (Some((work, share)), false, Some(cpu)) = (&collecting.plan.concurrent, collecting.marking, memory.cpu) {
            let mut draw = Draw::new(collecting.key, work.salt, memory.collections);
            let lanes = self.sharing[cpu as usize].lanes();
            let lasts = round(work.distribution.sample(&mut draw) / (share * lanes));
            collecting.ends = Some(now.saturating_add(lasts));
            collecting.marking = true;
            lanes_left = 1.0 - share;
        }
        if let Some(cpu) = memory.cpu {
            self.set_speed(cpu, Brake::Garbage, 1.0);
            self.set_speed(cpu, Brake::Marking, lanes_left);
        }
        self.collect_garbage(instance);
    }

    /// Draws how many of the pages that a frame's latest work touched must be read: as many as the part of the memory says that
    /// is on disk, rounded up or down at random; it runs the loop behind so often.
    pub(super) fn page_faults(&mut self, index: u32, slot: u16, depth: u8, past: u32) {
        let frame = &mut self.frames[index];
        let instance = &self.instances[frame.instance as usize];
        let memory = &mut self.memories[instance.memory as usize];
        let excess = memory.space.excess(self.calendar.now());
        let Limit::Swap { touches } = memory.limit else { return };
        let asked = self.sharing[(instance.sharing + u32::from(slot)) as usize].asked(frame.work);
        let luck = unit(&mut Draw::new(frame.key, named(0, "page fault"), frame.visit()));
        let rounds = (asked * touches * excess + luck).min(f64::from(u16::MAX)) as u16;
        memory.faults += u64::from(rounds);
        frame.rounds[depth as usize % LOOP_DEPTH] = rounds;
        if rounds == 0 {
            frame.place = past;
        }
    }

    /// Decides whether a read finds its page in the memory left over, of a working set of so many bytes.
    pub(super) fn look_up_page(&mut self, index: u32, working_set: u64, past: u32) {
        let frame = &mut self.frames[index];
        let memory = &self.memories[self.instances[frame.instance as usize].memory as usize];
        let luck = unit(&mut Draw::new(frame.key, named(0, "page"), frame.visit()));
        if luck * (working_set as f64) < memory.space.left(self.calendar.now()) {
            frame.place = past;
        }
    }

    /// Lets an instance's agent act when something changes by itself next.
    fn wake_keeper(&mut self, instance: u32) {
        let memory = &mut self.memories[self.instances[instance as usize].memory as usize];
        if let Some(time) = memory.arrange(self.calendar.now()) {
            self.calendar.at(time, Event::Act { agent: memory.agent });
        }
    }

    /// What the memories have counted until now: area in use [B·ns], kills, refused, collections, pages read.
    pub(super) fn memory_marks(&self) -> Vec<MemoryMarks> {
        let now = self.calendar.now();
        let marks = |memory: &Memory| {
            let counts = [memory.kills, memory.refused, memory.collections, memory.faults].map(|count| count as f64);
            let [kills, refused, collections, faults] = counts;
            [memory.space.area(now), kills, refused, collections, faults]
        };
        self.memories.iter().map(marks).collect()
    }

    /// The memory in use at an instance of each service that has memory, on average now [B].
    pub(super) fn memory_in_use(&self) -> impl Iterator<Item = f64> {
        let now = self.calendar.now();
        let services = self.blueprint.services.iter().zip(&self.services).filter(|(plan, _)| plan.memory.is_some());
        services.map(move |(plan, service)| {
            let first = self.instances[service.first_instance as usize].memory as usize;
            let all = &self.memories[first..first + plan.instances as usize];
            all.iter().map(|memory| memory.space.used(now)).sum::<f64>() / f64::from(plan.instances)
        })
    }

    /// The books of the memory of every service that has it, over the window.
    pub(super) fn memory_books(&self) -> Vec<MemoryBook> {
        let now = self.calendar.now();
        let [before, after] = &self.books.memory_marks;
        let services = self.blueprint.services.iter().zip(&self.services);
        let book = |(plan, service): (&blueprint::Service, &super::Service)| {
            let limit = plan.memory.as_ref()?.space.limit;
            let first = self.instances[service.first_instance as usize].memory as usize;
            let all = first..first + plan.instances as usize;
            let change = |what: usize| all.clone().map(|number| after[number][what] - before[number][what]).sum();
            Some(MemoryBook {
                limit: (limit != u64::MAX).then_some(limit as f64),
                instances: plan.instances,
                area: change(0),
                kills: change(1),
                refused: change(2),
                collections: change(3),
                faults: change(4),
                peak: self.memories[all.clone()].iter().map(|memory| memory.space.peak(now)).fold(0.0, f64::max),
                first_kill: self.memories[all.clone()].iter().filter_map(|memory| memory.first_kill).min(),
            })
        };
        services.filter_map(book).collect()
    }

    /// Checks that memory is conserved: what was taken was given back, lost, or is held by the requests in flight.
    pub(super) fn check_memory(&self, instance: usize) -> Result<(), String> {
        let Some(memory) = self.memories.get(self.instances[instance].memory as usize) else { return Ok(()) };
        memory.space.check()?;
        let mut held = 0;
        let here = |role| matches!(role, Role::Attempt | Role::Direct);
        for frame in self.frames.iter().filter(|frame| frame.instance as usize == instance && here(frame.role)) {
            let holdings = &self.blueprint.program.holdings;
            let within = |holding: &Holding| frame.place > holding.from && frame.place <= holding.until;
            let numbers = (0..holdings.len()).filter(|number| within(&holdings[*number]));
            held += numbers.map(|number| self.amounts(number as u32, frame.key).0).sum::<u64>();
        }
        let said = memory.space.held();
        if held == said { Ok(()) } else { Err(format!("requests in flight hold {held} B of memory, it says {said} B")) }
    }
}
