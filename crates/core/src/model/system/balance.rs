//! Services at work: which instance gets a call.
//!
//! A service has one balancer or several. Each has a policy with a state of its own and its own calls in flight; what they know
//! of health is the same for all. Without health checks they know at once when an instance goes down or comes back;
//! with them a call may go to an instance that is not there, and fails at once. Each level of priority has a policy of its own
//! at every balancer, and so has each version during a rollout.
//!
//! Nothing here acts by itself: checks, reports, sweeps and slow starts are brought up to date before the first call after
//! their time. Between two calls nobody looks at them.

use crate::engine::random::{below, named, unit};
use crate::engine::{Nanos, Stream};
use crate::model::balancer::{By, Call, Reply, View};
use crate::model::balancing::Load;
use crate::model::balancing::health::Health;
use crate::model::balancing::latencies::Latencies;
use crate::model::balancing::outliers::Outliers;
use crate::model::blueprint;
use crate::model::frame::{Answer, Outcome};

use super::balancers::{Connections, One, Placed, balancers};
use super::fleet::{Gauge, Versions};
use super::followed::Followed;
use super::knowledge::Knowledge;
use super::record::ServiceBook;

/// What is reported of the calls in flight.
#[derive(Debug)]
struct Reports {
    every: Nanos,
    next: Nanos,
    last: Vec<u32>,
}

impl Reports {
    /// Reports of so many instances at time 0, if load is known by reports.
    fn of(load: Load, instances: usize) -> Option<Self> {
        let Load::Reported(every) = load else { return None };
        let every = every.as_nanos().max(1);
        Some(Reports { every, next: every, last: vec![0; instances] })
    }
}

/// A service at work. What every call touches lies in the first two cache lines.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Service {
    /// Until when calls need no choice: there is nothing to balance, and the one instance is there [ns].
    alone_until: Nanos,
    /// Until when a plain choice finds all as it is [ns], by all that it may look at, and by the call's data only.
    plain_until: Nanos,
    of_data_until: Nanos,
    pub(super) balancers: Vec<One>,
    pub(super) first_instance: u32,
    /// Whether a call takes a choice and two counters, and nothing else wants to hear of it.
    plain: bool,
    /// Whether there is anything to balance: more than one instance, or something to know of a single one.
    balanced: bool,
    /// Whether the policies want to know of every change.
    watched: bool,
    /// Whether a choice looks at the call's data only, and at its zone if there are any: not at its session or its work.
    of_data: bool,
    /// Per instance: calls sent; counted anew when the window begins, kept when it ends.
    pub(super) sent: Vec<u64>,
    random: Stream,
    /// Whether the policies look at the session of a call.
    pub(super) of_sessions: bool,
    /// Whether the policies look at the work of a call.
    pub(super) foresees: bool,
    /// Whether every balancer knows all calls in flight at once.
    shared: bool,
    /// Whether some instance does not run.
    broken: bool,
    /// Per instance: calls of all balancers in flight; empty if there is only one, which knows them.
    pub(super) present: Vec<u32>,
    /// When something must be brought up to date before a call [ns].
    due: Nanos,
    /// Per level: which part of the calls goes there or to a level before it [%]; empty if there is one level only.
    levels: Vec<u32>,
    connections: Option<Box<Connections>>,
    /// The workers of an instance; infinite if they are not limited.
    pub(super) workers: f64,
    /// Where the last call of every key or user went, if that is wanted.
    followed: Option<Box<Followed>>,
    /// Which instances have a new version, if one may come.
    pub(super) versions: Option<Box<Versions>>,
    /// Counters for an autoscaler, if there is one.
    pub(super) gauge: Option<Box<Gauge>>,
    /// What was sent within the window, once it has ended.
    counted: Option<Vec<u64>>,
    /// Calls with a predecessor, and those of them that went elsewhere, within the window, once it has ended.
    followed_then: Option<(u64, u64)>,
    reports: Option<Box<Reports>>,
    /// What the instances know of their response times, if a policy asks for it.
    latencies: Option<Box<Latencies>>,
    pub(super) knowledge: Box<Knowledge>,
}

