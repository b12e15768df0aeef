//! By the clock: so many instances from each of some instants on, over and over again.
//!
//! Source: AWS scheduled actions, KEDA's cron scaler. Times are counted from the start of the run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaler, Metric, View};
use crate::engine::Nanos;
use crate::quantity::Duration;

/// Parameters of scheduled scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScheduledScaling")]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// From when on how many, by ascending time.
    #[schemars(length(min = 1))]
    pub times: Vec<From>,
    /// When it begins anew; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// How often it looks at the clock; 10 s if left out.
    #[serde(default = "ten_seconds")]
    pub check: Duration,
}

/// So many instances from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScheduledNumber")]
#[serde(deny_unknown_fields)]
pub struct From {
    /// From this time after the start of the run, or of the round.
    pub from: Duration,
    /// How many.
    pub instances: u32,
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

impl ScheduleSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        if !self.times.is_sorted_by_key(|time| time.from) {
            return Err(("schedule.times".to_owned(), "the times must be in ascending order".to_owned()));
        }
        if self.every == Some(Duration::ZERO) {
            return Err(("schedule.every".to_owned(), "a round must be longer than 0".to_owned()));
        }
        Ok(())
    }
}

impl Autoscaler for ScheduleSpec {
    fn every(&self) -> Nanos {
        self.check.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let time = self.every.map_or(view.now, |every| view.now % every.as_nanos());
        let due = self.times.iter().rfind(|from| from.from.as_nanos() <= time);
        // Before the first time of a round the last one of the round before holds.
        let due = due.or_else(|| self.every.and(self.times.last()).filter(|_| view.now > time));
        due.map_or(view.wanted, |from| from.instances)
    }
}
