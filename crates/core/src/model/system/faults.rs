//! Faults at work: agents that strike instances and heal them.
//!
//! What strikes an instance is noted per fault, so that faults may overlap: an instance gets calls when nothing closes it
//! (neither a fault nor a restart of its own), works with the product of its speeds, and fails a call unless it survives every
//! error rate. The same holds of links and quotas.
//!
//! A frame whose instance hangs, and a call that gets nowhere, is *parked*: it waits without an end until it is let go on.

use std::sync::Arc;

use super::System;
use super::agent::Agent;
use crate::engine::Stream;
use crate::engine::random::{Draw, below, named};
use crate::engine::time::{Nanos, round};
use crate::model::fault::{Effect, FaultPlan, OnCall, Times, Upon};
use crate::model::frame::{NONE, Role, Stage};
use crate::model::station::Brake;

/// What weighs on one instance: the faults, by their agents' numbers.
#[derive(Debug, Clone, Default)]
struct Burden {
    /// How many causes keep calls away: faults, and restarts of the process.
    closed: u32,
    /// How many faults let it stand still.
    hung: u32,
    /// The speeds that faults leave it.
    slow: Vec<(u32, Option<String>, f64)>,
    /// The shares of its quota that faults leave it.
    quota: Vec<(u32, f64)>,
    /// What faults do to calls that arrive.
    calls: Vec<(u32, Arc<dyn OnCall>)>,
}

/// A frame that waits without an end.
#[derive(Debug, Clone, Copy)]
struct Parked {
    frame: u32,
    generation: u32,
    /// The fault that holds it; [`NONE`] if its instance hangs.
    fault: u32,
}

/// What faults are doing at present.
#[derive(Debug, Default)]
pub(super) struct Havoc {
    burdens: Vec<Burden>,
    parked: Vec<Parked>,
    /// How many faults there are that frames and calls must be asked about.
    pub(super) active: u32,
}

impl Havoc {
    /// Nothing yet, for so many instances.
    pub(super) fn new(instances: usize) -> Self {
        Havoc { burdens: vec![Burden::default(); instances], ..Havoc::default() }
    }
}

/// Where a fault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Away,
    Announced,
    Here,
}

/// A fault as an agent.
#[derive(Debug)]
pub(super) struct Fault {
    plan: FaultPlan,
    number: u32,
    random: Stream,
    first: Nanos,
    phase: Phase,
    began: Nanos,
    /// The instances it has struck.
    struck: Vec<u32>,
}

impl Fault {
    /// A fault that has not struck yet; `root` is the key of the run, `number` that of the agent.
    pub(super) fn new(plan: &FaultPlan, number: u32, root: u64) -> Self {
        let mut random = Stream::new(named(root.wrapping_add(u64::from(number)), "fault"));
        let first = match &plan.times {
            Times::Scheduled { at, .. } => *at,
            Times::Random { mtbf, .. } => round(mtbf.sample(&mut random)),
        };
        Fault { plan: plan.clone(), number, random, first, phase: Phase::Away, began: 0, struck: Vec::new() }
    }

    /// Chooses whom it strikes this time.
    fn choose(&mut self, system: &System<'_>) {
        let instance = |&(service, number): &(u32, u32)| system.services[service as usize].first_instance + number;
        self.struck = self.plan.targets.iter().map(instance).collect();
        let all = self.struck.len();
        if all == 0 {
            return;
        }
        let count = ((all as f64 * self.plan.share).round() as usize).clamp(1, all);
        for place in 0..count {
            let other = place + below(&mut self.random, (all - place) as u64) as usize;
            if count < all {
                self.struck.swap(place, other);
            }
        }
        self.struck.truncate(count);
    }

    /// Lets some of its effects begin, or end, at every instance it has struck.
    fn apply<'s>(
        &self,
        system: &mut System<'s>,
        which: impl Fn(&Effect) -> bool,
        what: impl Fn(&mut System<'s>, u32, &Effect, u32),
    ) {
        for &instance in &self.struck {
            for effect in self.plan.effects.iter().filter(|effect| which(effect)) {
                what(system, instance, effect, self.number);
            }
        }
    }

    /// When it ends, if it began now.
    fn end(&mut self, now: Nanos) -> Option<Nanos> {
        let lasting = match &self.plan.times {
            Times::Scheduled { lasting, .. } => *lasting,
            Times::Random { mttr, .. } => Some(round(mttr.sample(&mut self.random))),
        };
        lasting.map(|lasting| now.saturating_add(lasting))
    }

