//! The operational laws of every station of a point, from recorded estimates alone.
//!
//! Source: Denning & Buzen, *The operational analysis of queueing network models* (1978). Utilization law U = X·S, forced
//! flow, service demand D = busy capacity ÷ X, Little's law, and the asymptotic bounds X ≤ 1/Dmax and N*. They hold for
//! what was measured, whatever the distributions. Demands count wasted work too: what was done for those that gave up.

use crate::measure::Kind;
use crate::study::insight::{Bounds, StationFacts};
use crate::study::{MetricName, Point, clients, mean};

/// Requests answered per second, all clients together.
pub fn answered(metrics: &[MetricName], point: &Point) -> f64 {
    clients(metrics).filter_map(|client| mean(metrics, point, &format!("{client}.throughput"))).sum()
}

/// The laws of every station; waiting shares are those of `client`.
pub fn stations(metrics: &[MetricName], point: &Point, client: &str) -> Vec<StationFacts> {
    let answered = answered(metrics, point);
    let names = metrics.iter().filter_map(|metric| metric.name.strip_suffix(".utilization.worst"));
    let facts = names.filter_map(|name| {
        // The station's name is the last part; a service's name has no dot.
        let (part, station) = name.split_once('.')?;
        let value = |what: &str| mean(metrics, point, &format!("{name}.{what}"));
        let utilization = value("utilization")?;
        let busy = value("busy").unwrap_or(0.0);
        let queue = value("queue").unwrap_or(0.0);
        let (wait, throughput) = (value("wait.mean"), value("throughput"));
        let capacity = (utilization > 0.0).then(|| busy / utilization);
        let demand = (answered > 0.0 && busy > 0.0).then(|| busy / answered);
        let (all, slowest) = waiting_share(point, client, part, station);
        Some(StationFacts {
            part: part.to_owned(),
            station: station.to_owned(),
            capacity,
            utilization,
            utilization_worst: value("utilization.worst").unwrap_or(utilization),
            queue,
            wait,
            throughput,
            refused: value("refused"),
            service: throughput.filter(|rate| *rate > 0.0).map(|rate| busy / rate),
            demand,
            most: capacity.zip(demand).map(|(capacity, demand)| capacity / demand),
            residual: wait.zip(throughput).filter(|_| queue > 0.0).map(|(wait, rate)| (queue - rate * wait) / queue),
            waiting_share: all,
            waiting_share_slowest: slowest,
        })
    });
    facts.collect()
}

/// Shares of a client's mean response time, and of its slowest 5 %, spent waiting at a station.
fn waiting_share(point: &Point, client: &str, part: &str, station: &str) -> (f64, f64) {
    let Some(attribution) = point.attributions.iter().find(|attribution| attribution.client == client) else {
        return (0.0, 0.0);
    };
    let (mut all, mut slowest, mut total_all, mut total_slowest) = (0.0, 0.0, 0.0, 0.0);
    for entry in &attribution.entries {
        total_all += entry.all;
        total_slowest += entry.slowest;
        if entry.part == part && entry.resource == station && entry.kind == Kind::Waiting {
            all += entry.all;
            slowest += entry.slowest;
        }
    }
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    (share(all, total_all), share(slowest, total_slowest))
}

/// The asymptotic bounds. Stations that are held while something else is waited for (workers, connections) are bounded by
/// how long they are held, waiting included; so the bound is that of the present load, and shrinks as waiting grows.
pub fn bounds(point: &Point, client: &str, think: f64, stations: &[StationFacts]) -> Option<Bounds> {
    let tightest = stations.iter().filter_map(|facts| Some((facts, facts.most?)));
    let (facts, most) = tightest.min_by(|one, other| one.1.total_cmp(&other.1))?;
    let attribution = point.attributions.iter().find(|attribution| attribution.client == client)?;
    let unwaited = attribution.entries.iter().filter(|entry| entry.kind != Kind::Waiting);
    let unloaded = unwaited.map(|entry| entry.all).sum::<f64>() + think;
    let station = format!("{}.{}", facts.part, facts.station);
    Some(Bounds { station, most, saturation: unloaded * most, unloaded })
}
