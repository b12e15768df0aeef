//! A flush: what is cached at the instances is gone, in an instant.

use super::{Effect, Kind, Targets};

/// The kind.
pub(super) fn kind(targets: &Targets) -> Kind<'_> {
    Kind::new("flush", targets, vec![Effect::Flush])
}
