//! Perfect foresight: an oracle, as a bound for all others.
//!
//! It knows the rates of all open clients beforehand and has the fewest instances that carry, at `per_instance` each, the greatest rate
//! between now and `ahead`. Nobody can do with less without breaking the same rule; a real scaler does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaler, Metric, View, enough};
use crate::engine::Nanos;
use crate::quantity::{Duration, Rate};

/// How many points in time it looks at.
const LOOKS: u64 = 50;

/// Parameters of perfect foresight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PerfectForesight")]
#[serde(deny_unknown_fields)]
pub struct PerfectSpec {
    /// How much each instance is to carry.
    pub per_instance: Rate,
    /// How long an instance needs to come; 5 min if left out.
    #[serde(default = "five_minutes")]
    pub ahead: Duration,
    /// How often it decides; 10 s if left out.
    #[serde(default = "ten_seconds")]
    pub every: Duration,
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

fn ten_seconds() -> Duration {
    Duration::from_nanos(10_000_000_000)
}

impl PerfectSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        if self.per_instance.per_second() > 0.0 {
            Ok(())
        } else {
            Err(("perfect.per_instance".to_owned(), "it must be above 0".to_owned()))
        }
    }
}

impl Autoscaler for PerfectSpec {
    fn every(&self) -> Nanos {
        self.every.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let reach = self.ahead.as_nanos().saturating_add(self.every.as_nanos());
        let rates = (0..=LOOKS).map(|look| (view.future)(view.now.saturating_add(reach / LOOKS * look)));
        enough(rates.fold(0.0, f64::max), self.per_instance.per_second())
    }
}
