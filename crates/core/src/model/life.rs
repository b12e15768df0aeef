//! How an instance comes and goes.
//!
//! absent → pending (its machine is provisioned, its image pulled) → starting → ready → draining → absent. It is paid for from the first
//! moment to the last. A ready one may still be warming up: its cores are slow at first (caches are cold, code is not compiled).
//!
//! Source of the phases and of the grace of 30 s: Kubernetes, "Pod Lifecycle" (`terminationGracePeriodSeconds`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::autoscaler::AutoscalerSpec;
use super::distribution::Random;
use super::nodes::Lodging;
use super::program::Demand;
use super::rollout::RolloutSpec;
use super::vertical::VerticalSpec;
use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// What it takes for an instance to come and to go, and on what it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Life")]
#[serde(deny_unknown_fields)]
pub struct LifeSpec {
    /// How long it takes until its machine is there; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Random<Duration>>,
    /// The pool on whose nodes it runs; a machine of its own if left out. It then waits for a node instead of `provisioning`, and nodes are
    /// what costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<String>,
    /// How long it takes to pull its image; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Random<Duration>>,
    /// How long its process takes until it is ready; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Random<Duration>>,
    /// How slow it is at first; as fast as ever if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUpSpec>,
    /// Whether another one is begun as soon as a spot machine is told that it will be taken away; if not, when it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace_at_notice: bool,
    /// How long an instance that leaves may take to end what it has; what is left then is lost. 30 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Duration>,
}

/// A ready instance that is slow at first: the speed of its cores rises linearly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WarmUp")]
#[serde(deny_unknown_fields)]
pub struct WarmUpSpec {
    /// The speed of its cores when it becomes ready.
    pub from: Share,
    /// How long it takes to full speed.
    pub over: Duration,
}

/// A fleet: the life of a service's instances, and who decides how many there are.
#[derive(Debug, Clone)]
pub struct FleetPlan {
    /// How many run at the start.
    pub start: u32,
    /// The longest parts of a life, in order: provisioning, pulling, starting; no time if there is none.
    pub delays: [Option<Demand>; 3],
    /// How slow instances are at first.
    pub warm_up: Option<WarmUpSpec>,
    /// How long an instance may take to leave [ns].
    pub grace: Nanos,
    /// Whether another one is begun when a spot machine is told that it will be taken away.
    pub replace_at_notice: bool,
    /// Who decides how many there are; nobody does if there is none.
    pub autoscaler: Option<AutoscalerSpec>,
    /// A new version that comes.
    pub rollout: Option<RolloutSpec>,
    /// On which nodes they run, if not on machines of their own.
    pub lodging: Option<Lodging>,
    /// Who decides how large they are; nobody does if there is none.
    pub vertical: Option<VerticalPlan>,
}

/// How the size of a service's instances changes.
#[derive(Debug, Clone)]
pub struct VerticalPlan {
    /// Who decides.
    pub spec: VerticalSpec,
    /// What each requests at the start [cores].
    pub size: f64,
    /// The most cores that its runtime can use at once.
    pub parallel: f64,
    /// The slot of the CPU among the sharing stations.
    pub slot: u16,
}

impl VerticalPlan {
    /// The lanes of the CPU of an instance that requests so many cores.
    pub fn lanes(&self, size: f64) -> f64 {
        (size * self.spec.limit).min(self.parallel)
    }
}

/// The grace of an instance that leaves, if nothing is said [ns].
pub const GRACE: Nanos = 30_000_000_000;
