//! Time series: rates, levels and response times in every interval of simulated time, warm-up included.

use super::record::{Areas, ClientBook};
use super::{Milestone, System};
use crate::engine::time::{Nanos, seconds};
use crate::measure::Histogram;
use crate::model::blueprint::Blueprint;
use crate::quantity::Unit;

/// A column of the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, such as `shoppers.latency.p95`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
}

/// What happened to a client's requests in the present interval. Measured and other requests are kept apart, so that each
/// response time is recorded once: at the end of an interval those of measured requests go on to the client's book.
#[derive(Debug, Clone, Default)]
pub(super) struct Interval {
    pub(super) measured: Part,
    pub(super) other: Part,
    failures: u64,
}

/// Response times of successful requests that ended in the present interval.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) sum: u64,
    pub(super) latencies: Histogram,
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
    areas: Vec<Areas>,
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

/// A cache's columns.
const CACHE: [(&str, Unit); 2] = [("hit_ratio", Unit::Share), ("misses", Unit::PerSecond)];

/// The columns of a group of consumers.
const GROUP: [(&str, Unit); 3] = [("waiting", Unit::Count), ("lag", Unit::Seconds), ("buffered", Unit::Count)];

/// The columns of a model's time series.
pub fn columns(blueprint: &Blueprint) -> Vec<Column> {
    let mut columns = Vec::new();
    let mut add =
        |part: &str, (name, unit): (&str, Unit)| columns.push(Column { name: format!("{part}.{name}"), unit });
    for client in &blueprint.clients {
        CLIENT.into_iter().for_each(|column| add(&client.name, column));
    }
    for service in &blueprint.services {
        let names = service.servers.iter().map(|plan| &plan.name).chain(service.sharing.iter().map(|plan| &plan.name));
        for station in names {
            STATION.into_iter().for_each(|column| add(&format!("{}.{station}", service.name), column));
        }
    }
    for service in blueprint.services.iter().filter(|service| service.memory.is_some()) {
        add(&service.name, ("memory.used", Unit::Bytes));
    }
    for cache in &blueprint.program.data.caches {
        CACHE.into_iter().for_each(|column| add(&cache.name, column));
    }
    for group in &blueprint.program.data.groups {
        GROUP.into_iter().for_each(|column| add(&group.name, column));
    }
    columns
}

impl Series {
    pub(super) fn new(blueprint: &Blueprint, interval: Nanos) -> Self {
        Series {
            interval: interval.max(1),
            columns: columns(blueprint),
            rows: Vec::new(),
            clients: vec![Interval::default(); blueprint.clients.len()],
            areas: Vec::new(),
        }
    }

    /// The column of a client's requests in flight.
    pub fn in_flight_column(&self, client: usize) -> usize {
        client * CLIENT.len() + CLIENT.len() - 1
    }

    /// A request succeeded.
    #[inline]
    pub(super) fn succeeded(&mut self, client: u32, response: Nanos, measured: bool) {
        let interval = &mut self.clients[client as usize];
        let part = if measured { &mut interval.measured } else { &mut interval.other };
        part.sum += response;
        part.latencies.record(response);
    }

    /// A request failed.
    #[inline]
    pub(super) fn failed(&mut self, client: u32) {
        self.clients[client as usize].failures += 1;
    }

    /// Moves the response times of measured requests to the clients' books.
    pub(super) fn settle(&mut self, books: &mut [ClientBook]) {
        for (interval, book) in self.clients.iter_mut().zip(books) {
            let part = &mut interval.measured;
            book.latencies.merge(&part.latencies);
            part.latencies.clear();
            part.sum = 0;
        }
    }
}

impl System<'_> {
    /// Takes the next row and schedules the one after it.
    pub(super) fn sample(&mut self) {
        let length = seconds(self.books.series.interval);
        let mut row = Vec::with_capacity(self.books.series.columns.len());
        for (client, interval) in self.books.series.clients.iter_mut().enumerate() {
            interval.other.latencies.merge(&interval.measured.latencies);
            let sum = interval.other.sum + interval.measured.sum;
            let latencies = &mut interval.other.latencies;
            let count = latencies.count();
            row.push(count as f64 / length);
            row.push(interval.failures as f64 / length);
            row.push(if count > 0 { seconds(sum) / count as f64 } else { f64::NAN });
            row.push(latencies.quantile(0.95).map_or(f64::NAN, |nanos| nanos / 1e9));
            row.push(f64::from(self.books.clients[client].in_flight.value()));
            latencies.clear();
            (interval.other.sum, interval.failures) = (0, 0);
        }
        self.books.series.settle(&mut self.books.clients);
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
                row.push((sum(1) / span).max(0.0));
            };
            for (slot, plan) in service.servers.iter().enumerate() {
                push(f64::from(plan.slots), &|instance| instances[instance].servers as usize + slot);
            }
            for (slot, plan) in service.sharing.iter().enumerate() {
                let offset = self.servers.len() + slot;
                push(plan.capacity(), &|instance| offset + instances[instance].sharing as usize);
            }
        }
        row.extend(self.memory_in_use());
        self.data.sample(self.calendar.now(), length, &mut row);
        self.books.series.rows.push(row);
        let next = self.calendar.now().saturating_add(self.books.series.interval);
        self.milestone(next, Milestone::Sample);
    }
}
