//! Two studies side by side.

use serde::{Deserialize, Serialize};

use super::Estimate;
use super::insight::{Judgement, Ratio};
use crate::quantity::Unit;

/// A comparison of two studies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name of the first.
    pub first: String,
    /// The name of the second.
    pub second: String,
    /// Whether both met the same requests.
    pub paired: bool,
    /// Changes up to this share are no difference.
    pub within: f64,
    /// The comparisons, point by point.
    pub rows: Vec<Row>,
    /// Points that only one of them has.
    pub alone: Vec<String>,
}

/// One metric at one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The point, in words; empty if there is only one.
    pub place: String,
    /// The metric.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// Its value in the first study.
    pub first: Estimate,
    /// Its value in the second.
    pub second: Estimate,
    /// Second ÷ first; `None` if the first is zero or too uncertain.
    pub ratio: Option<Ratio>,
    /// The probability of so great a difference by chance, corrected.
    pub p: f64,
    /// What is said of the second.
    pub judgement: Judgement,
    /// How many times fewer replications the pairing needed.
    pub variance_reduction: Option<f64>,
}
