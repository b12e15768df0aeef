//! Rollouts at work: an agent that begins instances of the new version, moves calls to them and lets the old ones go.
//!
//! It looks once a second. The autoscaler may go on meanwhile: what it wants is what the rollout replaces.

use std::sync::Arc;

use super::{Phase, System};
use crate::engine::time::Nanos;
use crate::model::distribution::Distribution;
use crate::model::fault::{Effect, Errors, Latency};
use crate::model::rollout::{RolloutSpec, Strategy, VersionSpec};
use crate::model::system::agent::Agent;
use crate::quantity::Duration;

/// How often it looks [ns].
const LOOK: Nanos = 1_000_000_000;

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// The new version is taken back.
    Aborted,
    Over,
}

/// What is known of a rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RolloutBook {
    /// Calls to the new version, and all calls, from its begin to the end of the window or until it was taken back.
    pub calls: [u64; 2],
    /// How long it took until the old version was gone [ns].
    pub took: Option<Nanos>,
    /// How long after its first instance was ready it was taken back [ns].
    pub detected: Option<Nanos>,
}

/// Rolls a new version out.
#[derive(Debug)]
pub(in super::super) struct Rollout {
    service: u32,
    spec: RolloutSpec,
    stage: Stage,
    /// When the first new instances were ready [ns].
    ready: Option<Nanos>,
    /// When the new version got all calls [ns]; not noted of a rolling one.
    alone: Option<Nanos>,
    next_judgement: Nanos,
    /// Answered and failed calls of the new version at the last judgement.
    judged: [u64; 2],
}

impl Rollout {
    pub(in super::super) fn new(service: u32, spec: &RolloutSpec) -> Self {
        Rollout {
            service,
            spec: spec.clone(),
            stage: Stage::Running,
            ready: None,
            alone: None,
            next_judgement: 0,
            judged: [0; 2],
        }
    }

    /// How many new instances there should be now.
    fn goal(&self, now: Nanos, wanted: u32) -> u32 {
        match self.spec.strategy {
            Strategy::Canary(_) => {
                let share = self.spec.share(self.ready.map_or(0, |ready| now - ready));
                ((f64::from(wanted) * share).ceil() as u32).min(wanted)
            }
            Strategy::Rolling(_) | Strategy::BlueGreen => wanted,
        }
    }

    /// Whether the new version has all calls and the old one still stays, to be returned to: for two looks of the abort.
    fn is_watched(&mut self, now: Nanos) -> bool {
        let alone = *self.alone.get_or_insert(now);
        self.spec.abort.is_some_and(|abort| now - alone < abort.every.as_nanos().saturating_mul(2))
    }

    /// Whether too many calls of the new version failed, or took too long.
    fn fails(&mut self, system: &mut System<'_>) -> bool {
        let (Some(abort), now) = (self.spec.abort, system.calendar.now()) else { return false };
        if now < self.next_judgement {
            return false;
        }
        self.next_judgement = now.saturating_add(abort.every.as_nanos());
        let counts = system.counts_of_new(self.service as usize);
        let [answered, failed] = [counts[1] - self.judged[0], counts[2] - self.judged[1]];
        if answered < u64::from(abort.least) {
            return false;
        }
        self.judged = [counts[1], counts[2]];
        let p95 = system.services[self.service as usize].latency_of_new();
        let slow = abort.p95.zip(p95).is_some_and(|(most, p95)| p95 > most.as_nanos() as f64);
        slow || abort.failures.is_some_and(|most| failed as f64 > most.fraction() * answered as f64)
    }

    /// Takes the new version back.
    fn abort(&mut self, system: &mut System<'_>) {
        let (service, now) = (self.service as usize, system.calendar.now());
        self.stage = Stage::Aborted;
        system.services[service].split(None, now);
        if let Some(fleet) = &mut system.fleets[service] {
            let calls = system.services[service].exposed();
            fleet.rollout.calls = calls;
            fleet.rollout.detected = self.ready.map(|ready| now - ready);
            fleet.surge = 0;
        }
        for number in system.numbers(service, true) {
            system.begin_leaving(service, number);
        }
        system.fill_up(service);
    }

