//! The gamma distribution, by mean and coefficient of variation c: shape 1/c², scale mean·c².

use rand::Rng;
use rand_distr::Distribution as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};

/// Mean and coefficient of variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Gamma_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The mean.
    pub mean: Q,
    /// The coefficient of variation: standard deviation / mean; 1 is the exponential.
    #[schemars(range(min = 0.001, max = 100.0))]
    pub cv: f64,
}

/// Shape and scale, prepared for sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma(rand_distr::Gamma<f64>);

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let mean = positive("the mean of a gamma distribution", self.mean.amount())?;
        let squared = positive("`cv`", self.cv)? * self.cv;
        let gamma = rand_distr::Gamma::new(1.0 / squared, mean * squared);
        gamma.map(|gamma| Distribution::Gamma(Box::new(Gamma(gamma)))).map_err(|error| error.to_string())
    }
}

impl Gamma {
    pub(super) fn sample(&self, random: &mut impl Rng) -> f64 {
        self.0.sample(random)
    }
}