    /// When it begins again, if it ended now.
    fn again(&mut self, now: Nanos) -> Option<Nanos> {
        match &self.plan.times {
            Times::Scheduled { every, .. } => every.map(|every| self.began.saturating_add(every).max(now)),
            Times::Random { mtbf, .. } => Some(now.saturating_add(round(mtbf.sample(&mut self.random)))),
        }
    }
}

impl Agent for Fault {
    fn first(&self) -> Option<Nanos> {
        Some(self.first)
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let now = system.calendar.now();
        match self.phase {
            Phase::Away => {
                self.choose(system);
                self.began = now;
                if let Some(notice) = self.plan.notice {
                    self.phase = Phase::Announced;
                    self.apply(system, Effect::begins_with_notice, System::strike);
                    return Some(now.saturating_add(notice));
                }
            }
            Phase::Announced => {}
            Phase::Here => {
                self.phase = Phase::Away;
                self.apply(system, |_| true, System::heal);
                self.plan.links.iter().for_each(|link| system.relieve_link(*link, self.number));
                return self.again(now);
            }
        }
        self.phase = Phase::Here;
        let is_noticed = self.plan.notice.is_some();
        self.apply(system, |effect| !(is_noticed && effect.begins_with_notice()), System::strike);
        for effect in &self.plan.effects {
            if let Effect::Strain(strain) = effect {
                self.plan.links.iter().for_each(|link| system.strain_link(*link, self.number, *strain));
            }
        }
        self.end(now)
    }
}

