//! The uniform distribution.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution};
use crate::engine::random::unit;

/// The two ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Uniform_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The least amount.
    pub from: Q,
    /// The greatest amount.
    pub to: Q,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let (low, high) = (self.from.amount(), self.to.amount());
        if low > high {
            return Err("`from` must not be above `to`".to_owned());
        }
        Ok(Distribution::Uniform { low, width: high - low })
    }
}

pub(super) fn sample(low: f64, width: f64, random: &mut impl Rng) -> f64 {
    low + width * unit(random)
}
