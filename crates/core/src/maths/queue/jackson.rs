//! Open Jackson networks: M/M/c stations with random routing and feedback.
//!
//! Source: Jackson 1957, 1963. Traffic equations λⱼ = γⱼ + Σ λᵢPᵢⱼ; each station then has the means of an M/M/c with
//! arrival rate λⱼ, independently of the others.

use super::mmc::Mmc;
use crate::maths::error::{MathsError, check, non_negative, probability, same_length};
use crate::maths::numeric::solve;

/// One station of an open network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpenStation {
    /// γ: arrivals from outside [1/s].
    pub external_rate: f64,
    /// Mean service time per visit \[s\].
    pub service_time: f64,
    /// Number of servers, ≥ 1.
    pub servers: u32,
}

/// A stable open network in steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct Jackson {
    external_rate: f64,
    stations: Vec<Mmc>,
    throughputs: Vec<f64>,
}

impl Jackson {
    /// Network of `stations`; `routing[i][j]` is the probability that a request leaving i goes to j; what is missing to
    /// one in a row leaves the network.
    ///
    /// # Errors
    /// A rate, time or probability outside its domain; [`MathsError::Singular`] if some request can never leave;
    /// [`MathsError::Unstable`] if a station is saturated.
    pub fn new(stations: &[OpenStation], routing: &[Vec<f64>]) -> Result<Self, MathsError> {
        let throughputs = traffic(&stations.iter().map(|s| s.external_rate).collect::<Vec<_>>(), routing)?;
        let nodes = stations.iter().zip(&throughputs).map(|(s, &rate)| Mmc::new(rate, s.service_time, s.servers));
        Ok(Self {
            external_rate: stations.iter().map(|s| s.external_rate).sum(),
            stations: nodes.collect::<Result<_, _>>()?,
            throughputs,
        })
    }

    /// λ of each station [1/s].
    pub fn throughputs(&self) -> &[f64] {
        &self.throughputs
    }

    /// Each station as M/M/c.
    pub fn stations(&self) -> &[Mmc] {
        &self.stations
    }

    /// Mean number of requests in the network.
    pub fn mean_number(&self) -> f64 {
        self.stations.iter().map(Mmc::mean_number).sum()
    }

    /// Mean time from entering to leaving the network \[s\], by Little's law; zero without arrivals.
    pub fn mean_response_time(&self) -> f64 {
        if self.external_rate > 0.0 { self.mean_number() / self.external_rate } else { 0.0 }
    }
}

/// Solves the traffic equations: throughputs [1/s] from `external` rates [1/s] and the `routing` matrix.
///
/// # Errors
/// A rate or probability outside its domain, a row that sums above one, a matrix that does not fit,
/// [`MathsError::Singular`] if some request can never leave.
pub fn traffic(external: &[f64], routing: &[Vec<f64>]) -> Result<Vec<f64>, MathsError> {
    same_length(external.len(), routing.len())?;
    for (&rate, row) in external.iter().zip(routing) {
        non_negative("external_rate", rate)?;
        same_length(external.len(), row.len())?;
        for &p in row {
            probability("routing probability", p)?;
        }
        let sum: f64 = row.iter().sum();
        check("routing row sum", sum, sum <= 1.0 + 1e-9, "at most 1")?;
    }
    let n = external.len();
    let matrix = (0..n).map(|j| (0..n).map(|i| f64::from(u8::from(i == j)) - routing[i][j]).collect()).collect();
    // Rounding may leave −0 or −ε for a station that nobody visits.
    Ok(solve(matrix, external.to_vec())?.into_iter().map(|rate| rate.max(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    fn station(external_rate: f64, service_rate: f64) -> OpenStation {
        OpenStation { external_rate, service_time: 1.0 / service_rate, servers: 1 }
    }

    #[test]
    fn the_reference_case_with_feedback_is_met() {
        let routing = vec![vec![0.0, 0.6, 0.4], vec![0.2, 0.0, 0.3], vec![0.1, 0.0, 0.0]];
        let stations = [station(50.0, 100.0), station(0.0, 80.0), station(0.0, 60.0)];
        let network = Jackson::new(&stations, &routing).unwrap();
        let rates = [60.827_250_608_272_51, 36.496_350_364_963_504, 35.279_805_352_798_05];
        let numbers = [1.552_795_031_055_900_7, 0.838_926_174_496_644_3, 1.427_165_354_330_708_3];
        for i in 0..3 {
            assert_close(network.throughputs()[i], rates[i], REFERENCE);
            assert_close(network.stations()[i].mean_number(), numbers[i], REFERENCE);
        }
        assert_close(network.mean_response_time(), 0.076_377_731_197_665_07, REFERENCE);
    }

    #[test]
    fn a_loop_without_exit_is_singular() {
        let routing = vec![vec![0.0, 1.0], vec![1.0, 0.0]];
        let stations = [station(1.0, 100.0), station(0.0, 100.0)];
        assert_eq!(Jackson::new(&stations, &routing), Err(MathsError::Singular));
    }

    #[test]
    fn a_ragged_or_overfull_matrix_is_refused() {
        assert!(traffic(&[1.0], &[vec![0.5, 0.5]]).is_err());
        assert!(traffic(&[1.0, 1.0], &[vec![0.6, 0.6], vec![0.0, 0.0]]).is_err());
    }
}
