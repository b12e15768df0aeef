//! M/M/c with a deterministic timeout in the queue (M/M/c+D): who has waited τ leaves, and its work with it.
//!
//! Sources: Barrer 1957; Baccelli & Hebuterne 1981. The density of the offered wait x of an arrival that finds all
//! servers busy is λ·p(c−1)·e^(λ·min(x, τ) − cμx). The paper's τ is `timeout`. This is a connection pool's acquisition
//! timeout; work that stays behind is [`super::client_timeout`]. There is a steady state at any load.

use super::mmc::erlang_b;
use crate::maths::error::{MathsError, at_least_one, positive};

/// An M/M/c+D station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueTimeout {
    arrival_rate: f64,
    service_time: f64,
    servers: f64,
    timeout_probability: f64,
    probability_of_waiting: f64,
    mean_waiting_time: f64,
}

impl QueueTimeout {
    /// Station with `arrival_rate` [1/s, > 0], mean `service_time` \[s, > 0\], `servers` ≥ 1 and queue `timeout`
    /// \[s, > 0\].
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn new(arrival_rate: f64, service_time: f64, servers: u32, timeout: f64) -> Result<Self, MathsError> {
        positive("arrival_rate", arrival_rate)?;
        positive("service_time", service_time)?;
        positive("timeout", timeout)?;
        at_least_one("servers", servers)?;
        let capacity = f64::from(servers) / service_time;
        // p(c−1) relative to all states with a free server.
        let last_free = erlang_b(servers - 1, arrival_rate * service_time)?;
        let growth = (arrival_rate - capacity) * timeout;
        // Integrals over the offered wait, all divided by max(1, e^growth) so that overload cannot overflow.
        let scale = libm::exp(-growth.max(0.0));
        let beyond = libm::exp(growth.min(0.0)) / capacity;
        let (within, within_time) = if growth > 0.0 {
            (timeout * mean_decay(growth), timeout * timeout * early_moment(growth))
        } else {
            (timeout * mean_decay(-growth), timeout * timeout * late_moment(-growth))
        };
        let total = scale / (arrival_rate * last_free) + within + beyond;
        Ok(Self {
            arrival_rate,
            service_time,
            servers: f64::from(servers),
            timeout_probability: beyond / total,
            probability_of_waiting: (within + beyond) / total,
            mean_waiting_time: (within_time + timeout * beyond) / total,
        })
    }

    /// Probability that a request leaves the queue unserved.
    pub fn timeout_probability(&self) -> f64 {
        self.timeout_probability
    }

    /// Probability that an arrival finds all servers busy.
    pub fn probability_of_waiting(&self) -> f64 {
        self.probability_of_waiting
    }

    /// Mean waiting time of all requests \[s\], those that time out included with τ.
    pub fn mean_waiting_time(&self) -> f64 {
        self.mean_waiting_time
    }

    /// Lq = λ·Wq.
    pub fn mean_queue_length(&self) -> f64 {
        self.arrival_rate * self.mean_waiting_time
    }

    /// Served requests [1/s].
    pub fn goodput(&self) -> f64 {
        self.arrival_rate * (1.0 - self.timeout_probability)
    }

    /// Utilization per server.
    pub fn utilization(&self) -> f64 {
        self.goodput() * self.service_time / self.servers
    }
}

/// ∫₀¹ e^(−zu) du for z ≥ 0.
fn mean_decay(z: f64) -> f64 {
    if z == 0.0 { 1.0 } else { -libm::expm1(-z) / z }
}

/// ∫₀¹ u·e^(−z(1−u)) du for z ≥ 0; a series near zero, where the closed form cancels.
fn early_moment(z: f64) -> f64 {
    if z < 0.02 {
        0.5 - z * (1.0 / 6.0 - z * (1.0 / 24.0 - z * (1.0 / 120.0 - z * (1.0 / 720.0 - z / 5040.0))))
    } else {
        (1.0 - mean_decay(z)) / z
    }
}

/// ∫₀¹ u·e^(−zu) du for z ≥ 0; a series near zero, where the closed form cancels.
fn late_moment(z: f64) -> f64 {
    if z < 0.02 {
        0.5 - z * (1.0 / 3.0 - z * (1.0 / 8.0 - z * (1.0 / 30.0 - z * (1.0 / 144.0 - z / 840.0))))
    } else {
        (mean_decay(z) - libm::exp(-z)) / z
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mmc::{Mmc, erlang_b};
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        let under = QueueTimeout::new(90.0, 0.01, 1, 0.05).unwrap();
        assert_close(under.timeout_probability(), 0.107_306_209_039_949_46, REFERENCE);
        assert_close(under.goodput(), 80.342_441_186_404_54, REFERENCE);
        assert_close(under.probability_of_waiting(), 0.803_424_411_864_045_5, REFERENCE);
        let over = QueueTimeout::new(130.0, 0.01, 1, 0.05).unwrap();
        assert_close(over.timeout_probability(), 0.265_872_260_376_873_9, REFERENCE);
        assert_close(over.probability_of_waiting(), 0.954_366_061_510_063_9, REFERENCE);
    }

    #[test]
    fn a_long_timeout_is_mmc_and_a_short_one_is_erlang_b() {
        let (long, mmc) = (QueueTimeout::new(160.0, 0.01, 2, 10.0).unwrap(), Mmc::new(160.0, 0.01, 2).unwrap());
        assert_close(long.mean_waiting_time(), mmc.mean_waiting_time(), 1e-12);
        assert_close(long.probability_of_waiting(), mmc.probability_of_waiting(), 1e-12);
        let short = QueueTimeout::new(160.0, 0.01, 2, 1e-12).unwrap();
        assert_close(short.timeout_probability(), erlang_b(2, 1.6).unwrap(), 1e-8);
    }

    #[test]
    fn the_answer_is_continuous_where_load_equals_capacity() {
        let at = |rate| QueueTimeout::new(rate, 0.01, 2, 0.05).unwrap();
        let (below, exact, above) = (at(200.0 - 1e-6), at(200.0), at(200.0 + 1e-6));
        assert_close(below.mean_waiting_time(), exact.mean_waiting_time(), 1e-6);
        assert_close(above.mean_waiting_time(), exact.mean_waiting_time(), 1e-6);
    }

    #[test]
    fn extreme_overload_serves_at_capacity() {
        let q = QueueTimeout::new(1e6, 0.01, 4, 60.0).unwrap();
        assert_close(q.goodput(), 400.0, 1e-9);
        // Nearly everybody waits the whole timeout, less about τ·(share served).
        assert!(q.mean_waiting_time() > 59.9);
    }

    #[test]
    fn series_and_closed_form_of_the_moments_meet() {
        assert_close(early_moment(0.019_999_999), early_moment(0.02), 1e-8);
        assert_close(late_moment(0.019_999_999), late_moment(0.02), 1e-8);
    }
}
