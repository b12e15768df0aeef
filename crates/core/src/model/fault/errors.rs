//! Calls that fail as soon as they arrive.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, OnCall, Targets, Upon};
use crate::engine::random::{Draw, unit};
use crate::quantity::Share;

/// Calls that fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorsSpec {
    /// Whose.
    pub target: Targets,
    /// How many of them.
    pub share: Share,
}

impl ErrorsSpec {
    /// The kind.
    pub(super) fn kind(&self) -> Kind<'_> {
        Kind::new("errors", &self.target, vec![Effect::Calls(Arc::new(Errors(self.share.fraction())))]).at("target")
    }
}

/// This share of the calls fails.
#[derive(Debug)]
pub struct Errors(pub f64);

impl OnCall for Errors {
    fn upon(&self, draw: &mut Draw, _: &dyn Fn(&str) -> bool) -> Upon {
        if unit(draw) < self.0 { Upon::Fails } else { Upon::Late(0.0) }
    }
}
