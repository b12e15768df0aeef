//! Machine repairman: N users who think, then send one request to a station of c exponential servers, and wait for it.
//!
//! Source: birth–death chain with rates (N−n)/Z and min(n, c)/S (Palm 1947; Lavenberg, *Computer Performance Modeling
//! Handbook*, 1983); arrivals see the system with one user less (Sevcik & Mitrani 1981). The distribution of the think
//! time does not matter.

use super::birth_death::BirthDeath;
use crate::maths::error::{MathsError, at_least_one, positive};

/// A closed interactive system with one station.
#[derive(Debug, Clone, PartialEq)]
pub struct Repairman {
    users: u32,
    think_time: f64,
    service_time: f64,
    servers: u32,
    states: BirthDeath,
}

impl Repairman {
    /// System of `users` ≥ 1 with mean `think_time` Z \[s, > 0\] at a station with mean `service_time` S \[s, > 0\] and
    /// `servers` ≥ 1.
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn new(users: u32, think_time: f64, service_time: f64, servers: u32) -> Result<Self, MathsError> {
        at_least_one("users", users)?;
        positive("think_time", think_time)?;
        positive("service_time", service_time)?;
        at_least_one("servers", servers)?;
        let states = Self::chain(users, think_time, service_time, servers);
        Ok(Self { users, think_time, service_time, servers, states })
    }

    fn chain(users: u32, think_time: f64, service_time: f64, servers: u32) -> BirthDeath {
        let ratio = |n: u32| f64::from(users - n) / think_time * service_time / f64::from((n + 1).min(servers));
        BirthDeath::from_ratios(&(0..users).map(ratio).collect::<Vec<_>>())
    }

    /// X: requests per second.
    pub fn throughput(&self) -> f64 {
        let c = f64::from(self.servers);
        self.states.mean_of(|n| n.min(c)) / self.service_time
    }

    /// R \[s\], by Little's law at the station.
    pub fn mean_response_time(&self) -> f64 {
        self.states.mean_of(|n| n) / self.throughput()
    }

    /// Utilization per server.
    pub fn utilization(&self) -> f64 {
        self.throughput() * self.service_time / f64::from(self.servers)
    }

    /// Fraction of time in which all servers are busy.
    pub fn all_busy_fraction(&self) -> f64 {
        self.states.tail(self.servers as usize)
    }

    /// Probability that a request finds all servers busy: the same fraction with one user less.
    pub fn probability_of_waiting(&self) -> f64 {
        Self::chain(self.users - 1, self.think_time, self.service_time, self.servers).tail(self.servers as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::bounds::interactive_response_time;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_case_with_one_server_is_met() {
        let q = Repairman::new(10, 1.0, 0.1, 1).unwrap();
        assert_close(q.throughput(), 7.854_176_568_926_522, REFERENCE);
        assert_close(q.mean_response_time(), 0.273_207_943_855_374_17, REFERENCE);
        assert_close(q.utilization(), 0.785_417_656_892_652_2, REFERENCE);
        assert_close(q.probability_of_waiting(), 0.726_792_056_144_625_9, REFERENCE);
        assert_close(q.all_busy_fraction(), 0.785_417_656_892_652_3, REFERENCE);
    }

    #[test]
    fn the_reference_case_with_four_servers_is_met() {
        let q = Repairman::new(50, 1.0, 0.1, 4).unwrap();
        assert_close(q.throughput(), 38.849_823_289_737_13, REFERENCE);
        assert_close(q.mean_response_time(), 0.287_007_140_987_65, REFERENCE);
        assert_close(q.probability_of_waiting(), 0.915_349_244_031_799_3, REFERENCE);
        assert_close(q.all_busy_fraction(), 0.931_007_625_224_326_7, REFERENCE);
    }

    #[test]
    fn the_interactive_law_holds_for_thousands_of_users() {
        let q = Repairman::new(8000, 2.0, 0.1, 300).unwrap();
        let law = interactive_response_time(8000, q.throughput(), 2.0).unwrap();
        assert_close(q.mean_response_time(), law, 1e-9);
    }

    #[test]
    fn a_single_user_never_waits() {
        let q = Repairman::new(1, 1.0, 0.1, 1).unwrap();
        assert_close(q.mean_response_time(), 0.1, 1e-14);
        assert_eq!(q.probability_of_waiting(), 0.0);
    }
}
