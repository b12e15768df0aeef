//! Faults: what happens to a system from outside.
//!
//! A fault has times (once, regularly, or at random by the times between failures and to repair), targets (services or
//! single instances, all of them or a random share), and a kind. Faults of any kinds may overlap at an instance.
//!
//! Limits: a fault acts on instances, links and calls, never on single requests that are already under way, except
//! that a crash ends them and that a slow or hung instance holds them up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::{Distribution, Random};
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// A fault: `{ at: 2min, crash: shop/2, for: 20s }`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// When it begins, from the start of the run (the warm-up included); or give `mtbf` and `mttr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// How long it lasts; to the end of the run if left out.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Duration>,
    /// It comes again after this time, counted from its beginning; only once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// The time from the start of the run, or from a repair, to the next failure. Each instance fails by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtbf: Option<Random<Duration>>,
    /// The time to repair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mttr: Option<Random<Duration>>,
    /// Strikes only this share of the targets' instances, chosen at random each time (at least one); all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The instances die with all that is in flight there and come back empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<Targets>,
    /// Nothing goes on at the instances: what is under way there stops at its next step, and so does what arrives. Balancers do
    /// not notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang: Option<Targets>,
    /// The instances get no new calls for the time of `notice`; then they die.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Targets>,
    /// How long before its death a spot instance is told; 2 min if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Duration>,
    /// The instances work slowly, which balancers do not notice by themselves (a gray failure).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<SlowSpec>,
    /// Calls fail as soon as they arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorsSpec>,
    /// Calls take longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencySpec>,
    /// Messages are lost and sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossSpec>,
    /// Nobody can reach the services or instances: calls fail at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Targets>,
    /// Calls from one set to another get nowhere until the network heals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionSpec>,
    /// A link loses messages, becomes slow or narrow, in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkFaultSpec>,
    /// What is cached at the instances is gone, in an instant; there is no `for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flush: Option<Targets>,
    /// The instances accept fewer calls per second than their `quota` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaCutSpec>,
}

/// What a fault strikes: `shop` (all instances), `shop/2` (one, counted from 0), or a list of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Targets {
    /// One service or instance.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Targets {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Targets::One(name) => std::slice::from_ref(name),
            Targets::Many(names) => names,
        }
    }
}

/// Instances that work slowly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowSpec {
    /// Which.
    pub target: Targets,
    /// What is left of their speed, such as `10%`.
    pub speed: Share,
    /// The resource that is slow, such as `cpu`; all that are shared if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// Calls that fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorsSpec {
    /// Whose.
    pub target: Targets,
    /// How many of them.
    pub share: Share,
}

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

/// A network that is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// The calling services and clients.
    pub from: Targets,
    /// The services that they cannot reach.
    pub to: Targets,
}

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

/// A quota that is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaCutSpec {
    /// Whose.
    pub target: Targets,
    /// What is left of it, such as `50%`.
    pub left: Share,
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

/// A fault ready for use.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultPlan {
    /// What is said of it, such as `crash shop/2`.
    pub label: String,
    /// When it comes and goes.
    pub times: Times,
    /// The instances it may strike: service, number.
    pub targets: Vec<(u32, u32)>,
    /// The links it strikes, by number.
    pub links: Vec<u32>,
    /// How many of its instances it strikes at a time, from 0 to 1.
    pub share: f64,
    /// What it does.
    pub kind: Kind,
}

/// When a fault comes and goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// By the clock [ns].
    Scheduled {
        /// When it first begins.
        at: Nanos,
        /// How long it lasts; to the end if `None`.
        lasting: Option<Nanos>,
        /// After how long it begins again.
        every: Option<Nanos>,
    },
    /// By chance.
    Random {
        /// Until the next failure.
        mtbf: Distribution,
        /// Until it is repaired.
        mttr: Distribution,
    },
}

/// What a fault does to its targets.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// They die.
    Crash,
    /// They stand still.
    Hang,
    /// They get no new calls for this time [ns], and then die.
    Spot(Nanos),
    /// A sharing station of theirs, or all, has this much of its speed.
    Slow(Option<String>, f64),
    /// This share of the calls fails.
    Errors(f64),
    /// This share of the calls is late.
    Latency(Distribution, f64),
    /// This share of the messages is lost, and sent again after this time [ns].
    Loss(f64, Nanos),
    /// They cannot be reached.
    Outage,
    /// They cannot be reached from these services and clients, by name.
    Partition(Vec<String>),
    /// A link is worse than usual.
    Link(Strain),
    /// What they have cached is gone.
    Flush,
    /// This much of their quota is left.
    Quota(f64),
}
