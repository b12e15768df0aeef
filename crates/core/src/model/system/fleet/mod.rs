//! Fleets at work: instances come and go.
//!
//! A fleet has a *place* for every instance that may ever exist at once. What is not ready is no member to balancers and groups of
//! consumers; an absent one is closed besides, which adds up with what faults close. The *steward* is the agent that moves
//! places on at their times.
//!
//! Invariants: a place that is pending, starting, ready or draining exists and is paid for; the ready ones and no others are members.
//! An instance that leaves is looked at once a second (as a kubelet does) whether it has ended what it had.

mod book;
mod nodes;
mod resizer;
mod rollout;
mod scaler;
mod sensor;
mod versions;

use super::agent::Agent;
use super::{Event, System};
use crate::engine::random::{Draw, key, named};
use crate::engine::time::{NEVER, Nanos, round};
use crate::model::blueprint::{self, Blueprint};
use crate::model::frame::NONE;
use crate::model::life::FleetPlan;
use crate::model::station::Brake;
pub use book::FleetBook;
pub use book::SizeBook;
pub(super) use book::{LANES, Ledger, READY, State};
pub use nodes::PoolBook;
pub(super) use nodes::{Pool, PoolState, Provisioner};
pub(super) use resizer::Resizer;
pub(super) use rollout::Rollout;
pub use rollout::RolloutBook;
pub(super) use scaler::Scaler;
pub(super) use sensor::Gauge;
pub(super) use versions::Versions;

/// How often it is looked whether an instance that leaves is empty [ns].
const LOOK: Nanos = 1_000_000_000;

/// In how many steps a warm-up goes.
const WARM_STEPS: u64 = 20;

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Absent,
    Pending,
    Starting,
    Ready,
    Draining,
}

/// A place for an instance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) phase: Phase,
    /// When the phase is over, or must be looked at [ns].
    until: Nanos,
    /// When its process began [ns].
    pub(super) started: Nanos,
    /// When it became ready, or began its present phase [ns].
    pub(super) changed: Nanos,
    /// When it must be gone [ns].
    deadline: Nanos,
    /// The number of the life.
    life: u64,
    /// Whether it has the new version.
    new: bool,
    /// The cores that it requests; 0 if its size never changes.
    size: f64,
    /// Its node; [`NONE`] if it has none, or runs on a machine of its own.
    node: u32,
}

impl Place {
    fn new(phase: Phase) -> Self {
        Place {
            phase,
            until: NEVER,
            started: 0,
            changed: 0,
            deadline: NEVER,
            life: 0,
            new: false,
            size: 0.0,
            node: NONE,
        }
    }

    /// Whether it exists and will stay.
    fn stays(&self) -> bool {
        matches!(self.phase, Phase::Pending | Phase::Starting | Phase::Ready)
    }
}

/// A fleet at work.
#[derive(Debug)]
pub(super) struct Fleet {
    plan: FleetPlan,
    /// Its first instance.
    first: u32,
    /// The agent that moves it on, and when that acts next as arranged.
    steward: u32,
    wake: Option<Nanos>,
    pub(super) wanted: u32,
    pub(super) places: Vec<Place>,
    /// Lives begun.
    lives: u64,
    key: u64,
    /// How many more than wanted may exist, while a new version comes.
    surge: u32,
    /// Whether instances that begin have the new version.
    renewed: bool,
    /// The cores that those that begin request; 0 if sizes never change.
    size: f64,
    rollout: RolloutBook,
    pub(super) ledger: Ledger,
}

