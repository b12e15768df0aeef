//! Event-driven scaling to and from zero, as KEDA has it.
//!
//! KEDA itself moves between 0 and 1: up when the metric is above its activation value, down when it has not been for the cooldown
//! period. Between 1 and the most an HPA with an external metric of that average value decides.
//!
//! Source: KEDA, "Scaling Deployments" and the ScaledObject specification: `pollingInterval` 30 s, `cooldownPeriod` 300 s (from 1 to 0
//! only), `activationThreshold` 0 (active if greater), `minReplicaCount` 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hpa::behavior::Rules;
use super::hpa::{Hpa, HpaMetric, HpaSpec, Quantity};
use super::{Amount, Autoscaler, Metric, View};
use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// Parameters of event-driven scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Keda")]
#[serde(deny_unknown_fields)]
pub struct KedaSpec {
    /// The metric, such as `{ lag: orders.workers }`.
    pub trigger: Metric,
    /// What each instance should have of it (`lagThreshold`, `queueLength`).
    pub target: Amount,
    /// Instances are wanted at all while it is more than this; 0 if left out.
    #[serde(default = "nothing")]
    pub activation: Amount,
    /// How often the metric is polled; 30 s if left out.
    #[serde(default = "half_minute")]
    pub polling: Duration,
    /// How long it must have been inactive before the last instance goes; 300 s if left out.
    #[serde(default = "five_minutes")]
    pub cooldown: Duration,
    /// How often the HPA decides; 15 s if left out.
    #[serde(default = "quarter_minute")]
    pub sync: Duration,
    /// How the HPA may scale up.
    #[serde(default)]
    pub scale_up: Rules,
    /// How the HPA may scale down.
    #[serde(default)]
    pub scale_down: Rules,
}

fn nothing() -> Amount {
    Amount::Number(0.0)
}

fn half_minute() -> Duration {
    Duration::from_nanos(30_000_000_000)
}

fn quarter_minute() -> Duration {
    Duration::from_nanos(15_000_000_000)
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

impl KedaSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        self.target.check("keda.target", &self.trigger)?;
        self.activation.of(&self.trigger).map_err(|message| ("keda.activation".to_owned(), message))?;
        Ok(())
    }
}

/// Event-driven scaling at work.
#[derive(Debug)]
pub struct Keda {
    spec: KedaSpec,
    hpa: Hpa,
    /// The next poll [ns].
    poll: Nanos,
    /// When it was active last.
    active: Option<Nanos>,
}

impl Keda {
    /// One that has not decided yet.
    pub fn new(spec: &KedaSpec) -> Self {
        let target = Quantity::Number(spec.target.value(&spec.trigger));
        let metric =
            HpaMetric { external: Some(spec.trigger.clone()), average_value: Some(target), ..HpaMetric::default() };
        let hpa = Hpa::new(&HpaSpec {
            metrics: vec![metric],
            scale_up: spec.scale_up.clone(),
            scale_down: spec.scale_down.clone(),
            tolerance: Share::from_fraction(0.1).unwrap_or_default(),
            sync: spec.sync,
            cpu_initialization: five_minutes(),
            readiness_delay: half_minute(),
        });
        Keda { spec: spec.clone(), hpa, poll: 0, active: None }
    }
}

impl Autoscaler for Keda {
    fn every(&self) -> Nanos {
        self.spec.sync.as_nanos().min(self.spec.polling.as_nanos())
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![self.spec.trigger.clone()]
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let now = view.now;
        let [least, most] = view.bounds;
        if now >= self.poll {
            self.poll = now.saturating_add(self.spec.polling.as_nanos());
            let active =
                view.readings[0].whole.is_some_and(|value| value > self.spec.activation.value(&self.spec.trigger));
            if active {
                self.active = Some(now);
                if view.wanted == 0 {
                    return least.max(1);
                }
            } else {
                let since = self.active.get_or_insert(now);
                let over = now >= since.saturating_add(self.spec.cooldown.as_nanos());
                if least == 0 && view.wanted > 0 && over {
                    return 0;
                }
            }
        }
        if view.wanted == 0 {
            return 0;
        }
        self.hpa.decide(&View { bounds: [least.max(1), most], ..*view })
    }
}
