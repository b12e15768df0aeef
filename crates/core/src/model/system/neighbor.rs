//! A noisy neighbor: now and then it takes a part of an instance's cores.
//!
//! Quiet and busy times take turns, beginning with a quiet one; each is drawn by its number, from a key of the instance.

use super::System;
use super::agent::Agent;
use crate::engine::random::{Draw, key, named};
use crate::engine::time::{Nanos, round};
use crate::model::program::Demand;
use crate::model::station::Brake;

/// The neighbor of one instance.
#[derive(Debug)]
pub(super) struct Neighbor {
    pub(super) service: u32,
    pub(super) instance: u32,
    /// The slot of its CPU.
    pub(super) slot: u16,
    /// The speed that is left while the neighbor is busy.
    pub(super) speed: f64,
    /// How long it is busy, and quiet.
    pub(super) times: [Demand; 2],
    /// How often it has changed.
    pub(super) changes: u64,
}

impl Agent for Neighbor {
    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let service = self.service as usize;
        let place = system.services[service].first_instance + self.instance;
        let station = system.instances[place as usize].sharing + u32::from(self.slot);
        let quiet = self.changes.is_multiple_of(2);
        system.set_speed(station, Brake::Steal, if quiet { 1.0 } else { self.speed });
        let own = key(named(system.root(), &system.blueprint.services[service].name), u64::from(self.instance));
        let Demand { distribution, salt } = &self.times[usize::from(quiet)];
        let lasts = round(distribution.sample(&mut Draw::new(own, *salt, self.changes / 2)));
        self.changes += 1;
        // Time passes even if nothing was drawn, so that a neighbor cannot stop the clock.
        Some(system.calendar.now().saturating_add(lasts.max(1)))
    }

    fn first(&self) -> Option<Nanos> {
        Some(0)
    }
}

impl System<'_> {
    /// From now on a sharing station has only so much of its speed, as far as this cause goes.
    pub(super) fn set_speed(&mut self, station: u32, cause: Brake, speed: f64) {
        self.sharing[station as usize].set_speed(self.calendar.now(), cause, speed);
        self.arrange(station);
    }
}
