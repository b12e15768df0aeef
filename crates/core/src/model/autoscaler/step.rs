//! Step scaling, as AWS Application Auto Scaling has it.
//!
//! An alarm is on while a metric per instance has been beyond its threshold for some periods in a row; how far beyond it is chooses the
//! step. `change` is a number of instances or a percentage; fractions of a percentage round away from zero below 1 and towards zero
//! above, as documented. During a cooldown only a greater scale-out follows; scaling in waits for it, and a scale-out ends it.
//!
//! Source: AWS, "Step scaling policies for Application Auto Scaling".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Autoscaler, Metric, View};
use crate::engine::Nanos;
use crate::quantity::Duration;

/// Parameters of step scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StepScaling")]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The metric, per instance.
    pub metric: Metric,
    /// Steps up, by ascending mark: the last whose mark is reached counts.
    #[serde(default)]
    pub up: Vec<StepUp>,
    /// Steps down, by descending mark: the last below whose mark it is counts.
    #[serde(default)]
    pub down: Vec<StepDown>,
    /// A period of the alarms; 60 s if left out.
    #[serde(default = "minute")]
    pub period: Duration,
    /// Periods in a row beyond a mark; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub periods: u32,
    /// How long after a change no other follows, except a greater one up; 300 s if left out.
    #[serde(default = "five_minutes")]
    pub cooldown: Duration,
}

/// A step up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// From this value on.
    pub from: Amount,
    /// By so many instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<u32>,
    /// By this percentage of those wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

/// A step down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDown {
    /// Below this value.
    pub below: Amount,
    /// By so many instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<u32>,
    /// By this percentage of those wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

fn one() -> u32 {
    1
}

/// By how many instances a change goes.
fn change(count: Option<u32>, percent: Option<u32>, wanted: u32) -> u32 {
    let of_all = |percent: u32| {
        let change = f64::from(wanted) * f64::from(percent) / 100.0;
        if change > 0.0 && change < 1.0 { 1 } else { change as u32 }
    };
    count.or_else(|| percent.map(of_all)).unwrap_or(0)
}

impl StepSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let one_of = |key: String, count: Option<u32>, percent: Option<u32>, words: &str| {
            let right = count.is_some() != percent.is_some();
            if right { Ok(()) } else { Err((key, format!("a step has either `{words}` or `percent`"))) }
        };
        let mut last = f64::NEG_INFINITY;
        for (number, step) in self.up.iter().enumerate() {
            let key = format!("step.up[{number}]");
            one_of(key.clone(), step.add, step.percent, "add")?;
            let mark = step.from.of(&self.metric).map_err(|message| (format!("{key}.from"), message))?;
            if mark <= last {
                return Err((key, "steps up come by ascending mark".to_owned()));
            }
            last = mark;
        }
        let mut last = f64::INFINITY;
        for (number, step) in self.down.iter().enumerate() {
            let key = format!("step.down[{number}]");
            one_of(key.clone(), step.remove, step.percent, "remove")?;
            let mark = step.below.of(&self.metric).map_err(|message| (format!("{key}.below"), message))?;
            if mark >= last {
                return Err((key, "steps down come by descending mark".to_owned()));
            }
            last = mark;
        }
        Ok(())
    }
}

/// Step scaling at work.
#[derive(Debug)]
pub struct StepScaling {
    spec: StepSpec,
    /// Periods in a row beyond the first mark up, and down.
    above: u32,
    below: u32,
    /// When it last changed the number, and by how much it went up then.
    last: Option<(Nanos, u32)>,
}

impl StepScaling {
    /// One that has not decided yet.
    pub fn new(spec: &StepSpec) -> Self {
        StepScaling { spec: spec.clone(), above: 0, below: 0, last: None }
    }
}

impl Autoscaler for StepScaling {
    fn every(&self) -> Nanos {
        self.spec.period.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![self.spec.metric.clone()]
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let wanted = view.wanted;
        let metric = &self.spec.metric;
        let Some(value) = view.per_instance(0, metric) else { return wanted };
        let up = self.spec.up.iter().rfind(|step| value >= step.from.value(metric));
        let down = self.spec.down.iter().rfind(|step| value < step.below.value(metric));
        self.above = if up.is_some() { self.above + 1 } else { 0 };
        self.below = if down.is_some() { self.below + 1 } else { 0 };
        let cooling = self.last.filter(|(at, _)| view.now < at.saturating_add(self.spec.cooldown.as_nanos()));
        if let Some(step) = up.filter(|_| self.above >= self.spec.periods) {
            let by = change(step.add, step.percent, wanted);
            if let Some((_, before)) = cooling.filter(|(_, before)| *before > 0) {
                // What was added counts as a part of what is added now.
                if by <= before {
                    return wanted;
                }
                self.last = Some((view.now, by));
                return wanted + by - before;
            }
            self.last = Some((view.now, by));
            return wanted + by;
        }
        if let Some(step) = down.filter(|_| self.below >= self.spec.periods && cooling.is_none()) {
            self.last = Some((view.now, 0));
            return wanted - change(step.remove, step.percent, wanted).min(wanted);
        }
        wanted
    }
}
