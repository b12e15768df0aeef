//! Load balancing over many servers: the power of d choices.
//!
//! Sources: Vvedenskaya, Dobrushin & Karpelevich 1996; Mitzenmacher, IEEE TPDS 12 (2001). For endlessly many servers the
//! fraction with at least i requests is ρ^((dⁱ−1)/(d−1)).
//!
//! Limits: infinitely many servers; a hundred servers at ρ = 0.99 are some 9 % slower.

use super::error::{MathsError, at_least_one, check, positive};

/// Fraction of servers with at least `requests`, for `choices` d ≥ 1 at `utilization` ρ, 0 ≤ ρ < 1.
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`].
pub fn supermarket_tail(choices: u32, utilization: f64, requests: u32) -> Result<f64, MathsError> {
    check_arguments(choices, utilization)?;
    let d = f64::from(choices);
    let exponent =
        if choices == 1 { f64::from(requests) } else { (libm::pow(d, f64::from(requests)) - 1.0) / (d - 1.0) };
    Ok(if requests == 0 { 1.0 } else { libm::pow(utilization, exponent) })
}

/// Mean response time \[s\] for `choices` d ≥ 1, at `utilization` ρ, with mean `service_time` \[s\]:
/// E\[T\] = E\[S\]·Σ_{i≥1} ρ^((dⁱ−d)/(d−1)).
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`].
pub fn supermarket_mean_response_time(choices: u32, utilization: f64, service_time: f64) -> Result<f64, MathsError> {
    check_arguments(choices, utilization)?;
    positive("service_time", service_time)?;
    if choices == 1 {
        return Ok(service_time / (1.0 - utilization));
    }
    let d = f64::from(choices);
    let (mut sum, mut exponent) = (1.0, d);
    // Exponents d, d + d², …: doubly exponential decay.
    loop {
        let term = libm::pow(utilization, exponent);
        sum += term;
        if term <= 1e-17 * sum {
            return Ok(service_time * sum);
        }
        exponent = d * (exponent + 1.0);
    }
}

fn check_arguments(choices: u32, utilization: f64) -> Result<(), MathsError> {
    at_least_one("choices", choices)?;
    check("utilization", utilization, utilization >= 0.0, "at least 0")?;
    super::error::stable(utilization).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        let cases = [
            (1, 0.90, 10.0),
            (2, 0.50, 1.265_686_036_087_572_6),
            (2, 0.80, 1.947_363_385_948_087_7),
            (2, 0.99, 5.431_996_579_161_878),
            (3, 0.95, 2.535_133_476_517_650_3),
            (5, 0.70, 1.168_092_539_340_290_6),
            (5, 0.99, 2.901_682_829_174_147),
        ];
        for (choices, utilization, expected) in cases {
            assert_close(supermarket_mean_response_time(choices, utilization, 1.0).unwrap(), expected, REFERENCE);
        }
    }

    #[test]
    fn the_tails_add_up_to_littles_law() {
        let number: f64 = (1..30).map(|i| supermarket_tail(2, 0.9, i).unwrap()).sum();
        assert_close(number, 0.9 * supermarket_mean_response_time(2, 0.9, 1.0).unwrap(), 1e-12);
        assert_close(supermarket_tail(1, 0.9, 3).unwrap(), 0.729, 1e-12);
    }

    #[test]
    fn full_load_is_unstable() {
        assert!(matches!(supermarket_mean_response_time(2, 1.0, 1.0), Err(MathsError::Unstable { .. })));
    }
}
