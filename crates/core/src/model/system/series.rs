//! Time series: rates, levels and response times in every interval of simulated time, warm-up included.

use super::fleet::{LANES, READY, State};
use super::record::ClientBook;
use super::spots::Areas;
use super::{Milestone, System};
use crate::engine::time::{Nanos, seconds};
use crate::measure::{Binned, Histogram};
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
    pub(super) sum: u128,
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
    /// Areas of all stations at the last row.
    areas: Vec<Areas>,
    /// The fleets at the last row.
    fleets: Vec<State>,
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

/// A fleet's columns.
const FLEET: [(&str, Unit); 3] =
    [("instances.wanted", Unit::Count), ("instances.ready", Unit::Count), ("instances.paid", Unit::Count)];

/// The columns of a fleet whose instances change their size.
const VERTICAL: [(&str, Unit); 2] = [("vertical.size", Unit::Cores), ("vertical.target", Unit::Cores)];

/// A node pool's columns.
const POOL: [(&str, Unit); 2] = [("nodes", Unit::Count), ("pending", Unit::Count)];

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
        for station in service.station_names() {
            STATION.into_iter().for_each(|column| add(&format!("{}.{station}", service.name), column));
        }
    }
    for service in blueprint.services.iter().filter(|service| service.memory.is_some()) {
        add(&service.name, ("memory.used", Unit::Bytes));
    }
    for service in blueprint.services.iter().filter(|service| service.fleet.is_some()) {
        FLEET.into_iter().for_each(|column| add(&service.name, column));
        if service.is_resized() {
            VERTICAL.into_iter().for_each(|column| add(&service.name, column));
        }
    }
    for pool in &blueprint.pools {
        POOL.into_iter().for_each(|column| add(&pool.name, column));
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
            areas: Vec::new(),
            fleets: Vec::new(),
        }
    }

    /// The column of a client's requests in flight.
    pub fn in_flight_column(&self, client: usize) -> usize {
        client * CLIENT.len() + CLIENT.len() - 1
    }
}

impl Interval {
    /// A request succeeded.
    #[inline]
    pub(super) fn succeeded(&mut self, response: Binned, measured: bool) {
        let part = if measured { &mut self.measured } else { &mut self.other };
        part.sum += u128::from(response.nanos);
        part.latencies.record_binned(response);
    }

    /// A request failed.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
    }
}

impl ClientBook {
    /// Moves the response times of measured requests from the present interval to where those of the whole run are.
    pub(super) fn settle(&mut self) {
        let part = &mut self.interval.measured;
        self.latencies.merge(&part.latencies);
        self.latency.sum += part.sum;
        part.latencies.clear();
        part.sum = 0;
    }
}

impl System<'_> {
    /// Per service: the instances that were ready since the last row, on average, and their cores if their sizes change.
    fn ready_since_sample(&mut self, span: f64) -> Vec<[f64; 2]> {
        let states = self.fleet_states();
        let old = std::mem::replace(&mut self.books.series.fleets, states);
        let mut fleets = self.books.series.fleets.iter().enumerate();
        let services = self.blueprint.services.iter();
        services
            .map(|service| match service.fleet {
                None => [f64::from(service.instances), 0.0],
                Some(_) => fleets.next().map_or([0.0; 2], |(number, state)| {
                    [READY, LANES].map(|what| (state[what] - old.get(number).map_or(0.0, |old| old[what])) / span)
                }),
            })
            .collect()
    }

    /// Takes the next row and schedules the one after it.
    pub(super) fn sample(&mut self) {
        let length = seconds(self.books.series.interval);
        let mut row = Vec::with_capacity(self.books.series.columns.len());
        for book in &mut self.books.clients {
            let interval = &mut book.interval;
            interval.other.latencies.merge(&interval.measured.latencies);
            let sum = interval.other.sum + interval.measured.sum;
            let latencies = &mut interval.other.latencies;
            let count = latencies.count();
            row.push(count as f64 / length);
            row.push(interval.failures as f64 / length);
            row.push(if count > 0 { sum as f64 / 1e9 / count as f64 } else { f64::NAN });
            row.push(latencies.quantile(0.95).map_or(f64::NAN, |nanos| nanos / 1e9));
            row.push(f64::from(book.in_flight.value()));
            latencies.clear();
            (interval.other.sum, interval.failures) = (0, 0);
            book.settle();
        }
        let ready = self.ready_since_sample(self.books.series.interval as f64);
        let areas = self.areas();
        let old = std::mem::replace(&mut self.books.series.areas, areas);
        let areas = &self.books.series.areas;
        let span = self.books.series.interval as f64;
        for (number, [ready, lanes]) in ready.iter().enumerate() {
            let instances = self.instances_of(number);
            let resized = self.blueprint.services[number].is_resized();
            for spot in self.spots(number) {
                let capacity = if resized && spot.name == "cpu" { *lanes } else { spot.capacity * ready };
                let grown = |what| -> f64 {
                    instances.iter().map(|instance| self.growth(&spot, instance, what, &old, areas)).sum()
                };
                row.push(grown(0) / (span * capacity));
                row.push((grown(1) / span).max(0.0));
            }
        }
        row.extend(self.memory_in_use());
        self.fleet_row(&mut row);
        self.pool_row(&mut row);
        self.data.sample(self.calendar.now(), length, &mut row);
        self.books.series.rows.push(row);
        let next = self.calendar.now().saturating_add(self.books.series.interval);
        self.milestone(next, Milestone::Sample);
    }
}
