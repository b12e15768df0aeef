//! A gray failure: instances work slowly, which balancers do not notice by themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, Targets};
use crate::quantity::Share;

/// Instances that work slowly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowSpec {
    /// Which.
    pub target: Targets,
    /// What is left of their speed, such as `10%`.
    pub speed: Share,
    /// The resource that is slow, such as `cpu`; all that are shared if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl SlowSpec {
    /// The kind.
    pub(super) fn kind(&self) -> Kind<'_> {
        let effect = Effect::Slow { resource: self.resource.clone(), speed: self.speed.fraction() };
        Kind::new("slow", &self.target, vec![effect]).at("target")
    }
}
