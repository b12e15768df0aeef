//! The metrics of a run: one declaration each.
//!
//! A percentile is given only if at least ten observations lie beyond it; otherwise it is missing rather than guessed.
//! Percentiles are nearest-rank over log-linear buckets (at most 0.8 % from the exact value).

mod calls;
mod fleet;
mod slo;
mod ways;

use super::data::{CACHE, DATABASE, GROUP, QUEUE};
use super::record::{AccountBook, ClientBook, CostBook, MemoryBook, OperationBook, Outcomes, Record, StationBook};
use crate::engine::time::seconds;
use crate::measure::{Histogram, Metric};
use crate::model::blueprint::{Blueprint, Service};
use crate::model::frame::Outcome;
use crate::quantity::Unit;
pub use calls::{BALANCING, GUARD};
pub use fleet::{FLEET, POOL, ROLLOUT, VERTICAL};
pub use slo::SLO;
pub use ways::{CHANNEL, LINK};

/// Observations that must lie beyond a percentile before it is given.
pub const BEYOND: f64 = 10.0;

fn percentile(times: &Histogram, p: f64) -> Option<f64> {
    let enough = times.count() as f64 * (1.0 - p) >= BEYOND - 1e-9;
    if enough { times.quantile(p).map(|nanos| nanos / 1e9) } else { None }
}

fn total(outcomes: &Outcomes) -> u64 {
    outcomes.iter().sum()
}

/// The share of the ended measured requests that ended so.
fn share(book: &ClientBook, outcomes: &[Outcome]) -> Option<f64> {
    let all = total(&book.outcomes);
    let these: u64 = outcomes.iter().map(|outcome| book.outcomes[*outcome as usize]).sum();
    (all > 0).then(|| these as f64 / all as f64)
}

fn deviation(book: &ClientBook) -> Option<f64> {
    let mean = book.latency.mean()?;
    let squares = book.latency_squares as f64 / book.latency.count as f64 / 1e18;
    Some((squares - mean * mean).max(0.0).sqrt())
}

/// The mean waiting time [s], those that did not wait included.
fn mean_wait(waits: &AccountBook) -> Option<f64> {
    Some(waits.tally.mean().unwrap_or(0.0) * share_waiting(waits)?)
}

fn share_waiting(waits: &AccountBook) -> Option<f64> {
    let all = waits.tally.count + waits.zeros;
    (all > 0).then(|| waits.tally.count as f64 / all as f64)
}

