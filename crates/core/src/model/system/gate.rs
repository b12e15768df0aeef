//! Gates: what an instance does about too much work, at its door.
//!
//! A service with load shedding or a concurrency limit has a gate at every instance. Each attempt passes it on its way in,
//! or ends as shed, and on its way out, where the limit learns how long it took.

use super::System;
use crate::engine::Nanos;
use crate::model::blueprint::{Blueprint, Service};
use crate::model::frame::Outcome;
use crate::model::program::Place;
use crate::model::resilience::limit::Limit;
use crate::model::resilience::shed::{Load, Shed};

/// The least time over which the cores' utilization is measured [ns].
const MEASURED: Nanos = 100_000_000;

/// The gate of one instance.
#[derive(Debug)]
struct Gate {
    rules: Vec<Shed>,
    limit: Option<Box<dyn Limit>>,
    quota: Option<Quota>,
    in_flight: u32,
    /// When the cores' utilization was last measured [ns], the work done until then, and the utilization.
    measured: (Nanos, f64, f64),
}

/// A quota of calls per second: a bucket that holds a second's worth of tokens, full at the start.
#[derive(Debug)]
struct Quota {
    /// Tokens per second, and the most there are.
    rate: f64,
    /// The share of it that faults leave.
    left: f64,
    tokens: f64,
    since: Nanos,
}

impl Quota {
    fn new(rate: f64) -> Self {
        Quota { rate, left: 1.0, tokens: rate.max(1.0), since: 0 }
    }

    /// The tokens that have come until now; where nothing comes any more there are none.
    fn refill(&mut self, now: Nanos) {
        let rate = self.rate * self.left;
        let most = if rate > 0.0 { rate.max(1.0) } else { 0.0 };
        self.tokens = (self.tokens + (now - self.since) as f64 / 1e9 * rate).min(most);
        self.since = now;
    }

    /// Leaves it this share of its rate.
    fn cut(&mut self, now: Nanos, left: f64) {
        self.refill(now);
        self.left = left;
        self.refill(now);
    }

    fn take(&mut self, now: Nanos) -> bool {
        self.refill(now);
        // What is missing by rounding only is not missing.
        let enough = self.tokens >= 1.0 - 1e-9;
        self.tokens -= if enough { 1.0 } else { 0.0 };
        enough
    }
}

/// The gates of a system, by instance; none where a service has no rules.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: Vec<Option<Gate>>,
}

impl Gates {
    pub(super) fn new(blueprint: &Blueprint) -> Self {
        let gate = |service: &Service| {
            service.is_gated().then(|| Gate {
                rules: service.shed.iter().map(Shed::new).collect(),
                limit: service.limit.as_ref().map(|limit| limit.build()),
                quota: service.quota.map(Quota::new),
                in_flight: 0,
                measured: (0, 0.0, 0.0),
            })
        };
        if !blueprint.services.iter().any(Service::is_gated) {
            return Gates::default();
        }
        let all = blueprint.services.iter().flat_map(|service| (0..service.instances).map(move |_| gate(service)));
        Gates { gates: all.collect() }
    }

    /// Leaves the quota of an instance this share of its rate.
    pub(super) fn cut_quota(&mut self, instance: u32, now: Nanos, left: f64) {
        if let Some(Some(gate)) = self.gates.get_mut(instance as usize)
            && let Some(quota) = &mut gate.quota
        {
            quota.cut(now, left);
        }
    }
}

impl System<'_> {
    /// Lets an attempt in, or turns it away.
    pub(super) fn enter_gate(&mut self, index: u32, place: Place) {
        let (instance, priority) = (self.frames[index].instance, self.frames[index].priority);
        let now = self.calendar.now();
        let load = self.load(instance);
        let Some(Some(gate)) = self.gates.gates.get_mut(instance as usize) else { return };
        let shed = gate.rules.iter_mut().any(|rule| rule.sheds(&load, priority));
        let full = gate.limit.as_ref().is_some_and(|limit| gate.in_flight >= limit.limit());
        if shed || full {
            self.fail(index, place, Outcome::Shed);
        } else if gate.quota.as_mut().is_some_and(|quota| !quota.take(now)) {
            self.fail(index, place, Outcome::Limited);
        } else {
            gate.in_flight += 1;
        }
    }

    /// Lets an attempt out; a failing one goes on unwinding.
    pub(super) fn leave_gate(&mut self, index: u32, place: Place) {
        let now = self.calendar.now();
        let frame = &mut self.frames[index];
        let failed = frame.outcome != Outcome::Success;
        if failed {
            frame.place = self.blueprint.program.unwind[place as usize];
        }
        let (instance, took) = (frame.instance, (now - frame.started).max(1));
        let ignored = frame.is_doomed();
        let Some(Some(gate)) = self.gates.gates.get_mut(instance as usize) else { return };
        let in_flight = gate.in_flight;
        gate.in_flight = gate.in_flight.saturating_sub(1);
        if let Some(limit) = &mut gate.limit
            && !ignored
        {
            limit.sample(now, took, in_flight, failed);
        }
    }

    /// What an instance knows of itself.
    fn load(&mut self, instance: u32) -> Load {
        let now = self.calendar.now();
        let place = self.instances[instance as usize];
        let service = &self.blueprint.services[place.service as usize];
        let Some(Some(gate)) = self.gates.gates.get_mut(instance as usize) else { return Load::default() };
        let mut load = Load { in_flight: gate.in_flight, ..Load::default() };
        if let Some(slot) = service.servers.iter().position(|plan| plan.name == "workers") {
            let station = &self.servers[place.servers as usize + slot];
            load.queue = station.waiting().value();
            load.wait = station.oldest_wait(now, &self.frames);
        }
        if let Some(slot) = service.sharing.iter().position(|plan| plan.name == "cpu") {
            let (since, before, _) = gate.measured;
            if now >= since + MEASURED {
                let done = self.sharing[place.sharing as usize + slot].done(now);
                let capacity = (now - since) as f64 * service.sharing[slot].lanes;
                gate.measured = (now, done, (done - before) / capacity);
            }
            load.cpu = gate.measured.2;
        }
        load
    }
}
