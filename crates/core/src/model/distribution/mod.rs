//! Distributions: random amounts of time, bytes or counts.
//!
//! One file per family: its parameters as written in a model file, how they become the numbers that sampling needs, and
//! the sampling. Amounts are `f64` in the base unit (nanoseconds, bytes, counts); they are never negative.
//!
//! Sources of randomness: exponential and normal variates by our ziggurat, gamma variates by the crate `rand_distr`;
//! everything else is a transformation of these or of a uniform number, with `libm` for the functions.

mod bounded_pareto;
mod erlang;
mod exponential;
mod gamma;
mod hyperexponential;
mod lognormal;
mod mixture;
mod normal;
mod pareto;
mod percentiles;
mod samples;
mod uniform;
mod weibull;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrival::replay::{Replay, ReplaySpec};
use crate::engine::ziggurat::Exponential;
use crate::quantity::{Bytes, Count, Duration};
use rand::Rng;

/// A quantity that can be drawn: its value in the base unit.
pub trait Amount: Copy + Send + Sync + std::fmt::Debug {
    /// The value in nanoseconds, bytes or counts.
    fn amount(self) -> f64;
}

impl Amount for Duration {
    fn amount(self) -> f64 {
        self.as_nanos() as f64
    }
}

impl Amount for Bytes {
    fn amount(self) -> f64 {
        self.as_u64() as f64
    }
}

impl Amount for Count {
    fn amount(self) -> f64 {
        self.get() as f64
    }
}

/// An amount that may be random, as written in a model file: a plain quantity, or a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Random_{Q}")]
#[serde(untagged)]
pub enum Random<Q> {
    /// Always the same amount.
    Constant(Q),
    /// Drawn from a distribution.
    Drawn(Box<Family<Q>>),
}

/// A family of distributions with its parameters, as written in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Distribution_{Q}")]
#[serde(rename_all = "snake_case")]
pub enum Family<Q> {
    /// Always the same amount.
    Constant(Q),
    /// All amounts between two ends are equally likely.
    Uniform(uniform::Parameters<Q>),
    /// The memoryless distribution, by its mean.
    Exponential(Q),
    /// The sum of so many exponential stages, by its mean.
    Erlang(erlang::Parameters<Q>),
    /// By mean and coefficient of variation (standard deviation / mean).
    Gamma(gamma::Parameters<Q>),
    /// One of two exponentials (balanced means), for a coefficient of variation above 1; or given branches.
    Hyperexponential(hyperexponential::Parameters<Q>),
    /// By mean and coefficient of variation, or by two percentiles.
    Lognormal(lognormal::Parameters<Q>),
    /// By mean and shape; a shape below 1 is heavy-tailed.
    Weibull(weibull::Parameters<Q>),
    /// By its least value and shape (tail exponent).
    Pareto(pareto::Parameters<Q>),
    /// A Pareto distribution cut off at a greatest value.
    BoundedPareto(bounded_pareto::Parameters<Q>),
    /// By mean and standard deviation of the untruncated normal; negative draws are drawn again.
    Normal(normal::Parameters<Q>),
    /// By measured percentiles, such as `{ p50: 80ms, p99: 400ms }`.
    Percentiles(percentiles::Parameters<Q>),
    /// Measured values from a CSV file, each equally likely.
    Samples(samples::Parameters<Q>),
    /// One of several distributions, by weight.
    Mixture(Vec<mixture::Component<Q>>),
}

/// Reads measured values for [`Family::Samples`]; the file formats' floor knows how.
pub trait Values {
    /// The numbers in a column of a CSV file.
    ///
    /// # Errors
    /// What is wrong with the file, the column or a row.
    fn column(&self, file: &str, column: &str) -> Result<Vec<f64>, String>;

    /// A recording, and what of it could not be read.
    ///
    /// # Errors
    /// What is wrong with the file.
    fn recording(&self, spec: &ReplaySpec) -> Result<(Replay, Option<String>), String> {
        Err(format!("`{}` cannot be read here", spec.file))
    }
}

/// No files: every request for one is an error.
pub struct NoFiles;

impl Values for NoFiles {
    fn column(&self, file: &str, _column: &str) -> Result<Vec<f64>, String> {
        Err(format!("`{file}` cannot be read here"))
    }
}

