//! What a fleet was: how many instances, for how long, and how often that changed.

use super::{Phase, RolloutBook};
use crate::engine::Nanos;
use crate::measure::Level;
use crate::model::system::System;

/// A change of direction within this time of the change before is a flap [ns].
const FLAP: Nanos = 600_000_000_000;

/// Levels and counts of a fleet since the start of the run.
#[derive(Debug)]
pub(in super::super) struct Ledger {
    /// Instances that exist and are paid for.
    pub(super) exists: Level,
    /// Instances that are ready.
    pub(super) ready: Level,
    counts: [u64; 3],
    /// The last change: when, and whether it went up.
    last: Option<(Nanos, bool)>,
    /// Per scrape: its length [ns], calls that came, work done [core·ns], instances ready at its end.
    pub(super) spans: Vec<Span>,
}

/// What happened between two scrapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Its end [ns].
    pub(super) until: Nanos,
    /// Its length [ns].
    pub(super) length: Nanos,
    /// Calls that came.
    pub(super) calls: u64,
    /// Work done [core·ns].
    pub(super) work: f64,
    /// Instances that are ready.
    pub(super) ready: u32,
}

/// The area of existing instances, and of ready ones, in a [`State`].
pub(in super::super) const EXISTING: usize = 0;
/// See [`EXISTING`].
pub(in super::super) const READY: usize = 1;

/// What is known of a fleet at an instant: areas of existing and ready instances [instance·ns], changes up and down, flaps.
pub(in super::super) type State = [f64; 5];

/// What is known of a fleet over the window.
#[derive(Debug, Clone, Default)]
pub struct FleetBook {
    /// Instances that exist, integrated [instance·ns].
    pub existed: f64,
    /// Instances that are ready, integrated [instance·ns].
    pub ready: f64,
    /// The most that existed at once, since the start of the run.
    pub most: u32,
    /// How often more were wanted, and fewer.
    pub changes: [f64; 2],
    /// How often the direction changed within ten minutes.
    pub flaps: f64,
    /// Too many and too few, with hindsight [instance·ns]; if the fleet has an autoscaler and cores.
    pub over_under: Option<[f64; 2]>,
    /// How the new version came, if one was to.
    pub rollout: Option<RolloutBook>,
    /// The price of an instance [currency units/h].
    pub price: Option<f64>,
    /// Work done by the cores of all instances [core·ns], and the cores of one; if they are known.
    pub work: Option<(f64, f64)>,
}

impl Ledger {
    /// So many from the start.
    pub(super) fn new(start: u32) -> Self {
        let mut ledger =
            Ledger { exists: Level::default(), ready: Level::default(), counts: [0; 3], last: None, spans: Vec::new() };
        for _ in 0..start {
            ledger.exists.up(0);
            ledger.ready.up(0);
        }
        ledger
    }

    /// Another number is wanted.
    pub(super) fn changed(&mut self, now: Nanos, before: u32, after: u32) {
        let up = after > before;
        self.counts[usize::from(!up)] += 1;
        if self.last.is_some_and(|(at, was_up)| was_up != up && now - at <= FLAP) {
            self.counts[2] += 1;
        }
        self.last = Some((now, up));
    }

    fn state(&self, now: Nanos) -> State {
        let [up, down, flaps] = self.counts.map(|count| count as f64);
        [self.exists.area(now) as f64, self.ready.area(now) as f64, up, down, flaps]
    }

    /// Too many and too few instances over a window, with hindsight [instance·ns]: for each span the number that would have
    /// carried its calls, at their mean work, with the cores as busy as `target` (0 to 1).
    fn over_under(&self, window: [Nanos; 2], cores: f64, target: f64) -> [f64; 2] {
        let (calls, work) = self.spans.iter().fold((0, 0.0), |sum, span| (sum.0 + span.calls, sum.1 + span.work));
        if calls == 0 {
            return [0.0; 2];
        }
        let mean = work / calls as f64;
        let mut over_under = [0.0; 2];
        for span in self.spans.iter().filter(|span| span.until > window[0] && span.until <= window[1]) {
            let length = span.length as f64;
            let needed = (span.calls as f64 * mean / length / cores / target).ceil();
            let excess = f64::from(span.ready) - needed;
            over_under[0] += excess.max(0.0) * length;
            over_under[1] += (-excess).max(0.0) * length;
        }
        over_under
    }
}

