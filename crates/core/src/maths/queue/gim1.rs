//! GI/M/1: independent arrivals of any law, exponential service, one server.
//!
//! Source: Gross & Harris, ch. 5. σ is the root in (0, 1) of σ = A*(μ(1−σ)), A* the Laplace–Stieltjes transform of the
//! inter-arrival time; an arrival waits with probability σ and the response time is exponential with rate μ(1−σ).
//! Arrivals do not see time averages: σ differs from ρ unless arrivals are Poisson.

use super::mm1::Mm1;
use crate::maths::error::{MathsError, at_least_one, positive};
use crate::maths::numeric::root;

/// A stable GI/M/1 station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GiM1 {
    arrival_rate: f64,
    service_time: f64,
    /// 1 − σ.
    free: f64,
}

impl GiM1 {
    /// Station with `arrival_rate` λ [1/s, > 0], mean `service_time` \[s, > 0\] and the `transform` A*(s), s in 1/s, of an
    /// inter-arrival time with mean 1/λ.
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::Unstable`]; [`MathsError::NoConvergence`] if `transform` is not
    /// the transform of such a time.
    pub fn with_transform(
        arrival_rate: f64,
        service_time: f64,
        transform: impl Fn(f64) -> f64,
    ) -> Result<Self, MathsError> {
        Self::with_complement(arrival_rate, service_time, |s| 1.0 - transform(s))
    }

    /// The same from 1 − A*(s), which for small s keeps the digits that A* near one has lost.
    fn with_complement(
        arrival_rate: f64,
        service_time: f64,
        complement: impl Fn(f64) -> f64,
    ) -> Result<Self, MathsError> {
        positive("arrival_rate", arrival_rate)?;
        let rho = Mm1::new(arrival_rate, service_time)?.utilization();
        // In y = 1 − σ: near 1/ρ − 1 > 0 just above zero, negative at one.
        let gap = |y: f64| complement(y / service_time) / y - 1.0;
        let mut low = 0.5 * (1.0 - rho);
        for _ in 0..40 {
            if gap(low) > 0.0 {
                let free = root(gap, low, 1.0, 1e-15)?;
                return Ok(Self { arrival_rate, service_time, free });
            }
            low *= 0.5;
        }
        Err(MathsError::NoConvergence { method: "GI/M/1 root" })
    }

    /// Equally spaced arrivals, as from a constant-rate load generator: A*(s) = e^(−s/λ).
    ///
    /// # Errors
    /// As [`GiM1::with_transform`].
    pub fn constant(arrival_rate: f64, service_time: f64) -> Result<Self, MathsError> {
        Self::with_complement(arrival_rate, service_time, |s| -libm::expm1(-s / arrival_rate))
    }

    /// Erlang inter-arrival times of `stages` ≥ 1, as from round robin over that many stations:
    /// A*(s) = (1 + s/(kλ))^(−k).
    ///
    /// # Errors
    /// As [`GiM1::with_transform`], and for zero stages.
    pub fn erlang(arrival_rate: f64, service_time: f64, stages: u32) -> Result<Self, MathsError> {
        let k = f64::from(at_least_one("stages", stages)?);
        let complement = |s: f64| -libm::expm1(-k * libm::log1p(s / (k * arrival_rate)));
        Self::with_complement(arrival_rate, service_time, complement)
    }

    /// σ: probability that an arrival waits.
    pub fn probability_of_waiting(&self) -> f64 {
        1.0 - self.free
    }

    /// ρ = λ/μ, the time average.
    pub fn utilization(&self) -> f64 {
        self.arrival_rate * self.service_time
    }

    /// What arrivals see is an M/M/1 with utilization σ and the same service.
    fn seen_by_arrivals(&self) -> Result<Mm1, MathsError> {
        Mm1::new((1.0 - self.free) / self.service_time, self.service_time)
    }

    /// W = 1/(μ(1−σ)) \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.service_time / self.free
    }

    /// Wq = σ/(μ(1−σ)) \[s\].
    pub fn mean_waiting_time(&self) -> f64 {
        (1.0 - self.free) * self.mean_response_time()
    }

    /// L = λ·W.
    pub fn mean_number(&self) -> f64 {
        self.arrival_rate * self.mean_response_time()
    }

    /// Quantile of the response time \[s\] at level `p`, 0 ≤ p < 1.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn response_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        self.seen_by_arrivals()?.response_time_quantile(p)
    }

    /// Quantile of the waiting time \[s\] at level `p`, 0 ≤ p < 1; zero up to 1 − σ.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn waiting_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        self.seen_by_arrivals()?.waiting_time_quantile(p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_with_constant_gaps_is_met() {
        let q = GiM1::constant(80.0, 0.01).unwrap();
        assert_close(q.probability_of_waiting(), 0.628_629_796_496_967_7, REFERENCE);
        assert_close(q.mean_response_time(), 0.026_927_308_399_200_495, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.016_927_308_399_200_495, REFERENCE);
        assert_close(q.response_time_quantile(0.99).unwrap(), 0.124_004_837_828_904_84, REFERENCE);
        assert_close(q.utilization(), 0.8, REFERENCE);
    }

    #[test]
    fn the_reference_case_with_erlang_gaps_is_met() {
        let q = GiM1::erlang(80.0, 0.01, 4).unwrap();
        assert_close(q.probability_of_waiting(), 0.693_944_721_751_763_4, REFERENCE);
        assert_close(q.mean_response_time(), 0.032_673_836_103_192_96, REFERENCE);
        assert_close(q.response_time_quantile(0.99).unwrap(), 0.150_468_575_884_285_54, REFERENCE);
    }

    #[test]
    fn round_robin_over_two_servers_meets_its_reference() {
        let q = GiM1::erlang(0.8, 1.0, 2).unwrap();
        assert_close(q.mean_response_time(), 3.843_979_766_989_917, REFERENCE);
    }

    #[test]
    fn one_stage_is_mm1_up_to_the_edge_of_stability() {
        for rate in [1.0, 80.0, 99.0, 99.999] {
            let q = GiM1::erlang(rate, 0.01, 1).unwrap();
            // σ = ρ; forming 1 − ρ near saturation costs up to five of 16 digits.
            assert_close(q.mean_response_time(), Mm1::new(rate, 0.01).unwrap().mean_response_time(), 1e-10);
        }
    }

    #[test]
    fn a_transform_of_another_mean_is_not_trusted() {
        assert!(GiM1::with_transform(50.0, 0.01, |s| libm::exp(-s / 1000.0)).is_err());
    }
}
