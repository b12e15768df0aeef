//! M/G/1 with setup (cold start): the server switches off when idle and needs a setup before the next service.
//!
//! Source: Welch 1964: response time = that of M/G/1 + (2E\[I\] + λE\[I²\])/(2(1 + λE\[I\])), I the setup time.

use super::mg1::Mg1;
use super::service::ServiceMoments;
use crate::maths::error::{MathsError, check, non_negative};

/// A stable M/G/1 station whose server switches off at once when idle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mg1Setup {
    arrival_rate: f64,
    warm: Mg1,
    setup_mean: f64,
    setup_second_moment: f64,
}

impl Mg1Setup {
    /// Station with `arrival_rate` [1/s, ≥ 0], its service, and the setup's mean \[s\] and second moment \[s²\].
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::Unstable`].
    pub fn new(
        arrival_rate: f64,
        service: ServiceMoments,
        setup_mean: f64,
        setup_second_moment: f64,
    ) -> Result<Self, MathsError> {
        let warm = Mg1::new(arrival_rate, service)?;
        non_negative("setup_mean", setup_mean)?;
        let least = setup_mean * setup_mean * (1.0 - 1e-12);
        let ok = setup_second_moment.is_finite() && setup_second_moment >= least;
        check("setup_second_moment", setup_second_moment, ok, "at least the mean squared")?;
        Ok(Self { arrival_rate, warm, setup_mean, setup_second_moment })
    }

    /// W \[s\].
    pub fn mean_response_time(&self) -> f64 {
        let extra = (2.0 * self.setup_mean + self.arrival_rate * self.setup_second_moment)
            / (2.0 * (1.0 + self.arrival_rate * self.setup_mean));
        self.warm.mean_response_time() + extra
    }

    /// Time before service begins \[s\], setup included.
    pub fn mean_waiting_time(&self) -> f64 {
        self.mean_response_time() - (self.warm.mean_response_time() - self.warm.mean_waiting_time())
    }

    /// Fraction of requests that find the server off, and so start it: (1−ρ)/(1 + λE\[I\]).
    pub fn cold_fraction(&self) -> f64 {
        (1.0 - self.warm.utilization()) / (1.0 + self.arrival_rate * self.setup_mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_is_met_for_exponential_and_constant_setup() {
        let service = ServiceMoments::exponential(0.01).unwrap();
        let q = Mg1Setup::new(50.0, service, 0.04, 2.0 * 0.04 * 0.04).unwrap();
        assert_close(q.mean_response_time(), 0.06, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.05, REFERENCE);
        assert_close(q.cold_fraction(), 0.166_666_666_666_666_66, REFERENCE);
        let constant = Mg1Setup::new(50.0, service, 0.04, 0.04 * 0.04).unwrap();
        assert_close(constant.mean_response_time(), 0.046_666_666_666_666_67, REFERENCE);
    }

    #[test]
    fn without_setup_it_is_mg1() {
        let service = ServiceMoments::lognormal(0.01, 4.0).unwrap();
        let q = Mg1Setup::new(70.0, service, 0.0, 0.0).unwrap();
        assert_close(q.mean_waiting_time(), Mg1::new(70.0, service).unwrap().mean_waiting_time(), 1e-12);
    }
}