impl System<'_> {
    /// Keeps calls away from an instance, for one more cause.
    pub(super) fn close(&mut self, instance: u32) {
        self.havoc.burdens[instance as usize].closed += 1;
        self.set_up(instance, false);
    }

    /// One cause that kept calls away is gone; after the last one the instance is back, empty if its process had died.
    pub(super) fn open(&mut self, instance: u32) {
        let closed = &mut self.havoc.burdens[instance as usize].closed;
        *closed -= 1;
        if *closed == 0 {
            self.set_up(instance, true);
            self.memory_up(instance, true);
        }
    }

    /// Whether exactly one cause keeps calls away from an instance.
    pub(super) fn is_closed_once(&self, instance: u32) -> bool {
        self.havoc.burdens[instance as usize].closed == 1
    }

    /// An effect of a fault begins at an instance.
    pub(super) fn strike(&mut self, instance: u32, effect: &Effect, fault: u32) {
        let burden = &mut self.havoc.burdens[instance as usize];
        match effect {
            Effect::Close => self.close(instance),
            Effect::Kill => self.crash(instance),
            Effect::Announce => self.announced(instance),
            Effect::TakeAway => self.taken_away(instance),
            Effect::Flush => self.data.crashed(instance),
            Effect::Quota(left) => {
                burden.quota.push((fault, *left));
                self.set_quota(instance);
            }
            Effect::Hang => {
                burden.hung += 1;
                self.havoc.active += 1;
            }
            Effect::Slow { resource, speed } => {
                burden.slow.push((fault, resource.clone(), *speed));
                self.set_speeds(instance);
            }
            Effect::Calls(calls) => {
                burden.calls.push((fault, Arc::clone(calls)));
                self.havoc.active += 1;
            }
            Effect::Strain(_) => {}
        }
    }

    /// An effect of a fault ends at an instance.
    pub(super) fn heal(&mut self, instance: u32, effect: &Effect, fault: u32) {
        let burden = &mut self.havoc.burdens[instance as usize];
        match effect {
            Effect::Close => self.open(instance),
            Effect::Announce | Effect::Kill | Effect::TakeAway | Effect::Flush | Effect::Strain(_) => {}
            Effect::Quota(_) => {
                burden.quota.retain(|(of, _)| *of != fault);
                self.set_quota(instance);
            }
            Effect::Hang => {
                burden.hung -= 1;
                self.havoc.active -= 1;
                self.let_go(NONE);
            }
            Effect::Slow { .. } => {
                burden.slow.retain(|(of, ..)| *of != fault);
                self.set_speeds(instance);
            }
            Effect::Calls(_) => {
                burden.calls.retain(|(of, _)| *of != fault);
                self.havoc.active -= 1;
                self.let_go(fault);
            }
        }
    }

    /// Gives the quota of an instance what its faults leave of it.
    fn set_quota(&mut self, instance: u32) {
        let now = self.calendar.now();
        let left = self.havoc.burdens[instance as usize].quota.iter().map(|(_, left)| left).product();
        self.gates.cut_quota(instance, now, left);
    }

    /// Gives the sharing stations of an instance the speeds that its faults leave them.
    fn set_speeds(&mut self, instance: u32) {
        let now = self.calendar.now();
        let place = self.instances[instance as usize];
        let service = &self.blueprint.services[place.service as usize];
        for (slot, plan) in service.sharing.iter().enumerate() {
            let slow = &self.havoc.burdens[instance as usize].slow;
            let concerned =
                slow.iter().filter(|(_, resource, _)| resource.as_ref().is_none_or(|name| *name == plan.name));
            let speed = concerned.map(|(_, _, speed)| speed).product();
            let station = place.sharing + slot as u32;
            self.sharing[station as usize].set_speed(now, Brake::Fault, speed);
            self.arrange(station);
        }
    }

    /// Lets those go on that were parked for a fault, or whose instances hang no more.
    fn let_go(&mut self, fault: u32) {
        for Parked { frame, generation, fault: of } in std::mem::take(&mut self.havoc.parked) {
            let meant = &self.frames[frame];
            if meant.generation != generation || meant.role == Role::Vacant {
                continue;
            }
            let held = of != fault || (of == NONE && self.hangs(frame));
            if held {
                self.havoc.parked.push(Parked { frame, generation, fault: of });
            } else if let Some(frame) = self.resume(frame, generation) {
                let frame_state = &mut self.frames[frame];
                frame_state.generation = frame_state.generation.wrapping_add(1);
                self.ready.push(frame);
            }
        }
    }

    /// Whether a frame's instance stands still. Requests of clients run nowhere.
    fn hangs(&self, index: u32) -> bool {
        let frame = &self.frames[index];
        let burden = self.havoc.burdens.get(frame.instance as usize);
        frame.role != Role::Request && burden.is_some_and(|burden| burden.hung > 0)
    }

    /// Parks a frame that is about to run if its instance hangs; whether it does. What must end, ends.
    #[cold]
    pub(super) fn stands_still(&mut self, index: u32) -> bool {
        let hangs = self.hangs(index) && !self.frames[index].is_doomed();
        if hangs {
            self.park(index, NONE);
        }
        hangs
    }

    fn park(&mut self, index: u32, fault: u32) {
        let generation = self.delay(index);
        self.havoc.parked.push(Parked { frame: index, generation, fault });
    }

    /// Puts a frame into a delay that a fault causes; returns its generation.
    fn delay(&mut self, index: u32) -> u32 {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        let service = self.instances[frame.instance as usize].service;
        frame.stage = Stage::Parked;
        frame.since = now;
        frame.account = self.blueprint.fault_accounts.get(service as usize).copied().unwrap_or(0);
        frame.generation
    }

    /// What faults do to a call that arrives at its instance; whether it has to wait.
    #[cold]
    pub(super) fn arrives_late(&mut self, index: u32) -> bool {
        let frame = &self.frames[index];
        let (key, instance) = (frame.key, frame.instance);
        let Some(burden) = self.havoc.burdens.get(instance as usize) else { return false };
        let is_from = |name: &str| self.caller_of(index) == Some(name);
        let mut late = 0.0;
        for (fault, calls) in &burden.calls {
            let mut draw = Draw::new(key, named(u64::from(*fault), "fault"), 0);
            match calls.upon(&mut draw, &is_from) {
                Upon::Late(by) => late += by,
                Upon::Fails => {
                    self.frames[index].place = self.blueprint.failing;
                    return false;
                }
                Upon::Stuck => {
                    let fault = *fault;
                    self.park(index, fault);
                    return true;
                }
            }
        }
        let late = round(late);
        if late == 0 {
            return false;
        }
        let generation = self.delay(index);
        self.calendar.after(late, super::Event::Resume { frame: index, generation });
        true
    }

    /// The name of the service or client that made a call.
    fn caller_of(&self, index: u32) -> Option<&str> {
        let frame = &self.frames[index];
        if frame.role == Role::Direct {
            return self.blueprint.clients.get(frame.sibling[0] as usize).map(|client| client.name.as_str());
        }
        let parent = &self.frames[frame.parent];
        if parent.role == Role::Request || parent.instance == NONE {
            return self.blueprint.clients.get(parent.owner as usize).map(|client| client.name.as_str());
        }
        let service = self.instances.get(parent.instance as usize)?.service;
        Some(&self.blueprint.services[service as usize].name)
    }
}
