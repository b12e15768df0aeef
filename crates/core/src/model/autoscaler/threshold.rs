//! Thresholds: a few more when a metric has been above a mark for a while, a few less when it has been below another.
//!
//! With one rule per direction this is the scaler of a worker pool: every 10 s one more if more than 10 requests wait per worker, one less
//! if fewer than 2 do. With several rules and hold times it is what people say in interviews: more if *any* rule has held for its
//! time, less if *all* have; one at a time, with a cooldown between changes. Own rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Autoscaler, Metric, View};
use crate::engine::Nanos;
use crate::quantity::Duration;

/// Parameters of threshold scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ThresholdScaling")]
#[serde(deny_unknown_fields)]
pub struct ThresholdSpec {
    /// How often it looks; 10 s if left out.
    #[serde(default = "ten_seconds")]
    pub every: Duration,
    /// It adds instances if one of these has held for its time.
    #[serde(default)]
    pub up: Vec<Above>,
    /// It takes instances away if all of these have held for their times.
    #[serde(default)]
    pub down: Vec<Below>,
    /// How many at a time; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000))]
    pub by: u32,
    /// How long after a change no other follows; not at all if left out.
    #[serde(default)]
    pub cooldown: Duration,
}

/// A metric per instance is above a mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// The metric, per instance.
    pub metric: Metric,
    /// The mark.
    pub above: Amount,
    /// For how long; at the moment of looking if left out.
    #[serde(rename = "for", default)]
    pub hold: Duration,
}

/// A metric per instance is below a mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Below {
    /// The metric, per instance.
    pub metric: Metric,
    /// The mark.
    pub below: Amount,
    /// For how long; at the moment of looking if left out.
    #[serde(rename = "for", default)]
    pub hold: Duration,
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

fn one() -> u32 {
    1
}

impl ThresholdSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let at = |key: &str, number: usize, mark: &str| format!("threshold.{key}[{number}].{mark}");
        for (number, rule) in self.up.iter().enumerate() {
            rule.above.of(&rule.metric).map_err(|message| (at("up", number, "above"), message))?;
        }
        for (number, rule) in self.down.iter().enumerate() {
            rule.below.of(&rule.metric).map_err(|message| (at("down", number, "below"), message))?;
        }
        Ok(())
    }
}

/// Thresholds at work.
#[derive(Debug)]
pub struct Threshold {
    spec: ThresholdSpec,
    /// Per rule, up and then down: since when it holds.
    since: Vec<Option<Nanos>>,
    last: Option<Nanos>,
}

impl Threshold {
    /// One that has not decided yet.
    pub fn new(spec: &ThresholdSpec) -> Self {
        Threshold { since: vec![None; spec.up.len() + spec.down.len()], spec: spec.clone(), last: None }
    }
}

impl Autoscaler for Threshold {
    fn every(&self) -> Nanos {
        self.spec.every.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        let up = self.spec.up.iter().map(|rule| rule.metric.clone());
        up.chain(self.spec.down.iter().map(|rule| rule.metric.clone())).collect()
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let now = view.now;
        let (ups, spec) = (self.spec.up.len(), &self.spec);
        let holds = |number: usize| -> bool {
            if number < ups {
                let Above { metric, above, .. } = &spec.up[number];
                view.per_instance(number, metric).is_some_and(|value| value > above.value(metric))
            } else {
                let Below { metric, below, .. } = &spec.down[number - ups];
                view.per_instance(number, metric).is_some_and(|value| value < below.value(metric))
            }
        };
        for number in 0..self.since.len() {
            self.since[number] = if holds(number) { self.since[number].or(Some(now)) } else { None };
        }
        let held =
            |number: usize, hold: Duration| self.since[number].is_some_and(|since| now - since >= hold.as_nanos());
        let up = spec.up.iter().enumerate().any(|(number, rule)| held(number, rule.hold));
        let down =
            !spec.down.is_empty() && spec.down.iter().enumerate().all(|(number, rule)| held(ups + number, rule.hold));
        if self.last.is_some_and(|last| now < last.saturating_add(spec.cooldown.as_nanos())) {
            return view.wanted;
        }
        let [least, most] = view.bounds;
        let wanted = match (up, down) {
            (true, _) => (view.wanted + spec.by).min(most.max(view.wanted)),
            (false, true) => view.wanted - spec.by.min(view.wanted.saturating_sub(least)),
            (false, false) => view.wanted,
        };
        if wanted != view.wanted {
            self.last = Some(now);
        }
        wanted
    }
}
