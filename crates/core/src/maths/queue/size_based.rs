//! M/M/1 served by size: shortest remaining processing time (SRPT) and shortest job first (SJF, non-preemptive).
//!
//! Sources: Schrage & Miller 1966 (SRPT); Phipps 1956 (SJF). ρ(x) is the utilization by requests no larger than x;
//! for exponential sizes ρ(x) = ρ(1 − (1 + x/E)e^(−x/E)). The means are integrals over the size, done numerically.

use crate::maths::error::{MathsError, non_negative, positive, stable};
use crate::maths::numeric::integrate;

/// Sizes beyond this many means carry less than 10⁻²⁰ of any of the integrands.
const LARGEST_SIZE: f64 = 60.0;

/// Relative tolerance of the integrals.
const TOLERANCE: f64 = 1e-11;

/// 1 − ρ(x) for sizes in units of the mean; written as (1−ρ) + ρ(1+x)e^(−x) to keep digits near saturation.
fn free(utilization: f64, x: f64) -> f64 {
    (1.0 - utilization) + utilization * (1.0 + x) * libm::exp(-x)
}

fn checked_utilization(arrival_rate: f64, service_time: f64) -> Result<f64, MathsError> {
    non_negative("arrival_rate", arrival_rate)?;
    positive("service_time", service_time)?;
    stable(arrival_rate * service_time)
}

/// Mean response time \[s\] of M/M/1 under SRPT, `arrival_rate` [1/s], mean `service_time` \[s\].
///
/// T(x) = λ(∫₀ˣt²dF + x²(1−F(x)))/(2(1−ρ(x))²) + ∫₀ˣdt/(1−ρ(t)), averaged over x.
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`]; [`MathsError::NoConvergence`] of an integral.
pub fn srpt_mean_response_time(arrival_rate: f64, service_time: f64) -> Result<f64, MathsError> {
    let rho = checked_utilization(arrival_rate, service_time)?;
    let integrand = |x: f64| {
        let decay = libm::exp(-x);
        let f = free(rho, x);
        // ∫₀ˣ t²e^(−t)dt + x²e^(−x) = 2(1 − (1 + x)e^(−x)); averaging ∫₀ˣ dt/(1−ρ(t)) leaves e^(−x)/(1−ρ(x)).
        let second_moment = 2.0 * (1.0 - (1.0 + x) * decay);
        decay * (rho * second_moment / (2.0 * f * f) + 1.0 / f)
    };
    Ok(service_time * integrate(integrand, 0.0, LARGEST_SIZE, TOLERANCE)?)
}

/// Mean response time \[s\] of M/M/1 under non-preemptive SJF, `arrival_rate` [1/s], mean `service_time` \[s\].
///
/// Wq(x) = λE\[S²\]/(2(1−ρ(x))²), averaged over x.
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`]; [`MathsError::NoConvergence`] of an integral.
pub fn sjf_mean_response_time(arrival_rate: f64, service_time: f64) -> Result<f64, MathsError> {
    let rho = checked_utilization(arrival_rate, service_time)?;
    let integrand = |x: f64| {
        let f = free(rho, x);
        libm::exp(-x) * rho / (f * f)
    };
    Ok(service_time * (1.0 + integrate(integrand, 0.0, LARGEST_SIZE, TOLERANCE)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    /// The references are themselves numeric integrals.
    const NUMERIC: f64 = 1e-8;

    #[test]
    fn the_reference_case_is_met() {
        assert_close(srpt_mean_response_time(80.0, 0.01).unwrap(), 0.023_527_732_671_723_79, NUMERIC);
        assert_close(sjf_mean_response_time(80.0, 0.01).unwrap(), 0.028_822_186_151_981_096, NUMERIC);
    }

    #[test]
    fn without_load_both_are_the_service_time() {
        assert_close(srpt_mean_response_time(0.0, 0.01).unwrap(), 0.01, 1e-10);
        assert_close(sjf_mean_response_time(0.0, 0.01).unwrap(), 0.01, 1e-10);
    }

    #[test]
    fn srpt_beats_sjf_and_both_beat_first_come_first_served() {
        for rate in [10.0, 50.0, 95.0, 99.9] {
            let (srpt, sjf) =
                (srpt_mean_response_time(rate, 0.01).unwrap(), sjf_mean_response_time(rate, 0.01).unwrap());
            assert!(srpt < sjf && sjf < 0.01 / (1.0 - rate * 0.01), "rate {rate}: {srpt} {sjf}");
        }
    }
}
