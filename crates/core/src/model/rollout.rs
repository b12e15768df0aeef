//! Rollouts: how a new version of a service takes the place of the old one.
//!
//! - **rolling**: instance by instance; at most `surge` more than wanted exist, at least wanted − `unavailable` are ready. Source:
//!   Kubernetes, Deployment `RollingUpdate` (`maxSurge`, `maxUnavailable`; defaults 25 % each, rounded up and down; here numbers, 1 and 0).
//! - **blue/green**: all new instances beside the old ones, then all calls at once. Source: M. Fowler, "BlueGreenDeployment" (2010).
//! - **canary**: shares of the calls step by step, each for a pause. Source: Istio and Argo Rollouts (`setWeight`, `pause`).
//!
//! A version is bad by what it does to the calls at its instances: errors, delay, slow cores. With `abort` the calls that the
//! new version answered are judged every `every`, by their failures, their response times or both; too bad, and it is taken back.
//! Source: Argo Rollouts, analysis with `failureCondition` on an error rate or a percentile of the latency of the canary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// A rollout of a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Rollout")]
#[serde(deny_unknown_fields)]
pub struct RolloutSpec {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// How the new version takes the place of the old one.
    pub strategy: Strategy,
    /// What is different about the new version; nothing if left out.
    #[serde(default)]
    pub version: VersionSpec,
    /// When the new version is taken back; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<AbortSpec>,
}

/// How a new version takes the place of the old one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Instance by instance.
    Rolling(Rolling),
    /// All at once, beside the old ones.
    BlueGreen,
    /// By shares of the calls.
    Canary(Canary),
}

/// Instance by instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rolling {
    /// How many more than wanted may exist; 1 if left out.
    #[serde(default = "one")]
    pub surge: u32,
    /// How many of those wanted may be missing; 0 if left out.
    #[serde(default)]
    pub unavailable: u32,
}

/// By shares of the calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The shares, one after the other; after the last one all calls.
    #[schemars(length(min = 1))]
    pub steps: Vec<Share>,
    /// How long each share stays.
    pub pause: Duration,
}

/// What is different about a new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Version")]
#[serde(deny_unknown_fields)]
pub struct VersionSpec {
    /// The share of its calls that fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Share>,
    /// How much longer its calls take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// What is left of the speed of its cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Share>,
}

/// When a new version is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Abort")]
#[serde(deny_unknown_fields)]
pub struct AbortSpec {
    /// More than this share of the calls that it answered since the last look failed; not looked at if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Share>,
    /// The 95th percentile of the response times of those that succeeded is longer than this; not looked at if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<Duration>,
    /// How often that is looked at; 30 s if left out.
    #[serde(default = "half_minute")]
    pub every: Duration,
    /// Fewer calls than this say nothing yet, and are judged together with the next ones; 20 if left out.
    #[serde(default = "twenty")]
    pub least: u32,
}

fn one() -> u32 {
    1
}

fn twenty() -> u32 {
    20
}

fn half_minute() -> Duration {
    Duration::from_nanos(30_000_000_000)
}

impl RolloutSpec {
    /// How many instances beyond those wanted may exist meanwhile.
    pub fn surge(&self, wanted: u32) -> u32 {
        match &self.strategy {
            Strategy::Rolling(rolling) => rolling.surge,
            Strategy::BlueGreen | Strategy::Canary(_) => wanted,
        }
    }

    /// Whether the calls are split by versions, rather than by instances.
    pub fn splits(&self) -> bool {
        !matches!(self.strategy, Strategy::Rolling(_))
    }

    /// The share of the calls that the new version gets so long after its first instances were ready [ns]; all of them, 1, at the end.
    pub fn share(&self, since: Nanos) -> f64 {
        match &self.strategy {
            Strategy::Canary(canary) => {
                let step = since / canary.pause.as_nanos().max(1);
                canary.steps.get(step as usize).map_or(1.0, |share| share.fraction())
            }
            Strategy::Rolling(_) | Strategy::BlueGreen => 1.0,
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The key that is wrong, what is wrong with it, and what is allowed.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match &self.strategy {
            Strategy::Rolling(Rolling { surge: 0, unavailable: 0 }) => {
                Err(("strategy", "with neither `surge` nor `unavailable` nothing can be replaced"))
            }
            Strategy::Canary(canary) if canary.pause == Duration::ZERO => {
                Err(("strategy.canary.pause", "a step must last longer than 0"))
            }
            Strategy::Canary(canary) if canary.steps.iter().any(|share| share.fraction() <= 0.0) => {
                Err(("strategy.canary.steps", "a share of the calls is more than 0%"))
            }
            _ if self.abort.is_some_and(|abort| abort.failures.is_none() && abort.p95.is_none()) => {
                Err(("abort", "by what is the new version judged? Give `failures`, `p95` or both"))
            }
            _ if self.abort.is_some_and(|abort| abort.every == Duration::ZERO) => {
                Err(("abort.every", "the time between looks must be longer than 0"))
            }
            _ if self.version.speed.is_some_and(|speed| speed.fraction() <= 0.0) => {
                Err(("version.speed", "the cores have some speed: more than 0%"))
            }
            _ => Ok(()),
        }
    }
}
