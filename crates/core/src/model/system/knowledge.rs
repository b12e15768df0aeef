//! What a service's balancers know of its instances: who is there, who is healthy, who gets how much.

use crate::engine::Nanos;
use crate::model::balancing::Balancing;
use crate::model::balancing::health::Health;
use crate::model::balancing::levels::{Level, shares};
use crate::model::balancing::outliers::Outliers;

/// What happens to instances, as far as balancers see it.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub(super) balancing: Balancing,
    /// Per instance: whether it runs.
    pub(super) up: Vec<bool>,
    /// Per instance: whether it is ready, if instances come and go.
    pub(super) member: Vec<bool>,
    /// When instances come or go [ns], the next one last.
    pub(super) changes: Vec<Nanos>,
    pub(super) health: Option<Health>,
    pub(super) outliers: Option<Outliers>,
    /// Per instance that starts slowly: when it came.
    pub(super) came: Vec<Option<Nanos>>,
    /// When the slow starts are looked at again.
    pub(super) slow_next: Option<Nanos>,
}

impl Knowledge {
    /// Deals the calls out to the levels, of which the instances that take part are `part` and those of them that may be chosen
    /// `eligible`; returns who may be chosen then.
    pub(super) fn spread(&self, eligible: &[u32], part: &[u32], ends: &mut [u32]) -> Vec<u32> {
        let of = |level: usize, numbers: &[u32]| {
            let there = |number: &&u32| usize::from(self.balancing.level(**number)) == level;
            numbers.iter().filter(there).count() as u32
        };
        let levels: Vec<Level> =
            (0..ends.len()).map(|level| Level { available: of(level, eligible), all: of(level, part) }).collect();
        let shares = shares(&levels, self.balancing.overprovisioning_percent(), self.balancing.panic_share());
        let mut end = 0;
        for (place, share) in ends.iter_mut().zip(&shares) {
            end += share.percent;
            *place = end;
        }
        let panics = |number: &u32| shares[usize::from(self.balancing.level(*number))].panic;
        part.iter().copied().filter(|number| panics(number) || eligible.contains(number)).collect()
    }

    /// Whether an instance has come and is not leaving.
    pub(super) fn takes_part(&self, number: u32, now: Nanos) -> bool {
        self.member[number as usize] && self.balancing.takes_part(number, now)
    }

    /// Whether an instance may be chosen, as far as is known of it.
    pub(super) fn may_be_chosen(&self, number: u32, now: Nanos) -> bool {
        let healthy = match &self.health {
            Some(health) => health.believes(number),
            None => self.up[number as usize],
        };
        healthy
            && self.takes_part(number, now)
            && !self.outliers.as_ref().is_some_and(|outliers| outliers.ejects(number))
    }

    /// The weight of an instance now; notes when slow starts must be looked at again.
    pub(super) fn weight(&mut self, number: u32, now: Nanos) -> f64 {
        let weight = self.balancing.weight(number);
        let joins = &self.balancing.joins;
        let joined = joins.iter().find(|change| change.instance == number).map(|change| change.at.as_nanos());
        let came = self.came[number as usize].or(joined.filter(|joined| *joined <= now));
        let (Some(slow), Some(came)) = (&self.balancing.slow_start, came) else { return weight };
        if now - came >= slow.window.as_nanos() {
            self.came[number as usize] = None;
            return weight;
        }
        self.slow_next = Some(now + slow.step());
        weight * slow.factor(now - came)
    }
}
