//! Confidence interval of a probability from yes-or-no observations.
//!
//! Source: C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial"
//! (Biometrika 26, 1934): the ends are quantiles of beta distributions. It covers at least as often as it says, also where
//! all observations agree, which is what Student's interval cannot do.

use crate::maths::error::{MathsError, confidence_level};
use statrs::distribution::{Beta, ContinuousCDF};

/// The interval (low, high) of a probability of which `yes` of `n` independent observations were seen.
///
/// # Errors
/// No observation, more `yes` than observations, or a level outside its domain.
pub fn clopper_pearson(yes: u64, n: u64, confidence: f64) -> Result<(f64, f64), MathsError> {
    confidence_level(confidence)?;
    let failed = MathsError::NoConvergence { method: "Clopper-Pearson interval" };
    if n == 0 || yes > n {
        return Err(failed);
    }
    let tail = (1.0 - confidence) / 2.0;
    let quantile =
        |a: u64, b: u64, p: f64| Beta::new(a as f64, b as f64).map(|law| law.inverse_cdf(p)).map_err(|_| failed);
    let low = if yes == 0 { 0.0 } else { quantile(yes, n - yes + 1, tail)? };
    let high = if yes == n { 1.0 } else { quantile(yes + 1, n - yes, 1.0 - tail)? };
    Ok((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_those_of_the_printed_tables() {
        for (yes, n, low, high) in
            [(0, 20, 0.0, 0.1684), (1, 20, 0.0013, 0.2487), (10, 20, 0.2720, 0.7280), (20, 20, 0.8316, 1.0)]
        {
            let (found, most) = clopper_pearson(yes, n, 0.95).unwrap();
            assert!((found - low).abs() < 6e-5 && (most - high).abs() < 6e-5, "{yes} of {n}: {found} to {most}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(clopper_pearson(0, 0, 0.95).is_err());
        assert!(clopper_pearson(3, 2, 0.95).is_err());
        assert!(clopper_pearson(1, 2, 1.0).is_err());
    }
}