impl System<'_> {
    /// The states of all fleets now.
    pub(in super::super) fn fleet_states(&self) -> Vec<State> {
        let now = self.calendar.now();
        self.fleets.iter().flatten().map(|fleet| fleet.ledger.state(now)).collect()
    }

    /// The books of all fleets over the window.
    pub(in super::super) fn fleet_books(&self, window: [Nanos; 2]) -> Vec<FleetBook> {
        let [before, after] = &self.books.fleets;
        let fleets = self.fleets.iter().enumerate().filter_map(|(service, fleet)| Some((service, fleet.as_ref()?)));
        let book = |((service, fleet), (before, after)): ((usize, &super::Fleet), (&State, &State))| {
            let change = |what: usize| after[what] - before[what];
            let plan = &self.blueprint.services[service];
            let cores = plan.sharing.iter().position(|plan| plan.name == "cpu");
            let work = cores.map(|slot| {
                let places = self.books.marks[0].iter().zip(&self.books.marks[1]);
                let areas: Vec<f64> = places.map(|(before, after)| after[0] - before[0]).collect();
                let busy = self.instances_of(service).iter();
                let busy = busy.map(|instance| areas[self.servers.len() + instance.sharing as usize + slot]).sum();
                (busy, plan.sharing[slot].capacity())
            });
            let scaler = fleet.plan.autoscaler.as_ref();
            let over_under = scaler.zip(cores).map(|(scaler, slot)| {
                fleet.ledger.over_under(window, plan.sharing[slot].capacity(), scaler.target.fraction())
            });
            FleetBook {
                existed: change(0),
                ready: change(1),
                most: fleet.ledger.exists.peak(),
                changes: [change(2), change(3)],
                flaps: change(4),
                over_under,
                rollout: fleet.plan.rollout.is_some().then(|| {
                    let calls = self.services[service].exposed();
                    let taken_back = fleet.rollout.detected.is_some();
                    RolloutBook { calls: if taken_back { fleet.rollout.calls } else { calls }, ..fleet.rollout }
                }),
                price: plan.price,
                work,
            }
        };
        fleets.zip(before.iter().zip(after)).map(book).collect()
    }

    /// How many instances of a service exist, or serve, on average over a time: the growth of an area of its fleet, or all.
    pub(in super::super) fn mean_instances(&self, service: usize, what: usize) -> f64 {
        let number = self.fleets[..service].iter().flatten().count();
        let [before, after] = &self.books.fleets;
        let all = f64::from(self.blueprint.services[service].instances);
        if self.fleets[service].is_none() {
            return all;
        }
        let length = (self.books.closed_at() - self.books.opened_at()) as f64;
        if length > 0.0 { (after[number][what] - before[number][what]) / length } else { 0.0 }
    }

    /// Adds the numbers of all fleets to a row of the time series: wanted, ready, existing.
    pub(in super::super) fn fleet_row(&self, row: &mut Vec<f64>) {
        for fleet in self.fleets.iter().flatten() {
            let existing = fleet.places.len() as u32 - fleet.count(Phase::Absent);
            row.extend([fleet.wanted, fleet.count(Phase::Ready), existing].map(f64::from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_direction_soon_after_the_last_is_a_flap() {
        const MINUTE: Nanos = 60_000_000_000;
        let mut ledger = Ledger::new(2);
        ledger.changed(MINUTE, 2, 3);
        ledger.changed(2 * MINUTE, 3, 4);
        ledger.changed(3 * MINUTE, 4, 2);
        ledger.changed(14 * MINUTE, 2, 5);
        assert_eq!(ledger.state(0)[2..], [3.0, 1.0, 1.0]);
    }

    #[test]
    fn hindsight_counts_instances_that_were_too_many_and_too_few() {
        let mut ledger = Ledger::new(2);
        let span = |until, calls, ready| Span { until, length: 10, calls, work: calls as f64 * 2.0, ready };
        // Work of 2 per call: 10 calls in 10 ns keep 2 cores busy, 4 instances at 50 %.
        ledger.spans = vec![span(10, 10, 2), span(20, 10, 4), span(30, 5, 4), span(40, 10, 9)];
        assert_eq!(ledger.over_under([0, 30], 1.0, 0.5), [20.0, 20.0]);
    }
}
