//! Sample quantiles, their confidence limits, and how many observations a percentile needs.
//!
//! Sources: Hyndman & Fan 1996 (definitions, numbered as there); Conover, *Practical Nonparametric Statistics*, ch. 3
//! (limits from order statistics, valid for any continuous law of independent observations).

use crate::maths::error::{MathsError, check, confidence_level, observations, probability};
use statrs::function::beta::checked_beta_reg;

/// Definition of a sample quantile; `h` is the fractional rank that is interpolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definition {
    /// Type 1: nearest rank, the smallest value with at least a fraction p of the sample at or below it.
    NearestRank,
    /// Type 6 (Weibull): h = (n + 1)p.
    Weibull,
    /// Type 7 (NumPy and R default): h = (n − 1)p + 1.
    Linear,
    /// Type 8: h = (n + 1/3)p + 1/3, median-unbiased whatever the law.
    MedianUnbiased,
}

/// Quantile at level `p`, 0 ≤ p ≤ 1, of `sorted` (ascending). Ranks beyond the ends are clamped to them.
///
/// # Errors
/// No observation, values that are not finite or not ascending, or a level outside its domain.
pub fn sample_quantile(sorted: &[f64], p: f64, definition: Definition) -> Result<f64, MathsError> {
    probability("p", p)?;
    observations(sorted, 1)?;
    check_sorted(sorted)?;
    let n = sorted.len() as f64;
    // A product such as 0.07·100 = 7.000…1 must not move to the next rank.
    let fuzz = 4.0 * f64::EPSILON * n;
    let h = match definition {
        Definition::NearestRank => (n * p - fuzz).ceil(),
        Definition::Weibull => (n + 1.0) * p,
        Definition::Linear => (n - 1.0) * p + 1.0,
        Definition::MedianUnbiased => (n + 1.0 / 3.0) * p + 1.0 / 3.0,
    }
    .clamp(1.0, n);
    let rank = (h.floor() as usize).min(sorted.len());
    let below = sorted[rank - 1];
    let above = sorted[rank.min(sorted.len() - 1)];
    Ok(below + (h - h.floor()) * (above - below))
}

fn check_sorted(sorted: &[f64]) -> Result<(), MathsError> {
    match sorted.windows(2).find(|pair| pair[0] > pair[1]) {
        Some(pair) => check("observation", pair[1], false, "observations in ascending order").map(|_| ()),
        None => Ok(()),
    }
}

/// Confidence limits of the quantile at level `p`, 0 < p < 1, from the order statistics of `sorted` (ascending):
/// each side errs with probability at most (1 − `confidence`)/2. `None` if the sample is too small for two limits.
///
/// # Errors
/// Values that are not finite or not ascending, or a level outside its domain.
pub fn quantile_limits(sorted: &[f64], p: f64, confidence: f64) -> Result<Option<(f64, f64)>, MathsError> {
    check("p", p, p > 0.0 && p < 1.0, "a level strictly between 0 and 1")?;
    confidence_level(confidence)?;
    observations(sorted, 0)?;
    check_sorted(sorted)?;
    let n = sorted.len();
    let risk = 0.5 * (1.0 - confidence);
    // Ranks from 1. The quantile is below X(l) with probability P(B < l), above X(u) with P(B ≥ u), B binomial.
    let low = first_rank(n, |rank| Ok(binomial_cdf(rank, n, p)? > risk))?;
    let high = first_rank(n, |rank| Ok(binomial_cdf(rank, n, p)? >= 1.0 - risk))? + 1;
    Ok((low >= 1 && high <= n).then(|| (sorted[low - 1], sorted[high - 1])))
}

