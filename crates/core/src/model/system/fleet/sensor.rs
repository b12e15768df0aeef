//! Scraped counters of instances, and readings made of them.
//!
//! At every scrape the counters of all places are noted, and the response times since the last one. A reading is made of the latest scrape
//! that is old enough to be seen and of the one a window before it: counters by their difference, levels as they were at the later one,
//! percentiles of all calls in between. An instance that began within the window has no rates yet.

use std::collections::VecDeque;

use super::book::Span;
use super::{Phase, Place, System};
use crate::engine::time::Nanos;
use crate::measure::Histogram;
use crate::model::autoscaler::{AutoscalerSpec, Metric, Reading};
use crate::model::blueprint::Blueprint;

/// Counters of the calls to the instances of a service, kept where calls are sent and answered.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Gauge {
    /// Per instance: calls sent, answered, failed.
    pub(in super::super) counts: Vec<[u64; 3]>,
    /// Calls for which there was no instance.
    pub(in super::super) unsent: u64,
    /// Per instance: response times of successful calls since the last scrape.
    pub(in super::super) latencies: Vec<Histogram>,
}

impl Gauge {
    /// For so many instances.
    pub(in super::super) fn new(instances: usize) -> Self {
        Gauge { counts: vec![[0; 3]; instances], unsent: 0, latencies: vec![Histogram::new(); instances] }
    }

    /// A call was answered.
    pub(in super::super) fn answered(&mut self, number: u32, latency: Nanos, success: bool) {
        let [_, answered, failed] = &mut self.counts[number as usize];
        *answered += 1;
        if success {
            self.latencies[number as usize].record(latency);
        } else {
            *failed += 1;
        }
    }
}

/// What was scraped of an instance.
#[derive(Debug, Clone, Copy, Default)]
struct Raw {
    /// When its process began [ns]; [`Nanos::MAX`] if none runs.
    started: Nanos,
    /// Its busy cores, integrated [core·ns].
    busy: f64,
    counts: [u64; 3],
    in_flight: u32,
    queue: u32,
}

/// What was scraped at an instant.
#[derive(Debug, Clone, Default)]
struct Scrape {
    at: Nanos,
    each: Vec<Raw>,
    latencies: Vec<Histogram>,
    unsent: u64,
    /// Per metric: the messages that wait for its group.
    lags: Vec<f64>,
}

/// Scrapes, and makes readings.
#[derive(Debug)]
pub(super) struct Sensor {
    metrics: Vec<Metric>,
    /// Per metric: the group of consumers it is about.
    groups: Vec<Option<usize>>,
    cores: Option<f64>,
    window: Nanos,
    lag: Nanos,
    /// The oldest first.
    scrapes: VecDeque<Scrape>,
}

impl Sensor {
    /// For the metrics that a policy asked for.
    pub(super) fn new(blueprint: &Blueprint, service: u32, spec: &AutoscalerSpec, metrics: Vec<Metric>) -> Self {
        let groups = &blueprint.program.data.groups;
        let group = |metric: &Metric| match metric {
            Metric::Lag(name) => groups.iter().position(|group| group.name == *name),
            _ => None,
        };
        let cpu = blueprint.services[service as usize].sharing.iter().find(|plan| plan.name == "cpu");
        Sensor {
            groups: metrics.iter().map(group).collect(),
            metrics,
            cores: cpu.map(|plan| plan.capacity()),
            window: spec.window.unwrap_or(spec.scrape).as_nanos(),
            lag: spec.lag.as_nanos(),
            scrapes: VecDeque::new(),
        }
    }

    /// The window [ns].
    pub(super) fn window(&self) -> Nanos {
        self.window
    }

    /// Scrapes all instances now.
    pub(super) fn scrape(&mut self, system: &mut System<'_>, service: usize) {
        let now = system.calendar.now();
        // One more than can be looked at is kept, whose memory is used again.
        let oldest = now.saturating_sub(self.lag).saturating_sub(self.window);
        let surplus = self.scrapes.get(1).is_some_and(|second| second.at < oldest);
        let mut scrape = if surplus { self.scrapes.pop_front().unwrap_or_default() } else { Scrape::default() };
        scrape.at = now;
        scrape.each.clear();
        let Some(fleet) = &system.fleets[service] else { return };
        for (number, place) in fleet.places.iter().enumerate() {
            scrape.each.push(system.raw(service, number, place));
        }
        scrape.lags.clear();
        let lag = |group: &Option<usize>| group.map_or(0.0, |group| f64::from(system.data.waiting(group)));
        scrape.lags.extend(self.groups.iter().map(lag));
        let gauge = system.services[service].gauge();
        scrape.unsent = gauge.unsent;
        scrape.latencies.resize_with(gauge.latencies.len(), Histogram::new);
        for (kept, latencies) in scrape.latencies.iter_mut().zip(&mut gauge.latencies) {
            kept.clear();
            std::mem::swap(kept, latencies);
        }
        let last = self.scrapes.back();
        let total = |scrape: &Scrape| scrape.unsent + scrape.each.iter().map(|raw| raw.counts[0]).sum::<u64>();
        let busy = |scrape: &Scrape| scrape.each.iter().map(|raw| raw.busy).sum::<f64>();
        if let Some(fleet) = &mut system.fleets[service] {
            let ready = fleet.count(Phase::Ready);
            fleet.ledger.spans.push(Span {
                until: now,
                length: now - last.map_or(0, |last| last.at),
                calls: total(&scrape) - last.map_or(0, total),
                work: busy(&scrape) - last.map_or(0.0, busy),
                ready,
            });
        }
        self.scrapes.push_back(scrape);
    }

