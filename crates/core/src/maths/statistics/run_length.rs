//! How long an M/M/1 must be simulated for a given precision.
//!
//! Sources: Daley 1968; Whitt, *Planning queueing simulations*, Management Science 35 (1989): the asymptotic variance of
//! the mean wait over n customers is (2 + 5ρ − 4ρ² + ρ³)/(ρ(1−ρ)²)·E\[Wq\]²/n.

use crate::maths::error::{MathsError, positive, stable};

/// Customers for which the standard error of the simulated mean wait is `relative_error` of it, at `utilization` ρ,
/// 0 < ρ < 1. A confidence interval of two sigma with that half-width takes four times as many.
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`].
pub fn mm1_run_length(utilization: f64, relative_error: f64) -> Result<f64, MathsError> {
    let r = stable(positive("utilization", utilization)?)?;
    positive("relative_error", relative_error)?;
    let numerator = 2.0 + r * (5.0 - r * (4.0 - r));
    Ok(numerator / (r * (1.0 - r) * (1.0 - r)) / (relative_error * relative_error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_run_lengths_are_met() {
        let cases = [
            (0.5, 290_000.0),
            (0.7, 616_349.206_349_206_2),
            (0.8, 1.235e6),
            (0.9, 4_432_222.222_222_224),
            (0.95, 16_831_052.631_578_92),
            (0.99, 404_030_202.020_201_2),
        ];
        for (utilization, customers) in cases {
            assert_close(mm1_run_length(utilization, 0.01).unwrap(), customers, REFERENCE);
        }
    }
}
