//! Spot instances taken away: no new calls from the notice on, then death; a fleet gets another machine.
//!
//! Source of the notice: Amazon EC2, "Spot Instance interruption notices": two minutes.

use super::{Effect, Kind, Targets};
use crate::engine::time::Nanos;
use crate::quantity::Duration;

/// The notice unless the file says otherwise [ns].
const NOTICE: Nanos = 120_000_000_000;

/// The kind, with its notice.
pub(super) fn kind(targets: &Targets, notice: Option<Duration>) -> Kind<'_> {
    let effects = vec![Effect::Close, Effect::Announce, Effect::Kill, Effect::TakeAway];
    Kind { notice: Some(notice.map_or(NOTICE, Duration::as_nanos)), ..Kind::new("spot", targets, effects) }
}
