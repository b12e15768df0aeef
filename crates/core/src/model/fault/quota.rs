//! A quota that is cut: the instances accept fewer calls per second than their `quota` says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, Targets};
use crate::quantity::Share;

/// A quota that is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaCutSpec {
    /// Whose.
    pub target: Targets,
    /// What is left of it, such as `50%`.
    pub left: Share,
}

impl QuotaCutSpec {
    /// The kind.
    pub(super) fn kind(&self) -> Kind<'_> {
        Kind::new("quota", &self.target, vec![Effect::Quota(self.left.fraction())]).at("target")
    }
}
