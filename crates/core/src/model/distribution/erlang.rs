//! The Erlang distribution: the sum of k independent exponentials; its coefficient of variation is 1/√k.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::ziggurat::Exponential;

/// Stages and mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Erlang_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The mean of the whole.
    pub mean: Q,
    /// How many exponential stages it has; 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub stages: u32,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let mean = positive("the mean of an Erlang distribution", self.mean.amount())?;
        if !(1..=1000).contains(&self.stages) {
            return Err(format!("`stages` must be 1 to 1000, not {}", self.stages));
        }
        Ok(Distribution::Erlang { stages: self.stages, stage: mean / f64::from(self.stages) })
    }
}

pub(super) fn sample(stages: u32, stage: f64, random: &mut impl Rng) -> f64 {
    (0..stages).map(|_| Exponential::new().sample(random)).sum::<f64>() * stage
}
