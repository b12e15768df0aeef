//! When faults, rollouts and batches come by the clock, for charts over time.

use super::design::{Design, DesignPoint};
use crate::model::arrival::Arrivals;
use crate::model::arrival::clock::Clock;
use crate::model::blueprint::{Agent, Client, Service, Traffic};
use crate::model::fault::Times;
use crate::study::FaultMark;

/// The most times that one fault is marked.
const MOST: usize = 20;

/// What comes by the clock, of the first point that has any.
pub(super) fn marks(design: &Design) -> Vec<FaultMark> {
    let end = (design.plan.warm_up.saturating_add(design.plan.window)) as f64 / 1e9;
    let seconds = |nanos: u64| nanos as f64 / 1e9;
    let of = |agents: &[Agent]| -> Vec<FaultMark> {
        let mut marks = Vec::new();
        for agent in agents {
            let Agent::Fault(plan) = agent else { continue };
            let Times::Scheduled { at, lasting, every } = plan.times else { continue };
            for number in 0..MOST {
                let from = seconds(at) + every.map_or(0.0, seconds) * number as f64;
                if from >= end || (number > 0 && every.is_none()) {
                    break;
                }
                let until = lasting.map(|lasting| from + seconds(lasting));
                marks.push(FaultMark { label: plan.label.clone(), from, until });
            }
        }
        marks
    };
    let rollouts = |point: &DesignPoint| -> Vec<FaultMark> {
        let rollout = |service: &Service| {
            let from = seconds(service.fleet.as_ref()?.rollout.as_ref()?.at.as_nanos());
            // An instant: it is the system's own matter how long it takes.
            (from < end).then(|| FaultMark { label: format!("rollout of {}", service.name), from, until: Some(from) })
        };
        point.blueprint.services.iter().filter_map(rollout).collect()
    };
    let batches = |point: &DesignPoint| -> Vec<FaultMark> {
        let clock = |client: &Client| match client.traffic {
            Traffic::Open(Arrivals::Clock(clock)) => Some((client.name.clone(), clock)),
            _ => None,
        };
        let clocks = point.blueprint.clients.iter().filter_map(clock);
        let mark = |(name, clock): (String, Clock)| {
            let within = clock.batches().take(MOST).take_while(|(from, _)| seconds(*from) < end).collect::<Vec<_>>();
            within.into_iter().map(move |(from, until)| FaultMark {
                label: format!("batch of {name}"),
                from: seconds(from),
                until: Some(seconds(until)),
            })
        };
        clocks.flat_map(mark).collect()
    };
    let all = |point: &DesignPoint| [of(&point.blueprint.agents), rollouts(point), batches(point)].concat();
    design.points.iter().map(all).find(|marks| !marks.is_empty()).unwrap_or_default()
}
