//! Traces of single requests, by running a replication again.
//!
//! The first replication of the last point of every variant is run twice more: to see when every request began and ended, and to
//! trace those that were chosen. Both give the fingerprint of the recorded run, or there are no traces.

use std::collections::BTreeSet;

use super::design::{Design, DesignPoint};
use super::runner::RunError;
use crate::model::Blueprint;
use crate::model::system::watch::{Seen, Survey, Trace, Tracer};
use crate::model::system::{Plan, System};

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// So many, evenly spread over the window.
    Spread(usize),
    /// So many of the slowest.
    Slowest(usize),
}

/// The traces of one point.
#[derive(Debug)]
pub struct Traced<'d> {
    /// The point's variant.
    pub variant: &'d str,
    /// Its system.
    pub blueprint: &'d Blueprint,
    /// The traces in the order of the requests' beginnings.
    pub traces: Vec<Trace>,
}

/// Traces requests of the last point of every variant, replication 0.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn trace<'d>(design: &'d Design, choice: Choice, stop: &dyn Fn() -> bool) -> Result<Vec<Traced<'d>>, RunError> {
    let mut points: Vec<&DesignPoint> = Vec::new();
    for point in &design.points {
        match points.last_mut() {
            Some(last) if last.variant == point.variant => *last = point,
            _ => points.push(point),
        }
    }
    let plan = Plan { replication: 0, ..design.plan };
    let violated = |point: &DesignPoint| {
        let place = point.variant.clone();
        move |violation| RunError::Violation { place, replication: 0, violation }
    };
    let mut traced = Vec::new();
    for point in points {
        let mut survey = Survey::default();
        System::new(&point.blueprint, plan).run_watched(stop, &mut survey).map_err(violated(point))?;
        let window = plan.warm_up..plan.warm_up.saturating_add(plan.window);
        survey.seen.retain(|seen| window.contains(&seen.started));
        let mut tracer = Tracer::new(chosen(survey.seen, choice));
        System::new(&point.blueprint, plan).run_watched(stop, &mut tracer).map_err(violated(point))?;
        let mut traces = tracer.traces;
        traces.sort_by_key(|trace| trace.request.number);
        traced.push(Traced { variant: &point.variant, blueprint: &point.blueprint, traces });
    }
    Ok(traced)
}

/// The numbers of the chosen requests; of equally slow ones, the earlier.
fn chosen(mut seen: Vec<Seen>, choice: Choice) -> BTreeSet<u64> {
    seen.sort_by_key(|seen| seen.number);
    match choice {
        Choice::Spread(count) => {
            let count = count.min(seen.len());
            (0..count).map(|index| seen[index * seen.len() / count].number).collect()
        }
        Choice::Slowest(count) => {
            seen.sort_by_key(|seen| std::cmp::Reverse(seen.ended - seen.started));
            seen.iter().take(count).map(|seen| seen.number).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::Outcome;

    #[test]
    fn requests_are_chosen_by_time_or_spread_evenly() {
        let times = [5, 9, 1, 9, 3, 7, 2, 8];
        let seen = |(number, time): (usize, &u64)| Seen {
            number: number as u64,
            client: 0,
            started: 100,
            ended: 100 + time,
            outcome: Outcome::Success,
        };
        let seen: Vec<Seen> = times.iter().enumerate().map(seen).collect();
        let numbers = |choice| chosen(seen.clone(), choice).into_iter().collect::<Vec<_>>();
        assert_eq!(numbers(Choice::Slowest(3)), [1, 3, 7]);
        assert_eq!(numbers(Choice::Spread(4)), [0, 2, 4, 6]);
        assert_eq!(numbers(Choice::Spread(100)).len(), 8);
        assert!(chosen(Vec::new(), Choice::Spread(3)).is_empty());
    }
}
