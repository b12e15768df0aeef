//! M/M/1 whose clients give up after a timeout while the server does not notice ("zombie" work).
//!
//! Abandoned requests are still served, so the station stays a plain M/M/1 and the response time stays exponential with
//! rate μ − λ (Kleinrock 1975, ch. 3): P(timeout) = e^(−(μ−λ)τ). There are no retries.

use super::mm1::Mm1;
use crate::maths::error::{MathsError, positive};

/// An M/M/1 station seen by clients with a fixed timeout on the response time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientTimeout {
    arrival_rate: f64,
    station: Mm1,
    timeout: f64,
}

impl ClientTimeout {
    /// Station with `arrival_rate` [1/s], mean `service_time` \[s\], and clients that wait `timeout` \[s\] for the answer.
    ///
    /// # Errors
    /// As [`Mm1::new`], and for a timeout that is not positive.
    pub fn new(arrival_rate: f64, service_time: f64, timeout: f64) -> Result<Self, MathsError> {
        let station = Mm1::new(arrival_rate, service_time)?;
        Ok(Self { arrival_rate, station, timeout: positive("timeout", timeout)? })
    }

    /// Fraction of requests whose answer comes too late.
    pub fn timeout_fraction(&self) -> f64 {
        self.station.response_time_exceeds(self.timeout)
    }

    /// Answers within the timeout [1/s].
    pub fn goodput(&self) -> f64 {
        self.arrival_rate * (1.0 - self.timeout_fraction())
    }

    /// Utilization of the server, zombie work included.
    pub fn utilization(&self) -> f64 {
        self.station.utilization()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        let cases = [
            (0.1, 0.367_879_441_171_442_33, 56.890_850_294_570_19),
            (0.2, 0.135_335_283_236_612_7, 77.819_824_508_704_85),
            (0.3, 0.049_787_068_367_863_944, 85.519_163_846_892_24),
        ];
        for (timeout, fraction, goodput) in cases {
            let q = ClientTimeout::new(90.0, 0.01, timeout).unwrap();
            assert_close(q.timeout_fraction(), fraction, REFERENCE);
            assert_close(q.goodput(), goodput, REFERENCE);
            assert_close(q.utilization(), 0.9, REFERENCE);
        }
    }
}
