//! M/G/1, first come first served: mean and spread of the wait for any service time, and the whole distribution of the
//! wait for hyperexponential service.
//!
//! Sources: Pollaczek 1930, Khinchine 1932; Kleinrock, *Queueing Systems I*, ch. 5. With moments mₖ = E\[Sᵏ\]:
//! E\[Wq\] = λm₂/(2(1−ρ)) and E\[Wq²\] = 2E\[Wq\]² + λm₃/(3(1−ρ)).

use super::service::{Hyperexponential, ServiceMoments};
use crate::maths::error::{MathsError, check, non_negative, positive, quantile_level, stable};
use crate::maths::numeric::root;

/// A stable M/G/1 station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mg1 {
    arrival_rate: f64,
    service: ServiceMoments,
}

impl Mg1 {
    /// Station with `arrival_rate` [1/s, ≥ 0] and the moments of its service time.
    ///
    /// # Errors
    /// A rate outside its domain; [`MathsError::Unstable`] if λ·E\[S\] ≥ 1.
    pub fn new(arrival_rate: f64, service: ServiceMoments) -> Result<Self, MathsError> {
        non_negative("arrival_rate", arrival_rate)?;
        stable(arrival_rate * service.first)?;
        Ok(Self { arrival_rate, service })
    }

    /// ρ = λ·E\[S\]; also the probability that an arrival waits.
    pub fn utilization(&self) -> f64 {
        self.arrival_rate * self.service.first
    }

    /// Wq \[s\].
    pub fn mean_waiting_time(&self) -> f64 {
        self.arrival_rate * self.service.second / (2.0 * (1.0 - self.utilization()))
    }

    /// W = Wq + E\[S\] \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.mean_waiting_time() + self.service.first
    }

    /// Standard deviation of the waiting time \[s\].
    pub fn waiting_time_sd(&self) -> f64 {
        self.waiting_time_variance().sqrt()
    }

    /// Standard deviation of the response time \[s\]; waiting and own service are independent.
    pub fn response_time_sd(&self) -> f64 {
        (self.waiting_time_variance() + self.service.variance()).sqrt()
    }

    fn waiting_time_variance(&self) -> f64 {
        let mean = self.mean_waiting_time();
        mean * mean + self.arrival_rate * self.service.third / (3.0 * (1.0 - self.utilization()))
    }

    /// Lq = λ·Wq.
    pub fn mean_queue_length(&self) -> f64 {
        self.arrival_rate * self.mean_waiting_time()
    }

    /// L = λ·W.
    pub fn mean_number(&self) -> f64 {
        self.arrival_rate * self.mean_response_time()
    }
}

/// A stable M/H₂/1 station, whose waiting time is a mixture of zero and two exponentials.
///
/// Partial fractions of the Pollaczek–Khinchine transform (Kleinrock 1975, ch. 5):
/// P(Wq > t) = A₁e^(−z₁t) + A₂e^(−z₂t), where −z₁ and −z₂ are the roots of
/// s² + (μ₁+μ₂−λ)s + μ₁μ₂ − λ(pμ₂ + (1−p)μ₁).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mh21 {
    slow: (f64, f64),
    fast: (f64, f64),
}

impl Mh21 {
    /// Station with `arrival_rate` [1/s, ≥ 0] and hyperexponential service.
    ///
    /// # Errors
    /// A rate outside its domain; [`MathsError::Unstable`].
    pub fn new(arrival_rate: f64, service: Hyperexponential) -> Result<Self, MathsError> {
        let lambda = non_negative("arrival_rate", arrival_rate)?;
        let p = service.probability;
        check("probability", p, p > 0.0 && p < 1.0, "strictly between 0 and 1")?;
        positive("fast_rate", service.fast_rate)?;
        positive("slow_rate", service.slow_rate)?;
        let rho = stable(lambda * service.moments().first)?;
        let (m1, m2) = (service.fast_rate, service.slow_rate);
        let sum = m1 + m2 - lambda;
        let product = m1 * m2 * (1.0 - rho);
        let spread = (sum * sum - 4.0 * product).max(0.0).sqrt();
        let fast = 0.5 * (sum + spread);
        // The small root from the product, since the difference of near equals would lose digits.
        let slow = product / fast;
        // Equal rates are plain exponential service: the poles merge with the zeros.
        if (m1 - m2).abs() <= 1e-9 * m1 {
            let drain = (1.0 - rho) * m1 * m2 / (p * m2 + (1.0 - p) * m1);
            return Ok(Self { slow: (rho, drain), fast: (0.0, drain) });
        }
        let weight = |z: f64, other: f64| (1.0 - rho) * (m1 - z) * (m2 - z) / (z * (other - z));
        Ok(Self { slow: (weight(slow, fast), slow), fast: (weight(fast, slow), fast) })
    }

