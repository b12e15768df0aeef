//! One-sample Kolmogorov–Smirnov test of a continuous distribution.
//!
//! Sources: Kolmogorov 1933; p-value by Stephens' (1970) finite-sample correction (√n + 0.12 + 0.11/√n)·D of the limit
//! law, good to about 0.01 from n = 20 on, and exact enough in the far tail for rejecting a broken generator.

use crate::maths::error::{MathsError, observations, probability};

/// Result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// D: the largest distance between sample and hypothetical distribution function.
    pub statistic: f64,
    /// Probability of a distance at least as large if the hypothesis is true.
    pub p_value: f64,
}

/// Tests whether `samples` (any order) come from the distribution function `cdf`.
///
/// # Errors
/// No observation, values that are not finite, or a `cdf` that leaves 0..1.
pub fn kolmogorov_smirnov(samples: &[f64], cdf: impl Fn(f64) -> f64) -> Result<KolmogorovSmirnov, MathsError> {
    observations(samples, 1)?;
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut statistic = 0.0_f64;
    for (i, &x) in sorted.iter().enumerate() {
        let expected = probability("cdf", cdf(x))?;
        statistic = statistic.max(expected - i as f64 / n).max((i + 1) as f64 / n - expected);
    }
    let root = n.sqrt();
    Ok(KolmogorovSmirnov { statistic, p_value: kolmogorov_tail((root + 0.12 + 0.11 / root) * statistic) })
}

/// P(K > x) of Kolmogorov's limit law; the theta-transformed series below 1.18, where the other one converges badly.
fn kolmogorov_tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.05 {
        return 1.0;
    }
    if x < 1.18 {
        let term = |k: i32| libm::exp(-f64::from((2 * k - 1) * (2 * k - 1)) * PI * PI / (8.0 * x * x));
        return (1.0 - (2.0 * PI).sqrt() / x * (1..=5).map(term).sum::<f64>()).clamp(0.0, 1.0);
    }
    let term = |k: i32| f64::from(if k % 2 == 1 { 1 } else { -1 }) * libm::exp(-2.0 * f64::from(k * k) * x * x);
    (2.0 * (1..=6).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_limit_law_has_its_tabulated_critical_values() {
        // Printed to four digits.
        for (x, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)] {
            assert_close(kolmogorov_tail(x), p, 1e-3);
        }
        assert_close(kolmogorov_tail(1.18 - 1e-12), kolmogorov_tail(1.18), 1e-9);
    }

    #[test]
    fn the_statistic_looks_at_both_sides_of_each_step() {
        let result = kolmogorov_smirnov(&[0.9, 0.1, 0.5], |x| x).unwrap();
        // Steps at 0.1, 0.5, 0.9 of height ⅓: the largest gap is ⅓ − 0.1.
        assert_close(result.statistic, 1.0 / 3.0 - 0.1, 1e-12);
    }

    #[test]
    fn evenly_spread_points_pass_and_squeezed_ones_fail() {
        let even: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
        assert!(kolmogorov_smirnov(&even, |x| x).unwrap().p_value > 0.999);
        let squeezed: Vec<f64> = even.iter().map(|x| x * x).collect();
        assert!(kolmogorov_smirnov(&squeezed, |x| x).unwrap().p_value < 1e-12);
    }

    #[test]
    fn a_function_that_is_no_distribution_is_refused() {
        assert!(kolmogorov_smirnov(&[2.0], |x| x).is_err());
        assert!(kolmogorov_smirnov(&[], |x| x).is_err());
    }
}
