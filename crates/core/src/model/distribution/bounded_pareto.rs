//! The bounded Pareto distribution on [least, most] with shape a, by inversion:
//! x = least·(1 − u·(1 − (least/most)^a))^(−1/a). Source: M. Crovella, M. Harchol-Balter, C. Murta (1998).

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::random::unit;

/// Both ends and shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BoundedPareto_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The least amount.
    pub least: Q,
    /// The greatest amount.
    pub most: Q,
    /// The tail exponent, above 0.
    #[schemars(range(min = 0.01, max = 1000.0))]
    pub shape: f64,
}

/// The distribution, prepared for sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundedPareto {
    least: f64,
    most: f64,
    /// 1 − (least/most)^shape.
    mass: f64,
    inverse_shape: f64,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let (least, most) = (positive("`least`", self.least.amount())?, self.most.amount());
        let shape = positive("`shape`", self.shape)?;
        if most <= least {
            return Err("`most` must be above `least`".to_owned());
        }
        let mass = 1.0 - libm::pow(least / most, shape);
        Ok(Distribution::BoundedPareto(BoundedPareto { least, most, mass, inverse_shape: 1.0 / shape }))
    }
}

impl BoundedPareto {
    pub(super) fn sample(&self, random: &mut impl Rng) -> f64 {
        let value = self.least * libm::pow(1.0 - unit(random) * self.mass, -self.inverse_shape);
        value.min(self.most)
    }
}