/// The smallest k in `0..n` for which the monotone `reached` holds; `n` if none.
fn first_rank(n: usize, reached: impl Fn(usize) -> Result<bool, MathsError>) -> Result<usize, MathsError> {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// P(Binomial(n, p) ≤ k), k < n, as a regularized incomplete beta function.
fn binomial_cdf(k: usize, n: usize, p: f64) -> Result<f64, MathsError> {
    checked_beta_reg((n - k) as f64, k as f64 + 1.0, 1.0 - p)
        .map_err(|_| MathsError::NoConvergence { method: "binomial distribution" })
}

/// Observations that must lie beyond a percentile before it is reported (own rule; the usual one for tails).
pub const OBSERVATIONS_BEYOND: f64 = 10.0;

/// Whether `n` observations leave at least [`OBSERVATIONS_BEYOND`] on the thinner side of level `p`.
pub fn enough_samples(n: usize, p: f64) -> bool {
    // Relative slack for levels such as 0.9999 that no double holds exactly.
    n as f64 * p.min(1.0 - p) >= OBSERVATIONS_BEYOND * (1.0 - 1e-9)
}

/// The least number of observations for which [`enough_samples`] holds at level `p`, 0 < p < 1.
///
/// # Errors
/// A level outside its domain.
pub fn samples_needed(p: f64) -> Result<u64, MathsError> {
    check("p", p, p > 0.0 && p < 1.0, "a level strictly between 0 and 1")?;
    Ok((OBSERVATIONS_BEYOND * (1.0 - 1e-9) / p.min(1.0 - p)).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    fn one_to(n: u32) -> Vec<f64> {
        (1..=n).map(f64::from).collect()
    }

    #[test]
    fn the_reference_definitions_differ_as_published() {
        let ten = one_to(10);
        let p95 = |definition| sample_quantile(&ten, 0.95, definition).unwrap();
        assert_eq!(p95(Definition::NearestRank), 10.0);
        assert_close(p95(Definition::Linear), 9.55, 1e-12);
        assert_eq!(p95(Definition::Weibull), 10.0);
        assert_eq!(p95(Definition::MedianUnbiased), 10.0);
        assert_eq!(sample_quantile(&one_to(50), 0.99, Definition::NearestRank).unwrap(), 50.0);
    }

    #[test]
    fn rounding_does_not_skip_a_rank() {
        // 0.07 · 100 is 7.000000000000001 in floating point.
        assert_eq!(sample_quantile(&one_to(100), 0.07, Definition::NearestRank).unwrap(), 7.0);
        assert_eq!(sample_quantile(&one_to(100), 0.0, Definition::NearestRank).unwrap(), 1.0);
    }

    #[test]
    fn the_middle_of_an_odd_sample_is_its_median_by_every_definition() {
        let all = [Definition::NearestRank, Definition::Weibull, Definition::Linear, Definition::MedianUnbiased];
        for definition in all {
            assert_close(sample_quantile(&one_to(9), 0.5, definition).unwrap(), 5.0, 1e-12);
            assert_eq!(sample_quantile(&[3.0], 0.9, definition).unwrap(), 3.0);
        }
    }

    #[test]
    fn unsorted_or_empty_samples_are_refused() {
        assert!(sample_quantile(&[2.0, 1.0], 0.5, Definition::Linear).is_err());
        assert!(sample_quantile(&[], 0.5, Definition::Linear).is_err());
    }

    #[test]
    fn the_limits_of_a_median_are_the_tabulated_ranks() {
        // Sign-test table: n = 10 gives ranks 2 and 9, n = 20 ranks 6 and 15, at 95 %.
        assert_eq!(quantile_limits(&one_to(10), 0.5, 0.95).unwrap(), Some((2.0, 9.0)));
        assert_eq!(quantile_limits(&one_to(20), 0.5, 0.95).unwrap(), Some((6.0, 15.0)));
        assert_eq!(quantile_limits(&one_to(5), 0.5, 0.95).unwrap(), None);
    }

    #[test]
    fn a_far_percentile_needs_many_observations_for_limits() {
        // The upper limit exists once 0.99ⁿ ≤ 2.5 %: from n = 368 on.
        assert_eq!(quantile_limits(&one_to(367), 0.99, 0.95).unwrap(), None);
        assert!(quantile_limits(&one_to(368), 0.99, 0.95).unwrap().is_some());
    }

    #[test]
    fn ten_observations_beyond_are_enough() {
        for (p, n) in [(0.5, 20), (0.9, 100), (0.99, 1000), (0.999, 10_000), (0.9999, 100_000)] {
            assert_eq!(samples_needed(p).unwrap(), n as u64);
            assert!(enough_samples(n, p) && !enough_samples(n - 1, p));
        }
    }
}
