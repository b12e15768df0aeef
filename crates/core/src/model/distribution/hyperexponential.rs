//! The hyperexponential distribution of two branches.
//!
//! By mean and coefficient of variation c > 1 with balanced means (each branch contributes half of the mean):
//! p = (1 + √((c²−1)/(c²+1)))/2, means m/(2p) and m/(2(1−p)). Source: W. Whitt, "Approximating a point process by a
//! renewal process" (1982). Or by the first branch's probability and both means.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::random::unit;
use crate::engine::ziggurat::Exponential;

/// Mean and coefficient of variation, or both branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Hyperexponential_{Q}")]
#[serde(untagged)]
pub enum Parameters<Q> {
    /// Balanced means.
    Balanced(Balanced<Q>),
    /// Both branches given.
    Branches(Branches<Q>),
}

/// Mean and coefficient of variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HyperexponentialBalanced_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Balanced<Q> {
    /// The mean.
    pub mean: Q,
    /// The coefficient of variation, above 1.
    pub cv: f64,
}

/// Both branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HyperexponentialBranches_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Branches<Q> {
    /// The mean of the first branch.
    pub first: Q,
    /// How often the first branch is taken.
    pub share: crate::quantity::Share,
    /// The mean of the second branch.
    pub second: Q,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        match self {
            Parameters::Balanced(Balanced { mean, cv }) => {
                let mean = positive("the mean of a hyperexponential", mean.amount())?;
                if !(*cv > 1.0 && cv.is_finite()) {
                    return Err(format!(
                        "the `cv` of a hyperexponential must be above 1, not {cv}; use gamma or erlang"
                    ));
                }
                let squared = cv * cv;
                let first = 0.5 * (1.0 + libm::sqrt((squared - 1.0) / (squared + 1.0)));
                let means = [mean / (2.0 * first), mean / (2.0 * (1.0 - first))];
                Ok(Distribution::Hyperexponential { first, means })
            }
            Parameters::Branches(Branches { first, share, second }) => Ok(Distribution::Hyperexponential {
                first: share.fraction(),
                means: [positive("`first`", first.amount())?, positive("`second`", second.amount())?],
            }),
        }
    }
}

pub(super) fn sample(first: f64, means: [f64; 2], random: &mut impl Rng) -> f64 {
    let mean = if unit(random) < first { means[0] } else { means[1] };
    mean * Exponential::new().sample(random)
}
