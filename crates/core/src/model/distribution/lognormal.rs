//! The lognormal distribution, by mean and coefficient of variation, or by two percentiles.
//!
//! With c the coefficient of variation: σ² = ln(1 + c²), μ = ln(mean) − σ²/2. With median and p99: μ = ln(p50),
//! σ = ln(p99/p50)/z, z = 2.326… the normal quantile at 0.99.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, positive};
use crate::engine::ziggurat::normal;

/// The standard normal quantile at 0.99.
const Z99: f64 = 2.326_347_874_040_840_8;

/// Mean and coefficient of variation, or median and 99th percentile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lognormal_{Q}")]
#[serde(untagged)]
pub enum Parameters<Q> {
    /// By moments.
    Moments(Moments<Q>),
    /// By percentiles.
    Percentiles(Percentiles<Q>),
}

/// Mean and coefficient of variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LognormalMoments_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Moments<Q> {
    /// The mean.
    pub mean: Q,
    /// The coefficient of variation: standard deviation / mean.
    #[schemars(range(min = 0.001, max = 100.0))]
    pub cv: f64,
}

/// Median and 99th percentile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LognormalPercentiles_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Percentiles<Q> {
    /// The median.
    pub p50: Q,
    /// The 99th percentile, above the median.
    pub p99: Q,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        match self {
            Parameters::Moments(Moments { mean, cv }) => {
                let mean = positive("the mean of a lognormal", mean.amount())?;
                let cv = positive("`cv`", *cv)?;
                let variance = libm::log1p(cv * cv);
                Ok(Distribution::Lognormal { mu: libm::log(mean) - variance / 2.0, sigma: libm::sqrt(variance) })
            }
            Parameters::Percentiles(Percentiles { p50, p99 }) => {
                let (p50, p99) = (positive("`p50`", p50.amount())?, positive("`p99`", p99.amount())?);
                if p99 <= p50 {
                    return Err("`p99` must be above `p50`".to_owned());
                }
                Ok(Distribution::Lognormal { mu: libm::log(p50), sigma: libm::log(p99 / p50) / Z99 })
            }
        }
    }
}

pub(super) fn sample(mu: f64, sigma: f64, random: &mut impl Rng) -> f64 {
    libm::exp(mu + sigma * normal(random))
}
