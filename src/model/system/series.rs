//! Time series: rates, levels and response times in every interval of simulated time, warm-up included.

use super::{Event, System};
use crate::engine::time::{Nanos, seconds};
use crate::measure::{Histogram, Tally};
use crate::model::blueprint::Blueprint;
use crate::model::frame::Outcome;
use crate::quantity::Unit;

/// A column of the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, such as `shoppers.latency.p95`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
}

/// What happened to a client's requests in the present interval.
#[derive(Debug, Clone, Default)]
struct Interval {
    goodput: u64,
    failures: u64,
    latency: Tally,
    latencies: Histogram,
}

/// Values at the end of every interval; missing ones are NaN.
#[derive(Debug, Clone)]
pub struct Series {
    /// Length of an interval [ns].
    pub interval: Nanos,
    /// What the values of a row are.
    pub columns: Vec<Column>,
    /// One row per interval.
    pub rows: Vec<Vec<f64>>,
    clients: Vec<Interval>,
    /// Areas of all stations at the last row.
    areas: Vec<[f64; 2]>,
}

/// A client's columns.
const CLIENT: [(&str, Unit); 5] = [
    ("goodput", Unit::PerSecond),
    ("failures", Unit::PerSecond),
    ("latency.mean", Unit::Seconds),
    ("latency.p95", Unit::Seconds),
    ("in_flight", Unit::Count),
];

/// A station's columns.
const STATION: [(&str, Unit); 2] = [("utilization", Unit::Share), ("queue", Unit::Count)];

impl Series {
    pub(super) fn new(blueprint: &Blueprint, interval: Nanos) -> Self {
        let mut columns = Vec::new();
        let mut add =
            |part: &str, (name, unit): (&str, Unit)| columns.push(Column { name: format!("{part}.{name}"), unit });
        for client in &blueprint.clients {
            CLIENT.into_iter().for_each(|column| add(&client.name, column));
        }
        for service in &blueprint.services {
            let names =
                service.servers.iter().map(|plan| &plan.name).chain(service.sharing.iter().map(|plan| &plan.name));
            for station in names {
                STATION.into_iter().for_each(|column| add(&format!("{}.{station}", service.name), column));
            }
        }
        Series {
            interval: interval.max(1),
            columns,
            rows: Vec::new(),
            clients: vec![Interval::default(); blueprint.clients.len()],
            areas: Vec::new(),
        }
    }

    /// A request ended.
    #[inline]
    pub(super) fn ended(&mut self, client: u32, response: Nanos, outcome: Outcome) {
        let interval = &mut self.clients[client as usize];
        if outcome == Outcome::Success {
            interval.goodput += 1;
            interval.latency.record(response);
            interval.latencies.record(response);
        } else {
            interval.failures += 1;
        }
    }
}

impl System<'_> {
    /// Takes the next row and schedules the one after it.
    pub(super) fn sample(&mut self) {
        let length = seconds(self.books.series.interval);
        let mut row = Vec::with_capacity(self.books.series.columns.len());
        for (client, interval) in self.books.series.clients.iter_mut().enumerate() {
            let milli = |nanos: Option<f64>| nanos.map_or(f64::NAN, |nanos| nanos / 1e9);
            row.push(interval.goodput as f64 / length);
            row.push(interval.failures as f64 / length);
            row.push(interval.latency.mean().unwrap_or(f64::NAN));
            row.push(milli(interval.latencies.quantile(0.95)));
            row.push(f64::from(self.books.clients[client].in_flight.value()));
            (interval.goodput, interval.failures, interval.latency) = (0, 0, Tally::default());
            interval.latencies.clear();
        }
        let areas = self.areas();
        let old = std::mem::replace(&mut self.books.series.areas, areas);
        let areas = &self.books.series.areas;
        let change =
            |station: usize, what: usize| areas[station][what] - old.get(station).map_or(0.0, |area| area[what]);
        let span = self.books.series.interval as f64;
        for (number, service) in self.blueprint.services.iter().enumerate() {
            let first = self.services[number].first_instance as usize;
            let instances = &self.instances[first..first + service.instances as usize];
            let count = f64::from(service.instances);
            let mut push = |capacity: f64, station_of: &dyn Fn(usize) -> usize| {
                let sum = |what| (0..instances.len()).map(|instance| change(station_of(instance), what)).sum::<f64>();
                row.push(sum(0) / (span * capacity * count));
                row.push(sum(1) / span);
            };
            for (slot, plan) in service.servers.iter().enumerate() {
                push(f64::from(plan.slots), &|instance| instances[instance].servers as usize + slot);
            }
            for (slot, plan) in service.sharing.iter().enumerate() {
                let offset = self.servers.len() + slot;
                push(plan.lanes, &|instance| offset + instances[instance].sharing as usize);
            }
        }
        self.books.series.rows.push(row);
        self.calendar.after(self.books.series.interval, Event::Sample);
    }
}