/// The metrics of a client.
pub const CLIENT: &[Metric<ClientBook>] = &[
    Metric {
        name: "offered",
        unit: Unit::PerSecond,
        about: "Requests begun per second of the window.",
        read: |book, window| Some(book.measured as f64 / window),
    },
    Metric {
        name: "throughput",
        unit: Unit::PerSecond,
        about: "Requests answered per second of the window, with success or an error.",
        read: |book, window| {
            Some(
                (book.window_outcomes[Outcome::Success as usize] + book.window_outcomes[Outcome::Error as usize])
                    as f64
                    / window,
            )
        },
    },
    Metric {
        name: "goodput",
        unit: Unit::PerSecond,
        about: "Requests answered with success, within the client's timeout, per second of the window.",
        read: |book, window| Some(book.window_outcomes[Outcome::Success as usize] as f64 / window),
    },
    Metric {
        name: "latency.mean",
        unit: Unit::Seconds,
        about: "Mean response time of the successful requests that began within the window.",
        read: |book, _| book.latency.mean(),
    },
    Metric {
        name: "latency.sd",
        unit: Unit::Seconds,
        about: "Standard deviation of these response times.",
        read: |book, _| deviation(book),
    },
    Metric {
        name: "latency.p50",
        unit: Unit::Seconds,
        about: "Median of these response times.",
        read: |book, _| percentile(&book.latencies, 0.5),
    },
    Metric {
        name: "latency.p90",
        unit: Unit::Seconds,
        about: "Their 90th percentile.",
        read: |book, _| percentile(&book.latencies, 0.9),
    },
    Metric {
        name: "latency.p95",
        unit: Unit::Seconds,
        about: "Their 95th percentile.",
        read: |book, _| percentile(&book.latencies, 0.95),
    },
    Metric {
        name: "latency.p99",
        unit: Unit::Seconds,
        about: "Their 99th percentile.",
        read: |book, _| percentile(&book.latencies, 0.99),
    },
    Metric {
        name: "latency.p99.9",
        unit: Unit::Seconds,
        about: "Their 99.9th percentile.",
        read: |book, _| percentile(&book.latencies, 0.999),
    },
    Metric {
        name: "latency.max",
        unit: Unit::Seconds,
        about: "The longest of them.",
        read: |book, _| book.latency.greatest(),
    },
    Metric {
        name: "failures",
        unit: Unit::Share,
        about: "Share of the measured requests that did not succeed, for whatever reason.",
        read: |book, _| share(book, &Outcome::ALL[1..]),
    },
    Metric {
        name: "errors",
        unit: Unit::Share,
        about: "Share that failed at work.",
        read: |book, _| share(book, &[Outcome::Error]),
    },
    Metric {
        name: "rejected",
        unit: Unit::Share,
        about: "Share that was turned away by a full queue.",
        read: |book, _| share(book, &[Outcome::Rejected]),
    },
    Metric {
        name: "timed_out",
        unit: Unit::Share,
        about: "Share whose client gave up waiting.",
        read: |book, _| share(book, &[Outcome::TimedOut]),
    },
    Metric {
        name: "limited",
        unit: Unit::Share,
        about: "Share that was turned away by a rate limit or a quota.",
        read: |book, _| share(book, &[Outcome::Limited]),
    },
    Metric {
        name: "shed",
        unit: Unit::Share,
        about: "Share that was turned away to keep an overloaded service alive.",
        read: |book, _| share(book, &[Outcome::Shed]),
    },
    Metric {
        name: "broken",
        unit: Unit::Share,
        about: "Share that was not sent because a circuit breaker was open.",
        read: |book, _| share(book, &[Outcome::Broken]),
    },
    Metric {
        name: "unreachable",
        unit: Unit::Share,
        about: "Share for which no instance could be reached.",
        read: |book, _| share(book, &[Outcome::Unreachable]),
    },
    Metric {
        name: "crashed",
        unit: Unit::Share,
        about: "Share that was lost with an instance that died.",
        read: |book, _| share(book, &[Outcome::Crashed]),
    },
    Metric {
        name: "in_flight",
        unit: Unit::Count,
        about: "Requests in flight, averaged over the time of the window.",
        read: |book, window| Some((book.areas[1] - book.areas[0]) as f64 / 1e9 / window),
    },
    Metric {
        name: "requests",
        unit: Unit::Count,
        about: "Requests that began within the window.",
        read: |book, _| Some(book.measured as f64),
    },
    Metric {
        name: "makespan",
        unit: Unit::Seconds,
        about: "Time from the start of the run to the end of the last item of a batch; missing while not all have ended.",
        read: |book, _| {
            let done = u64::from(book.items?) == total(&book.ended);
            done.then(|| book.last_end as f64 / 1e9)
        },
    },
    Metric {
        name: "unfinished",
        unit: Unit::Count,
        about: "Of these, how many had not ended when the run did.",
        read: |book, _| Some((book.measured - total(&book.outcomes)) as f64),
    },
];