impl Service {
    /// The service whose instances begin at `first_instance` and stand in `zones`; `root` is the key of the run.
    pub(super) fn new(
        service: &blueprint::Service,
        first_instance: u32,
        root: u64,
        zones: impl Fn(u32) -> u16,
    ) -> Self {
        let (instances, balancing) = (service.instances as usize, service.balancing.clone());
        let foresees = service.balancer.build().foresees();
        // An oracle knows all.
        let count = if foresees { 1 } else { balancing.count.unwrap_or(1).max(1) };
        let renewable = service.fleet.as_ref().is_some_and(|fleet| fleet.rollout.is_some());
        let levels = balancing.level_count();
        let mut balancers = balancers(service, count, if renewable { 2 } else { 1 } * levels, zones);
        let watched = balancers.iter_mut().any(|one| one.choosing.policy().watches());
        let several = balancers.len() > 1;
        let connections = Connections::of(&balancing, count);
        let balanced = instances > 1
            || service.fleet.is_some()
            || balancing.health.is_some()
            || balancing.outliers.is_some()
            || connections.is_some();
        let reports = Reports::of(balancing.load, instances).filter(|_| !foresees).map(Box::new);
        let latencies = balancers[0].choosing.policy().probes().then(|| Box::new(Latencies::new(instances)));
        let knowledge = Box::new(Knowledge {
            up: vec![true; instances],
            member: vec![true; instances],
            health: balancing.health.map(|health| Health::new(health, instances)),
            outliers: balancing.outliers.map(|outliers| Outliers::new(outliers, instances)),
            came: vec![None; instances],
            slow_next: None,
            changes: balancing.changes().into_iter().rev().collect(),
            balancing,
        });
        let plain = balanced
            && !(watched || renewable || reports.is_some() || latencies.is_some())
            && !several
            && knowledge.outliers.is_none()
            && connections.is_none()
            && knowledge.balancing.follow.is_none();
        let scaled = service.fleet.as_ref().is_some_and(|fleet| fleet.autoscaler.is_some());
        let by_session = knowledge.balancing.follow == Some(By::Session);
        let of_sessions = balanced && (service.balancer.needs_session() || by_session);
        let mut service = Service {
            first_instance,
            balanced,
            watched,
            of_sessions,
            foresees: balanced && foresees,
            balancers,
            levels: if levels > 1 { vec![100; levels as usize] } else { Vec::new() },
            connections,
            random: Stream::new(named(named(root, &service.name), "balancer")),
            present: vec![0; if several { instances } else { 0 }],
            workers: service.workers(),
            sent: vec![0; instances],
            followed: knowledge.balancing.follow.map(Followed::new).map(Box::new),
            versions: renewable.then(|| Box::new(Versions::new(instances))),
            gauge: scaled.then(|| Box::new(Gauge::new(instances))),
            counted: None,
            followed_then: None,
            shared: knowledge.balancing.load == Load::Shared && count > 1,
            reports,
            latencies,
            broken: false,
            knowledge,
            due: Nanos::MAX,
            alone_until: 0,
            plain: plain && !scaled,
            of_data: !(of_sessions || foresees),
            plain_until: 0,
            of_data_until: 0,
        };
        if service.knowledge.changes.is_empty() && levels == 1 {
            service.look_ahead();
        } else {
            service.bring_up_to_date(0);
            service.tell_members(0);
        }
        service
    }

    /// Where every call goes if there is nothing to choose; `None` if there is.
    #[inline]
    pub(super) fn alone(&self, now: Nanos) -> Option<Placed> {
        (now < self.alone_until).then_some(self.by_nobody(0))
    }

    /// Where a call goes that nobody has to choose an instance for.
    #[inline]
    fn by_nobody(&self, number: u32) -> Placed {
        Placed { instance: self.first_instance + number, balancer: Placed::BY_NOBODY }
    }

    /// Chooses the instance of a call about an item in a model without zones, which is in flight from now on; `None` if more than the
    /// item must be known.
    #[inline]
    pub(super) fn choose_by_data(&mut self, item: u32, now: Nanos) -> Option<Placed> {
        (now < self.of_data_until).then(|| self.choose_plainly(&Call { key: item, ..Call::at(now) }))
    }

    /// Chooses the instance of a call, which is in flight from now on. `caller` is the number of the calling instance within its
    /// service, if it is one.
    ///
    /// # Errors
    /// The call's outcome, if nobody can be reached or the balancer has no connection left.
    #[inline]
    pub(super) fn choose(&mut self, call: &Call, caller: impl FnOnce() -> Option<u32>) -> Result<Placed, Outcome> {
        if call.now < self.plain_until {
            return Ok(self.choose_plainly(call));
        }
        self.choose_among(call, caller())
    }

