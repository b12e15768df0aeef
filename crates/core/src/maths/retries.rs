//! What retries cost and gain when attempts fail independently.
//!
//! Sources: geometric sums; Brooker 2022 (retry token bucket); Bronson et al., HotOS 2021 (metastable threshold). A policy of
//! r `retries` makes at most r + 1 attempts. Limits: in a real overload failures depend on the load; these do not.

use super::error::{MathsError, at_least_one, non_negative, positive, probability};

/// Mean number of attempts per request when each fails with probability `failure`: (1 − p^(r+1))/(1 − p).
///
/// # Errors
/// A probability outside its domain.
pub fn mean_attempts(failure: f64, retries: u32) -> Result<f64, MathsError> {
    let p = probability("failure", failure)?;
    let attempts = f64::from(retries) + 1.0;
    Ok(if p == 1.0 {
        attempts
    } else if p == 0.0 {
        1.0
    } else {
        -libm::expm1(attempts * libm::log(p)) / (1.0 - p)
    })
}

/// Probability that all attempts fail: p^(r+1).
///
/// # Errors
/// A probability outside its domain.
pub fn final_failure(failure: f64, retries: u32) -> Result<f64, MathsError> {
    Ok(libm::pow(probability("failure", failure)?, f64::from(retries) + 1.0))
}

/// Attempts at the bottom of `layers` that each make r retries during a total outage: (r + 1)^layers.
pub fn outage_amplification(retries: u32, layers: u32) -> f64 {
    libm::pow(f64::from(retries) + 1.0, f64::from(layers))
}

/// Long-run mean attempts per request under a retry budget that earns `ratio` tokens per request and pays one per retry,
/// with unlimited retries otherwise: min(1/(1−p), 1 + ratio).
///
/// # Errors
/// An argument outside its domain.
pub fn budget_mean_attempts(failure: f64, ratio: f64) -> Result<f64, MathsError> {
    Ok((1.0 / (1.0 - probability("failure", failure)?)).min(1.0 + non_negative("ratio", ratio)?))
}

/// Long-run probability of success under the same budget: attempts × (1 − p).
///
/// # Errors
/// An argument outside its domain.
pub fn budget_success(failure: f64, ratio: f64) -> Result<f64, MathsError> {
    Ok(budget_mean_attempts(failure, ratio)? * (1.0 - failure))
}

/// Offered rate [1/s] below which a system of the given `capacity` [1/s] surely recovers although every request is
/// retried r times: capacity/(r + 1). Between this and the capacity it is vulnerable.
///
/// # Errors
/// A capacity that is not positive.
pub fn metastable_threshold(capacity: f64, retries: u32) -> Result<f64, MathsError> {
    Ok(positive("capacity", capacity)? / (f64::from(retries) + 1.0))
}

/// Mean number of calls until `run` consecutive failures, as a circuit breaker counts them: (p^(−k) − 1)/(1 − p).
/// Infinite for p = 0.
///
/// # Errors
/// A probability outside its domain or an empty run.
pub fn mean_calls_to_failure_run(failure: f64, run: u32) -> Result<f64, MathsError> {
    let p = probability("failure", failure)?;
    let k = f64::from(at_least_one("run", run)?);
    Ok(if p == 1.0 { k } else { libm::expm1(-k * libm::log(p)) / (1.0 - p) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        let cases = [
            (0.01, 1, 1.01, 0.0001),
            (0.01, 3, 1.010_101, 1e-8),
            (0.1, 3, 1.111, 1e-4),
            (0.5, 3, 1.875, 0.0625),
            (1.0, 3, 4.0, 1.0),
        ];
        for (p, retries, attempts, failure) in cases {
            assert_close(mean_attempts(p, retries).unwrap(), attempts, REFERENCE);
            assert_close(final_failure(p, retries).unwrap(), failure, REFERENCE);
        }
        assert_close(outage_amplification(3, 3), 64.0, REFERENCE);
        assert_close(outage_amplification(2, 5), 243.0, REFERENCE);
        assert_close(metastable_threshold(300.0, 1).unwrap(), 150.0, REFERENCE);
    }

    #[test]
    fn the_retry_budget_reference_cases_are_met() {
        let cases = [(0.05, 1.052_631_578_947_368_4, 1.0), (0.1, 1.1, 0.99), (0.2, 1.1, 0.88), (0.5, 1.1, 0.55)];
        for (p, load, success) in cases {
            assert_close(budget_mean_attempts(p, 0.1).unwrap(), load, REFERENCE);
            assert_close(budget_success(p, 0.1).unwrap(), success, REFERENCE);
        }
        assert_eq!(budget_success(1.0, 0.1).unwrap(), 0.0);
    }

    #[test]
    fn the_circuit_breaker_reference_cases_are_met() {
        for (p, calls) in [(0.2, 3905.0), (0.5, 62.0), (0.9, 6.935_087_808_430_286)] {
            assert_close(mean_calls_to_failure_run(p, 5).unwrap(), calls, REFERENCE);
        }
        assert_eq!(mean_calls_to_failure_run(0.0, 5).unwrap(), f64::INFINITY);
    }

    #[test]
    fn attempts_and_success_are_tied_by_walds_identity() {
        let (attempts, failure) = (mean_attempts(0.37, 4).unwrap(), final_failure(0.37, 4).unwrap());
        assert_close(attempts * (1.0 - 0.37), 1.0 - failure, 1e-12);
        assert_eq!(mean_attempts(0.0, 4).unwrap(), 1.0);
    }
}