/// The metrics of an operation.
pub const OPERATION: &[Metric<OperationBook>] = &[
    Metric {
        name: "throughput",
        unit: Unit::PerSecond,
        about: "Attempts answered per second of the window.",
        read: |book, window| Some(total(&book.window_outcomes) as f64 / window),
    },
    Metric {
        name: "latency.mean",
        unit: Unit::Seconds,
        about: "Mean response time of the successful attempts answered within the window.",
        read: |book, _| book.latency.mean(),
    },
    Metric {
        name: "latency.p50",
        unit: Unit::Seconds,
        about: "Median of these response times.",
        read: |book, _| percentile(&book.latencies, 0.5),
    },
    Metric {
        name: "latency.p95",
        unit: Unit::Seconds,
        about: "Their 95th percentile.",
        read: |book, _| percentile(&book.latencies, 0.95),
    },
    Metric {
        name: "latency.p99",
        unit: Unit::Seconds,
        about: "Their 99th percentile.",
        read: |book, _| percentile(&book.latencies, 0.99),
    },
    Metric {
        name: "failures",
        unit: Unit::Share,
        about: "Share of the answered attempts that did not succeed.",
        read: |book, _| {
            let all = total(&book.window_outcomes);
            (all > 0).then(|| 1.0 - book.window_outcomes[0] as f64 / all as f64)
        },
    },
    Metric {
        name: "unheard",
        unit: Unit::Share,
        about: "Share of the answered attempts whose caller had given up: wasted work.",
        read: |book, _| {
            let all = total(&book.window_outcomes);
            (all > 0).then(|| book.unheard as f64 / all as f64)
        },
    },
    Metric {
        name: "wasted",
        unit: Unit::Count,
        about: "Work done for nobody: cores, disks and delays busy with attempts whose caller had given up, calls included.",
        read: |book, window| Some(book.wasted as f64 / 1e9 / window),
    },
    Metric {
        name: "per_request",
        unit: Unit::Count,
        about: "Attempts begun within the window per request of all clients: the amplification on the way here.",
        read: |book, _| (book.requests > 0).then(|| book.attempts as f64 / book.requests as f64),
    },
    Metric {
        name: "partial",
        unit: Unit::Count,
        about: "`parallel` steps that went on without all results, per answered attempt.",
        read: |book, _| {
            let all = total(&book.window_outcomes);
            (all > 0).then(|| book.partial as f64 / all as f64)
        },
    },
    Metric {
        name: "sent",
        unit: Unit::BytesPerSecond,
        about: "Bytes sent in replies per second of the window.",
        read: |book, window| Some(book.sent as f64 / window),
    },
];

/// The metrics of a station (all instances of a service together).
pub const STATION: &[Metric<StationBook>] = &[
    Metric {
        name: "utilization",
        unit: Unit::Share,
        about: "Busy slots or cores, averaged over time and instances, as a share of those there are.",
        read: |book, window| Some(book.busy / 1e9 / window / book.capacity / book.instances),
    },
    Metric {
        name: "utilization.worst",
        unit: Unit::Share,
        about: "The same for the busiest instance.",
        read: |book, window| Some(book.busy_worst / 1e9 / window / book.capacity),
    },
    Metric {
        name: "busy",
        unit: Unit::Count,
        about: "Busy slots or cores of all instances, averaged over time.",
        read: |book, window| Some(book.busy / 1e9 / window),
    },
    Metric {
        name: "queue",
        unit: Unit::Count,
        about: "Attempts waiting at all instances, averaged over time; where capacity is shared: present beyond those served.",
        read: |book, window| Some(book.waiting / 1e9 / window),
    },
    Metric {
        name: "stopped",
        unit: Unit::Share,
        about: "Share of the time, averaged over the instances, in which a CPU had work and did none: quota used up, garbage being collected.",
        read: |book, window| Some(book.stopped / 1e9 / window / book.instances),
    },
    Metric {
        name: "throughput",
        unit: Unit::PerSecond,
        about: "Attempts that were let in, per second of the window.",
        read: |book, window| book.waits.as_ref().map(|waits| (waits.tally.count + waits.zeros) as f64 / window),
    },
    Metric {
        name: "wait.mean",
        unit: Unit::Seconds,
        about: "Mean waiting time of all attempts, those that did not wait included.",
        read: |book, _| book.waits.as_ref().and_then(mean_wait),
    },
    Metric {
        name: "wait.p50",
        unit: Unit::Seconds,
        about: "Median of these waiting times.",
        read: |book, _| book.waits.as_ref().and_then(|waits| percentile(&waits.times, 0.5)),
    },
    Metric {
        name: "wait.p95",
        unit: Unit::Seconds,
        about: "Their 95th percentile.",
        read: |book, _| book.waits.as_ref().and_then(|waits| percentile(&waits.times, 0.95)),
    },
    Metric {
        name: "wait.p99",
        unit: Unit::Seconds,
        about: "Their 99th percentile.",
        read: |book, _| book.waits.as_ref().and_then(|waits| percentile(&waits.times, 0.99)),
    },
    Metric {
        name: "wait.share",
        unit: Unit::Share,
        about: "Share of the attempts that had to wait.",
        read: |book, _| book.waits.as_ref().and_then(share_waiting),
    },
    Metric {
        name: "refused",
        unit: Unit::PerSecond,
        about: "Attempts turned away by the full queue, per second of the window.",
        read: |book, window| book.waits.as_ref().map(|waits| waits.refused as f64 / window),
    },
];

