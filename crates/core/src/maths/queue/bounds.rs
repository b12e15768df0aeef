//! Operational bounds of closed systems: asymptotes, saturation point, the interactive law.
//!
//! Sources: Muntz & Wong 1974; Denning & Buzen 1978. N = `users`, Z = `think_time`, D = all demands, Dmax = the largest
//! demand per server, X = throughput, R = response time. They hold whatever the distributions.

use super::closed::{ClosedStation, check};
use crate::maths::error::{MathsError, non_negative, positive};

/// Asymptotic bounds of a closed network (Denning & Buzen 1978).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AsymptoticBounds {
    /// D: all demands together \[s\].
    pub total_demand: f64,
    /// Dmax: the largest demand per server \[s\].
    pub bottleneck_demand: f64,
    /// Z \[s\].
    pub think_time: f64,
}

impl AsymptoticBounds {
    /// Bounds for the given network.
    ///
    /// # Errors
    /// A negative time, a station without server, or no station with a demand.
    pub fn new(think_time: f64, stations: &[ClosedStation]) -> Result<Self, MathsError> {
        check(1, think_time, stations)?;
        let bottleneck = stations.iter().map(|s| s.demand / f64::from(s.servers)).fold(0.0, f64::max);
        positive("largest demand", bottleneck)?;
        Ok(Self { total_demand: stations.iter().map(|s| s.demand).sum(), bottleneck_demand: bottleneck, think_time })
    }

    /// Xmax = 1/Dmax [1/s].
    pub fn max_throughput(&self) -> f64 {
        1.0 / self.bottleneck_demand
    }

    /// N* = (D + Z)/Dmax: the number of users at which the two asymptotes meet.
    pub fn saturation_users(&self) -> f64 {
        (self.total_demand + self.think_time) / self.bottleneck_demand
    }

    /// Upper bound of X [1/s]: min(N/(D + Z), Xmax).
    pub fn throughput_bound(&self, users: u32) -> f64 {
        (f64::from(users) / (self.total_demand + self.think_time)).min(self.max_throughput())
    }

    /// Lower bound of R \[s\]: max(D, N·Dmax − Z).
    pub fn response_time_bound(&self, users: u32) -> f64 {
        self.total_demand.max(f64::from(users) * self.bottleneck_demand - self.think_time)
    }
}

/// Interactive response time law: R = N/X − Z \[s\].
///
/// # Errors
/// A throughput that is not positive, or a negative think time.
pub fn interactive_response_time(users: u32, throughput: f64, think_time: f64) -> Result<f64, MathsError> {
    Ok(f64::from(users) / positive("throughput", throughput)? - non_negative("think_time", think_time)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    fn station(servers: u32) -> ClosedStation {
        ClosedStation { demand: 0.1, servers }
    }

    #[test]
    fn the_bounds_of_the_repairman_references_are_met() {
        let one = AsymptoticBounds::new(1.0, &[station(1)]).unwrap();
        assert_close(one.saturation_users(), 11.0, REFERENCE);
        assert_close(one.throughput_bound(10), 9.090_909_090_909_09, REFERENCE);
        assert_close(one.response_time_bound(10), 0.1, REFERENCE);
        let four = AsymptoticBounds::new(1.0, &[station(4)]).unwrap();
        assert_close(four.throughput_bound(50), 40.0, REFERENCE);
        assert_close(four.response_time_bound(50), 0.25, REFERENCE);
    }

    #[test]
    fn the_two_asymptotes_meet_at_the_saturation_point() {
        let bounds = AsymptoticBounds::new(0.9, &[station(1)]).unwrap();
        assert_close(bounds.saturation_users(), 10.0, REFERENCE);
        assert_close(bounds.throughput_bound(10), bounds.max_throughput(), REFERENCE);
        assert_close(bounds.response_time_bound(10), bounds.total_demand, REFERENCE);
        assert!(AsymptoticBounds::new(1.0, &[]).is_err());
    }

    #[test]
    fn the_interactive_law_refuses_a_standstill() {
        assert_close(interactive_response_time(10, 5.0, 1.5).unwrap(), 0.5, REFERENCE);
        assert!(interactive_response_time(10, 0.0, 1.5).is_err());
    }
}
