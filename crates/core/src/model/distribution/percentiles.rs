//! A distribution through measured percentiles.
//!
//! Between two given percentiles the logarithm of the amount is linear in the normal quantile, that is, the
//! distribution is a piece of a lognormal; the pieces at both ends go on beyond them. It passes through every given
//! point exactly; two points give a lognormal. Own rule, chosen because latencies are closer to lognormal than to
//! anything piecewise linear.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Amount, Distribution, positive};
use crate::engine::ziggurat::normal;

/// Percentiles by name: `p50`, `p90`, `p99`, `p99.9`, …; two or more, amounts ascending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Percentiles_{Q}")]
#[serde(transparent)]
pub struct Parameters<Q>(pub BTreeMap<String, Q>);

/// The points: normal quantile and logarithm of the amount, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Table(Vec<(f64, f64)>);

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self) -> Result<Distribution, String> {
        let law = Normal::standard();
        let mut points = Vec::new();
        for (name, amount) in &self.0 {
            let percent = name.strip_prefix('p').and_then(|number| number.parse::<f64>().ok());
            let percent = percent.filter(|percent| *percent > 0.0 && *percent < 100.0);
            let percent = percent.ok_or_else(|| format!("`{name}` is no percentile; write p50, p99 or p99.9"))?;
            let value = positive(&format!("`{name}`"), amount.amount())?;
            points.push((law.inverse_cdf(percent / 100.0), libm::log(value)));
        }
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        if points.len() < 2 {
            return Err("at least two percentiles are needed, such as p50 and p99".to_owned());
        }
        if points.windows(2).any(|pair| pair[1].0 <= pair[0].0 || pair[1].1 < pair[0].1) {
            return Err("a higher percentile must not have a smaller amount".to_owned());
        }
        Ok(Distribution::Percentiles(Arc::new(Table(points))))
    }
}

impl Table {
    pub(super) fn sample(&self, random: &mut impl Rng) -> f64 {
        let points = &self.0;
        let normal = normal(random);
        let above = points.partition_point(|point| point.0 < normal).clamp(1, points.len() - 1);
        let ((z0, y0), (z1, y1)) = (points[above - 1], points[above]);
        libm::exp(y0 + (y1 - y0) * (normal - z0) / (z1 - z0))
    }
}
