//! By the past: what was asked for a period ago (yesterday, last week) at the time at which an instance started now would be ready.
//!
//! The number is that for the greater of the prediction and the present rate, so that a day unlike the last one is still followed, late.
//! In the first period there is only the present. Source: the idea of AWS predictive scaling; the method is the seasonal naive forecast
//! (R. Hyndman and G. Athanasopoulos, *Forecasting: Principles and Practice*, § 5.2).

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaler, Metric, View, enough};
use crate::engine::Nanos;
use crate::quantity::{Duration, Rate, Share};

/// Parameters of predictive scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PredictiveScaling")]
#[serde(deny_unknown_fields)]
pub struct PredictiveSpec {
    /// After how long the curve repeats.
    pub period: Duration,
    /// How much each instance is to carry.
    pub per_instance: Rate,
    /// How far it looks ahead: the time an instance needs to come; 5 min if left out.
    #[serde(default = "five_minutes")]
    pub ahead: Duration,
    /// How much more than predicted it prepares for; 10% if left out.
    #[serde(default = "tenth")]
    pub headroom: Share,
    /// How often it decides; 60 s if left out.
    #[serde(default = "minute")]
    pub every: Duration,
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

fn tenth() -> Share {
    Share::from_fraction(0.1).unwrap_or_default()
}

impl PredictiveSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, message: &str| Err((format!("predictive.{key}"), message.to_owned()));
        if self.per_instance.per_second() <= 0.0 {
            return wrong("per_instance", "it must be above 0");
        }
        if self.ahead >= self.period {
            return wrong("ahead", "it cannot look further ahead than a period");
        }
        Ok(())
    }
}

/// Predictive scaling at work.
#[derive(Debug)]
pub struct Predictive {
    spec: PredictiveSpec,
    /// Rates of the past period, by the time of each decision.
    past: VecDeque<(Nanos, f64)>,
}

impl Predictive {
    /// One that has seen nothing.
    pub fn new(spec: &PredictiveSpec) -> Self {
        Predictive { spec: spec.clone(), past: VecDeque::new() }
    }

    /// The greatest rate between now and `ahead`, a period ago.
    fn predicted(&self, now: Nanos) -> Option<f64> {
        let from = now.checked_sub(self.spec.period.as_nanos())?;
        let until = from + self.spec.ahead.as_nanos();
        let then = self.past.iter().filter(|(at, _)| (from..=until).contains(at));
        then.map(|(_, rate)| *rate).reduce(f64::max)
    }
}

impl Autoscaler for Predictive {
    fn every(&self) -> Nanos {
        self.spec.every.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::Requests]
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let Some(rate) = view.readings[0].whole else { return view.wanted };
        let oldest = view.now.saturating_sub(self.spec.period.as_nanos());
        while self.past.front().is_some_and(|(at, _)| *at < oldest) {
            self.past.pop_front();
        }
        let most = self.predicted(view.now).map_or(rate, |predicted| predicted.max(rate));
        self.past.push_back((view.now, rate));
        enough(most * (1.0 + self.spec.headroom.fraction()), self.spec.per_instance.per_second())
    }
}