/// The metrics of a service's memory.
pub const MEMORY: &[Metric<MemoryBook>] = &[
    Metric {
        name: "memory.used",
        unit: Unit::Bytes,
        about: "Memory in use at an instance, averaged over time and instances.",
        read: |book, window| Some(book.area / 1e9 / window / f64::from(book.instances)),
    },
    Metric {
        name: "memory.utilization",
        unit: Unit::Share,
        about: "The same as a share of what an instance has.",
        read: |book, window| book.limit.map(|limit| book.area / 1e9 / window / f64::from(book.instances) / limit),
    },
    Metric {
        name: "memory.peak",
        unit: Unit::Bytes,
        about: "The most that was ever in use at an instance, since the start of the run.",
        read: |book, _| Some(book.peak),
    },
    Metric {
        name: "memory.kills",
        unit: Unit::Count,
        about: "Processes killed for lack of memory, within the window.",
        read: |book, _| Some(book.kills),
    },
    Metric {
        name: "memory.first_kill",
        unit: Unit::Seconds,
        about: "When the first was killed, from the start of the run.",
        read: |book, _| book.first_kill.map(seconds),
    },
    Metric {
        name: "memory.refused",
        unit: Unit::PerSecond,
        about: "Requests rejected for lack of memory, per second of the window.",
        read: |book, window| Some(book.refused / window),
    },
    Metric {
        name: "memory.collections",
        unit: Unit::PerSecond,
        about: "Garbage collections of all instances, per second of the window.",
        read: |book, window| Some(book.collections / window),
    },
    Metric {
        name: "memory.page_faults",
        unit: Unit::PerSecond,
        about: "Reads of paged memory from the disks of all instances, per second of the window.",
        read: |book, window| Some(book.faults / window),
    },
];

/// What a client's requests cost, if anything has a price.
pub const CLIENT_COST: &[Metric<CostBook>] = &[
    COST,
    Metric {
        name: "cost_per_million",
        unit: Unit::Count,
        about: "What all services and node pools cost for a million successful requests of this client, in currency units.",
        read: |book, window| {
            let successes = book.successes.filter(|successes| *successes > 0)? as f64;
            Some(book.price * window / 3600.0 / successes * 1e6)
        },
    },
];

/// What a service costs that has a price.
pub const SERVICE_COST: &[Metric<CostBook>] = &[COST];

const COST: Metric<CostBook> = Metric {
    name: "cost",
    unit: Unit::PerHourPrice,
    about: "Price of all instances that exist, averaged over the window; for a client: of all services and node pools.",
    read: |book, _| Some(book.price),
};

/// A metric of a certain part: name and unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The full name: `shoppers.latency.p95`, `shop.cpu.utilization`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
}

