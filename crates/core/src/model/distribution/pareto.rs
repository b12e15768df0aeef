//! The Pareto distribution: P(X > x) = (least/x)^shape for x ≥ least; the mean is least·shape/(shape−1) for a shape
//! above 1 and infinite otherwise.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::random::unit_open;

/// Least value and shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Pareto_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The least amount.
    pub least: Q,
    /// The tail exponent, above 1 so that there is a mean.
    #[schemars(range(min = 1.001, max = 1000.0))]
    pub shape: f64,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let least = positive("`least`", self.least.amount())?;
        if !(self.shape > 1.0 && self.shape.is_finite()) {
            return Err(format!("`shape` must be above 1, not {}; use bounded_pareto for heavier tails", self.shape));
        }
        Ok(Distribution::Pareto { least, inverse_shape: 1.0 / self.shape })
    }
}

pub(super) fn sample(least: f64, inverse_shape: f64, random: &mut impl Rng) -> f64 {
    least * libm::pow(unit_open(random), -inverse_shape)
}
