//! Effects: the few things that faults do to instances, links and calls. A kind of fault is a list of them.

use std::fmt::Debug;
use std::sync::Arc;

use crate::engine::random::Draw;
use crate::engine::time::Nanos;

/// Something that a fault does. What lasts is taken back when the fault leaves.
#[derive(Debug, Clone)]
pub enum Effect {
    /// The instance gets no calls; lasts. With a notice it begins with that.
    Close,
    /// The fleet of the instance is told that its machine will be taken away, in an instant; with the notice.
    Announce,
    /// The instance dies with all that is in flight there, in an instant.
    Kill,
    /// The machine of the instance is gone, in an instant; a fleet gets another one.
    TakeAway,
    /// The instance stands still; lasts.
    Hang,
    /// A sharing station of the instance, or all, is slow; lasts.
    Slow {
        /// The station's name; all if `None`.
        resource: Option<String>,
        /// What is left of its speed, from 0 to 1.
        speed: f64,
    },
    /// This much of the instance's quota is left, from 0 to 1; lasts.
    Quota(f64),
    /// What is cached at the instance is gone, in an instant.
    Flush,
    /// Something happens to calls that arrive at the instance; lasts.
    Calls(Arc<dyn OnCall>),
    /// A link is worse than usual; lasts.
    Strain(Strain),
}

impl Effect {
    /// Whether nothing of it is left after its instant.
    pub fn is_instant(&self) -> bool {
        matches!(self, Effect::Announce | Effect::Kill | Effect::TakeAway | Effect::Flush)
    }

    /// Whether it begins when the fault is announced, not when it strikes.
    pub fn begins_with_notice(&self) -> bool {
        matches!(self, Effect::Close | Effect::Announce)
    }
}

/// What a fault does to the calls that arrive at an instance.
pub trait OnCall: Debug + Send + Sync {
    /// What becomes of one call; `draw` is its own, and `is_from` tells whether its caller has a name.
    fn upon(&self, draw: &mut Draw, is_from: &dyn Fn(&str) -> bool) -> Upon;
}

/// What becomes of a call that arrives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Upon {
    /// It comes so much later [ns]; 0 if nothing happens to it.
    Late(f64),
    /// It fails at once.
    Fails,
    /// It gets nowhere as long as the fault lasts.
    Stuck,
}

/// What weighs on a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strain {
    /// The probability that a message is lost for it.
    pub loss: f64,
    /// Further latency [ns].
    pub delay: Nanos,
    /// What is left of the bandwidth, from 0 to 1.
    pub speed: f64,
}

impl Strain {
    /// Nothing.
    pub const NONE: Strain = Strain { loss: 0.0, delay: 0, speed: 1.0 };

    /// Both at once: a message must survive both, delays add up, speeds multiply.
    pub fn and(self, other: Strain) -> Strain {
        Strain {
            loss: 1.0 - (1.0 - self.loss) * (1.0 - other.loss),
            delay: self.delay.saturating_add(other.delay),
            speed: self.speed * other.speed,
        }
    }
}
