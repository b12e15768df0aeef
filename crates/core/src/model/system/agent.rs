//! Agents: what acts by itself at set times.
//!
//! Faults, controllers and timers are agents: each tells when it acts next, and may do to the system what it likes when it
//! does. An agent that another part has to wake keeps its own note of what it waits for; being woken for nothing does
//! no harm.
//!
//! Invariant: agents act at the beginning of an event, when no frame is running; frames that they let go on run right
//! after.

use super::faults::Fault;
use super::fleet::{Provisioner, Resizer, Rollout, Scaler, Steward};
use super::memory::Keeper;
use super::neighbor::Neighbor;
use super::{Event, System};
use crate::engine::time::Nanos;
use crate::model::blueprint::{self, Blueprint};

/// Something that acts by itself.
pub(super) trait Agent: std::fmt::Debug {
    /// Acts now; returns the instant at which it acts next [ns], if it knows.
    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos>;

    /// When it acts first [ns]; never by itself if `None`.
    fn first(&self) -> Option<Nanos>;
}

/// Makes the agents of a blueprint; `root` is the key of the run.
pub(super) fn build_all(blueprint: &Blueprint, root: u64) -> Vec<Option<Box<dyn Agent>>> {
    blueprint.agents.iter().enumerate().map(|(number, plan)| build(blueprint, plan, number as u32, root)).collect()
}

fn build(blueprint: &Blueprint, plan: &blueprint::Agent, number: u32, root: u64) -> Option<Box<dyn Agent>> {
    Some(match *plan {
        blueprint::Agent::Memory { service, instance } => Box::new(Keeper { service, instance }),
        blueprint::Agent::Neighbor { service, instance, slot, speed, ref times } => {
            Box::new(Neighbor { service, instance, slot, speed, times: times.clone(), changes: 0 })
        }
        blueprint::Agent::Fault(ref plan) => Box::new(Fault::new(plan, number, root)),
        blueprint::Agent::Steward { service } => Box::new(Steward { service }),
        blueprint::Agent::Rollout { service } => {
            let spec = blueprint.services[service as usize].fleet.as_ref()?.rollout.as_ref()?;
            Box::new(Rollout::new(service, spec))
        }
        blueprint::Agent::Autoscaler { service } => {
            let spec = blueprint.services[service as usize].fleet.as_ref()?.autoscaler.as_ref()?;
            Box::new(Scaler::new(blueprint, service, spec))
        }
        blueprint::Agent::Provisioner { pool } => Box::new(Provisioner::new(blueprint, pool)?),
        blueprint::Agent::Resizer { service } => {
            let plan = blueprint.services[service as usize].fleet.as_ref()?.vertical.as_ref()?;
            Box::new(Resizer::new(blueprint, service, plan))
        }
    })
}

impl System<'_> {
    /// Schedules what every agent does first.
    pub(super) fn start_agents(&mut self) {
        for (number, agent) in self.agents.iter().enumerate() {
            if let Some(time) = agent.as_ref().and_then(|agent| agent.first()) {
                self.calendar.at(time, Event::Act { agent: number as u32 });
            }
        }
    }

    /// Lets an agent act.
    pub(super) fn act(&mut self, number: u32) {
        let Some(mut agent) = self.agents[number as usize].take() else { return };
        if let Some(time) = agent.act(self) {
            self.calendar.at(time, Event::Act { agent: number });
        }
        self.agents[number as usize] = Some(agent);
    }
}
