//! Raw moments of service times, the only thing that the M/G/1 formulas need to know of a distribution.
//!
//! Each constructor names its distribution; the moments are textbook closed forms.

use crate::maths::error::{MathsError, at_least_one, check, non_negative, positive};

/// The first three raw moments of a service time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceMoments {
    /// E\[S\] \[s\].
    pub first: f64,
    /// E\[S²\] \[s²\].
    pub second: f64,
    /// E\[S³\] \[s³\].
    pub third: f64,
}

impl ServiceMoments {
    /// Moments known from elsewhere.
    ///
    /// # Errors
    /// A moment that is not positive, or moments of no distribution: E\[S²\] ≥ E\[S\]² and E\[S³\]·E\[S\] ≥ E\[S²\]²
    /// (both up to rounding).
    pub fn new(first: f64, second: f64, third: f64) -> Result<Self, MathsError> {
        positive("first moment", first)?;
        positive("second moment", second)?;
        positive("third moment", third)?;
        let slack = 1.0 - 1e-12;
        check("second moment", second, second >= first * first * slack, "at least the first moment squared")?;
        check("third moment", third, third * first >= second * second * slack, "at least E[S²]²/E[S]")?;
        Ok(Self { first, second, third })
    }

    /// Always `mean` \[s\].
    ///
    /// # Errors
    /// A mean that is not positive.
    pub fn constant(mean: f64) -> Result<Self, MathsError> {
        let m = positive("mean", mean)?;
        Ok(Self { first: m, second: m * m, third: m * m * m })
    }

    /// Exponential with `mean` \[s\].
    ///
    /// # Errors
    /// A mean that is not positive.
    pub fn exponential(mean: f64) -> Result<Self, MathsError> {
        Self::erlang(mean, 1)
    }

    /// Erlang with `mean` \[s\] and `stages` ≥ 1.
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn erlang(mean: f64, stages: u32) -> Result<Self, MathsError> {
        let m = positive("mean", mean)?;
        let k = f64::from(at_least_one("stages", stages)?);
        let second = m * m * (k + 1.0) / k;
        Ok(Self { first: m, second, third: second * m * (k + 2.0) / k })
    }

    /// Uniform between `low` and `high` \[s\], 0 ≤ `low` < `high`.
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn uniform(low: f64, high: f64) -> Result<Self, MathsError> {
        non_negative("low", low)?;
        check("high", high, high.is_finite() && high > low, "a finite number above low")?;
        let first = 0.5 * (low + high);
        Ok(Self {
            first,
            second: (low * low + low * high + high * high) / 3.0,
            third: first * 0.5 * (low * low + high * high),
        })
    }

    /// Log-normal with `mean` \[s\] and squared coefficient of variation `scv` ≥ 0: E\[Sᵏ\] = meanᵏ(1+scv)^(k(k−1)/2).
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn lognormal(mean: f64, scv: f64) -> Result<Self, MathsError> {
        let m = positive("mean", mean)?;
        let g = 1.0 + non_negative("scv", scv)?;
        Ok(Self { first: m, second: m * m * g, third: m * m * m * g * g * g })
    }

    /// Bounded Pareto between `low` and `high` \[s\] with tail index `alpha`.
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn bounded_pareto(alpha: f64, low: f64, high: f64) -> Result<Self, MathsError> {
        positive("alpha", alpha)?;
        positive("low", low)?;
        check("high", high, high.is_finite() && high > low, "a finite number above low")?;
        let log_ratio = libm::log(high / low);
        let norm = alpha / -libm::expm1(-alpha * log_ratio);
        // ∫ x^(k−α−1) dx / low^(k−α), with its logarithmic limit at k = α.
        let moment = |k: f64| {
            let power = k - alpha;
            let integral = if power.abs() < 1e-12 { log_ratio } else { libm::expm1(power * log_ratio) / power };
            norm * libm::pow(low, k) * integral
        };
        Ok(Self { first: moment(1.0), second: moment(2.0), third: moment(3.0) })
    }

