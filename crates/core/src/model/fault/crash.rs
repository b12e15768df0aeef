//! A crash: the instances die with all that is in flight there and come back empty.

use super::{Effect, Kind, Targets};

/// The kind.
pub(super) fn kind(targets: &Targets) -> Kind<'_> {
    Kind::new("crash", targets, vec![Effect::Close, Effect::Kill])
}
