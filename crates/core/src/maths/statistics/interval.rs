//! Confidence interval of a mean over independent replications.
//!
//! Source: Student 1908. Half-width t(n−1)·s/√n. Limits: assumes means of replications, which are close to normal.

use crate::maths::error::{MathsError, confidence_level, observations};
use crate::maths::statistics::moments::Moments;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Where an interval lies relative to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Entirely below the bound.
    Below,
    /// Entirely above the bound.
    Above,
    /// It contains the bound: undecided at this confidence.
    Straddles,
}

/// A mean with its two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Mean of the observations.
    pub mean: f64,
    /// Half the width of the interval; infinite for a single observation.
    pub half_width: f64,
    /// Number of observations.
    pub n: usize,
    /// Confidence level, strictly between 0 and 1.
    pub confidence: f64,
}

impl Interval {
    /// Interval of the mean of independent `samples` at the given `confidence`.
    ///
    /// # Errors
    /// No observation, one that is not finite, or a level outside its domain.
    pub fn of_mean(samples: &[f64], confidence: f64) -> Result<Self, MathsError> {
        confidence_level(confidence)?;
        observations(samples, 1)?;
        let moments: Moments = samples.iter().copied().collect();
        let n = samples.len();
        let half_width = match moments.sd() {
            Some(sd) => student_quantile(n as f64 - 1.0, confidence)? * sd / (n as f64).sqrt(),
            None => f64::INFINITY,
        };
        Ok(Self { mean: moments.mean().unwrap_or(f64::NAN), half_width, n, confidence })
    }

    /// Lower end.
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// Upper end.
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }

    /// Whether `value` lies in the interval, its ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.relation_to(value) == Relation::Straddles
    }

    /// Where the interval lies relative to `bound`; touching it counts as straddling.
    pub fn relation_to(&self, bound: f64) -> Relation {
        if self.high() < bound {
            Relation::Below
        } else if self.low() > bound {
            Relation::Above
        } else {
            Relation::Straddles
        }
    }
}

/// Two-sided Student factor t with P(|T| ≤ t) = `confidence` for the given degrees of `freedom`.
pub fn student_quantile(freedom: f64, confidence: f64) -> Result<f64, MathsError> {
    let failed = MathsError::NoConvergence { method: "Student quantile" };
    let law = StudentsT::new(0.0, 1.0, freedom).map_err(|_| failed)?;
    // A level that rounds to certainty has no finite factor.
    let factor = law.inverse_cdf(0.5 + 0.5 * confidence);
    if factor.is_finite() { Ok(factor) } else { Err(failed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_factors_are_those_of_the_printed_tables() {
        // Tables print three decimals.
        let table =
            [(1.0, 0.95, 12.706), (2.0, 0.95, 4.303), (9.0, 0.95, 2.262), (9.0, 0.99, 3.250), (100.0, 0.9, 1.660)];
        for (freedom, confidence, factor) in table {
            assert!((student_quantile(freedom, confidence).unwrap() - factor).abs() < 6e-4);
        }
    }

    #[test]
    fn the_interval_of_a_small_sample_is_the_textbook_one() {
        let interval = Interval::of_mean(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        assert_eq!(interval.mean, 3.0);
        // 2.776445 · √2.5 / √5
        assert_close(interval.half_width, 1.963_243, 1e-6);
    }

    #[test]
    fn one_observation_straddles_everything() {
        let interval = Interval::of_mean(&[5.0], 0.95).unwrap();
        assert_eq!(interval.half_width, f64::INFINITY);
        assert_eq!(interval.relation_to(1e300), Relation::Straddles);
    }

    #[test]
    fn relations_are_strict() {
        let interval = Interval { mean: 5.0, half_width: 1.0, n: 10, confidence: 0.95 };
        assert_eq!(interval.relation_to(6.5), Relation::Below);
        assert_eq!(interval.relation_to(3.5), Relation::Above);
        assert_eq!(interval.relation_to(6.0), Relation::Straddles);
        assert!(interval.contains(4.0) && !interval.contains(3.9));
    }

    #[test]
    fn bad_samples_are_refused() {
        assert!(Interval::of_mean(&[], 0.95).is_err());
        assert!(Interval::of_mean(&[1.0, f64::NAN], 0.95).is_err());
        assert!(Interval::of_mean(&[1.0, 2.0], 1.0).is_err());
    }
}
