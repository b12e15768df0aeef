//! A link that loses messages, becomes slow or narrow, in both directions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, Strain, Targets, Wrong};
use crate::quantity::{Duration, Share};

/// A link that is worse than usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFaultSpec {
    /// Which, by its name in `links`, such as `shop -> orders` or `default`; or several.
    pub target: Targets,
    /// What is left of its bandwidth, such as `10%`; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Share>,
    /// The share of messages that are lost beside those that are lost anyway; none if left out. Requests and replies are sent
    /// again as the link's `retransmit` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Share>,
    /// How much longer messages are on their way; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
}

impl LinkFaultSpec {
    /// The kind.
    ///
    /// # Errors
    /// If nothing is wrong with the link.
    pub(super) fn kind(&self) -> Result<Kind<'_>, Wrong> {
        let strain = Strain {
            loss: self.loss.map_or(0.0, |loss| loss.fraction()),
            delay: self.latency.map_or(0, Duration::as_nanos),
            speed: self.bandwidth.map_or(1.0, |left| left.fraction()),
        };
        if strain == Strain::NONE {
            let message = "what is wrong with the link? Give `bandwidth`, `loss` or `latency`";
            return Err(Wrong::new("link", message));
        }
        Ok(Kind::new("link", &self.target, vec![Effect::Strain(strain)]).at("target"))
    }
}
