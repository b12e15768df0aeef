//! What surrounds a balancing policy: how many balancers there are and what each of them knows of load and health.
//!
//! One file per mechanism; each is told what it could observe and when, and answers which instances may be chosen, with what
//! weight. None of them acts by itself: they are brought up to date before a choice.

pub mod health;
pub mod latencies;
pub mod levels;
pub mod outliers;
pub mod slow_start;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::model::balancer::By;
use crate::quantity::{Duration, Share};

/// How a service's calls are balanced, beside the policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Balancing {
    /// How many balancers there are, each with its own view; 1 if left out. A calling instance always uses the same one, a
    /// client's requests any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub count: Option<u32>,
    /// How many calls each balancer may have in flight; those beyond fail at once, as rejected (Envoy's circuit breaker
    /// `max_requests`, 1024 there). Without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub connections: Option<u32>,
    /// The priority levels of instance 0, 1, …; one level if left out. A shorter list is repeated. The instances of the first
    /// level, 0, get all calls while enough of them are healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 0, max = 15)))]
    pub levels: Vec<u8>,
    /// A level counts as wholly healthy while the share of its instances that are, times this, is 1 or more; 1.4 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub overprovisioning: Option<f64>,
    /// What a balancer knows of the calls in flight; its `own` if left out.
    #[serde(default)]
    pub load: Load,
    /// Counts how many calls about the same key or of the same user go to another instance than the one before
    /// (`calls.elsewhere`, `calls.moved`); nothing is counted if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<By>,
    /// Instances that come later: each gets no call before its time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<Change>,
    /// Instances that go: each gets no call from its time on, and ends what it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drains: Vec<Change>,
    /// The weights of instance 0, 1, …; all 1 if left out. A shorter list is repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Active health checks; without them all balancers know at once who is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<health::Parameters>,
    /// Instances that fail several times in a row are left alone for a while; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outliers: Option<outliers::Parameters>,
    /// If fewer than this share of the instances may be chosen, all are, whatever is known of them; 50% if left out. Only with
    /// `health` or `outliers`. With `levels` only if these are not healthy together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic: Option<Share>,
    /// An instance that comes back gets its share of the calls step by step; at once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<slow_start::Parameters>,
}

/// An instance that comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MemberChange")]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its number, from 0.
    pub instance: u32,
    /// When, from the start of the run.
    pub at: Duration,
}

/// What a balancer knows of the calls in flight at the instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Those that it has sent itself.
    #[default]
    Own,
    /// Those of all balancers at every moment; an oracle if there are several.
    Shared,
    /// Those of all balancers, as they were at the last of these reports.
    Reported(Duration),
}

impl Balancing {
    /// The weight of an instance.
    pub fn weight(&self, instance: u32) -> f64 {
        if self.weights.is_empty() { 1.0 } else { self.weights[instance as usize % self.weights.len()] }
    }

    /// The level of an instance.
    pub fn level(&self, instance: u32) -> u8 {
        if self.levels.is_empty() { 0 } else { self.levels[instance as usize % self.levels.len()] }
    }

    /// How many levels there are.
    pub fn level_count(&self) -> u32 {
        u32::from(self.levels.iter().max().copied().unwrap_or(0)) + 1
    }

    /// The overprovisioning factor in percent.
    pub fn overprovisioning_percent(&self) -> u32 {
        self.overprovisioning.map_or(140, |factor| (factor * 100.0).round() as u32)
    }

    /// The share of instances below which all are chosen.
    pub fn panic_share(&self) -> f64 {
        match (&self.health, &self.outliers) {
            (None, None) => 0.0,
            _ => self.panic.map_or(0.5, Share::fraction),
        }
    }

    /// Whether an instance takes part at a time, as far as it comes or goes.
    pub fn takes_part(&self, instance: u32, now: Nanos) -> bool {
        let before = |change: &Change| change.instance == instance && now < change.at.as_nanos();
        let after = |change: &Change| change.instance == instance && now >= change.at.as_nanos();
        !self.joins.iter().any(before) && !self.drains.iter().any(after)
    }

    /// The times at which instances come or go [ns], ascending.
    pub fn changes(&self) -> Vec<Nanos> {
        let mut times: Vec<Nanos> = self.joins.iter().chain(&self.drains).map(|change| change.at.as_nanos()).collect();
        times.sort_unstable();
        times
    }

    /// Checks the parameters, for so many instances.
    ///
    /// # Errors
    /// Which of them is wrong, and what is allowed.
    pub fn check(&self, instances: u32) -> Result<(), (&'static str, String)> {
        for (key, changes) in [("joins", &self.joins), ("drains", &self.drains)] {
            if let Some(change) = changes.iter().find(|change| change.instance >= instances) {
                let last = instances.saturating_sub(1);
                return Err((key, format!("there is no instance {}; the last one is {last}", change.instance)));
            }
        }
        if self.count == Some(0) {
            return Err(("count", "at least one balancer is needed".to_owned()));
        }
        if let Some(gap) =
            (0..self.level_count()).find(|level| self.level_count() > 1 && !self.levels.contains(&(*level as u8)))
        {
            return Err(("levels", format!("there is no instance of level {gap}; levels count from 0 without gaps")));
        }
        if self.overprovisioning.is_some() && self.levels.is_empty() {
            return Err(("overprovisioning", "only levels are provisioned; add `levels: [0, 1]`".to_owned()));
        }
        // Balancers of all levels, and of two versions, are numbered together.
        if self.count.unwrap_or(1) * self.level_count() > u32::from(u16::MAX) / 2 {
            return Err(("count", "balancers times levels may be 32767 at most".to_owned()));
        }
        if self.weights.iter().any(|weight| *weight <= 0.0 || !weight.is_finite()) {
            return Err(("weights", "a weight must be above 0".to_owned()));
        }
        if self.load == Load::Reported(Duration::ZERO) {
            return Err(("load", "the time between reports must be longer than 0".to_owned()));
        }
        if self.health.is_some_and(|health| health.interval == Duration::ZERO) {
            return Err(("health", "the time between checks must be longer than 0".to_owned()));
        }
        if self.outliers.is_some_and(|outliers| outliers.interval == Duration::ZERO) {
            return Err(("outliers", "the interval must be longer than 0".to_owned()));
        }
        if self.slow_start.is_some_and(|slow| slow.window == Duration::ZERO || slow.aggression <= 0.0) {
            return Err(("slow_start", "window and aggression must be above 0".to_owned()));
        }
        Ok(())
    }
}