    #[inline]
    fn choose_plainly(&mut self, call: &Call) -> Placed {
        let One { choosing, members, in_flight } = &mut self.balancers[0];
        let view = View { members, in_flight, present: in_flight, latencies: None };
        let number = choosing.choose(call, &view, &mut self.random);
        in_flight[number as usize] += 1;
        self.sent[number as usize] += 1;
        Placed { instance: self.first_instance + number, balancer: 0 }
    }

    fn choose_among(&mut self, call: &Call, caller: Option<u32>) -> Result<Placed, Outcome> {
        if call.now >= self.due {
            self.bring_up_to_date(call.now);
        }
        let (first, count) = self.group();
        if self.balancers[first].members.eligible.is_empty() {
            if let Some(gauge) = &mut self.gauge {
                gauge.unsent += 1;
            }
            return Err(Outcome::Unreachable);
        }
        if !self.balanced {
            return Ok(self.by_nobody(0));
        }
        let balancer = first
            + match (count, caller) {
                (1, _) => 0,
                (count, Some(caller)) => (caller % count) as usize,
                (count, None) => below(&mut self.random, u64::from(count)) as usize,
            };
        if let Some(connections) = &self.connections
            && connections.open[balancer % connections.open.len()] >= connections.limit
        {
            return Err(Outcome::Rejected);
        }
        let One { choosing, members, in_flight } = &mut self.balancers[balancer];
        let known = match &self.reports {
            Some(reports) => &reports.last,
            None if self.shared => &self.present,
            None => in_flight,
        };
        let present = if self.present.is_empty() { &*in_flight } else { &self.present };
        let view = View { members, in_flight: known, present, latencies: self.latencies.as_deref() };
        let number = choosing.choose(call, &view, &mut self.random);
        if self.broken && !self.knowledge.up[number as usize] {
            self.not_reached(number, call.now);
            return Err(Outcome::Unreachable);
        }
        if let Some(followed) = &mut self.followed {
            followed.went(call, number);
        }
        if let Some(versions) = &mut self.versions {
            versions.sent(number);
        }
        self.note_sent(balancer, number, call.now);
        Ok(Placed { instance: self.first_instance + number, balancer: balancer as u16 })
    }

    /// How many levels there are.
    #[inline]
    fn level_count(&self) -> usize {
        self.levels.len().max(1)
    }

    /// How many balancers a level of a version has.
    #[inline]
    fn count(&self) -> u32 {
        let all = self.balancers.len() as u32;
        let all = if self.versions.is_some() { all / 2 } else { all };
        if self.levels.is_empty() { all } else { all / self.levels.len() as u32 }
    }

    /// The first of the balancers of the version and level that get the next call, and how many there are.
    #[inline]
    fn group(&mut self) -> (usize, u32) {
        let count = self.count();
        let split = self.versions.as_ref().and_then(|versions| versions.split);
        let new = split.is_some_and(|share| unit(&mut self.random) < share);
        let mut first = if new { self.balancers.len() / 2 } else { 0 };
        if !self.levels.is_empty() {
            let point = below(&mut self.random, 100) as u32;
            let level = self.levels.iter().position(|end| point < *end).unwrap_or(0);
            first += level * count as usize;
        }
        (first, count)
    }

    /// Sends a call to a certain instance, which is in flight there from now on; `None` if it is down.
    pub(super) fn choose_number(&mut self, number: u32, now: Nanos) -> Option<Placed> {
        if !self.knowledge.up[number as usize] {
            return None;
        }
        if !self.balanced {
            return Some(self.by_nobody(number));
        }
        self.note_sent(0, number, now);
        Some(Placed { instance: self.first_instance + number, balancer: 0 })
    }

    /// Takes note that a balancer sends a call to an instance, in all that [`Self::note_answer`] will take back.
    fn note_sent(&mut self, balancer: usize, number: u32, now: Nanos) {
        let present = self.in_flight(number as usize);
        if let Some(latencies) = &mut self.latencies {
            latencies.sent(number, now, present);
        }
        self.balancers[balancer].in_flight[number as usize] += 1;
        if let Some(present) = self.present.get_mut(number as usize) {
            *present += 1;
        }
        self.sent[number as usize] += 1;
        if let Some(connections) = &mut self.connections {
            let count = connections.open.len();
            connections.open[balancer % count] += 1;
        }
        if let Some(gauge) = &mut self.gauge {
            gauge.counts[number as usize][0] += 1;
        }
        if self.watched {
            self.tell_change(balancer, number, now);
        }
    }