/// A distribution ready to be sampled. Times are in nanoseconds.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// This amount.
    Constant(f64),
    /// Exponential: `mean` times a variate of mean 1.
    Exponential { mean: f64, unit: Exponential },
    /// Between `low` and `low + width`.
    Uniform { low: f64, width: f64 },
    /// The sum of `stages` exponentials of mean `stage`.
    Erlang { stages: u32, stage: f64 },
    /// Gamma with shape and scale.
    Gamma(Box<gamma::Gamma>),
    /// With probability `first` an exponential of the first mean, else of the second.
    Hyperexponential { first: f64, means: [f64; 2] },
    /// exp(mu + sigma·N).
    Lognormal { mu: f64, sigma: f64 },
    /// scale·E^(1/shape).
    Weibull { scale: f64, inverse_shape: f64 },
    /// least·U^(−1/shape).
    Pareto { least: f64, inverse_shape: f64 },
    /// Pareto between two ends.
    BoundedPareto(bounded_pareto::BoundedPareto),
    /// Normal, truncated at 0.
    Normal { mean: f64, deviation: f64 },
    /// Through given percentiles.
    Percentiles(Arc<percentiles::Table>),
    /// One of these values.
    Samples(Arc<[f64]>),
    /// One of several, by cumulative weight.
    Mixture(Arc<[(f64, Distribution)]>),
    /// So many times what another gives.
    Scaled(Arc<Distribution>, f64),
}

impl Distribution {
    /// Draws an amount.
    #[inline(always)]
    pub fn sample(&self, random: &mut impl Rng) -> f64 {
        match self {
            Distribution::Constant(value) => *value,
            Distribution::Exponential { mean, unit } => mean * unit.sample(random),
            other => other.sample_other(random),
        }
    }

    #[inline(never)]
    fn sample_other(&self, random: &mut impl Rng) -> f64 {
        match self {
            Distribution::Constant(value) => *value,
            Distribution::Exponential { mean, unit } => mean * unit.sample(random),
            Distribution::Uniform { low, width } => uniform::sample(*low, *width, random),
            Distribution::Erlang { stages, stage } => erlang::sample(*stages, *stage, random),
            Distribution::Gamma(gamma) => gamma.sample(random),
            Distribution::Hyperexponential { first, means } => hyperexponential::sample(*first, *means, random),
            Distribution::Lognormal { mu, sigma } => lognormal::sample(*mu, *sigma, random),
            Distribution::Weibull { scale, inverse_shape } => weibull::sample(*scale, *inverse_shape, random),
            Distribution::Pareto { least, inverse_shape } => pareto::sample(*least, *inverse_shape, random),
            Distribution::BoundedPareto(pareto) => pareto.sample(random),
            Distribution::Normal { mean, deviation } => normal::sample(*mean, *deviation, random),
            Distribution::Percentiles(table) => table.sample(random),
            Distribution::Samples(values) => samples::sample(values, random),
            Distribution::Mixture(parts) => mixture::sample(parts, random),
            Distribution::Scaled(of, factor) => of.sample_other(random) * factor,
        }
    }

    /// So many times this: the same draws give so many times as much.
    pub fn scaled(self, factor: f64) -> Distribution {
        match self {
            Distribution::Constant(value) => Distribution::Constant(value * factor),
            other => Distribution::Scaled(Arc::new(other), factor),
        }
    }

    /// The amount, if it is always the same.
    pub fn as_constant(&self) -> Option<f64> {
        match self {
            Distribution::Constant(value) => Some(*value),
            _ => None,
        }
    }
}

impl<Q: Amount> Random<Q> {
    /// Prepares the distribution for sampling.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn build(&self, files: &dyn Values) -> Result<Distribution, String> {
        match self {
            Random::Constant(value) => Ok(Distribution::Constant(value.amount())),
            Random::Drawn(family) => family.build(files),
        }
    }
}

impl<Q: Amount> Family<Q> {
    /// Prepares the distribution for sampling.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn build(&self, files: &dyn Values) -> Result<Distribution, String> {
        match self {
            Family::Constant(value) => Ok(Distribution::Constant(value.amount())),
            Family::Exponential(mean) => exponential::build(mean.amount()),
            Family::Uniform(parameters) => parameters.build(),
            Family::Erlang(parameters) => parameters.build(),
            Family::Gamma(parameters) => parameters.build(),
            Family::Hyperexponential(parameters) => parameters.build(),
            Family::Lognormal(parameters) => parameters.build(),
            Family::Weibull(parameters) => parameters.build(),
            Family::Pareto(parameters) => parameters.build(),
            Family::BoundedPareto(parameters) => parameters.build(),
            Family::Normal(parameters) => parameters.build(),
            Family::Percentiles(parameters) => parameters.build(),
            Family::Samples(parameters) => parameters.build(files),
            Family::Mixture(components) => mixture::build(components, files),
        }
    }
}

/// Demands a number above 0.
fn positive(what: &str, value: f64) -> Result<f64, String> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(format!("{what} must be above 0, not {value}")) }
}
