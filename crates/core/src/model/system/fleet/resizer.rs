//! Vertical scaling at work: an agent that samples what instances use, and gives them another size.
//!
//! A place has the size of its present life: it is set when a life begins, before anything can run there. Who is to have another size leaves, and
//! another life begins at once with the new one, in whichever place is free; or the size changes while it runs, where the mode says so.
//!
//! Sizes are requests: what is paid for, and what a node keeps free. The lanes of the CPU are the limit.

use super::{Phase, System};
use crate::engine::time::Nanos;
use crate::model::blueprint::Blueprint;
use crate::model::life::VerticalPlan;
use crate::model::system::agent::Agent;
use crate::model::vertical::{Mode, Recommendation, Recommender, may_leave};

/// Samples usage, recommends sizes and has them changed.
#[derive(Debug)]
pub(in super::super) struct Resizer {
    service: u32,
    plan: VerticalPlan,
    recommender: Recommender,
    /// Per place: the life that was seen there at the last look, and its busy cores then, integrated [core·ns].
    seen: Vec<Option<(u64, f64)>>,
}

impl Resizer {
    /// The resizer of a service.
    pub(in super::super) fn new(blueprint: &Blueprint, service: u32, plan: &VerticalPlan) -> Self {
        let places = blueprint.services[service as usize].instances as usize;
        let recommender = Recommender::new(&plan.spec);
        Resizer { service, plan: plan.clone(), recommender, seen: vec![None; places] }
    }

    /// Samples the usage of all instances that ran since the last look.
    fn sample(&mut self, system: &System<'_>, now: Nanos) {
        let service = self.service as usize;
        let Some(fleet) = &system.fleets[service] else { return };
        let length = self.plan.spec.every.as_nanos() as f64;
        for (number, place) in fleet.places.iter().enumerate() {
            let instance = &system.instances_of(service)[number];
            let ready = place.phase == Phase::Ready && instance.up;
            let cpu = &system.sharing[instance.sharing as usize + usize::from(self.plan.slot)];
            let present = ready.then(|| (place.life, cpu.busy(now)));
            let last = std::mem::replace(&mut self.seen[number], present);
            if let (Some((life, busy)), Some((before, then))) = (present, last)
                && life == before
            {
                self.recommender.sample(now, (busy - then) / length, place.size);
            }
        }
    }

    /// Who should get another size, the most important first.
    fn candidates(&self, system: &System<'_>, recommended: &Recommendation, now: Nanos) -> Vec<usize> {
        let Some(fleet) = &system.fleets[self.service as usize] else { return Vec::new() };
        let ready = fleet.places.iter().enumerate().filter(|(_, place)| place.phase == Phase::Ready);
        let judged = ready.filter_map(|(number, place)| {
            let priority = self.recommender.judge(recommended, place.size, now - place.started)?;
            Some((number, priority))
        });
        let mut judged: Vec<_> = judged.collect();
        judged.sort_by(|(_, one), (_, other)| other.grows.cmp(&one.grows).then(other.change.total_cmp(&one.change)));
        judged.into_iter().map(|(number, _)| number).collect()
    }

    fn change(&self, system: &mut System<'_>, recommended: &Recommendation, now: Nanos) {
        let (service, spec) = (self.service as usize, &self.plan.spec);
        let Some(fleet) = &mut system.fleets[service] else { return };
        fleet.size = recommended.target;
        fleet.ledger.target = recommended.target;
        if fleet.staying() < spec.replicas {
            return;
        }
        let (wanted, running) = (fleet.wanted, fleet.count(Phase::Ready));
        let candidates = self.candidates(system, recommended, now);
        match spec.mode {
            Mode::Initial => {}
            Mode::InPlace => {
                for number in candidates {
                    system.resize(service, number, recommended.target);
                }
            }
            Mode::Recreate => {
                let allowed = may_leave(spec, wanted, running) as usize;
                for number in candidates.into_iter().take(allowed) {
                    if let Some(fleet) = &mut system.fleets[service] {
                        fleet.ledger.resized += 1;
                    }
                    system.begin_leaving(service, number);
                }
                system.fill_up(service);
                system.wake_steward(service);
            }
        }
    }
}

impl Agent for Resizer {
    fn first(&self) -> Option<Nanos> {
        Some(self.plan.spec.every.as_nanos())
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let now = system.calendar.now();
        self.sample(system, now);
        if let Some(recommended) = self.recommender.recommend() {
            self.change(system, &recommended, now);
        }
        Some(now.saturating_add(self.plan.spec.every.as_nanos()))
    }
}

impl System<'_> {
    /// Gives an instance that runs another size.
    fn resize(&mut self, service: usize, number: usize, size: f64) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service] else { return };
        let before = std::mem::replace(&mut fleet.places[number].size, size);
        fleet.ledger.resized += 1;
        fleet.ledger.requested.add(now, size - before);
        fleet.ledger.lanes.add(now, -fleet.lanes(before));
        fleet.ledger.lanes.add(now, fleet.lanes(size));
        self.give_lanes(service, number, size);
    }

    /// Gives an instance the lanes of a size.
    pub(super) fn give_lanes(&mut self, service: usize, number: usize, size: f64) {
        let now = self.calendar.now();
        let Some(fleet) = &self.fleets[service] else { return };
        let Some(plan) = &fleet.plan.vertical else { return };
        let lanes = plan.lanes(size);
        let station = self.instances[fleet.first as usize + number].sharing + u32::from(plan.slot);
        if self.sharing[station as usize].lanes() != lanes {
            self.sharing[station as usize].resize(now, lanes);
            self.arrange(station);
            self.services[service].set_lanes(number, lanes, now);
        }
    }
}
