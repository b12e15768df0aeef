//! An outage: nobody can reach the instances, and calls fail at once; what is under way there goes on.

use super::{Effect, Kind, Targets};

/// The kind.
pub(super) fn kind(targets: &Targets) -> Kind<'_> {
    Kind::new("outage", targets, vec![Effect::Close])
}
