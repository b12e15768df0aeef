//! Autoscalers: how many instances a service should have.
//!
//! A policy is a small object that is given the time, the instances with their phases, and readings of the metrics it asked
//! for; it returns a wanted number, which its agent bounds by `min` and `max`. It sees nothing else, except those that are named as
//! oracles.
//!
//! Limits: policies scale one service each; machines are a matter of the life of its instances.

pub mod hpa;
pub mod keda;
pub mod metric;
pub mod perfect;
pub mod predictive;
pub mod schedule;
pub mod step;
pub mod target_tracking;
pub mod threshold;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Duration, Share};
pub use metric::{Amount, Metric, Reading};

/// What scales a service, within which bounds, and what it can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Autoscaler")]
#[serde(deny_unknown_fields)]
pub struct AutoscalerSpec {
    /// The fewest instances.
    #[schemars(range(max = 10_000))]
    pub min: u32,
    /// The most instances.
    #[schemars(range(min = 1, max = 10_000))]
    pub max: u32,
    /// How it decides.
    pub policy: Policy,
    /// How often the instances are asked for their metrics; 15 s (metrics-server's resolution) if left out.
    #[serde(default = "quarter_minute")]
    pub scrape: Duration,
    /// The time over which rates, utilizations and percentiles are taken; as long as `scrape` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// How old metrics are when they are seen, beside the scrape interval; not at all if left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lag: Duration,
    /// How busy the cores should be, for the metrics of over- and under-provisioning; 70% if left out.
    #[serde(default = "seventy")]
    pub target: Share,
}

fn quarter_minute() -> Duration {
    Duration::from_nanos(15_000_000_000)
}

fn seventy() -> Share {
    Share::from_fraction(0.7).unwrap_or_default()
}

fn is_zero(duration: &Duration) -> bool {
    *duration == Duration::ZERO
}

/// A scaling policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScalingPolicy")]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The Horizontal Pod Autoscaler of Kubernetes, `autoscaling/v2`.
    Hpa(hpa::HpaSpec),
    /// Target tracking, as AWS has it.
    TargetTracking(target_tracking::TargetTrackingSpec),
    /// Step scaling, as AWS has it.
    Step(step::StepSpec),
    /// A few more above a mark, a few less below another, perhaps only after a while.
    Threshold(threshold::ThresholdSpec),
    /// To zero and back by the events that wait, as KEDA does it.
    Keda(keda::KedaSpec),
    /// By the clock.
    Schedule(schedule::ScheduleSpec),
    /// By what was asked for a period ago, and now.
    Predictive(predictive::PredictiveSpec),
    /// An oracle, as a bound: it knows the rates of all clients beforehand.
    Perfect(perfect::PerfectSpec),
}

/// Where an instance is in its life, as far as an autoscaler can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not running yet: its machine is provisioned, its image pulled.
    Pending,
    /// Running and not ready: it starts, or it has crashed.
    Unready,
    /// Ready.
    Ready,
    /// Leaving.
    Leaving,
}

/// An instance, as an autoscaler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pod {
    /// Where it is in its life.
    pub phase: Phase,
    /// Since when it runs [ns].
    pub started: Nanos,
    /// When it became ready, or not ready, last [ns].
    pub changed: Nanos,
}

/// What a policy is given.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The time [ns].
    pub now: Nanos,
    /// How many instances are wanted now.
    pub wanted: u32,
    /// The fewest and the most.
    pub bounds: [u32; 2],
    /// The instances that exist.
    pub pods: &'a [Pod],
    /// The metrics that it asked for, in their order.
    pub readings: &'a [Reading],
    /// The window of the metrics [ns].
    pub window: Nanos,
    /// For oracles: the rate at which requests come from outside at an instant [1/s].
    pub future: &'a dyn Fn(Nanos) -> f64,
}

impl View<'_> {
    /// The instances that are ready.
    pub fn ready(&self) -> u32 {
        self.pods.iter().filter(|pod| pod.phase == Phase::Ready).count() as u32
    }

    /// A metric per instance: what adds up is divided by the instances that are wanted, others are as they are.
    pub fn per_instance(&self, number: usize, metric: &Metric) -> Option<f64> {
        let whole = self.readings[number].whole?;
        Some(if metric.adds_up() { whole / f64::from(self.wanted.max(1)) } else { whole })
    }
}

/// Decides how many instances there should be.
pub trait Autoscaler: std::fmt::Debug {
    /// How often it decides [ns].
    fn every(&self) -> Nanos;

    /// The metrics it looks at.
    fn metrics(&self) -> Vec<Metric>;

    /// How many there should be; its agent keeps to the bounds.
    fn decide(&mut self, view: &View<'_>) -> u32;
}

impl Policy {
    /// Makes the policy.
    pub fn build(&self) -> Box<dyn Autoscaler> {
        match self {
            Policy::Hpa(spec) => Box::new(hpa::Hpa::new(spec)),
            Policy::TargetTracking(spec) => Box::new(target_tracking::TargetTracking::new(spec)),
            Policy::Step(spec) => Box::new(step::StepScaling::new(spec)),
            Policy::Threshold(spec) => Box::new(threshold::Threshold::new(spec)),
            Policy::Keda(spec) => Box::new(keda::Keda::new(spec)),
            Policy::Schedule(spec) => Box::new(spec.clone()),
            Policy::Predictive(spec) => Box::new(predictive::Predictive::new(spec)),
            Policy::Perfect(spec) => Box::new(spec.clone()),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The key that is wrong, what is wrong with it, and what is allowed.
    pub fn check(&self) -> Result<(), (String, String)> {
        match self {
            Policy::Hpa(spec) => spec.check(),
            Policy::TargetTracking(spec) => spec.check(),
            Policy::Step(spec) => spec.check(),
            Policy::Threshold(spec) => spec.check(),
            Policy::Keda(spec) => spec.check(),
            Policy::Schedule(spec) => spec.check(),
            Policy::Predictive(spec) => spec.check(),
            Policy::Perfect(spec) => spec.check(),
        }
    }
}

impl AutoscalerSpec {
    /// Checks the parameters.
    ///
    /// # Errors
    /// The key that is wrong, what is wrong with it, and what is allowed.
    pub fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, message: &str| Err((key.to_owned(), message.to_owned()));
        if self.min > self.max {
            return wrong("min", "the fewest instances must not be more than the most");
        }
        if self.scrape == Duration::ZERO {
            return wrong("scrape", "the time between scrapes must be longer than 0");
        }
        if self.window.is_some_and(|window| window.as_nanos() % self.scrape.as_nanos() != 0 || window < self.scrape) {
            return wrong("window", "the window must be a multiple of `scrape`");
        }
        if self.target == Share::default() {
            return wrong("target", "the cores must be busy to some extent: more than 0%");
        }
        if self.policy.build().every() == 0 {
            return wrong("policy", "the time between decisions must be longer than 0");
        }
        self.policy.check().map_err(|(key, message)| (format!("policy.{key}"), message))
    }
}

/// The whole number of instances that carry a load of which each carries so much.
pub fn enough(load: f64, each: f64) -> u32 {
    // A load that is a multiple but for rounding is a multiple.
    (load / each - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
