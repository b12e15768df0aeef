//! Target tracking, as AWS Application Auto Scaling has it.
//!
//! One metric per instance is to stay at a target. An alarm above the target (3 periods of 60 s in a row) raises the number in
//! proportion to the excess; an alarm below 90 % of the target (15 periods in a row) lowers it in proportion, cautiously: never below
//! what the target asks for, rounded up. A scale-in waits for the scale-in cooldown; within the scale-out cooldown only more than the last
//! scale-out asked for is added; a scale-out is never held up by a scale-in.
//!
//! Source: AWS, "Target tracking scaling policies for Application Auto Scaling" (behavior of cooldowns and rounding) and the alarms
//! that it makes (`AlarmHigh`: 3 datapoints of 1 minute; `AlarmLow`: 15 datapoints below 90 % of the target). The exact algorithm is not
//! published: proportional steps are documented, their details are our reading.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Autoscaler, Metric, View, enough};
use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// Parameters of target tracking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TargetTracking")]
#[serde(deny_unknown_fields)]
pub struct TargetTrackingSpec {
    /// The metric, per instance.
    pub metric: Metric,
    /// What it should be.
    pub target: Amount,
    /// A period of its alarms; 60 s if left out.
    #[serde(default = "minute")]
    pub period: Duration,
    /// Periods above the target before it scales out; 3 if left out.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000))]
    pub out_after: u32,
    /// Periods below before it scales in; 15 if left out.
    #[serde(default = "fifteen")]
    #[schemars(range(min = 1, max = 1000))]
    pub in_after: u32,
    /// It scales in below this share of the target; 90% if left out.
    #[serde(default = "nine_tenths")]
    pub in_below: Share,
    /// How long a scale-out has to show its effect; 300 s if left out.
    #[serde(default = "five_minutes")]
    pub out_cooldown: Duration,
    /// How long after a change no scale-in follows; 300 s if left out.
    #[serde(default = "five_minutes")]
    pub in_cooldown: Duration,
    /// Whether it never scales in.
    #[serde(default)]
    pub disable_in: bool,
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

fn three() -> u32 {
    3
}

fn fifteen() -> u32 {
    15
}

fn nine_tenths() -> Share {
    Share::from_fraction(0.9).unwrap_or_default()
}

impl TargetTrackingSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        self.target.check("target_tracking.target", &self.metric)
    }
}

/// Target tracking at work.
#[derive(Debug)]
pub struct TargetTracking {
    spec: TargetTrackingSpec,
    target: f64,
    /// Periods in a row above the target, and below its lower mark.
    above: u32,
    below: u32,
    /// When it last scaled out and in.
    out: Option<Nanos>,
    last_in: Option<Nanos>,
    /// How many it asked for when it last scaled out.
    asked: u32,
}

impl TargetTracking {
    /// One that has not decided yet.
    pub fn new(spec: &TargetTrackingSpec) -> Self {
        let target = spec.target.value(&spec.metric);
        TargetTracking { spec: spec.clone(), target, above: 0, below: 0, out: None, last_in: None, asked: 0 }
    }
}

fn cooling(since: Option<Nanos>, cooldown: Duration, now: Nanos) -> bool {
    since.is_some_and(|since| now < since.saturating_add(cooldown.as_nanos()))
}

impl Autoscaler for TargetTracking {
    fn every(&self) -> Nanos {
        self.spec.period.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![self.spec.metric.clone()]
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let (now, wanted) = (view.now, view.wanted);
        let Some(value) = view.per_instance(0, &self.spec.metric) else { return wanted };
        self.above = if value > self.target { self.above + 1 } else { 0 };
        self.below = if value < self.target * self.spec.in_below.fraction() { self.below + 1 } else { 0 };
        let asked = enough(value * f64::from(wanted.max(1)), self.target);
        if self.above >= self.spec.out_after && asked > wanted {
            // Capacity that was added by a scale-out that has not shown its effect yet counts as there.
            if cooling(self.out, self.spec.out_cooldown, now) && asked <= self.asked {
                return wanted;
            }
            (self.out, self.asked) = (Some(now), asked);
            return asked;
        }
        let waits = cooling(self.last_in, self.spec.in_cooldown, now) || cooling(self.out, self.spec.in_cooldown, now);
        if self.below >= self.spec.in_after && asked < wanted && !waits && !self.spec.disable_in {
            self.last_in = Some(now);
            return asked;
        }
        wanted
    }
}
