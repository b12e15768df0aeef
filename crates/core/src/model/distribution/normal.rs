//! The normal distribution, truncated at 0: negative draws are drawn again, so the mean of what is drawn lies above
//! `mean` when the standard deviation is large.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::ziggurat::normal;

/// Mean and standard deviation of the normal before it is truncated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Normal_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The mean.
    pub mean: Q,
    /// The standard deviation.
    pub deviation: Q,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let mean = positive("the mean of a normal", self.mean.amount())?;
        Ok(Distribution::Normal { mean, deviation: self.deviation.amount() })
    }
}

pub(super) fn sample(mean: f64, deviation: f64, random: &mut impl Rng) -> f64 {
    // The mean is positive, so at least every second draw is kept.
    loop {
        let value = mean + deviation * normal(random);
        if value >= 0.0 {
            return value;
        }
    }
}
