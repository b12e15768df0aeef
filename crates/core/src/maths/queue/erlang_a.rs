//! Erlang A (M/M/c+M): waiting requests abandon after an exponential patience; service, once begun, is finished.
//!
//! Sources: Palm 1957; Garnett, Mandelbaum & Reiman 2002. The paper's θ is 1/`patience`. With n in the station the
//! departure rate is min(n, c)·μ + max(n − c, 0)·θ; the chain is cut where its tail is below 10⁻²⁰ of its mode.
//! There is a steady state at any load.

use super::birth_death::BirthDeath;
use crate::maths::error::{MathsError, at_least_one, positive};

/// States beyond which the chain is given up as not computable.
const MOST_STATES: usize = 10_000_000;

/// An M/M/c+M station.
#[derive(Debug, Clone, PartialEq)]
pub struct ErlangA {
    arrival_rate: f64,
    service_time: f64,
    servers: u32,
    patience: f64,
    states: BirthDeath,
}

impl ErlangA {
    /// Station with `arrival_rate` [1/s, > 0], mean `service_time` \[s, > 0\], `servers` ≥ 1 and mean `patience`
    /// \[s, > 0\] of waiting requests.
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::NoConvergence`] beyond ten million states.
    pub fn new(arrival_rate: f64, service_time: f64, servers: u32, patience: f64) -> Result<Self, MathsError> {
        positive("arrival_rate", arrival_rate)?;
        positive("service_time", service_time)?;
        positive("patience", patience)?;
        at_least_one("servers", servers)?;
        let c = f64::from(servers);
        let (mut ratios, mut height, mut best) = (Vec::new(), 0.0, 0.0_f64);
        loop {
            let n = ratios.len() as f64 + 1.0;
            let departures = n.min(c) / service_time + (n - c).max(0.0) / patience;
            let ratio = arrival_rate / departures;
            ratios.push(ratio);
            height += libm::log(ratio);
            best = best.max(height);
            // ln 10⁻²⁰ ≈ −46; the remaining tail is at most geometric with the last ratio.
            if n > c && ratio < 1.0 && height - best - libm::log1p(-ratio) < -46.0 {
                break;
            }
            if ratios.len() >= MOST_STATES {
                return Err(MathsError::NoConvergence { method: "Erlang A state space" });
            }
        }
        let states = BirthDeath::from_ratios(&ratios);
        Ok(Self { arrival_rate, service_time, servers, patience, states })
    }

    /// Lq: mean number waiting.
    pub fn mean_queue_length(&self) -> f64 {
        let c = f64::from(self.servers);
        self.states.mean_of(|n| (n - c).max(0.0))
    }

    /// Probability that a request abandons: θ·Lq/λ.
    pub fn abandonment_probability(&self) -> f64 {
        self.mean_queue_length() / (self.patience * self.arrival_rate)
    }

    /// Mean waiting time of all requests \[s\], those that abandon included.
    pub fn mean_waiting_time(&self) -> f64 {
        self.mean_queue_length() / self.arrival_rate
    }

    /// Probability that an arrival finds all servers busy.
    pub fn probability_of_waiting(&self) -> f64 {
        self.states.tail(self.servers as usize)
    }

    /// Served requests [1/s].
    pub fn goodput(&self) -> f64 {
        self.arrival_rate * (1.0 - self.abandonment_probability())
    }

    /// Utilization per server, counted from the busy servers.
    pub fn utilization(&self) -> f64 {
        let c = f64::from(self.servers);
        self.states.mean_of(|n| n.min(c)) / c
    }

    /// Mean number in the station.
    pub fn mean_number(&self) -> f64 {
        self.states.mean_of(|n| n)
    }

    /// Mean time in the station \[s\] over all requests.
    pub fn mean_response_time(&self) -> f64 {
        self.mean_waiting_time() + self.service_time * (1.0 - self.abandonment_probability())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mmc::{Mmc, erlang_b};
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        let over = ErlangA::new(120.0, 0.01, 1, 0.05).unwrap();
        assert_close(over.abandonment_probability(), 0.298_080_849_279_656_3, REFERENCE);
        assert_close(over.mean_waiting_time(), 0.014_904_042_463_982_814, REFERENCE);
        assert_close(over.mean_queue_length(), 1.788_485_095_677_937_7, REFERENCE);
        assert_close(over.probability_of_waiting(), 0.842_302_980_864_412_5, REFERENCE);
        assert_close(over.goodput(), 84.230_298_086_441_25, REFERENCE);
        let under = ErlangA::new(95.0, 0.01, 1, 0.05).unwrap();
        assert_close(under.abandonment_probability(), 0.224_071_630_083_372_58, REFERENCE);
        assert_close(under.utilization(), 0.737_131_951_420_796, REFERENCE);
    }

    #[test]
    fn served_work_equals_busy_servers() {
        let q = ErlangA::new(900.0, 0.1, 80, 0.3).unwrap();
        assert_close(q.goodput() * 0.1 / 80.0, q.utilization(), 1e-12);
        assert_close(q.mean_number(), 900.0 * q.mean_response_time(), 1e-12);
    }

    #[test]
    fn endless_patience_is_erlang_c_and_none_is_erlang_b() {
        let patient = ErlangA::new(80.0, 0.1, 10, 1e9).unwrap();
        let erlang_c = Mmc::new(80.0, 0.1, 10).unwrap();
        assert_close(patient.mean_waiting_time(), erlang_c.mean_waiting_time(), 1e-6);
        let hasty = ErlangA::new(80.0, 0.1, 10, 1e-9).unwrap();
        assert_close(hasty.abandonment_probability(), erlang_b(10, 8.0).unwrap(), 1e-6);
    }
}
