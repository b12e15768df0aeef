//! M/G/1 with priority classes, highest first; first come first served within a class.
//!
//! Sources: Cobham 1954 (non-preemptive); Kleinrock, *Queueing Systems II* (1976), ch. 3 (preemptive-resume,
//! conservation law). Kleinrock's σₖ is the utilization of the classes 1..k together.

use super::service::ServiceMoments;
use crate::maths::error::{MathsError, non_negative, stable};

/// One class of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorityClass {
    /// λₖ [1/s].
    pub arrival_rate: f64,
    /// Moments of its service time.
    pub service: ServiceMoments,
}

impl PriorityClass {
    fn utilization(&self) -> f64 {
        self.arrival_rate * self.service.first
    }

    /// Its share of the mean work in service that an arrival finds \[s\].
    fn residual(&self) -> f64 {
        0.5 * self.arrival_rate * self.service.second
    }
}

/// Mean waiting time \[s\] of each class when service, once begun, is not interrupted:
/// Wₖ = R/((1−σₖ₋₁)(1−σₖ)), R = Σ λᵢE\[Sᵢ²\]/2 over *all* classes.
///
/// # Errors
/// A negative rate; [`MathsError::Unstable`] if all classes together saturate the server.
pub fn non_preemptive_waiting_times(classes: &[PriorityClass]) -> Result<Vec<f64>, MathsError> {
    check_rates(classes)?;
    stable(classes.iter().map(PriorityClass::utilization).sum())?;
    let residual: f64 = classes.iter().map(PriorityClass::residual).sum();
    let mut above = 0.0;
    Ok(classes
        .iter()
        .map(|class| {
            let through = above + class.utilization();
            let wait = residual / ((1.0 - above) * (1.0 - through));
            above = through;
            wait
        })
        .collect())
}

/// Mean response time \[s\] of each class when a higher class interrupts and the rest of the work is resumed later:
/// Tₖ = E\[Sₖ\]/(1−σₖ₋₁) + Σᵢ≤ₖ λᵢE\[Sᵢ²\]/(2(1−σₖ₋₁)(1−σₖ)). Infinite for a class without a steady state (σₖ ≥ 1);
/// the classes above it do not notice.
///
/// # Errors
/// A negative rate.
pub fn preemptive_resume_response_times(classes: &[PriorityClass]) -> Result<Vec<f64>, MathsError> {
    check_rates(classes)?;
    let (mut above, mut residual) = (0.0, 0.0);
    Ok(classes
        .iter()
        .map(|class| {
            let through = above + class.utilization();
            residual += class.residual();
            let time = class.service.first / (1.0 - above) + residual / ((1.0 - above) * (1.0 - through));
            above = through;
            if through < 1.0 { time } else { f64::INFINITY }
        })
        .collect())
}

fn check_rates(classes: &[PriorityClass]) -> Result<(), MathsError> {
    classes.iter().try_for_each(|class| non_negative("arrival_rate", class.arrival_rate).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mg1::Mg1;
    use crate::maths::test_support::{REFERENCE, assert_close};

    fn class(arrival_rate: f64) -> PriorityClass {
        PriorityClass { arrival_rate, service: ServiceMoments::exponential(0.01).unwrap() }
    }

    #[test]
    fn the_reference_case_is_met() {
        let classes = [class(30.0), class(50.0)];
        let waits = non_preemptive_waiting_times(&classes).unwrap();
        assert_close(waits[0], 0.011_428_571_428_571_429, REFERENCE);
        assert_close(waits[1], 0.057_142_857_142_857_16, REFERENCE);
        let times = preemptive_resume_response_times(&classes).unwrap();
        assert_close(times[0], 0.014_285_714_285_714_286, REFERENCE);
        assert_close(times[1], 0.071_428_571_428_571_44, REFERENCE);
    }

    #[test]
    fn the_conservation_law_holds_for_mixed_services() {
        let classes = [
            PriorityClass { arrival_rate: 10.0, service: ServiceMoments::lognormal(0.02, 4.0).unwrap() },
            PriorityClass { arrival_rate: 40.0, service: ServiceMoments::constant(0.005).unwrap() },
            PriorityClass { arrival_rate: 5.0, service: ServiceMoments::erlang(0.05, 3).unwrap() },
        ];
        let waits = non_preemptive_waiting_times(&classes).unwrap();
        let rho: f64 = classes.iter().map(PriorityClass::utilization).sum();
        let residual: f64 = classes.iter().map(PriorityClass::residual).sum();
        let weighted: f64 = classes.iter().zip(&waits).map(|(c, w)| c.utilization() * w).sum();
        assert_close(weighted, rho * residual / (1.0 - rho), 1e-12);
    }

    #[test]
    fn a_single_class_is_mg1() {
        let only = class(80.0);
        let fifo = Mg1::new(80.0, only.service).unwrap();
        assert_close(non_preemptive_waiting_times(&[only]).unwrap()[0], fifo.mean_waiting_time(), 1e-12);
        assert_close(preemptive_resume_response_times(&[only]).unwrap()[0], fifo.mean_response_time(), 1e-12);
    }

    #[test]
    fn overload_starves_the_low_class_alone_when_the_high_one_preempts() {
        let times = preemptive_resume_response_times(&[class(50.0), class(60.0)]).unwrap();
        assert_close(times[0], 0.02, 1e-12);
        assert_eq!(times[1], f64::INFINITY);
        assert!(non_preemptive_waiting_times(&[class(50.0), class(60.0)]).is_err());
    }
}
