//! Comparison of two variants that met the same randomness: entry i of both samples comes from the same seed.
//!
//! Sources: paired t (Law, *Simulation Modeling and Analysis*, ch. 10); Fieller 1954 for the ratio of means, which
//! needs no logarithm and knows when the denominator is too uncertain for any interval.

use super::interval::{Interval, student_quantile};
use super::moments::Moments;
use crate::maths::error::{MathsError, confidence_level, observations, same_length};

/// Interval of the mean difference `a − b`.
///
/// # Errors
/// Samples of different lengths, none at all, values that are not finite, or a bad confidence level.
pub fn paired_difference(a: &[f64], b: &[f64], confidence: f64) -> Result<Interval, MathsError> {
    same_length(a.len(), b.len())?;
    Interval::of_mean(&differences(a, b), confidence)
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

/// A ratio of means with its confidence limits, which are not symmetric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// Mean of `a` ÷ mean of `b`.
    pub ratio: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Fieller's interval of mean(a)/mean(b) for paired samples: all r that the t test of mean(a − r·b) = 0 does not
/// reject. `None` if the mean of `b` does not differ from zero at this confidence, for then the set is unbounded.
///
/// # Errors
/// Samples of different lengths, fewer than two, values that are not finite, or a bad confidence level.
pub fn ratio_of_means(a: &[f64], b: &[f64], confidence: f64) -> Result<Option<RatioInterval>, MathsError> {
    confidence_level(confidence)?;
    same_length(a.len(), b.len())?;
    observations(a, 2)?;
    observations(b, 2)?;
    let n = a.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let covariance = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter().zip(y).map(|(u, v)| (u - mx) * (v - my)).sum::<f64>() / (n - 1.0) / n
    };
    let (vaa, vbb, vab) =
        (covariance(a, mean_a, a, mean_a), covariance(b, mean_b, b, mean_b), covariance(a, mean_a, b, mean_b));
    let t = student_quantile(n - 1.0, confidence)?;
    // r²·square − 2r·cross + constant = 0
    let square = mean_b * mean_b - t * t * vbb;
    let cross = mean_a * mean_b - t * t * vab;
    let constant = mean_a * mean_a - t * t * vaa;
    if square.is_nan() || square <= 0.0 {
        return Ok(None);
    }
    let spread = (cross * cross - square * constant).max(0.0).sqrt();
    Ok(Some(RatioInterval { ratio: mean_a / mean_b, low: (cross - spread) / square, high: (cross + spread) / square }))
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().copied().collect::<Moments>().mean().unwrap_or(f64::NAN)
}

/// How many times fewer replications the pairing needs: (Var a + Var b)/Var(a − b). Above 1 the common random numbers
/// help. Infinite if the differences are constant; `None` below two pairs or if nothing varies at all.
///
/// # Errors
/// Samples of different lengths or values that are not finite.
pub fn variance_reduction_factor(a: &[f64], b: &[f64]) -> Result<Option<f64>, MathsError> {
    same_length(a.len(), b.len())?;
    observations(a, 0)?;
    observations(b, 0)?;
    let variance = |samples: &[f64]| samples.iter().copied().collect::<Moments>().variance();
    let parts = (variance(a), variance(b), variance(&differences(a, b)));
    let (Some(va), Some(vb), Some(vd)) = parts else {
        return Ok(None);
    };
    Ok((va + vb > 0.0).then(|| (va + vb) / vd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    const A: [f64; 5] = [10.0, 12.0, 9.0, 14.0, 11.0];
    const B: [f64; 5] = [9.0, 11.5, 7.5, 12.5, 10.5];

    #[test]
    fn the_difference_uses_the_spread_of_the_differences_alone() {
        let interval = paired_difference(&A, &B, 0.95).unwrap();
        assert_close(interval.mean, 1.0, 1e-12);
        // Differences 1, ½, 1½, 1½, ½: s = ½, t₄ = 2.776445.
        assert_close(interval.half_width, 2.776_445 * 0.5 / 5.0_f64.sqrt(), 1e-6);
    }

    #[test]
    fn fiellers_limits_are_where_the_t_test_just_rejects() {
        let interval = ratio_of_means(&A, &B, 0.95).unwrap().unwrap();
        assert!(interval.low < interval.ratio && interval.ratio < interval.high);
        for limit in [interval.low, interval.high] {
            let scaled: Vec<f64> = B.iter().map(|x| x * limit).collect();
            let difference = paired_difference(&A, &scaled, 0.95).unwrap();
            assert_close(difference.mean.abs(), difference.half_width, 1e-9);
        }
    }

    #[test]
    fn an_uncertain_denominator_has_no_ratio_interval() {
        assert_eq!(ratio_of_means(&A, &[1.0, -1.0, 2.0, -2.0, 0.1], 0.95).unwrap(), None);
    }

    #[test]
    fn common_randomness_shows_as_a_large_factor() {
        let factor = variance_reduction_factor(&A, &B).unwrap().unwrap();
        assert_close(factor, (3.7 + 3.95) / 0.25, 1e-9);
        assert_eq!(variance_reduction_factor(&A, &A).unwrap(), Some(f64::INFINITY));
        assert_eq!(variance_reduction_factor(&[1.0], &[2.0]).unwrap(), None);
        assert!(variance_reduction_factor(&A, &[1.0]).is_err());
    }
}
