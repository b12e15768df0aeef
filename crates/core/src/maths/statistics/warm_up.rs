//! Where the warm-up of a series ends: MSER-5.
//!
//! Source: White 1997; White, Cobb & Spratt 2000. The series is averaged in batches of five; of all cuts d in the first
//! half, the one with the least Σ(Yⱼ − Ȳ)²/(m − d)² over the kept batches wins; ties go to the earliest cut.

use crate::maths::error::{MathsError, observations};

/// Observations per batch.
pub const BATCH: usize = 5;

/// Number of observations at the start of `series` to discard, a multiple of [`BATCH`]. `None` if the best cut is the
/// last one allowed: the series is then too short to have settled.
///
/// # Errors
/// Fewer than ten batches, or values that are not finite.
pub fn mser5(series: &[f64]) -> Result<Option<usize>, MathsError> {
    observations(series, 10 * BATCH)?;
    let batches: Vec<f64> = series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let last = batches.len() / 2;
    let (mut kept, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let (mut best, mut cut) = (f64::INFINITY, last);
    // Welford's recurrence from the end, one batch more at a time.
    for (d, value) in batches.iter().enumerate().rev() {
        kept += 1.0;
        let gap = value - mean;
        mean += gap / kept;
        squares += gap * (value - mean);
        let score = squares / (kept * kept);
        if d <= last && score <= best {
            (best, cut) = (score, d);
        }
    }
    Ok((cut < last).then_some(cut * BATCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed, bounded, aperiodic ripple.
    fn ripple(i: usize) -> f64 {
        (i * 7919 % 101) as f64 / 101.0
    }

    #[test]
    fn a_decaying_start_is_cut_and_the_rest_is_kept() {
        let start = |i: usize| if i < 100 { (100 - i) as f64 } else { 0.0 };
        let series: Vec<f64> = (0..1000).map(|i| start(i) + ripple(i)).collect();
        let cut = mser5(&series).unwrap().unwrap();
        // The last steps of the ramp are as small as the ripple, so the cut may come a few batches early.
        assert!((85..=105).contains(&cut), "cut {cut}");
    }

    #[test]
    fn a_settled_series_loses_little() {
        let series: Vec<f64> = (0..1010).map(ripple).collect();
        assert!(mser5(&series).unwrap().unwrap() <= 101);
        assert_eq!(mser5(&[3.0; 100]).unwrap(), Some(0));
    }

    #[test]
    fn a_series_that_never_settles_is_reported() {
        let series: Vec<f64> = (0..1000).map(|i| i as f64).collect();
        assert_eq!(mser5(&series).unwrap(), None);
    }

    #[test]
    fn a_short_series_is_refused() {
        assert!(mser5(&[1.0; 49]).is_err());
    }
}
