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
use super::program::Demand;
use super::rollout::RolloutSpec;
use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// What it takes for an instance to come and to go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Life")]
#[serde(deny_unknown_fields)]
pub struct LifeSpec {
    /// How long it takes until its machine is there; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Random<Duration>>,
    /// How long it takes to pull its image; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Random<Duration>>,
    /// How long its process takes until it is ready; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Random<Duration>>,
    /// How slow it is at first; as fast as ever if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUpSpec>,
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
    /// Who decides how many there are; nobody does if there is none.
    pub autoscaler: Option<AutoscalerSpec>,
    /// A new version that comes.
    pub rollout: Option<RolloutSpec>,
}

/// The grace of an instance that leaves, if nothing is said [ns].
pub const GRACE: Nanos = 30_000_000_000;