    /// P(waiting time > `t`), `t` in seconds.
    pub fn waiting_time_exceeds(&self, t: f64) -> f64 {
        let term = |(weight, rate): (f64, f64)| weight * libm::exp(-rate * t.max(0.0));
        term(self.slow) + term(self.fast)
    }

    /// Quantile of the waiting time \[s\] at level `p`, 0 ≤ p < 1.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn waiting_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        if self.waiting_time_exceeds(0.0) <= 1.0 - p {
            return Ok(0.0);
        }
        let excess = |t: f64| self.waiting_time_exceeds(t) / (1.0 - p) - 1.0;
        let mut high = 1.0 / self.slow.1;
        while excess(high) > 0.0 {
            high *= 2.0;
        }
        root(excess, 0.0, high, 1e-14)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mm1::Mm1;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_hyperexponential_reference_case_is_met() {
        let h = Hyperexponential::balanced(0.01, 4.0).unwrap();
        let q = Mg1::new(70.0, h.moments()).unwrap();
        assert_close(q.mean_waiting_time(), 0.058_333_333_333_333_34, REFERENCE);
        assert_close(q.waiting_time_sd(), 0.089_830_086_521_412_45, REFERENCE);
        let wait = Mh21::new(70.0, h).unwrap();
        assert_close(wait.waiting_time_exceeds(0.0), 0.7, REFERENCE);
        let quantiles = [
            (0.5, 0.016_961_742_478_324_304),
            (0.9, 0.174_523_945_461_495_23),
            (0.95, 0.243_838_663_415_360_74),
            (0.99, 0.404_782_454_658_721),
            (0.999, 0.635_040_963_958_125_6),
        ];
        for (p, expected) in quantiles {
            assert_close(wait.waiting_time_quantile(p).unwrap(), expected, REFERENCE);
        }
    }

    #[test]
    fn the_lognormal_reference_cases_are_met() {
        let q = Mg1::new(70.0, ServiceMoments::lognormal(0.01, 1.0).unwrap()).unwrap();
        assert_close(q.waiting_time_sd(), 0.034_156_502_553_198_66, REFERENCE);
        assert_close(q.response_time_sd(), 0.035_590_260_840_104_38, REFERENCE);
        let q = Mg1::new(70.0, ServiceMoments::lognormal(0.01, 4.0).unwrap()).unwrap();
        assert_close(q.mean_response_time(), 0.068_333_333_333_333_3, REFERENCE);
        assert_close(q.waiting_time_sd(), 0.114_564_392_373_896_03, REFERENCE);
    }

    #[test]
    fn the_bounded_pareto_reference_case_is_met() {
        let service = ServiceMoments::bounded_pareto(1.1, 0.001, 1.0).unwrap();
        let q = Mg1::new(0.7 / service.first, service).unwrap();
        assert_close(q.mean_waiting_time(), 0.129_986_821_131_443_55, REFERENCE);
        assert_close(q.waiting_time_sd(), 0.240_887_998_126_070_4, REFERENCE);
    }

    #[test]
    fn exponential_service_is_mm1_also_in_the_degenerate_mixture() {
        let (q, mm1) =
            (Mg1::new(80.0, ServiceMoments::exponential(0.01).unwrap()).unwrap(), Mm1::new(80.0, 0.01).unwrap());
        assert_close(q.waiting_time_sd(), mm1.waiting_time_sd(), 1e-12);
        let wait = Mh21::new(80.0, Hyperexponential::balanced(0.01, 1.0).unwrap()).unwrap();
        assert_close(wait.waiting_time_exceeds(0.1), mm1.waiting_time_exceeds(0.1), 1e-9);
    }

    #[test]
    fn the_mixture_integrates_to_the_pollaczek_khinchine_mean() {
        let h = Hyperexponential::balanced(0.01, 16.0).unwrap();
        let wait = Mh21::new(90.0, h).unwrap();
        let mean = wait.slow.0 / wait.slow.1 + wait.fast.0 / wait.fast.1;
        assert_close(mean, Mg1::new(90.0, h.moments()).unwrap().mean_waiting_time(), 1e-10);
    }
}