impl Fleet {
    /// The fleet of a service at time 0, if it has one; `root` is the key of the run.
    pub(super) fn new(blueprint: &Blueprint, service: u32, first: u32, root: u64) -> Option<Self> {
        let plan = blueprint.services[service as usize].fleet.as_deref()?.clone();
        let is_own =
            |agent: &blueprint::Agent| matches!(agent, blueprint::Agent::Steward { service: of } if *of == service);
        let steward = blueprint.agents.iter().position(is_own)? as u32;
        let service = &blueprint.services[service as usize];
        let phase = |number: u32| if number < plan.start { Phase::Ready } else { Phase::Absent };
        let size = plan.vertical.as_ref().map_or(0.0, |vertical| vertical.size);
        let lanes = plan.vertical.as_ref().map_or(0.0, |vertical| vertical.lanes(size));
        Some(Fleet {
            places: (0..service.instances).map(|number| Place { size, ..Place::new(phase(number)) }).collect(),
            first,
            steward,
            wake: None,
            wanted: plan.start,
            lives: u64::from(plan.start),
            key: named(named(root, &service.name), "life"),
            surge: 0,
            renewed: false,
            size,
            rollout: RolloutBook::default(),
            ledger: Ledger::new(plan.start, size, lanes),
            plan,
        })
    }

    /// How many places are in a phase.
    pub(super) fn count(&self, phase: Phase) -> u32 {
        self.places.iter().filter(|place| place.phase == phase).count() as u32
    }

    fn staying(&self) -> u32 {
        self.places.iter().filter(|place| place.stays()).count() as u32
    }

    /// Draws a part of a life [ns].
    fn draw(&self, part: usize, life: u64) -> Nanos {
        let Some(demand) = &self.plan.delays[part] else { return 0 };
        let mut draw = Draw::new(key(self.key, life), demand.salt, part as u64);
        round(demand.distribution.sample(&mut draw))
    }

    /// Who leaves first: those that are not ready yet, then the youngest.
    fn to_leave(&self) -> Option<usize> {
        let stays = |(_, place): &(usize, &Place)| place.stays();
        let rank = |(number, place): &(usize, &Place)| (place.phase != Phase::Ready, place.life, *number);
        self.places.iter().enumerate().filter(stays).max_by_key(rank).map(|(number, _)| number)
    }

    /// The lanes of the CPU of an instance of a size; 0 if sizes never change.
    fn lanes(&self, size: f64) -> f64 {
        self.plan.vertical.as_ref().map_or(0.0, |vertical| vertical.lanes(size))
    }

    /// When something happens next by itself.
    fn next(&self) -> Option<Nanos> {
        self.places.iter().map(|place| place.until).min().filter(|until| *until < NEVER)
    }

    /// An instance that was ready is so no more.
    fn no_longer_ready(&mut self, now: Nanos, number: usize) {
        self.ledger.ready.down(now);
        self.ledger.lanes.add(now, -self.lanes(self.places[number].size));
    }

    /// The speed of an instance's cores so long after it became ready.
    fn speed(&self, since: Nanos) -> f64 {
        match self.plan.warm_up {
            Some(warm) if since < warm.over.as_nanos() => {
                let from = warm.from.fraction();
                from + (1.0 - from) * since as f64 / warm.over.as_nanos() as f64
            }
            _ => 1.0,
        }
    }
}

/// Moves the places of a fleet on.
#[derive(Debug)]
pub(super) struct Steward {
    pub(super) service: u32,
}

impl Agent for Steward {
    fn first(&self) -> Option<Nanos> {
        None
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let now = system.calendar.now();
        let service = self.service as usize;
        let fleet = system.fleets[service].as_mut()?;
        fleet.wake = fleet.wake.filter(|wake| *wake > now);
        for number in 0..fleet.places.len() {
            system.advance_place(service, number);
        }
        system.fill_up(service);
        let fleet = system.fleets[service].as_mut()?;
        let next = fleet.next().filter(|next| fleet.wake.is_none_or(|wake| wake > *next))?;
        fleet.wake = Some(next);
        Some(next)
    }
}

