//! A network that is cut: calls from one set to another get nowhere until it heals.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, OnCall, Targets, Upon};
use crate::engine::random::Draw;

/// A network that is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// The calling services and clients.
    pub from: Targets,
    /// The services that they cannot reach.
    pub to: Targets,
}

impl PartitionSpec {
    /// The kind.
    pub(super) fn kind(&self) -> Kind<'_> {
        let cut = Effect::Calls(Arc::new(Cut(self.from.names().to_vec())));
        Kind { callers: Some(&self.from), ..Kind::new("partition", &self.to, vec![cut]).at("to") }
    }
}

/// Calls of these services and clients get nowhere.
#[derive(Debug)]
struct Cut(Vec<String>);

impl OnCall for Cut {
    fn upon(&self, _: &mut Draw, is_from: &dyn Fn(&str) -> bool) -> Upon {
        if self.0.iter().any(|name| is_from(name)) { Upon::Stuck } else { Upon::Late(0.0) }
    }
}
