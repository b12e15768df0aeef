//! What became of the expectations.

use serde::{Deserialize, Serialize};

/// What became of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds, beyond reasonable doubt.
    Held,
    /// The data cannot tell.
    Undecided,
    /// It does not hold, beyond reasonable doubt.
    Failed,
}

impl Verdict {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Undecided => "undecided",
            Verdict::Failed => "failed",
        }
    }
}

/// An expectation and what was measured, at one point or for one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The expectation in words: `shoppers.latency.p95 below 200 ms`.
    pub expectation: String,
    /// Where: the variant and levels, in words; empty if there is only one point.
    pub place: String,
    /// The measured value with its interval, in words: `83 ms ± 2 ms`.
    pub measured: String,
    /// The measured mean in the base unit; `None` if there is none.
    pub mean: Option<f64>,
    /// Half the width of its interval.
    pub half_width: Option<f64>,
    /// The expected value of an `equals`, in the base unit.
    pub expected: Option<f64>,
    /// Why it is expected: a formula or a source.
    pub because: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
}
