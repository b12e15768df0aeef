//! Faults: what happens to a system from outside.
//!
//! A fault has times (once, regularly, or at random by the times between failures and to repair), targets (services or
//! single instances, all of them or a random share), and a kind: one file here, which says what it does as a list of
//! [`Effect`]s. Faults of any kinds may overlap at an instance.
//!
//! Limits: a fault acts on instances, links and calls, never on single requests that are already under way, except
//! that a crash ends them and that a slow or hung instance holds them up.

mod crash;
mod effect;
mod errors;
mod flush;
mod hang;
mod latency;
mod link;
mod loss;
mod outage;
mod partition;
mod quota;
mod slow;
mod spot;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::{Distribution, Random, Values};
use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};
pub use effect::{Effect, OnCall, Strain, Upon};
pub use errors::{Errors, ErrorsSpec};
pub use latency::{Latency, LatencySpec};
pub use link::LinkFaultSpec;
pub use loss::LossSpec;
pub use partition::PartitionSpec;
pub use quota::QuotaCutSpec;
pub use slow::SlowSpec;

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

impl FaultSpec {
    /// The kind of the fault; what is wrong is noted.
    pub fn kind(&self, files: &dyn Values, wrong: &mut Vec<Wrong>) -> Option<Kind<'_>> {
        let kinds = [
            ("crash", self.crash.as_ref().map(|targets| Ok(crash::kind(targets)))),
            ("hang", self.hang.as_ref().map(|targets| Ok(hang::kind(targets)))),
            ("spot", self.spot.as_ref().map(|targets| Ok(spot::kind(targets, self.notice)))),
            ("slow", self.slow.as_ref().map(|slow| Ok(slow.kind()))),
            ("errors", self.errors.as_ref().map(|errors| Ok(errors.kind()))),
            ("latency", self.latency.as_ref().map(|latency| latency.kind(files))),
            ("loss", self.loss.as_ref().map(|loss| Ok(loss.kind()))),
            ("outage", self.outage.as_ref().map(|targets| Ok(outage::kind(targets)))),
            ("partition", self.partition.as_ref().map(|partition| Ok(partition.kind()))),
            ("link", self.link.as_ref().map(LinkFaultSpec::kind)),
            ("flush", self.flush.as_ref().map(|targets| Ok(flush::kind(targets)))),
            ("quota", self.quota.as_ref().map(|quota| Ok(quota.kind()))),
        ];
        if self.notice.is_some() && self.spot.is_none() {
            wrong.push(Wrong::new("notice", "a notice goes with `spot`"));
        }
        let names = kinds.each_ref().map(|(name, _)| *name).join(", ");
        let mut written = kinds.into_iter().filter_map(|(_, kind)| kind);
        let (Some(kind), None) = (written.next(), written.next()) else {
            wrong.push(Wrong::new("", format!("give exactly one kind of fault: {names}")));
            return None;
        };
        kind.map_err(|what| wrong.push(what)).ok()
    }
}

/// What is wrong with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The key within the fault; empty for the whole.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl Wrong {
    /// That this is wrong with a key.
    pub(super) fn new(key: &str, message: impl Into<String>) -> Self {
        Wrong { key: key.to_owned(), message: message.into() }
    }
}

/// A kind of fault: whom it strikes, and what it does there.
#[derive(Debug)]
pub struct Kind<'s> {
    /// Its name, which is its key.
    pub name: &'static str,
    /// The key of its targets within the fault: `crash`, `slow.target`.
    pub key: String,
    /// Whom it strikes.
    pub targets: &'s Targets,
    /// Whose calls it is about, under the key `from`; anybody's if `None`.
    pub callers: Option<&'s Targets>,
    /// What it does.
    pub effects: Vec<Effect>,
    /// How long before the rest its targets get no more calls [ns].
    pub notice: Option<Nanos>,
}

impl<'s> Kind<'s> {
    /// A kind with nothing but targets.
    fn new(name: &'static str, targets: &'s Targets, effects: Vec<Effect>) -> Self {
        Kind { name, key: name.to_owned(), targets, callers: None, effects, notice: None }
    }

    /// The same with the targets under a key of its own.
    fn at(self, key: &str) -> Self {
        Kind { key: format!("{}.{key}", self.name), ..self }
    }

    /// Whether nothing of it is left after its instant.
    pub fn is_instant(&self) -> bool {
        self.effects.iter().all(Effect::is_instant)
    }

    /// What weighs on its targets, if they are links.
    pub fn strain(&self) -> Option<Strain> {
        self.effects.iter().find_map(|effect| if let Effect::Strain(strain) = effect { Some(*strain) } else { None })
    }
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

/// A fault ready for use.
#[derive(Debug, Clone)]
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
    pub effects: Vec<Effect>,
    /// How long before the rest its targets get no more calls [ns].
    pub notice: Option<Nanos>,
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
