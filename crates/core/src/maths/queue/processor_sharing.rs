//! Processor sharing: all requests present share the capacity equally.
//!
//! Sources: Kleinrock 1967; Sakata, Noguchi & Oizumi 1969 (M/G/1-PS); Cohen, *Acta Informatica* 12 (1979) (M/G/c-PS).
//! Means depend on the service distribution through its mean alone.

use super::mm1::Mm1;
use super::mmc::Mmc;
use crate::maths::error::{MathsError, non_negative};

/// A stable M/G/1 processor-sharing station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mg1Ps {
    same_means: Mm1,
}

impl Mg1Ps {
    /// Station with `arrival_rate` [1/s, ≥ 0] and `mean_demand` \[s of its full capacity, > 0\].
    ///
    /// # Errors
    /// As [`Mm1::new`].
    pub fn new(arrival_rate: f64, mean_demand: f64) -> Result<Self, MathsError> {
        Ok(Self { same_means: Mm1::new(arrival_rate, mean_demand)? })
    }

    /// W = E\[S\]/(1−ρ) \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.same_means.mean_response_time()
    }

    /// L = ρ/(1−ρ).
    pub fn mean_number(&self) -> f64 {
        self.same_means.mean_number()
    }

    /// Response time ÷ demand, the same for every size: 1/(1−ρ).
    pub fn mean_slowdown(&self) -> f64 {
        1.0 / (1.0 - self.same_means.utilization())
    }

    /// Mean response time \[s\] of requests with the given `demand` \[s\].
    ///
    /// # Errors
    /// A negative demand.
    pub fn conditional_response_time(&self, demand: f64) -> Result<f64, MathsError> {
        Ok(non_negative("demand", demand)? * self.mean_slowdown())
    }
}

/// Means of M/G/c-PS: `cores` ≥ 1, each request on one core at most, so at rate min(1, c/n). They are the means of
/// M/M/c for *any* service distribution; distributions of the result apply to exponential FCFS service only.
///
/// # Errors
/// As [`Mmc::new`].
pub fn mgc_ps(arrival_rate: f64, mean_demand: f64, cores: u32) -> Result<Mmc, MathsError> {
    Mmc::new(arrival_rate, mean_demand, cores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_single_core_reference_case_is_met() {
        let q = Mg1Ps::new(80.0, 0.01).unwrap();
        assert_close(q.mean_response_time(), 0.05, REFERENCE);
        assert_close(q.mean_number(), 4.0, REFERENCE);
        assert_close(q.mean_slowdown(), 5.0, REFERENCE);
        assert_close(q.conditional_response_time(0.005).unwrap(), 0.025, REFERENCE);
        assert_close(q.conditional_response_time(0.02).unwrap(), 0.1, REFERENCE);
    }

    #[test]
    fn the_four_core_reference_case_is_met() {
        let q = mgc_ps(320.0, 0.01, 4).unwrap();
        assert_close(q.mean_response_time(), 0.017_455_405_897_342_56, REFERENCE);
        assert_close(q.mean_number(), 5.585_729_887_149_618, REFERENCE);
        assert_close(q.probability_of_waiting(), 0.596_432_471_787_404_6, REFERENCE);
    }
}