    /// Readings of all metrics that can be seen now, of the places of these numbers.
    pub(super) fn read(&self, now: Nanos, there: &[usize], places: &[Place]) -> Vec<Reading> {
        let seen = self.scrapes.iter().rposition(|scrape| scrape.at.saturating_add(self.lag) <= now);
        let Some(seen) = seen else {
            return vec![Reading { each: vec![None; there.len()], ..Reading::default() }; self.metrics.len()];
        };
        let latest = &self.scrapes[seen];
        let from = latest.at.checked_sub(self.window);
        let base =
            from.and_then(|from| self.scrapes.iter().position(|scrape| scrape.at >= from && scrape.at < latest.at));
        let pair = Pair { latest, base: base.map(|base| &self.scrapes[base]), cores: self.cores };
        // Calls that were answered after the base until the latest scrape.
        let within: Vec<&Scrape> = base.map_or(Vec::new(), |base| self.scrapes.range(base + 1..=seen).collect());
        let reading = |(number, metric): (usize, &Metric)| {
            let each: Vec<Option<f64>> = match metric.percentile() {
                Some(p) => there
                    .iter()
                    .map(|place| quantile(within.iter().map(|scrape| &scrape.latencies[*place]), p))
                    .collect(),
                None => there.iter().map(|place| pair.of(metric, *place, &places[*place])).collect(),
            };
            let whole = match metric {
                Metric::Lag(_) => Some(latest.lags[number]),
                Metric::P50 | Metric::P95 | Metric::P99 => {
                    metric.percentile().and_then(|p| quantile(within.iter().flat_map(|scrape| &scrape.latencies), p))
                }
                Metric::Cpu => mean(&each),
                Metric::InFlight => Some(latest.each.iter().map(|raw| f64::from(raw.in_flight)).sum()),
                Metric::Queue => Some(latest.each.iter().map(|raw| f64::from(raw.queue)).sum()),
                Metric::Requests => pair.requests(),
                Metric::Errors => pair.errors(),
            };
            Reading { at: latest.at, whole, each }
        };
        self.metrics.iter().enumerate().map(reading).collect()
    }
}

/// The scrapes that a reading is made of.
struct Pair<'a> {
    latest: &'a Scrape,
    base: Option<&'a Scrape>,
    cores: Option<f64>,
}

impl Pair<'_> {
    fn seconds(&self, base: &Scrape) -> f64 {
        (self.latest.at - base.at) as f64 / 1e9
    }

    /// The value of an instance, if it can be told.
    fn of(&self, metric: &Metric, number: usize, place: &Place) -> Option<f64> {
        let raw = self.latest.each[number];
        let present = raw.started != Nanos::MAX && raw.started == place.started;
        if !present {
            return None;
        }
        match metric {
            Metric::InFlight => return Some(f64::from(raw.in_flight)),
            Metric::Queue => return Some(f64::from(raw.queue)),
            _ => {}
        }
        let base = self.base?;
        let before = base.each.get(number).filter(|before| before.started == raw.started)?;
        let seconds = self.seconds(base);
        match metric {
            Metric::Cpu => Some((raw.busy - before.busy) / 1e9 / seconds / self.cores?),
            Metric::Requests => Some((raw.counts[0] - before.counts[0]) as f64 / seconds),
            Metric::Errors => {
                let answered = raw.counts[1] - before.counts[1];
                (answered > 0).then(|| (raw.counts[2] - before.counts[2]) as f64 / answered as f64)
            }
            _ => None,
        }
    }

    /// A count of all instances between the two scrapes, those that have left included.
    fn counted(&self, what: usize) -> Option<u64> {
        let sum = |scrape: &Scrape| scrape.each.iter().map(|raw| raw.counts[what]).sum::<u64>();
        Some(sum(self.latest) - sum(self.base?))
    }

    fn requests(&self) -> Option<f64> {
        let base = self.base?;
        let calls = self.counted(0)? + self.latest.unsent - base.unsent;
        Some(calls as f64 / self.seconds(base))
    }

    fn errors(&self) -> Option<f64> {
        let unsent = self.latest.unsent - self.base?.unsent;
        let (answered, failed) = (self.counted(1)? + unsent, self.counted(2)? + unsent);
        (answered > 0).then(|| failed as f64 / answered as f64)
    }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, count) = values.iter().flatten().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// A percentile of several histograms together [s].
fn quantile<'a>(histograms: impl Iterator<Item = &'a Histogram>, p: f64) -> Option<f64> {
    let mut merged = Histogram::new();
    histograms.for_each(|histogram| merged.merge(histogram));
    merged.quantile(p).map(|nanos| nanos / 1e9)
}

impl System<'_> {
    /// The counters of an instance now.
    fn raw(&self, service: usize, number: usize, place: &Place) -> Raw {
        let now = self.calendar.now();
        let runs = matches!(place.phase, Phase::Starting | Phase::Ready | Phase::Draining);
        let plan = &self.blueprint.services[service];
        let instance = &self.instances_of(service)[number];
        let cpu = plan.sharing.iter().position(|plan| plan.name == "cpu");
        let cpu = cpu.map(|slot| &self.sharing[instance.sharing as usize + slot]);
        let workers = plan.servers.iter().position(|plan| plan.name == "workers");
        let queue = match (workers, cpu) {
            (Some(slot), _) => self.servers[instance.servers as usize + slot].waiting().value(),
            (None, Some(cpu)) => (f64::from(cpu.present().value()) - cpu.lanes()).max(0.0) as u32,
            (None, None) => 0,
        };
        Raw {
            started: if runs && instance.up { place.started } else { Nanos::MAX },
            busy: cpu.map_or(0.0, |cpu| cpu.busy(now)),
            counts: self.services[service].counts(number),
            in_flight: self.services[service].in_flight(number),
            queue,
        }
    }
}
