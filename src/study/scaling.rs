//! How throughput grew with what was swept.

use serde::{Deserialize, Serialize};

/// How a variant scales with a swept key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The variant; empty if there are none.
    pub variant: String,
    /// The swept key.
    pub key: String,
    /// The throughput that is meant, such as `users.goodput`.
    pub metric: String,
    /// The levels.
    pub steps: Vec<Step>,
    /// The law, fitted through the levels at which the system was the limit; `None` if there are fewer than three.
    pub law: Option<Law>,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// How many: n.
    pub n: f64,
    /// X(n) [1/s].
    pub throughput: f64,
    /// X(n)/n as a multiple of that of the least n.
    pub efficiency: f64,
    /// Whether the system was the limit: more was asked than was done.
    pub is_limit: bool,
}

/// The Universal Scalability Law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// γ: the throughput of one [1/s].
    pub gamma: f64,
    /// α: contention.
    pub alpha: f64,
    /// β: coherency.
    pub beta: f64,
    /// Where throughput is greatest; `None` if it never falls.
    pub peak: Option<f64>,
    /// The greatest deviation of the fit from a level, as a share.
    pub deviation: f64,
}
