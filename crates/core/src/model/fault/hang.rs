//! Instances that hang: nothing goes on there, and balancers do not notice.

use super::{Effect, Kind, Targets};

/// The kind.
pub(super) fn kind(targets: &Targets) -> Kind<'_> {
    Kind::new("hang", targets, vec![Effect::Hang])
}