/// The names of all metrics of a model, in the order in which [`values`] gives them.
pub fn names(blueprint: &Blueprint) -> Vec<Name> {
    fn add<B>(names: &mut Vec<Name>, part: &str, metrics: &[Metric<B>]) {
        names.extend(metrics.iter().map(|metric| Name { name: format!("{part}.{}", metric.name), unit: metric.unit }));
    }
    let mut names = Vec::new();
    blueprint.clients.iter().for_each(|client| add(&mut names, &client.name, CLIENT));
    let judged = blueprint.clients.iter().filter(|client| client.slo.is_some());
    judged.for_each(|client| add(&mut names, &client.name, SLO));
    for operation in &blueprint.operations {
        let service = &blueprint.services[operation.service as usize].name;
        add(&mut names, &format!("{service}.{}", operation.name), OPERATION);
    }
    for service in blueprint.services.iter().filter(|service| service.instances > 1) {
        add(&mut names, &service.name, BALANCING);
    }
    for service in &blueprint.services {
        for station in service.station_names() {
            add(&mut names, &format!("{}.{station}", service.name), STATION);
        }
    }
    for service in blueprint.services.iter().filter(|service| service.memory.is_some()) {
        add(&mut names, &service.name, MEMORY);
    }
    let priced = |service: &&Service| service.price.is_some();
    if blueprint.is_priced() {
        blueprint.clients.iter().for_each(|client| add(&mut names, &client.name, CLIENT_COST));
    }
    blueprint.services.iter().filter(priced).for_each(|service| add(&mut names, &service.name, SERVICE_COST));
    let fleets = blueprint.services.iter().filter(|service| service.fleet.is_some());
    fleets.for_each(|service| add(&mut names, &service.name, FLEET));
    let resized = blueprint.services.iter().filter(|service| service.is_resized());
    resized.for_each(|service| add(&mut names, &service.name, VERTICAL));
    let renewed = |service: &&Service| service.fleet.as_ref().is_some_and(|fleet| fleet.rollout.is_some());
    blueprint.services.iter().filter(renewed).for_each(|service| add(&mut names, &service.name, ROLLOUT));
    blueprint.pools.iter().for_each(|pool| add(&mut names, &pool.name, POOL));
    blueprint.program.guards.iter().for_each(|guard| add(&mut names, &guard.name, GUARD));
    blueprint.program.data.caches.iter().for_each(|plan| add(&mut names, &plan.name, CACHE));
    blueprint.program.data.databases.iter().for_each(|plan| add(&mut names, &plan.name, DATABASE));
    blueprint.program.data.queues.iter().for_each(|plan| add(&mut names, &plan.name, QUEUE));
    blueprint.program.data.groups.iter().for_each(|plan| add(&mut names, &plan.name, GROUP));
    for service in &blueprint.services {
        for channel in &service.channels {
            add(&mut names, &format!("{}.{}", service.name, channel.name), CHANNEL);
        }
    }
    let links = blueprint.network.iter().flat_map(|network| &network.links);
    links.for_each(|link| add(&mut names, &link.name, LINK));
    names
}

/// The values of all metrics after a run; missing ones are `None`.
pub fn values(record: &Record) -> Vec<Option<f64>> {
    let window = record.window_seconds();
    let mut values = Vec::new();
    for book in &record.clients {
        values.extend(CLIENT.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in record.clients.iter().filter_map(|book| book.slo.as_ref()) {
        values.extend(SLO.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.operations {
        values.extend(OPERATION.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in record.services.iter().filter(|book| book.sent.len() > 1) {
        values.extend(BALANCING.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.stations {
        values.extend(STATION.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.memories {
        values.extend(MEMORY.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.costs {
        let metrics = if book.successes.is_some() { CLIENT_COST } else { SERVICE_COST };
        values.extend(metrics.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.fleets {
        values.extend(FLEET.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in record.fleets.iter().filter_map(|book| Some((book.sizes?, book.existed))) {
        values.extend(VERTICAL.iter().map(|metric| (metric.read)(&book, window)));
    }
    for book in record.fleets.iter().filter_map(|book| book.rollout.as_ref()) {
        values.extend(ROLLOUT.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.pools {
        values.extend(POOL.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.guards {
        values.extend(GUARD.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.caches {
        values.extend(CACHE.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.databases {
        values.extend(DATABASE.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.queues {
        values.extend(QUEUE.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.groups {
        values.extend(GROUP.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.channels {
        values.extend(CHANNEL.iter().map(|metric| (metric.read)(book, window)));
    }
    for book in &record.links {
        values.extend(LINK.iter().map(|metric| (metric.read)(book, window)));
    }
    values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect()
}
