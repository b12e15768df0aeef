//! The exponential distribution.

use super::{Distribution, positive};
use crate::engine::ziggurat::Exponential;

pub(super) fn build(mean: f64) -> Result<Distribution, String> {
    let mean = positive("the mean of an exponential", mean)?;
    Ok(Distribution::Exponential { mean, unit: Exponential::new() })
}
