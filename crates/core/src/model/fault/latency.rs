//! Calls that take longer.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, OnCall, Targets, Upon, Wrong};
use crate::engine::random::{Draw, unit};
use crate::model::distribution::{Distribution, Random, Values};
use crate::quantity::{Duration, Share};

/// Calls that take longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencySpec {
    /// To whom.
    pub target: Targets,
    /// By how much.
    pub add: Random<Duration>,
    /// How many of them; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl LatencySpec {
    /// The kind.
    ///
    /// # Errors
    /// What is wrong with the distribution.
    pub(super) fn kind(&self, files: &dyn Values) -> Result<Kind<'_>, Wrong> {
        let add = self.add.build(files).map_err(|message| Wrong::new("latency.add", message))?;
        let share = self.share.map_or(1.0, |share| share.fraction());
        let effects = vec![Effect::Calls(Arc::new(Latency { add, share }))];
        Ok(Kind::new("latency", &self.target, effects).at("target"))
    }
}

/// This share of the calls is late.
#[derive(Debug)]
pub struct Latency {
    /// By how much [ns].
    pub add: Distribution,
    /// How many of them, from 0 to 1.
    pub share: f64,
}

impl OnCall for Latency {
    fn upon(&self, draw: &mut Draw, _: &dyn Fn(&str) -> bool) -> Upon {
        Upon::Late(if self.share >= 1.0 || unit(draw) < self.share { self.add.sample(draw) } else { 0.0 })
    }
}
