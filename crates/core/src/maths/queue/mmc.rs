//! M/M/c: Poisson arrivals, exponential service, one queue before c equal servers; and the Erlang formulas.
//!
//! Sources: Erlang 1917 (B and C); Gross & Harris, *Fundamentals of Queueing Theory*, ch. 2. The paper's offered load
//! a = λ/μ is `offered_load` \[erlang\]. Waiting time is zero with probability 1 − C and otherwise exponential with rate
//! θ = cμ − λ; the response time adds an independent exponential service.

use crate::maths::error::{MathsError, at_least_one, non_negative, positive, quantile_level, stable};
use crate::maths::numeric::root;

/// Erlang B: probability that all `servers` are busy in M/G/c/c when `offered_load` erlangs arrive and nothing may
/// wait. Insensitive to the distribution of service (Sevastyanov 1957).
///
/// Recursion B(0) = 1, B(n) = a·B(n−1)/(n + a·B(n−1)): only positive terms, stable for any number of servers.
///
/// # Errors
/// A negative or infinite load.
pub fn erlang_b(servers: u32, offered_load: f64) -> Result<f64, MathsError> {
    let a = non_negative("offered_load", offered_load)?;
    Ok((1..=servers).fold(1.0, |b, n| a * b / (f64::from(n) + a * b)))
}

/// Erlang C: probability that an arrival at M/M/c waits. C = B/(1 − ρ(1 − B)).
///
/// # Errors
/// No server, a negative load, or [`MathsError::Unstable`].
pub fn erlang_c(servers: u32, offered_load: f64) -> Result<f64, MathsError> {
    at_least_one("servers", servers)?;
    let b = erlang_b(servers, offered_load)?;
    let rho = stable(offered_load / f64::from(servers))?;
    Ok(b / (1.0 - rho * (1.0 - b)))
}

/// A stable M/M/c station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmc {
    arrival_rate: f64,
    service_time: f64,
    servers: f64,
    waits: f64,
}

