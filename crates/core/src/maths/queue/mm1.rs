//! M/M/1: Poisson arrivals, exponential service, one server.
//!
//! Source: Kleinrock, *Queueing Systems I* (1975), ch. 3. Response time is exponential with rate μ − λ; waiting time is
//! zero with probability 1 − ρ and otherwise exponential with the same rate.

use crate::maths::error::{MathsError, non_negative, positive, quantile_level, stable};

/// A stable M/M/1 station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mm1 {
    arrival_rate: f64,
    service_time: f64,
}

impl Mm1 {
    /// Station with `arrival_rate` λ [1/s, ≥ 0] and mean `service_time` 1/μ \[s, > 0\].
    ///
    /// # Errors
    /// A rate or time outside its domain; [`MathsError::Unstable`] if λ ≥ μ.
    pub fn new(arrival_rate: f64, service_time: f64) -> Result<Self, MathsError> {
        non_negative("arrival_rate", arrival_rate)?;
        positive("service_time", service_time)?;
        stable(arrival_rate * service_time)?;
        Ok(Self { arrival_rate, service_time })
    }

    /// ρ = λ/μ.
    pub fn utilization(&self) -> f64 {
        self.arrival_rate * self.service_time
    }

    /// L = ρ/(1−ρ).
    pub fn mean_number(&self) -> f64 {
        self.utilization() / (1.0 - self.utilization())
    }

    /// Lq = ρ²/(1−ρ).
    pub fn mean_queue_length(&self) -> f64 {
        self.utilization() * self.mean_number()
    }

    /// W = 1/(μ−λ) \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.service_time / (1.0 - self.utilization())
    }

    /// Wq = ρ/(μ−λ) \[s\].
    pub fn mean_waiting_time(&self) -> f64 {
        self.utilization() * self.mean_response_time()
    }

    /// Probability that an arrival waits: ρ.
    pub fn probability_of_waiting(&self) -> f64 {
        self.utilization()
    }

    /// Standard deviation of the response time \[s\]; equal to its mean.
    pub fn response_time_sd(&self) -> f64 {
        self.mean_response_time()
    }

    /// Standard deviation of the waiting time \[s\]: √(ρ(2−ρ))/(μ−λ).
    pub fn waiting_time_sd(&self) -> f64 {
        let rho = self.utilization();
        (rho * (2.0 - rho)).sqrt() * self.mean_response_time()
    }

    /// P(response time > `t`), `t` in seconds.
    pub fn response_time_exceeds(&self, t: f64) -> f64 {
        libm::exp(-t.max(0.0) / self.mean_response_time())
    }

    /// P(waiting time > `t`), `t` in seconds.
    pub fn waiting_time_exceeds(&self, t: f64) -> f64 {
        self.utilization() * self.response_time_exceeds(t)
    }

    /// Quantile of the response time \[s\] at level `p`, 0 ≤ p < 1.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn response_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        Ok(-self.mean_response_time() * libm::log1p(-p))
    }

    /// Quantile of the waiting time \[s\] at level `p`, 0 ≤ p < 1; zero up to 1 − ρ.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn waiting_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        Ok((self.mean_response_time() * (libm::log(self.utilization()) - libm::log1p(-p))).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_at_half_load_is_met() {
        let q = Mm1::new(50.0, 0.01).unwrap();
        assert_close(q.mean_number(), 1.0, REFERENCE);
        assert_close(q.mean_queue_length(), 0.5, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.01, REFERENCE);
        assert_close(q.response_time_sd(), 0.02, REFERENCE);
        assert_close(q.response_time_quantile(0.5).unwrap(), 0.013_862_943_611_198_906, REFERENCE);
        assert_close(q.waiting_time_quantile(0.5).unwrap(), 0.0, REFERENCE);
        assert_close(q.waiting_time_quantile(0.999).unwrap(), 0.124_292_161_968_443_8, REFERENCE);
    }

    #[test]
    fn the_reference_case_at_80_percent_load_is_met() {
        let q = Mm1::new(80.0, 0.01).unwrap();
        assert_close(q.mean_number(), 4.0, REFERENCE);
        assert_close(q.mean_queue_length(), 3.2, REFERENCE);
        assert_close(q.mean_response_time(), 0.05, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.04, REFERENCE);
        assert_close(q.probability_of_waiting(), 0.8, REFERENCE);
        assert_close(q.response_time_quantile(0.99).unwrap(), 0.230_258_509_299_404_55, REFERENCE);
        assert_close(q.response_time_quantile(0.999).unwrap(), 0.345_387_763_949_106_8, REFERENCE);
        assert_close(q.waiting_time_quantile(0.5).unwrap(), 0.023_500_181_462_286_78, REFERENCE);
        assert_close(q.waiting_time_quantile(0.95).unwrap(), 0.138_629_436_111_989_04, REFERENCE);
    }

    #[test]
    fn quantile_and_tail_are_inverse_to_each_other() {
        let q = Mm1::new(7.0, 0.1).unwrap();
        let t = q.waiting_time_quantile(0.97).unwrap();
        assert_close(q.waiting_time_exceeds(t), 0.03, 1e-12);
    }

    #[test]
    fn the_waiting_time_variance_is_the_response_time_variance_without_service() {
        let q = Mm1::new(7.0, 0.1).unwrap();
        let variance = q.response_time_sd() * q.response_time_sd() - 0.01;
        assert_close(q.waiting_time_sd() * q.waiting_time_sd(), variance, 1e-12);
    }

    #[test]
    fn a_full_server_is_unstable() {
        assert!(matches!(Mm1::new(100.0, 0.01), Err(MathsError::Unstable { .. })));
        assert!(Mm1::new(f64::NAN, 0.01).is_err());
    }

    #[test]
    fn an_idle_station_never_waits() {
        let q = Mm1::new(0.0, 0.01).unwrap();
        assert_eq!(q.waiting_time_quantile(0.999).unwrap(), 0.0);
    }
}
