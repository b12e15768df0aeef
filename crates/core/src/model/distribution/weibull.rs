//! The Weibull distribution, by mean and shape k: scale = mean / Γ(1 + 1/k); k = 1 is the exponential.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::ziggurat::Exponential;

/// Mean and shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Weibull_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The mean.
    pub mean: Q,
    /// The shape; below 1 the tail is heavier than exponential.
    #[schemars(range(min = 0.1, max = 100.0))]
    pub shape: f64,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let mean = positive("the mean of a Weibull distribution", self.mean.amount())?;
        let inverse_shape = 1.0 / positive("`shape`", self.shape)?;
        Ok(Distribution::Weibull { scale: mean / libm::tgamma(1.0 + inverse_shape), inverse_shape })
    }
}

pub(super) fn sample(scale: f64, inverse_shape: f64, random: &mut impl Rng) -> f64 {
    scale * libm::pow(Exponential::new().sample(random), inverse_shape)
}
