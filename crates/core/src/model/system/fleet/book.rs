//! What a fleet was: how many instances, for how long, and how often that changed.

use super::{Phase, RolloutBook};
use crate::engine::Nanos;
use crate::measure::Level;
use crate::model::system::{Instance, System};

/// A change of direction within this time of the change before is a flap [ns].
const FLAP: Nanos = 600_000_000_000;

/// Levels and counts of a fleet since the start of the run.
#[derive(Debug)]
pub(in super::super) struct Ledger {
    /// Instances that exist and are paid for.
    pub(super) exists: Level,
    /// Instances that are ready.
    pub(super) ready: Level,
    /// Cores that are requested and paid for, and those of ready instances; 0 if sizes never change.
    pub(super) requested: Amount,
    /// See `requested`.
    pub(super) lanes: Amount,
    /// How often an instance got another size, and the size of those that begin [cores].
    pub(super) resized: u64,
    /// See `resized`.
    pub(super) target: f64,
    counts: [u64; 3],
    /// The last change: when, and whether it went up.
    last: Option<(Nanos, bool)>,
    /// Per scrape: its length [ns], calls that came, work done [core·ns], instances ready at its end.
    pub(super) spans: Vec<Span>,
}

/// A real-valued level and its integral over time since the start of the run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amount {
    value: f64,
    area: f64,
    since: Nanos,
}

impl Amount {
    /// Raises the value at `now`, or lowers it.
    pub(super) fn add(&mut self, now: Nanos, by: f64) {
        *self = Amount { value: self.value + by, area: self.area(now), since: now };
    }

    pub(super) fn area(&self, now: Nanos) -> f64 {
        self.area + self.value * (now - self.since) as f64
    }
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
/// The areas of requested cores, and of those of ready instances.
const REQUESTED: usize = 5;
/// See [`REQUESTED`].
pub(in super::super) const LANES: usize = 6;
/// How often an instance got another size.
const RESIZED: usize = 7;

/// What is known of a fleet at an instant: areas of existing and ready instances [instance·ns], changes up and down, flaps, areas of requested cores
/// and of those of ready instances [core·ns], changes of size.
pub(in super::super) type State = [f64; 8];

/// What is known of the sizes of a fleet over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeBook {
    /// Cores that were requested, integrated [core·ns].
    pub requested: f64,
    /// How often an instance got another size.
    pub resized: f64,
    /// The size of those that begin, at the end of the window [cores].
    pub target: f64,
    /// What an instance requests whose price is that of the file [cores].
    pub unit: f64,
}

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
    /// How large they were, if that changes.
    pub sizes: Option<SizeBook>,
    /// The price of an instance [currency units/h].
    pub price: Option<f64>,
    /// Work done by the cores of all instances [core·ns], and the cores of one; if they are known.
    pub work: Option<(f64, f64)>,
}

impl Ledger {
    /// So many from the start, each of a size and with so many lanes; 0 if sizes never change.
    pub(super) fn new(start: u32, size: f64, lanes: f64) -> Self {
        let mut ledger = Ledger {
            exists: Level::default(),
            ready: Level::default(),
            requested: Amount::default(),
            lanes: Amount::default(),
            resized: 0,
            target: size,
            counts: [0; 3],
            last: None,
            spans: Vec::new(),
        };
        for _ in 0..start {
            ledger.exists.up(0);
            ledger.ready.up(0);
            ledger.requested.add(0, size);
            ledger.lanes.add(0, lanes);
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
        let (exist, ready) = (self.exists.area(now) as f64, self.ready.area(now) as f64);
        [exist, ready, up, down, flaps, self.requested.area(now), self.lanes.area(now), self.resized as f64]
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
            let work = cores.map(|slot| (self.busy_cores(service), plan.sharing[slot].capacity()));
            let scaler = fleet.plan.autoscaler.as_ref();
            let over_under = scaler.zip(cores).filter(|_| fleet.plan.vertical.is_none()).map(|(scaler, slot)| {
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
                sizes: fleet.plan.vertical.as_ref().map(|vertical| SizeBook {
                    requested: change(REQUESTED),
                    resized: change(RESIZED),
                    target: fleet.ledger.target,
                    unit: vertical.size,
                }),
                price: plan.price,
                work,
            }
        };
        fleets.zip(before.iter().zip(after)).map(book).collect()
    }

    /// The busy cores of all instances of a service, integrated over the window [core·ns].
    pub(super) fn busy_cores(&self, service: usize) -> f64 {
        let slot = self.blueprint.services[service].sharing.iter().position(|plan| plan.name == "cpu");
        let Some(slot) = slot else { return 0.0 };
        let [before, after] = &self.books.marks;
        let station = |instance: &Instance| self.servers.len() + instance.sharing as usize + slot;
        self.instances_of(service)
            .iter()
            .map(|instance| after[station(instance)][0] - before[station(instance)][0])
            .sum()
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

    /// How many instances of the size at the start those of a service would be that exist, on average over the window: what is paid for.
    pub(in super::super) fn mean_paid(&self, service: usize) -> f64 {
        let fleet = self.fleets[service].as_ref();
        let vertical = fleet.and_then(|fleet| fleet.plan.vertical.as_ref());
        let what = if vertical.is_some() { REQUESTED } else { EXISTING };
        self.mean_instances(service, what) / vertical.map_or(1.0, |vertical| vertical.size)
    }

    /// How many instances of the capacity that is in a station's plan serve, on average over the window.
    pub(in super::super) fn mean_serving(&self, service: usize, station: &str, capacity: f64) -> f64 {
        if station == "cpu" && self.blueprint.services[service].is_resized() {
            self.mean_instances(service, LANES) / capacity
        } else {
            self.mean_instances(service, READY)
        }
    }

    /// Adds the numbers of all fleets to a row of the time series: wanted, ready, existing.
    pub(in super::super) fn fleet_row(&self, row: &mut Vec<f64>) {
        for fleet in self.fleets.iter().flatten() {
            let existing = fleet.places.len() as u32 - fleet.count(Phase::Absent);
            row.extend([fleet.wanted, fleet.count(Phase::Ready), existing].map(f64::from));
            if fleet.plan.vertical.is_some() {
                let existing: Vec<f64> =
                    fleet.places.iter().filter(|place| place.phase != Phase::Absent).map(|place| place.size).collect();
                let mean = existing.iter().sum::<f64>() / existing.len() as f64;
                row.extend([mean, fleet.ledger.target]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_direction_soon_after_the_last_is_a_flap() {
        const MINUTE: Nanos = 60_000_000_000;
        let mut ledger = Ledger::new(2, 0.0, 0.0);
        ledger.changed(MINUTE, 2, 3);
        ledger.changed(2 * MINUTE, 3, 4);
        ledger.changed(3 * MINUTE, 4, 2);
        ledger.changed(14 * MINUTE, 2, 5);
        assert_eq!(ledger.state(0)[2..5], [3.0, 1.0, 1.0]);
    }

    #[test]
    fn hindsight_counts_instances_that_were_too_many_and_too_few() {
        let mut ledger = Ledger::new(2, 0.0, 0.0);
        let span = |until, calls, ready| Span { until, length: 10, calls, work: calls as f64 * 2.0, ready };
        // Work of 2 per call: 10 calls in 10 ns keep 2 cores busy, 4 instances at 50 %.
        ledger.spans = vec![span(10, 10, 2), span(20, 10, 4), span(30, 5, 4), span(40, 10, 9)];
        assert_eq!(ledger.over_under([0, 30], 1.0, 0.5), [20.0, 20.0]);
    }
}