impl System<'_> {
    /// Closes the places that are empty at the start.
    pub(super) fn start_fleets(&mut self) {
        for service in 0..self.fleets.len() {
            let Some(fleet) = &self.fleets[service] else { continue };
            let (first, start) = (fleet.first, fleet.plan.start);
            for number in start..fleet.places.len() as u32 {
                self.close(first + number);
                self.services[service].set_member(number, false, 0);
            }
        }
        self.start_pods();
    }

    /// Wants so many instances: what is missing is begun, what is too much leaves.
    pub(super) fn scale(&mut self, service: usize, wanted: u32) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service] else { return };
        if wanted != fleet.wanted {
            fleet.ledger.changed(now, fleet.wanted, wanted);
            fleet.wanted = wanted;
        }
        while let Some(fleet) = &self.fleets[service]
            && fleet.staying() > wanted + fleet.surge
            && let Some(number) = fleet.to_leave()
        {
            self.begin_leaving(service, number);
        }
        self.fill_up(service);
        self.wake_steward(service);
    }

    /// Begins lives in free places until there are as many as wanted, or no place is free.
    fn fill_up(&mut self, service: usize) {
        while let Some(fleet) = &self.fleets[service]
            && fleet.staying() < fleet.wanted
            && self.begin_life(service, fleet.renewed)
        {}
    }

    /// Begins a life in a free place; whether there was one.
    fn begin_life(&mut self, service: usize, new: bool) -> bool {
        let now = self.calendar.now();
        let Some(fleet) = &self.fleets[service] else { return false };
        // An absent place is closed once by itself; what is closed more often is struck by a fault.
        let free = |(number, place): &(usize, &Place)| {
            place.phase == Phase::Absent && self.is_closed_once(fleet.first + *number as u32)
        };
        let Some((number, _)) = fleet.places.iter().enumerate().find(free) else { return false };
        let Some(fleet) = &mut self.fleets[service] else { return false };
        let life = fleet.lives;
        fleet.lives += 1;
        let until = now.saturating_add(fleet.draw(0, life)).saturating_add(fleet.draw(1, life));
        let size = fleet.size;
        fleet.places[number] = Place { until, life, new, size, ..Place::new(Phase::Pending) };
        fleet.ledger.exists.up(now);
        fleet.ledger.requested.add(now, size);
        self.services[service].set_new(number as u32, new);
        self.give_lanes(service, number, size);
        self.lodge(service, number);
        self.advance_place(service, number);
        true
    }

    /// Moves a place on as far as its time has come.
    fn advance_place(&mut self, service: usize, number: usize) {
        let now = self.calendar.now();
        loop {
            let Some(fleet) = &mut self.fleets[service] else { return };
            let life = fleet.places[number].life;
            let start = fleet.draw(2, life);
            let place = &mut fleet.places[number];
            if place.until > now {
                return;
            }
            match place.phase {
                Phase::Absent => return,
                Phase::Pending => {
                    (place.phase, place.started, place.changed) = (Phase::Starting, now, now);
                    place.until = now.saturating_add(start);
                }
                Phase::Starting => {
                    (place.phase, place.changed, place.until) = (Phase::Ready, now, now);
                    let size = place.size;
                    fleet.ledger.ready.up(now);
                    fleet.ledger.lanes.add(now, fleet.lanes(size));
                    let place = &fleet.places[number];
                    let (instance, new) = (fleet.first + number as u32, place.new);
                    self.services[service].set_member(number as u32, true, now);
                    self.open(instance);
                    if new {
                        self.change_version(service, instance, true);
                    }
                }
                Phase::Ready => {
                    self.warm(service, number);
                    return;
                }
                Phase::Draining => {
                    let empty = self.services[service].is_empty(number as u32);
                    if empty || now >= place.deadline {
                        self.leave(service, number);
                    } else {
                        place.until = now.saturating_add(LOOK).min(place.deadline);
                    }
                    return;
                }
            }
        }
    }

    /// Sets the speed of an instance that warms up.
    fn warm(&mut self, service: usize, number: usize) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service] else { return };
        let since = now - fleet.places[number].changed;
        let speed = fleet.speed(since);
        let place = &mut fleet.places[number];
        place.until = match fleet.plan.warm_up {
            Some(warm) if speed < 1.0 => now.saturating_add((warm.over.as_nanos() / WARM_STEPS).max(1)),
            _ => NEVER,
        };
        if fleet.plan.warm_up.is_some() {
            let sharing = self.instances[fleet.first as usize + number].sharing;
            let slot = self.blueprint.services[service].sharing.iter().position(|plan| plan.name == "cpu");
            if let Some(slot) = slot {
                self.set_speed(sharing + slot as u32, Brake::WarmUp, speed);
            }
        }
    }

    /// Lets an instance leave: it gets nothing new.
    fn begin_leaving(&mut self, service: usize, number: usize) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service] else { return };
        let (phase, grace) = (fleet.places[number].phase, fleet.plan.grace);
        if phase != Phase::Ready {
            return self.leave(service, number);
        }
        fleet.no_longer_ready(now, number);
        let place = &mut fleet.places[number];
        (place.phase, place.changed) = (Phase::Draining, now);
        (place.until, place.deadline) = (now, now.saturating_add(grace));
        let instance = fleet.first + number as u32;
        self.services[service].set_member(number as u32, false, now);
        self.members_changed(instance, false);
        self.advance_place(service, number);
    }

    /// An instance is no more; what it still had is lost.
    fn leave(&mut self, service: usize, number: usize) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service] else { return };
        if fleet.places[number].phase == Phase::Ready {
            fleet.no_longer_ready(now, number);
        }
        let ran = matches!(fleet.places[number].phase, Phase::Ready | Phase::Draining);
        let Place { new, size, node, .. } = std::mem::replace(&mut fleet.places[number], Place::new(Phase::Absent));
        fleet.ledger.exists.down(now);
        fleet.ledger.requested.add(now, -size);
        self.give_up_lodging(service, node, size);
        let Some(fleet) = &self.fleets[service] else { return };
        let instance = fleet.first + number as u32;
        if ran {
            if new {
                self.change_version(service, instance, false);
            }
            self.services[service].set_member(number as u32, false, now);
            self.close(instance);
            self.crash(instance);
        }
    }

    /// An instance begins, or ends, to do what the new version does.
    fn change_version(&mut self, service: usize, instance: u32, begins: bool) {
        let Some(fleet) = &self.fleets[service] else { return };
        let (steward, version) = (fleet.steward, fleet.plan.rollout.as_ref().map(|rollout| rollout.version));
        for effect in version.iter().flat_map(rollout::effects) {
            if begins { self.strike(instance, &effect, steward) } else { self.heal(instance, &effect, steward) }
        }
    }

    /// The machine of an instance will be taken away: another one is begun already, if the fleet sees to that. Source: capacity rebalancing of
    /// AWS Auto Scaling, the node termination handler of Kubernetes.
    pub(super) fn announced(&mut self, instance: u32) {
        let place = self.instances[instance as usize];
        let (service, number) = (place.service as usize, place.number as usize);
        let Some(fleet) = &self.fleets[service] else { return };
        if fleet.plan.replace_at_notice && fleet.places[number].stays() {
            self.begin_leaving(service, number);
            self.fill_up(service);
            self.wake_steward(service);
        }
    }

    /// The machine of an instance was taken away: another one takes its place.
    pub(super) fn taken_away(&mut self, instance: u32) {
        let place = self.instances[instance as usize];
        let (service, number) = (place.service as usize, place.number as usize);
        let Some(fleet) = &self.fleets[service] else { return };
        if fleet.places[number].phase != Phase::Absent {
            self.leave(service, number);
            self.fill_up(service);
            self.wake_steward(service);
        }
    }

    /// Whether an instance that a fault lets go may be used: it is not of a fleet, or ready.
    pub(super) fn is_ready(&self, instance: u32) -> bool {
        let place = self.instances[instance as usize];
        let fleet = self.fleets[place.service as usize].as_ref();
        fleet.is_none_or(|fleet| fleet.places[place.number as usize].phase == Phase::Ready)
    }

    /// Lets the steward of a fleet act when something happens next.
    fn wake_steward(&mut self, service: usize) {
        let Some(fleet) = &mut self.fleets[service] else { return };
        if let Some(next) = fleet.next()
            && fleet.wake.is_none_or(|wake| wake > next)
        {
            fleet.wake = Some(next);
            self.calendar.at(next, Event::Act { agent: fleet.steward });
        }
    }
}
