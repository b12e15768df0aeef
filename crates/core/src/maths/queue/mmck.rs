//! M/M/c/K: as M/M/c, but an arrival that finds K requests in the station is rejected.
//!
//! Source: birth–death chain, Gross & Harris, ch. 2. K = `capacity` counts waiting *and* in service: a queue limit of q
//! behind c servers is K = c + q. There is a steady state at any load.

use super::birth_death::BirthDeath;
use crate::maths::error::{MathsError, at_least_one, check, non_negative, positive};

/// An M/M/c/K station.
#[derive(Debug, Clone, PartialEq)]
pub struct Mmck {
    arrival_rate: f64,
    service_time: f64,
    servers: u32,
    states: BirthDeath,
}

impl Mmck {
    /// Station with `arrival_rate` [1/s, ≥ 0], mean `service_time` \[s, > 0\], `servers` ≥ 1 and room for `capacity`
    /// requests in total (≥ `servers`).
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn new(arrival_rate: f64, service_time: f64, servers: u32, capacity: u32) -> Result<Self, MathsError> {
        let a = non_negative("arrival_rate", arrival_rate)? * positive("service_time", service_time)?;
        at_least_one("servers", servers)?;
        check("capacity", f64::from(capacity), capacity >= servers, "at least the number of servers")?;
        let ratios: Vec<f64> = (1..=capacity).map(|n| a / f64::from(n.min(servers))).collect();
        Ok(Self { arrival_rate, service_time, servers, states: BirthDeath::from_ratios(&ratios) })
    }

    /// Distribution of the number in the station.
    pub fn states(&self) -> &BirthDeath {
        &self.states
    }

    /// Probability that an arrival is rejected.
    pub fn rejection_probability(&self) -> f64 {
        self.states.probabilities().last().copied().unwrap_or(0.0)
    }

    /// Accepted requests [1/s].
    pub fn throughput(&self) -> f64 {
        self.arrival_rate * self.accepted_fraction()
    }

    /// Summed over the accepting states, so that near-certain rejection loses no digits.
    fn accepted_fraction(&self) -> f64 {
        let states = self.states.probabilities();
        states.iter().take(states.len() - 1).sum()
    }

    /// Utilization per server.
    pub fn utilization(&self) -> f64 {
        self.throughput() * self.service_time / f64::from(self.servers)
    }

    /// L: mean number in the station.
    pub fn mean_number(&self) -> f64 {
        self.states.mean_of(|n| n)
    }

    /// Lq: mean number waiting.
    pub fn mean_queue_length(&self) -> f64 {
        let c = f64::from(self.servers);
        self.states.mean_of(|n| (n - c).max(0.0))
    }

    /// Mean waiting time of accepted requests \[s\], by Little's law; zero without arrivals.
    pub fn mean_waiting_time(&self) -> f64 {
        let throughput = self.throughput();
        if throughput > 0.0 { self.mean_queue_length() / throughput } else { 0.0 }
    }

    /// Mean response time of accepted requests \[s\].
    pub fn mean_response_time(&self) -> f64 {
        self.mean_waiting_time() + self.service_time
    }

    /// P(waiting time > `t`) of accepted requests, `t` in seconds: who finds c + j waits for j + 1 completions, which
    /// is Σ over j of P(Poisson(cμt) = j)·P(an accepted arrival finds at least c + j).
    pub fn waiting_time_exceeds(&self, t: f64) -> f64 {
        let mean = f64::from(self.servers) / self.service_time * t.max(0.0);
        let states = self.states.probabilities();
        let mut found = 0.0;
        let mut sum = 0.0;
        for n in (self.servers as usize..states.len() - 1).rev() {
            found += states[n];
            sum += poisson(n - self.servers as usize, mean) * found;
        }
        sum / self.accepted_fraction()
    }
}

/// P(Poisson(`mean`) = `n`).
fn poisson(n: usize, mean: f64) -> f64 {
    if mean == 0.0 {
        return if n == 0 { 1.0 } else { 0.0 };
    }
    let n = n as f64;
    libm::exp(n * libm::log(mean) - mean - libm::lgamma(n + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mmc::{Mmc, erlang_b};
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_below_saturation_is_met() {
        let q = Mmck::new(90.0, 0.01, 1, 10).unwrap();
        assert_close(q.rejection_probability(), 0.050_813_731_327_412_39, REFERENCE);
        assert_close(q.throughput(), 85.426_764_180_532_89, REFERENCE);
        assert_close(q.mean_number(), 3.969_440_598_586_174, REFERENCE);
        assert_close(q.mean_queue_length(), 3.115_172_956_780_845, REFERENCE);
        assert_close(q.mean_response_time(), 0.046_466_006_721_237_05, REFERENCE);
        assert_close(q.utilization(), 0.854_267_641_805_328_9, REFERENCE);
    }

    #[test]
    fn the_reference_case_above_saturation_is_met() {
        let q = Mmck::new(120.0, 0.01, 1, 5).unwrap();
        assert_close(q.rejection_probability(), 0.250_588_121_555_863_46, REFERENCE);
        assert_close(q.mean_waiting_time(), 0.023_594_925_822_403_78, REFERENCE);
    }

    #[test]
    fn no_room_to_wait_is_erlang_b() {
        let q = Mmck::new(100.0, 1.0, 100, 100).unwrap();
        assert_close(q.rejection_probability(), erlang_b(100, 100.0).unwrap(), 1e-12);
        assert_eq!(q.mean_queue_length(), 0.0);
    }

    #[test]
    fn ample_room_is_mmc_also_in_the_tail() {
        let (finite, infinite) = (Mmck::new(160.0, 0.01, 2, 400).unwrap(), Mmc::new(160.0, 0.01, 2).unwrap());
        assert_close(finite.mean_waiting_time(), infinite.mean_waiting_time(), 1e-12);
        assert_close(finite.waiting_time_exceeds(0.1), infinite.waiting_time_exceeds(0.1), 1e-11);
    }

    #[test]
    fn ten_thousand_overloaded_servers_stay_finite_and_obey_littles_law() {
        let q = Mmck::new(30_000.0, 1.0, 10_000, 12_000).unwrap();
        // Overload by three: the queue is nearly always full and throughput is the capacity.
        assert_close(q.throughput(), 10_000.0, 1e-9);
        assert_close(q.mean_number(), q.throughput() * q.mean_response_time(), 1e-9);
    }

    #[test]
    fn a_capacity_below_the_servers_is_refused() {
        assert!(Mmck::new(1.0, 1.0, 3, 2).is_err());
    }
}
