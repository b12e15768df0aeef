//! G/G/1 and G/G/c: a bound and the usual approximations of the mean wait. None is exact beyond its special cases.
//!
//! Sources: Kingman 1961 (upper bound, G/G/1); Marchal 1976 (G/G/1); Allen & Cunneen (Allen, *Probability, Statistics
//! and Queueing Theory*, 1990; G/G/c); Sakasegawa 1977 (G/G/c). ca² and cs² are the squared coefficients of variation of
//! inter-arrival and service times: `arrival_scv`, `service_scv`.

use super::mmc::Mmc;
use crate::maths::error::{MathsError, at_least_one, non_negative, positive, stable};

/// The first two moments of arrivals and service at a stable G/G/c station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ggc {
    arrival_rate: f64,
    service_time: f64,
    servers: u32,
    arrival_scv: f64,
    service_scv: f64,
    utilization: f64,
    /// Wq of the M/M/c station with the same rates \[s\].
    markovian_wait: f64,
}

impl Ggc {
    /// Station with `arrival_rate` [1/s, > 0], mean `service_time` \[s, > 0\], `servers` ≥ 1 and both scv ≥ 0.
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::Unstable`].
    pub fn new(
        arrival_rate: f64,
        service_time: f64,
        servers: u32,
        arrival_scv: f64,
        service_scv: f64,
    ) -> Result<Self, MathsError> {
        positive("arrival_rate", arrival_rate)?;
        positive("service_time", service_time)?;
        at_least_one("servers", servers)?;
        non_negative("arrival_scv", arrival_scv)?;
        non_negative("service_scv", service_scv)?;
        let utilization = stable(arrival_rate * service_time / f64::from(servers))?;
        Ok(Self {
            arrival_rate,
            service_time,
            servers,
            arrival_scv,
            service_scv,
            utilization,
            markovian_wait: Mmc::new(arrival_rate, service_time, servers)?.mean_waiting_time(),
        })
    }

    fn variability(&self) -> f64 {
        0.5 * (self.arrival_scv + self.service_scv)
    }

    /// Kingman's upper bound of Wq \[s\]: λ(σa² + σs²)/(2(1−ρ)). `None` for more than one server.
    pub fn kingman_bound(&self) -> Option<f64> {
        let variances = self.arrival_scv / (self.arrival_rate * self.arrival_rate)
            + self.service_scv * self.service_time * self.service_time;
        (self.servers == 1).then(|| self.arrival_rate * variances / (2.0 * (1.0 - self.utilization)))
    }

    /// Marchal's approximation of Wq \[s\], Kingman's bound scaled to be exact for M/G/1:
    /// (1+cs²)/(1/ρ²+cs²) times the bound. `None` for more than one server.
    pub fn marchal(&self) -> Option<f64> {
        let rho_squared = self.utilization * self.utilization;
        self.kingman_bound()
            .map(|bound| bound * rho_squared * (1.0 + self.service_scv) / (1.0 + rho_squared * self.service_scv))
    }

    /// Allen–Cunneen approximation of Wq \[s\]: (ca²+cs²)/2 times the wait of M/M/c. Exact for M/M/c and M/G/1.
    pub fn allen_cunneen(&self) -> f64 {
        self.variability() * self.markovian_wait
    }

    /// Sakasegawa's approximation of Wq \[s\]: (ca²+cs²)/2 · ρ^(√(2(c+1))−1)/(c(1−ρ)) · E\[S\]. Exact for M/G/1.
    pub fn sakasegawa(&self) -> f64 {
        let c = f64::from(self.servers);
        let exponent = (2.0 * (c + 1.0)).sqrt() - 1.0;
        self.variability() * libm::pow(self.utilization, exponent) / (c * (1.0 - self.utilization)) * self.service_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mg1::Mg1;
    use crate::maths::queue::service::ServiceMoments;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_is_met() {
        let q = Ggc::new(90.0, 0.01, 1, 0.5, 4.0).unwrap();
        assert_close(q.kingman_bound().unwrap(), 0.207_777_777_777_777_74, REFERENCE);
        assert_close(q.allen_cunneen(), 0.2025, REFERENCE);
    }

    #[test]
    fn poisson_arrivals_at_one_server_make_three_approximations_exact_and_the_bound_a_bound() {
        let exact = Mg1::new(70.0, ServiceMoments::lognormal(0.01, 4.0).unwrap()).unwrap().mean_waiting_time();
        let q = Ggc::new(70.0, 0.01, 1, 1.0, 4.0).unwrap();
        assert_close(q.allen_cunneen(), exact, 1e-12);
        assert_close(q.sakasegawa(), exact, 1e-12);
        assert_close(q.marchal().unwrap(), exact, 1e-12);
        assert!(q.kingman_bound().unwrap() > exact);
    }

    #[test]
    fn sakasegawa_is_near_erlang_c_for_many_servers() {
        let q = Ggc::new(1440.0, 0.01, 16, 1.0, 1.0).unwrap();
        // The paper reports errors of a few percent for M/M/c.
        assert_close(q.sakasegawa(), q.allen_cunneen(), 0.05);
        assert_eq!(q.kingman_bound(), None);
    }
}
