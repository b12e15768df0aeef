//! Interval of a mean from one long, correlated run: non-overlapping batch means.
//!
//! Source: Law, *Simulation Modeling and Analysis*, ch. 9. Batches must be long enough for their means to be nearly
//! uncorrelated; the lag-1 autocorrelation of the means says whether they are.

use super::interval::Interval;
use crate::maths::error::{MathsError, check, observations};

/// A batch-means interval and the check of its assumption.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchMeans {
    /// Interval of the mean, with one observation per batch.
    pub interval: Interval,
    /// Observations per batch.
    pub batch_size: usize,
    /// Lag-1 autocorrelation of the batch means; near zero if the batches are long enough, zero if all are equal.
    pub lag_one_autocorrelation: f64,
}

/// Splits `series` into `batches` ≥ 2 of equal size; the remainder at the start, nearest to the warm-up, is left out.
///
/// # Errors
/// Fewer than two batches, fewer observations than batches, values that are not finite, or a bad confidence level.
pub fn batch_means(series: &[f64], batches: usize, confidence: f64) -> Result<BatchMeans, MathsError> {
    check("batches", batches as f64, batches >= 2, "an integer of at least 2")?;
    observations(series, batches)?;
    let batch_size = series.len() / batches;
    let used = &series[series.len() - batch_size * batches..];
    let means: Vec<f64> = used.chunks_exact(batch_size).map(|b| b.iter().sum::<f64>() / batch_size as f64).collect();
    let interval = Interval::of_mean(&means, confidence)?;
    let gaps: Vec<f64> = means.iter().map(|m| m - interval.mean).collect();
    let squares: f64 = gaps.iter().map(|g| g * g).sum();
    let products: f64 = gaps.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let lag_one_autocorrelation = if squares > 0.0 { products / squares } else { 0.0 };
    Ok(BatchMeans { interval, batch_size, lag_one_autocorrelation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_remainder_is_dropped_at_the_start() {
        let result = batch_means(&[1e6, 1.0, 3.0, 2.0, 4.0], 2, 0.95).unwrap();
        assert_eq!(result.batch_size, 2);
        assert_eq!(result.interval.mean, 2.5);
        // Batch means 2 and 3: s = 1/√2, n = 2, t₁ = 12.7062.
        assert_close(result.interval.half_width, 12.706_204_7 * 0.5, 1e-6);
    }

    #[test]
    fn correlated_and_alternating_batches_are_told_apart() {
        let rising: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(batch_means(&rising, 10, 0.95).unwrap().lag_one_autocorrelation > 0.6);
        let alternating: Vec<f64> = (0..100).map(|i| f64::from(i / 10 % 2)).collect();
        assert!(batch_means(&alternating, 10, 0.95).unwrap().lag_one_autocorrelation < -0.8);
        assert_eq!(batch_means(&[2.0; 20], 10, 0.95).unwrap().lag_one_autocorrelation, 0.0);
    }

    #[test]
    fn one_batch_or_too_short_a_series_is_refused() {
        assert!(batch_means(&[1.0; 10], 1, 0.95).is_err());
        assert!(batch_means(&[1.0; 10], 11, 0.95).is_err());
    }
}