    /// Squared coefficient of variation: Var\[S\]/E\[S\]².
    pub fn scv(&self) -> f64 {
        (self.second / (self.first * self.first) - 1.0).max(0.0)
    }

    /// Var\[S\] \[s²\].
    pub fn variance(&self) -> f64 {
        self.scv() * self.first * self.first
    }
}

/// Hyperexponential service of two phases with balanced means (p₁/μ₁ = p₂/μ₂), fixed by mean and scv.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyperexponential {
    /// Probability of the first, fast phase; the second has the rest.
    pub probability: f64,
    /// Rate of the first phase [1/s].
    pub fast_rate: f64,
    /// Rate of the second phase [1/s].
    pub slow_rate: f64,
}

impl Hyperexponential {
    /// Balanced-means fit to `mean` \[s\] and `scv` ≥ 1 (Tijms, *A First Course in Stochastic Models*, app. B):
    /// p = (1 + √((scv−1)/(scv+1)))/2, rates 2p/mean and 2(1−p)/mean.
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn balanced(mean: f64, scv: f64) -> Result<Self, MathsError> {
        positive("mean", mean)?;
        check("scv", scv, scv.is_finite() && scv >= 1.0, "a finite number of at least 1")?;
        let probability = 0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt());
        Ok(Self { probability, fast_rate: 2.0 * probability / mean, slow_rate: 2.0 * (1.0 - probability) / mean })
    }

    /// Its moments: E\[Sᵏ\] = k!·Σ pᵢ/μᵢᵏ.
    pub fn moments(&self) -> ServiceMoments {
        let moment = |k: i32, factorial: f64| {
            factorial
                * (self.probability / libm::pow(self.fast_rate, f64::from(k))
                    + (1.0 - self.probability) / libm::pow(self.slow_rate, f64::from(k)))
        };
        ServiceMoments { first: moment(1, 1.0), second: moment(2, 2.0), third: moment(3, 6.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_reference_hyperexponential_is_reproduced() {
        let h = Hyperexponential::balanced(10.0, 4.0).unwrap();
        // Reference constants carry six digits.
        assert_close(h.probability, 0.887_298, 1e-6);
        assert_close(h.fast_rate, 0.177_46, 1e-5);
        assert_close(h.slow_rate, 0.022_540_3, 1e-5);
        assert_close(h.moments().scv(), 4.0, 1e-12);
    }

    #[test]
    fn the_reference_bounded_pareto_is_reproduced() {
        let s = ServiceMoments::bounded_pareto(1.1, 1.0, 1000.0).unwrap();
        // Reference constants carry six digits.
        assert_close(s.first, 5.489_69, 1e-6);
        assert_close(s.scv(), 19.2957, 1e-5);
    }

    #[test]
    fn a_tail_index_equal_to_the_order_of_a_moment_is_its_limit() {
        let at = |alpha| ServiceMoments::bounded_pareto(alpha, 1.0, 10.0).unwrap().second;
        assert_close(at(2.0), at(2.0 + 1e-7), 1e-6);
    }

    #[test]
    fn many_erlang_stages_are_a_constant_and_one_is_exponential() {
        let many = ServiceMoments::erlang(2.0, u32::MAX).unwrap();
        assert_close(many.third, ServiceMoments::constant(2.0).unwrap().third, 1e-8);
        assert_close(ServiceMoments::exponential(2.0).unwrap().third, 48.0, 1e-12);
    }

    #[test]
    fn moments_of_no_distribution_are_refused() {
        assert!(ServiceMoments::new(1.0, 0.9, 1.0).is_err());
        assert!(ServiceMoments::new(1.0, 2.0, 3.0).is_err());
        let uniform = ServiceMoments::uniform(0.0, 2.0).unwrap();
        assert_close(uniform.third, 2.0, 1e-15);
        assert!(ServiceMoments::new(uniform.first, uniform.second, uniform.third).is_ok());
    }
}
