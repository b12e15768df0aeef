//! The exponential distribution.

use rand::Rng;
use rand_distr::{Distribution as _, Exp1};

use super::{Distribution, positive};

pub(super) fn build(mean: f64) -> Result<Distribution, String> {
    Ok(Distribution::Exponential(positive("the mean of an exponential", mean)?))
}

/// An exponential variate of mean 1.
#[inline]
pub(super) fn unit(random: &mut impl Rng) -> f64 {
    Exp1.sample(random)
}