    /// Moves on; whether the old version is gone.
    fn advance(&mut self, system: &mut System<'_>) -> bool {
        let (service, now) = (self.service as usize, system.calendar.now());
        let Some(fleet) = &mut system.fleets[service] else { return true };
        let wanted = fleet.wanted;
        fleet.surge = self.spec.surge(wanted);
        let goal = self.goal(now, wanted);
        while system.numbers(service, true).len() < goal as usize
            && system.room_for_new(service)
            && system.begin_life(service, true)
        {}
        let (new, old) = (system.numbers(service, true), system.numbers(service, false));
        let is_ready = |number: &usize| {
            system.fleets[service].as_ref().is_some_and(|fleet| fleet.places[*number].phase == Phase::Ready)
        };
        let ready = new.iter().filter(|number| is_ready(number)).count() as u32;
        if ready > 0 && (ready >= goal || matches!(self.spec.strategy, Strategy::Rolling(_))) {
            self.ready.get_or_insert(now);
        }
        if let Strategy::Rolling(rolling) = self.spec.strategy {
            let mut there = ready + old.iter().filter(|number| is_ready(number)).count() as u32;
            let enough = wanted.saturating_sub(rolling.unavailable);
            let waiting: Vec<usize> = old.iter().copied().filter(|number| !is_ready(number)).collect();
            let leaving: Vec<usize> = old.iter().copied().filter(is_ready).collect();
            waiting.iter().for_each(|number| system.begin_leaving(service, *number));
            for number in leaving {
                if there <= enough {
                    break;
                }
                there -= 1;
                system.begin_leaving(service, number);
            }
        } else if ready >= goal && ready > 0 {
            let share = self.spec.share(self.ready.map_or(0, |ready| now - ready));
            if share < 1.0 {
                system.services[service].split(Some(share), now);
            } else if goal >= wanted && self.is_watched(now) {
                system.services[service].split(Some(1.0), now);
            } else if goal >= wanted {
                system.services[service].split(None, now);
                old.iter().for_each(|number| system.begin_leaving(service, *number));
            }
        }
        system.numbers(service, false).is_empty() && ready >= wanted
    }
}

impl Agent for Rollout {
    fn first(&self) -> Option<Nanos> {
        Some(self.spec.at.as_nanos())
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let (service, now) = (self.service as usize, system.calendar.now());
        if self.stage == Stage::Running && self.ready.is_none() && self.spec.splits() {
            // New instances get nothing until all that are to be compared are there.
            system.services[service].split(Some(0.0), now);
        }
        if self.fails(system) {
            self.abort(system);
        } else if self.stage == Stage::Running && self.advance(system) {
            self.stage = Stage::Over;
            if let Some(fleet) = &mut system.fleets[service] {
                fleet.surge = 0;
                fleet.renewed = true;
                fleet.rollout.took = Some(now - self.spec.at.as_nanos());
            }
        }
        system.wake_steward(service);
        (self.stage == Stage::Running).then(|| now.saturating_add(LOOK))
    }
}

/// What a version does to the calls at its instances.
pub(super) fn effects(version: &VersionSpec) -> Vec<Effect> {
    let errors = version.errors.map(|share| Effect::Calls(Arc::new(Errors(share.fraction()))));
    let late = |delay: Duration| Latency { add: Distribution::Constant(delay.as_nanos() as f64), share: 1.0 };
    let delay = version.delay.map(|delay| Effect::Calls(Arc::new(late(delay))));
    let slow = version.speed.map(|speed| Effect::Slow { resource: Some("cpu".to_owned()), speed: speed.fraction() });
    errors.into_iter().chain(delay).chain(slow).collect()
}

impl System<'_> {
    /// The places of a version that exist and stay.
    fn numbers(&self, service: usize, new: bool) -> Vec<usize> {
        let Some(fleet) = &self.fleets[service] else { return Vec::new() };
        let of = |(_, place): &(usize, &super::Place)| place.stays() && place.new == new;
        fleet.places.iter().enumerate().filter(of).map(|(number, _)| number).collect()
    }

    /// Whether one more may exist.
    fn room_for_new(&self, service: usize) -> bool {
        self.fleets[service].as_ref().is_some_and(|fleet| fleet.staying() < fleet.wanted + fleet.surge)
    }

    /// Calls sent to, answered and failed at instances of the new version, those that are gone included.
    fn counts_of_new(&self, service: usize) -> [u64; 3] {
        self.services[service].counts_of_new()
    }
}