    /// Tells the policies that know it that the calls in flight at an instance have changed.
    #[inline]
    fn tell_change(&mut self, balancer: usize, number: u32, now: Nanos) {
        if self.shared {
            let present = self.present[number as usize];
            self.balancers.iter_mut().for_each(|one| one.choosing.policy().changed(number, present, now));
        } else if self.reports.is_none() {
            let One { choosing, in_flight, .. } = &mut self.balancers[balancer];
            choosing.policy().changed(number, in_flight[number as usize], now);
        }
    }

    /// A call found nobody at an instance that was believed to be there.
    #[cold]
    fn not_reached(&mut self, number: u32, now: Nanos) {
        if let Some(outliers) = &mut self.knowledge.outliers
            && outliers.answered(number, false, now)
        {
            self.tell_members(now);
        }
    }

    /// Takes note of an instance's answer to a call of one of the balancers.
    #[inline(always)]
    pub(super) fn answered(&mut self, now: Nanos, answer: &Answer) {
        if self.plain {
            let number = (answer.instance - self.first_instance) as usize;
            self.balancers[0].in_flight[number] -= 1;
        } else {
            let &Answer { instance, balancer, started, outcome, .. } = answer;
            let success = outcome == Outcome::Success;
            self.note_answer(Reply { now, instance, latency: now - started, success, present: 0 }, balancer);
        }
    }

    fn note_answer(&mut self, reply: Reply, balancer: u16) {
        if self.reports.is_some() && reply.now >= self.due {
            self.bring_up_to_date(reply.now);
        }
        let number = reply.instance - self.first_instance;
        let before = self.in_flight(number as usize);
        self.balancers[usize::from(balancer)].in_flight[number as usize] -= 1;
        if let Some(present) = self.present.get_mut(number as usize) {
            *present -= 1;
        }
        if let Some(connections) = &mut self.connections {
            let count = connections.open.len();
            connections.open[usize::from(balancer) % count] -= 1;
        }
        if let Some(latencies) = &mut self.latencies {
            latencies.answered(number, reply.now, reply.latency, reply.success);
        }
        if let Some(gauge) = &mut self.gauge {
            gauge.answered(number, reply.latency, reply.success);
        }
        if let Some(versions) = &mut self.versions {
            versions.answered(number, reply.latency, reply.success);
        }
        if self.watched {
            let reply = Reply { instance: number, present: before, ..reply };
            self.balancers[usize::from(balancer)].choosing.policy().answered(&reply);
            self.tell_change(usize::from(balancer), number, reply.now);
            if before == 1 {
                // Whoever becomes idle tells one of the balancers.
                let count = self.count() as usize;
                let first = usize::from(balancer) / count * count;
                let told = if count == 1 { 0 } else { below(&mut self.random, count as u64) as usize };
                self.balancers[first + told].choosing.policy().idle(number);
            }
        }
        if let Some(outliers) = &mut self.knowledge.outliers
            && outliers.answered(number, reply.success, reply.now)
        {
            self.tell_members(reply.now);
        }
    }

    /// Takes note that an instance runs or does not.
    pub(super) fn set_up(&mut self, number: usize, up: bool, now: Nanos) {
        self.bring_up_to_date(now);
        self.knowledge.up[number] = up;
        self.broken = self.knowledge.up.contains(&false);
        match &mut self.knowledge.health {
            Some(health) => health.happened(number as u32, up, now),
            None => {
                self.knowledge.came[number] = up.then_some(now);
                self.tell_members(now);
            }
        }
        self.look_ahead();
    }

    /// The measured window begins.
    pub(super) fn open_window(&mut self) {
        self.sent.fill(0);
        if let Some(followed) = &mut self.followed {
            (followed.again, followed.elsewhere) = (0, 0);
        }
    }

    /// The measured window ends.
    pub(super) fn close_window(&mut self) {
        self.counted = Some(self.sent.clone());
        self.followed_then = self.followed.as_ref().map(|followed| (followed.again, followed.elsewhere));
    }

