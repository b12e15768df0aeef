//! A search for the cheapest setting that meets the expectations.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Verdict};

/// A search and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// The keys that vary.
    pub keys: Vec<String>,
    /// What the cost is counted in.
    pub cost: String,
    /// What was tried, in order.
    pub path: Vec<Trial>,
    /// The cheapest setting that holds, by its number in `path`.
    pub found: Option<usize>,
    /// No setting that costs less than this can hold.
    pub lower_bound: Option<f64>,
    /// Of all settings, how many there are.
    pub settings: usize,
    /// Of these, how many were ruled out without a run.
    pub ruled_out: usize,
    /// Tried settings than which none is both cheaper and better (by the first expectation), by cost.
    pub front: Vec<usize>,
    /// Expectations that could not be used: they are about variants or levels.
    pub left_out: usize,
}

/// A setting that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The values, in the order of the keys.
    pub setting: Vec<String>,
    /// What it costs.
    pub cost: f64,
    /// Whether all expectations hold.
    pub verdict: Verdict,
    /// The expectations one by one.
    pub findings: Vec<Finding>,
    /// Replications that it took.
    pub replications: u64,
}