impl Mmc {
    /// Station with `arrival_rate` [1/s, ≥ 0], mean `service_time` \[s, > 0\] and `servers` ≥ 1.
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::Unstable`] if λ ≥ cμ.
    pub fn new(arrival_rate: f64, service_time: f64, servers: u32) -> Result<Self, MathsError> {
        non_negative("arrival_rate", arrival_rate)?;
        positive("service_time", service_time)?;
        let waits = erlang_c(servers, arrival_rate * service_time)?;
        Ok(Self { arrival_rate, service_time, servers: f64::from(servers), waits })
    }

    /// ρ = λ/(cμ).
    pub fn utilization(&self) -> f64 {
        self.arrival_rate * self.service_time / self.servers
    }

    /// Probability that an arrival waits (Erlang C); also the fraction of time all servers are busy.
    pub fn probability_of_waiting(&self) -> f64 {
        self.waits
    }

    /// θ = cμ − λ [1/s]: the rate at which those who wait get served.
    fn drain_rate(&self) -> f64 {
        self.servers / self.service_time - self.arrival_rate
    }

    /// Wq = C/θ \[s\].
    pub fn mean_waiting_time(&self) -> f64 {
        self.waits / self.drain_rate()
    }

    /// W = Wq + 1/μ \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.mean_waiting_time() + self.service_time
    }

    /// Lq = λ·Wq.
    pub fn mean_queue_length(&self) -> f64 {
        self.arrival_rate * self.mean_waiting_time()
    }

    /// L = λ·W.
    pub fn mean_number(&self) -> f64 {
        self.arrival_rate * self.mean_response_time()
    }

    /// Standard deviation of the waiting time \[s\]: √(C(2−C))/θ.
    pub fn waiting_time_sd(&self) -> f64 {
        (self.waits * (2.0 - self.waits)).sqrt() / self.drain_rate()
    }

    /// Standard deviation of the response time \[s\]; waiting and service are independent.
    pub fn response_time_sd(&self) -> f64 {
        libm::hypot(self.waiting_time_sd(), self.service_time)
    }

    /// P(waiting time > `t`), `t` in seconds.
    pub fn waiting_time_exceeds(&self, t: f64) -> f64 {
        self.waits * libm::exp(-self.drain_rate() * t.max(0.0))
    }

    /// P(response time > `t`), `t` in seconds: e^(−μt) + C·μ·∫₀ᵗ e^(−μs) e^(−θ(t−s)) ds.
    ///
    /// The integral is written with the smaller of the two rates in front, which stays finite for μ = θ and large t.
    pub fn response_time_exceeds(&self, t: f64) -> f64 {
        let t = t.max(0.0);
        let (mu, theta) = (1.0 / self.service_time, self.drain_rate());
        let (slow, gap) = (mu.min(theta), (mu - theta).abs());
        let spread = if gap * t < 1e-12 { t } else { -libm::expm1(-gap * t) / gap };
        libm::exp(-mu * t) + self.waits * mu * libm::exp(-slow * t) * spread
    }

    /// Quantile of the waiting time \[s\] at level `p`, 0 ≤ p < 1; zero up to 1 − C.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn waiting_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        Ok(((libm::log(self.waits) - libm::log1p(-p)) / self.drain_rate()).max(0.0))
    }

    /// Quantile of the response time \[s\] at level `p`, 0 ≤ p < 1.
    ///
    /// # Errors
    /// A level outside its domain.
    pub fn response_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        if p == 0.0 {
            return Ok(0.0);
        }
        let target = libm::log1p(-p);
        let mut high = self.mean_response_time();
        while libm::log(self.response_time_exceeds(high)) > target {
            high *= 2.0;
        }
        root(|t| libm::log(self.response_time_exceeds(t)) - target, 0.0, high, 1e-14)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mm1::Mm1;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_blocking_probabilities_are_met() {
        assert_close(erlang_b(10, 8.0).unwrap(), 0.121_661_064_252_951_5, REFERENCE);
        assert_close(erlang_b(100, 100.0).unwrap(), 0.075_700_452_710_860_97, REFERENCE);
    }

    #[test]
    fn the_reference_case_with_two_servers_is_met() {
        let q = Mmc::new(160.0, 0.01, 2).unwrap();
        assert_close(q.probability_of_waiting(), 0.711_111_111_111_111_1, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.017_777_777_777_777_78, REFERENCE);
        assert_close(q.mean_queue_length(), 2.844_444_444_444_444_6, REFERENCE);
        assert_close(q.mean_number(), 4.444_444_444_444_445, REFERENCE);
        assert_close(q.waiting_time_quantile(0.99).unwrap(), 0.106_606_089_975_437_6, REFERENCE);
        assert_close(q.response_time_quantile(0.5).unwrap(), 0.020_400_314_459_260_635, REFERENCE);
        assert_close(q.response_time_quantile(0.999).unwrap(), 0.176_941_262_156_506_9, REFERENCE);
    }

    #[test]
    fn the_reference_case_with_sixteen_servers_is_met() {
        let q = Mmc::new(1440.0, 0.01, 16).unwrap();
        assert_close(q.probability_of_waiting(), 0.591_343_393_872_389_8, REFERENCE);
        assert_close(q.mean_response_time(), 0.013_695_896_211_702_436, REFERENCE);
        assert_close(q.waiting_time_quantile(0.9).unwrap(), 0.011_107_666_883_634_63, REFERENCE);
        assert_close(q.response_time_quantile(0.99).unwrap(), 0.052_698_346_010_844_61, REFERENCE);
        assert_close(q.response_time_quantile(0.999).unwrap(), 0.075_884_195_276_009_86, REFERENCE);
    }

    #[test]
    fn one_server_is_mm1() {
        let (many, one) = (Mmc::new(80.0, 0.01, 1).unwrap(), Mm1::new(80.0, 0.01).unwrap());
        assert_close(many.mean_response_time(), one.mean_response_time(), 1e-12);
        assert_close(many.waiting_time_sd(), one.waiting_time_sd(), 1e-12);
        let p = 0.999;
        assert_close(many.response_time_quantile(p).unwrap(), one.response_time_quantile(p).unwrap(), 1e-12);
    }

    #[test]
    fn equal_drain_and_service_rates_give_the_erlang_tail() {
        // c = 2, λ = μ: θ = μ, so W > 0 adds up to an Erlang-2 time.
        let q = Mmc::new(1.0, 1.0, 2).unwrap();
        let t = 3.0;
        let expected = libm::exp(-t) * (1.0 + q.probability_of_waiting() * t);
        assert_close(q.response_time_exceeds(t), expected, 1e-12);
    }

    #[test]
    fn ten_thousand_servers_give_a_finite_probability() {
        let c = erlang_c(10_000, 9_900.0).unwrap();
        // Halfin–Whitt: β = (1−ρ)√c = 1, C ≈ 1/(1 + βΦ(β)/φ(β)) = 0.2234; the next term is of order 1/√c.
        assert_close(c, 0.2234, 0.02);
    }

    #[test]
    fn far_tails_stay_finite() {
        let q = Mmc::new(1.0, 0.01, 1000).unwrap();
        assert_eq!(q.response_time_exceeds(1e6), 0.0);
        assert_eq!(q.response_time_quantile(0.0).unwrap(), 0.0);
    }
}
