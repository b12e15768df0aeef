//! The CPU of an instance, as written in a model file: what else it has besides cores.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::distribution::Random;
use crate::model::station;
use crate::quantity::{Cores, Duration, Share};

/// Who gets a core when there are more tasks than cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// All in turns: the cores are shared evenly, at most one core each.
    #[default]
    Sharing,
    /// First come, first served: whoever has a core keeps it until its work is done.
    Fcfs,
}

/// A CPU quota as containers have it: so much CPU time in every period, and none beyond until the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum QuotaSpec {
    /// So many cores, per 100 ms.
    Cores(Cores),
    /// So many cores, and the period.
    Full(QuotaPeriod),
}

/// A CPU quota with its period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaPeriod {
    /// Cores that may be busy on average over each period: the limit of a container.
    pub cores: Cores,
    /// The period; 100 ms if left out, as in Linux and Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Duration>,
}

impl QuotaSpec {
    /// The period of Linux' bandwidth control and of Kubernetes.
    const PERIOD: Duration = Duration::from_nanos(100_000_000);

    /// Cores and period.
    pub fn parts(&self) -> (Cores, Duration) {
        match self {
            QuotaSpec::Cores(cores) => (*cores, Self::PERIOD),
            QuotaSpec::Full(QuotaPeriod { cores, period }) => (*cores, period.unwrap_or(Self::PERIOD)),
        }
    }
}

/// The cost of switching between tasks when there are more than cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextSwitch {
    /// Time that one switch takes; 5 us if left out: the switch itself. Caches that have to be filled again can make it many
    /// times that.
    #[serde(default = "ContextSwitch::cost")]
    pub cost: Duration,
    /// Time in which every task should have its turn; 6 ms if left out, as in Linux.
    #[serde(default = "ContextSwitch::period")]
    pub period: Duration,
    /// The shortest turn; 0.75 ms if left out, as in Linux.
    #[serde(default = "ContextSwitch::granularity")]
    pub granularity: Duration,
}

impl ContextSwitch {
    fn cost() -> Duration {
        Duration::from_nanos(5_000)
    }

    fn period() -> Duration {
        Duration::from_nanos(6_000_000)
    }

    fn granularity() -> Duration {
        Duration::from_nanos(750_000)
    }

    /// What the station needs of it.
    pub fn plan(&self) -> station::Switching {
        let nanos = |time: Duration| time.as_nanos() as f64;
        station::Switching {
            cost: nanos(self.cost),
            period: nanos(self.period),
            granularity: nanos(self.granularity).max(1.0),
            threads: f64::INFINITY,
        }
    }
}

/// How n that work at once slow each other down, by the Universal Scalability Law: together they do the work of
/// n / (1 + α(n−1) + βn(n−1)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentionSpec {
    /// α, contention: the share of the work that only one can do at a time; 0 % if left out.
    #[serde(default)]
    pub alpha: Share,
    /// β, coherency: what each pair costs to be kept consistent; 0 % if left out.
    #[serde(default)]
    pub beta: Share,
}

impl ContentionSpec {
    /// What the station needs of it.
    pub fn plan(&self) -> station::Contention {
        station::Contention { alpha: self.alpha.fraction(), beta: self.beta.fraction() }
    }
}

/// A noisy neighbor: another machine on the same host takes a part of the cores, now and then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StealSpec {
    /// The part of every core that it takes while it is busy.
    pub share: Share,
    /// How long it is busy at a time.
    pub busy: Random<Duration>,
    /// How long it is quiet in between; every instance begins with a quiet time.
    pub quiet: Random<Duration>,
}