    /// What the balancers did within the window.
    pub(super) fn book(&self) -> ServiceBook {
        let sent = self.counted.clone().unwrap_or_default();
        let spills = |number: usize| self.knowledge.balancing.level(number as u32) > 0;
        let spilled =
            |sent: &[u64]| sent.iter().enumerate().filter(|(number, _)| spills(*number)).map(|(_, sent)| sent).sum();
        let spilled = (!self.levels.is_empty()).then(|| spilled(&sent));
        ServiceBook { sent, followed: self.followed_then, spilled }
    }

    /// Lets everything happen that has happened since the last call.
    #[cold]
    pub(super) fn bring_up_to_date(&mut self, now: Nanos) {
        let mut changed = false;
        let Knowledge { health, outliers, came, .. } = &mut *self.knowledge;
        if let Some(health) = health {
            let before: Vec<bool> = (0..came.len() as u32).map(|number| health.believes(number)).collect();
            if health.update(now) {
                changed = true;
                for (number, before) in before.into_iter().enumerate() {
                    if health.believes(number as u32) != before {
                        came[number] = (!before).then_some(now);
                    }
                }
            }
        }
        if let Some(outliers) = outliers {
            changed |= outliers.update(now);
        }
        while self.knowledge.changes.last().is_some_and(|time| *time <= now) {
            self.knowledge.changes.pop();
            changed = true;
        }
        changed |= self.knowledge.slow_next.is_some_and(|next| next <= now);
        if changed {
            self.tell_members(now);
        }
        if let Some(reports) = &mut self.reports
            && reports.next <= now
        {
            reports.next = (now / reports.every + 1) * reports.every;
            for number in 0..self.sent.len() {
                let present = *self.present.get(number).unwrap_or(&self.balancers[0].in_flight[number]);
                if reports.last[number] != present {
                    reports.last[number] = present;
                    self.balancers
                        .iter_mut()
                        .for_each(|one| one.choosing.policy().changed(number as u32, present, now));
                }
            }
        }
        self.look_ahead();
    }

    /// Notes until when nothing need be brought up to date or chosen.
    fn look_ahead(&mut self) {
        self.due = self.next_due();
        let alone = !self.balanced && !self.balancers[0].members.eligible.is_empty();
        self.alone_until = if alone { self.due } else { 0 };
        let plain = self.plain && !self.broken && !self.balancers[0].members.eligible.is_empty();
        self.plain_until = if plain { self.due } else { 0 };
        self.of_data_until = if self.of_data { self.plain_until } else { 0 };
    }

    /// When something must be brought up to date.
    fn next_due(&self) -> Nanos {
        let Knowledge { health, outliers, slow_next, changes, .. } = &*self.knowledge;
        let health = health.as_ref().and_then(Health::next);
        let outliers = outliers.as_ref().and_then(Outliers::next);
        let reports = self.reports.as_ref().map(|reports| reports.next);
        [health, outliers, *slow_next, reports, changes.last().copied()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Nanos::MAX)
    }

    /// Tells all policies who may be chosen now, with what weight.
    pub(super) fn tell_members(&mut self, now: Nanos) {
        let levels = self.level_count();
        let knowledge = &mut self.knowledge;
        let count = knowledge.up.len() as u32;
        let mut eligible: Vec<u32> = (0..count).filter(|number| knowledge.may_be_chosen(*number, now)).collect();
        let part: Vec<u32> = (0..count).filter(|number| knowledge.takes_part(*number, now)).collect();
        if levels > 1 {
            eligible = knowledge.spread(&eligible, &part, &mut self.levels);
        } else if (eligible.len() as f64) < knowledge.balancing.panic_share() * part.len() as f64 {
            // In panic nobody's health counts; who has not come or is leaving is still left out.
            eligible = part;
        }
        knowledge.slow_next = None;
        let weights: Vec<f64> = (0..count).map(|number| knowledge.weight(number, now)).collect();
        let (all, of_level) = (self.balancers.len(), self.count() as usize);
        for (place, one) in self.balancers.iter_mut().enumerate() {
            one.members.eligible.clone_from(&eligible);
            if levels > 1 {
                let level = place / of_level % levels;
                one.members.eligible.retain(|number| usize::from(self.knowledge.balancing.level(*number)) == level);
            }
            if let Some(versions) = &self.versions {
                let of_new = place >= all / 2;
                let split = versions.split.is_some() || of_new;
                one.members.eligible.retain(|number| !split || versions.new[*number as usize] == of_new);
            }
            one.members.weights.clone_from(&weights);
            one.choosing.policy().members(&one.members);
        }
        self.look_ahead();
    }
}
