//! Pearson's chi-square test of goodness of fit.
//!
//! Source: Pearson 1900. Limits: the p-value is asymptotic; keep every expected count at 5 or more.

use crate::maths::error::{MathsError, check, positive, same_length};
use statrs::function::gamma::checked_gamma_ur;

/// Result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// Σ (observed − expected)²/expected.
    pub statistic: f64,
    /// Cells minus one.
    pub degrees_of_freedom: usize,
    /// Probability of a statistic at least as large if the hypothesis is true.
    pub p_value: f64,
}

/// Tests `observed` counts against the `probabilities` of the cells, which must sum to one.
///
/// # Errors
/// Lists of different lengths, fewer than two cells, no observation, a probability that is not positive, or a sum that is
/// not one.
pub fn chi_square(observed: &[u64], probabilities: &[f64]) -> Result<ChiSquare, MathsError> {
    same_length(probabilities.len(), observed.len())?;
    if observed.len() < 2 {
        return Err(MathsError::TooFewObservations { needed: 2, actual: observed.len() });
    }
    for &p in probabilities {
        positive("probability", p)?;
    }
    let sum: f64 = probabilities.iter().sum();
    check("sum of probabilities", sum, (sum - 1.0).abs() <= 1e-9, "1")?;
    let total = positive("number of observations", observed.iter().map(|&count| count as f64).sum())?;
    let cell = |(&count, p): (&u64, &f64)| {
        let gap = count as f64 - total * p;
        gap * gap / (total * p)
    };
    let statistic: f64 = observed.iter().zip(probabilities).map(cell).sum();
    let degrees_of_freedom = observed.len() - 1;
    let p_value = if statistic == 0.0 {
        1.0
    } else {
        checked_gamma_ur(0.5 * degrees_of_freedom as f64, 0.5 * statistic)
            .map_err(|_| MathsError::NoConvergence { method: "chi-square distribution" })?
    };
    Ok(ChiSquare { statistic, degrees_of_freedom, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn mendels_peas_have_their_published_statistic() {
        let peas = chi_square(&[315, 108, 101, 32], &[9.0 / 16.0, 3.0 / 16.0, 3.0 / 16.0, 1.0 / 16.0]).unwrap();
        // Published: 0.470 with three degrees of freedom, p ≈ 0.925.
        assert_close(peas.statistic, 0.470, 1e-3);
        assert_eq!(peas.degrees_of_freedom, 3);
        assert_close(peas.p_value, 0.925, 1e-3);
    }

    #[test]
    fn two_degrees_of_freedom_are_the_exponential_law() {
        let test = chi_square(&[30, 40, 50], &[1.0 / 3.0; 3]).unwrap();
        assert_close(test.statistic, 5.0, 1e-12);
        assert_close(test.p_value, libm::exp(-2.5), 1e-9);
    }

    #[test]
    fn a_perfect_fit_has_p_value_one_and_a_gross_misfit_zero() {
        assert_eq!(chi_square(&[5, 5], &[0.5, 0.5]).unwrap().p_value, 1.0);
        assert!(chi_square(&[100_000, 0], &[0.5, 0.5]).unwrap().p_value < 1e-300);
    }

    #[test]
    fn cells_without_probability_or_observations_are_refused() {
        assert!(chi_square(&[1, 2], &[1.0, 0.0]).is_err());
        assert!(chi_square(&[0, 0], &[0.5, 0.5]).is_err());
        assert!(chi_square(&[1, 2], &[0.5, 0.4]).is_err());
    }
}
