//! The agent that asks a scaling policy.

use super::sensor::Sensor;
use super::{Phase, System};
use crate::engine::time::Nanos;
use crate::model::arrival::Arrivals;
use crate::model::autoscaler::{self, Autoscaler, AutoscalerSpec, Pod, View};
use crate::model::blueprint::{Blueprint, Traffic};
use crate::model::system::agent::Agent;

/// Scrapes the instances of a service, and asks its policy at its times.
#[derive(Debug)]
pub(in super::super) struct Scaler {
    service: u32,
    bounds: [u32; 2],
    policy: Box<dyn Autoscaler>,
    sensor: Sensor,
    scrape: Nanos,
    next_scrape: Nanos,
    next_decision: Nanos,
}

impl Scaler {
    /// The scaler of a service.
    pub(in super::super) fn new(blueprint: &Blueprint, service: u32, spec: &AutoscalerSpec) -> Self {
        let policy = spec.policy.build();
        let scrape = spec.scrape.as_nanos().max(1);
        let sensor = Sensor::new(blueprint, service, spec, policy.metrics());
        let (next_scrape, next_decision) = (scrape, policy.every());
        Scaler { service, bounds: [spec.min, spec.max], policy, sensor, scrape, next_scrape, next_decision }
    }

    fn decide(&mut self, system: &mut System<'_>) {
        let now = system.calendar.now();
        let Some(fleet) = &system.fleets[self.service as usize] else { return };
        let existing = |(_, place): &(usize, &super::Place)| place.phase != Phase::Absent;
        let there: Vec<usize> = fleet.places.iter().enumerate().filter(existing).map(|(number, _)| number).collect();
        let pods: Vec<Pod> = there.iter().map(|number| pod(system, self.service as usize, *number)).collect();
        let readings = self.sensor.read(now, &there, &fleet.places);
        let blueprint = system.blueprint;
        let view = View {
            now,
            wanted: fleet.wanted,
            bounds: self.bounds,
            pods: &pods,
            readings: &readings,
            window: self.sensor.window(),
            future: &|time| offered(blueprint, time),
        };
        let [least, most] = self.bounds;
        let wanted = self.policy.decide(&view).clamp(least, most);
        system.scale(self.service as usize, wanted);
    }
}

/// An instance as an autoscaler sees it. One that a fault has taken down is not ready.
fn pod(system: &System<'_>, service: usize, number: usize) -> Pod {
    let place = system.fleets[service].as_ref().map(|fleet| fleet.places[number]);
    let up = system.instances_of(service)[number].up;
    let Some(place) = place else { return Pod { phase: autoscaler::Phase::Pending, started: 0, changed: 0 } };
    let phase = match place.phase {
        Phase::Absent | Phase::Pending => autoscaler::Phase::Pending,
        Phase::Ready if up => autoscaler::Phase::Ready,
        Phase::Starting | Phase::Ready => autoscaler::Phase::Unready,
        Phase::Draining => autoscaler::Phase::Leaving,
    };
    Pod { phase, started: place.started, changed: place.changed }
}

/// The rate of all open clients with a profile at an instant [1/s].
fn offered(blueprint: &Blueprint, time: Nanos) -> f64 {
    let rate = |traffic: &Traffic| match traffic {
        Traffic::Open(Arrivals::Profiled(profile, _)) => profile.rate_at(time as f64) * 1e9,
        _ => 0.0,
    };
    blueprint.clients.iter().map(|client| rate(&client.traffic)).sum()
}

impl Agent for Scaler {
    fn first(&self) -> Option<Nanos> {
        Some(self.next_scrape.min(self.next_decision))
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let now = system.calendar.now();
        if now >= self.next_scrape {
            self.sensor.scrape(system, self.service as usize);
            self.next_scrape = now.saturating_add(self.scrape);
        }
        if now >= self.next_decision {
            self.decide(system);
            self.next_decision = now.saturating_add(self.policy.every());
        }
        Some(self.next_scrape.min(self.next_decision))
    }
}
