//! Queue disciplines: who of those waiting is served next, and who is turned away meanwhile.
//!
//! One file per rule that has a state of its own. The queue itself is a servers station, which asks its discipline. Equal ranks
//! are served in order of arrival.

pub mod codel;
pub mod fair;
pub mod red;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The order of service, as written in a model file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueDiscipline {
    /// In order of arrival.
    #[default]
    Fifo,
    /// The last one first.
    Lifo,
    /// In order of arrival while the queue is short, the last one first while it is long: under overload some requests are then
    /// answered in time instead of none.
    AdaptiveLifo(AdaptiveLifo),
    /// The most important first (`priority` of the client; 0 is the most important).
    Priority(Priority),
    /// Each priority gets its share of the service while requests of several wait.
    WeightedFair(fair::Parameters),
    /// The one that needs the least work, an oracle: nobody knows that beforehand.
    ShortestFirst,
    /// The one whose remaining work is least, interrupting others; an oracle, and the least mean response time there can be.
    ShortestRemaining,
    /// The one whose deadline comes first (earliest deadline first); those without a deadline last.
    Deadline,
    /// In order of arrival, turning requests away while all have waited too long for too long.
    Codel(codel::Parameters),
    /// In order of arrival, turning requests away at random, the more the longer the queue is on average.
    Red(red::Parameters),
}

/// Parameters of adaptive LIFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveLifo {
    /// How many must wait for the order to turn.
    pub threshold: u32,
}

/// Parameters of priorities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Whether a more important request interrupts a less important one, whose work goes on later; no if left out.
    #[serde(default)]
    pub preemptive: bool,
}

/// What happens to a request that finds the queue full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It is turned away.
    #[default]
    Reject,
    /// The one that has waited longest is turned away instead.
    DropOldest,
    /// It waits outside, and its caller with it: as without a limit.
    Block,
}

/// What of a request a discipline ranks it by; less is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankBy {
    /// Nothing.
    Nothing,
    /// Its priority.
    Priority,
    /// Its deadline.
    Deadline,
    /// Its work.
    Work,
    /// A number of its own, to be drawn at random with it.
    Chance,
}

impl QueueDiscipline {
    /// Checks the parameters.
    ///
    /// # Errors
    /// What is wrong with them, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        match self {
            QueueDiscipline::WeightedFair(parameters) => parameters.check(),
            QueueDiscipline::Red(parameters) => parameters.check(),
            QueueDiscipline::Codel(parameters) => parameters.check(),
            _ => Ok(()),
        }
    }

    /// What requests are ranked by.
    pub fn rank_by(&self) -> RankBy {
        match self {
            QueueDiscipline::Priority(_) | QueueDiscipline::WeightedFair(_) => RankBy::Priority,
            QueueDiscipline::ShortestFirst | QueueDiscipline::ShortestRemaining => RankBy::Work,
            QueueDiscipline::Deadline => RankBy::Deadline,
            QueueDiscipline::Red(_) => RankBy::Chance,
            _ => RankBy::Nothing,
        }
    }
}
