//! Messages that are lost and sent again, after twice the time each further time.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Effect, Kind, OnCall, Targets, Upon};
use crate::engine::random::{Draw, unit};
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// 200 ms, Linux's least retransmission timeout of TCP [ns].
const RESEND: Nanos = 200_000_000;

/// The most times that a message is lost in a row.
const MOST: u32 = 16;

/// Messages that are lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LossSpec {
    /// On the way to whom.
    pub target: Targets,
    /// How many of them, each time they are sent.
    pub share: Share,
    /// How long until a lost message is sent again, and twice as long each further time; 200 ms (Linux's least TCP
    /// retransmission timeout) if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend: Option<Duration>,
}

impl LossSpec {
    /// The kind.
    pub(super) fn kind(&self) -> Kind<'_> {
        let resend = self.resend.map_or(RESEND, Duration::as_nanos).max(1);
        let loss = Loss { share: self.share.fraction(), resend: resend as f64 };
        Kind::new("loss", &self.target, vec![Effect::Calls(Arc::new(loss))]).at("target")
    }
}

/// This share of the messages is lost, and sent again after `resend` [ns].
#[derive(Debug)]
struct Loss {
    share: f64,
    resend: f64,
}

impl OnCall for Loss {
    fn upon(&self, draw: &mut Draw, _: &dyn Fn(&str) -> bool) -> Upon {
        let (mut late, mut again) = (0.0, self.resend);
        for _ in 0..MOST {
            if unit(draw) >= self.share {
                break;
            }
            late += again;
            again *= 2.0;
        }
        Upon::Late(late)
    }
}
