//! When faults come by the clock, for charts over time.

use super::design::Design;
use super::study::FaultMark;
use crate::model::blueprint::Agent;
use crate::model::fault::Times;

/// The most times that one fault is marked.
const MOST: usize = 20;

/// The faults by the clock of the first point that has any.
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
    design.points.iter().map(|point| of(&point.blueprint.agents)).find(|marks| !marks.is_empty()).unwrap_or_default()
}
