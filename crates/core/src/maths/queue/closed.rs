//! Closed product-form networks of one class: exact means for N users.
//!
//! Sources: Reiser & Lavenberg 1980 (mean value analysis); Buzen 1973 (convolution). N = `users`, Z = `think_time`, Dᵢ = `demand` (visits × service time), X = throughput, R = response time.
//!
//! The load-dependent form of mean value analysis, which several servers would need, loses all digits near
//! saturation. So the normalizing constants are convolved in the logarithm, where every term is positive; the results
//! are the same exact means. [`mean_value_analysis`] is the plain recursion for single-server stations, and its twin.
//!
//! Limits: product form (FCFS exponential, or processor sharing with any law). Work is N per single-server station and
//! N² per station with more.

use crate::maths::error::{MathsError, at_least_one, non_negative, positive};

/// A queueing station of a closed network. A pure delay belongs to the think time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedStation {
    /// Mean work per request, visits × service time \[s\], on one server.
    pub demand: f64,
    /// Number of servers, ≥ 1.
    pub servers: u32,
}

/// Means of one station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StationMeans {
    /// Utilization per server.
    pub utilization: f64,
    /// Requests at the station, waiting and in service.
    pub mean_number: f64,
    /// Time at the station per request, over all its visits \[s\].
    pub residence_time: f64,
}

/// Means of a closed network.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedMeans {
    /// X [1/s].
    pub throughput: f64,
    /// R \[s\], thinking excluded.
    pub response_time: f64,
    /// One entry per station, in the order given.
    pub stations: Vec<StationMeans>,
}

pub(super) fn check(users: u32, think_time: f64, stations: &[ClosedStation]) -> Result<(), MathsError> {
    at_least_one("users", users)?;
    non_negative("think_time", think_time)?;
    for station in stations {
        non_negative("demand", station.demand)?;
        at_least_one("servers", station.servers)?;
    }
    positive("think_time plus demands", think_time + stations.iter().map(|s| s.demand).sum::<f64>()).map(|_| ())
}

/// Exact means by mean value analysis for single-server stations with the given `demands` \[s\]:
/// Rᵢ = Dᵢ(1 + Qᵢ(n−1)), X = n/(Z + ΣRᵢ), Qᵢ = X·Rᵢ.
///
/// # Errors
/// No user, a negative time, or no time at all.
pub fn mean_value_analysis(users: u32, think_time: f64, demands: &[f64]) -> Result<ClosedMeans, MathsError> {
    let stations: Vec<_> = demands.iter().map(|&demand| ClosedStation { demand, servers: 1 }).collect();
    check(users, think_time, &stations)?;
    let mut queues = vec![0.0; demands.len()];
    let mut throughput = 0.0;
    for n in 1..=users {
        let response: f64 = demands.iter().zip(&queues).map(|(d, q)| d * (1.0 + q)).sum();
        throughput = f64::from(n) / (think_time + response);
        for (queue, demand) in queues.iter_mut().zip(demands) {
            *queue = throughput * demand * (1.0 + *queue);
        }
    }
    Ok(collect(throughput, &stations, queues))
}

/// Exact means of a network with stations of any number of servers, by convolution.
///
/// # Errors
/// As [`mean_value_analysis`], and for a station without server.
pub fn closed_network(users: u32, think_time: f64, stations: &[ClosedStation]) -> Result<ClosedMeans, MathsError> {
    check(users, think_time, stations)?;
    let n = users as usize;
    let all = log_constants(n, think_time, stations.iter());
    let throughput_of = |k: usize| libm::exp(all[k - 1] - all[k]);
    let mut queues = Vec::with_capacity(stations.len());
    for (index, station) in stations.iter().enumerate() {
        if station.servers == 1 {
            queues.push((1..=n).fold(0.0, |queue, k| throughput_of(k) * station.demand * (1.0 + queue)));
        } else {
            let others = stations.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, s)| s);
            let rest = log_constants(n, think_time, others);
            let own = log_factors(n, station);
            let mean = (1..=n).map(|k| k as f64 * libm::exp(own[k] + rest[n - k] - all[n])).sum();
            queues.push(mean);
        }
    }
    Ok(collect(throughput_of(n), stations, queues))
}

fn collect(throughput: f64, stations: &[ClosedStation], queues: Vec<f64>) -> ClosedMeans {
    let stations: Vec<_> = stations
        .iter()
        .zip(queues)
        .map(|(station, mean_number)| StationMeans {
            utilization: throughput * station.demand / f64::from(station.servers),
            mean_number,
            residence_time: mean_number / throughput,
        })
        .collect();
    ClosedMeans { throughput, response_time: stations.iter().map(|s| s.residence_time).sum(), stations }
}

/// ln G(0..=n) of the thinking users and the given stations.
fn log_constants<'a>(n: usize, think_time: f64, stations: impl Iterator<Item = &'a ClosedStation>) -> Vec<f64> {
    // Thinking is a station with as many servers as users.
    let mut g = log_factors(n, &ClosedStation { demand: think_time, servers: u32::MAX });
    for station in stations {
        if station.servers == 1 {
            let log_demand = libm::log(station.demand);
            for k in 1..=n {
                g[k] = log_add(g[k], log_demand + g[k - 1]);
            }
        } else {
            let own = log_factors(n, station);
            g = (0..=n).map(|k| log_sum(&own[..=k], &g[..=k])).collect();
        }
    }
    g
}

/// ln of a station's factors f(k) = Π_{j≤k} D/min(j, c), k = 0..=n.
fn log_factors(n: usize, station: &ClosedStation) -> Vec<f64> {
    let mut factors = vec![0.0; n + 1];
    for k in 1..=n {
        let busy = (k as f64).min(f64::from(station.servers));
        factors[k] = factors[k - 1] + libm::log(station.demand / busy);
    }
    factors
}

/// ln(e^a + e^b).
fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + libm::log1p(libm::exp(low - high)) }
}

/// ln Σ e^(a[j] + b[k−j]) for two slices of equal length k + 1.
fn log_sum(a: &[f64], b: &[f64]) -> f64 {
    let terms = || a.iter().zip(b.iter().rev()).map(|(x, y)| x + y);
    let highest = terms().fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return highest;
    }
    // Terms below e^−50 of the highest cannot change the sum's last digit, however many users there are.
    highest + libm::log(terms().filter(|t| t - highest > -50.0).map(|t| libm::exp(t - highest)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::bounds::AsymptoticBounds;
    use crate::maths::queue::repairman::Repairman;
    use crate::maths::test_support::{REFERENCE, assert_close};

    fn single(demands: &[f64]) -> Vec<ClosedStation> {
        demands.iter().map(|&demand| ClosedStation { demand, servers: 1 }).collect()
    }

    #[test]
    fn the_three_station_reference_case_is_met_by_both_algorithms() {
        let demands = [0.005, 0.03, 0.027];
        let mva = mean_value_analysis(200, 15.0, &demands).unwrap();
        let convolution = closed_network(200, 15.0, &single(&demands)).unwrap();
        for means in [mva, convolution] {
            assert_close(means.throughput, 13.247_903_589_508_576, REFERENCE);
            assert_close(means.response_time, 0.096_728_221_843_807_64, REFERENCE);
            assert_close(means.stations[1].utilization, 0.397_437_107_685_257_23, REFERENCE);
            assert_close(means.stations[0].mean_number, 0.070_911_619_542_506_66, REFERENCE);
            assert_close(means.stations[1].mean_number, 0.656_026_975_742_780_1, REFERENCE);
            assert_close(means.stations[2].mean_number, 0.554_507_562_086_074_4, REFERENCE);
        }
        let bounds = AsymptoticBounds::new(15.0, &single(&demands)).unwrap();
        assert_close(bounds.saturation_users(), 502.066_666_666_666_66, REFERENCE);
        assert_close(bounds.max_throughput(), 33.333_333_333_333_336, REFERENCE);
        assert_close(bounds.response_time_bound(200), 0.062, REFERENCE);
    }

    #[test]
    fn the_sharded_lock_reference_case_is_met() {
        let cases = [
            (1, 99_999.999_838_958_35),
            (2, 186_680.323_175_525_55),
            (4, 271_953.777_082_032_35),
            (8, 302_850.473_649_778_8),
            (16, 312_751.497_602_124_2),
        ];
        for (shards, expected) in cases {
            let demands = vec![10e-6 / f64::from(shards); shards as usize];
            assert_close(mean_value_analysis(32, 90e-6, &demands).unwrap().throughput, expected, REFERENCE);
            assert_close(closed_network(32, 90e-6, &single(&demands)).unwrap().throughput, expected, REFERENCE);
        }
    }

    #[test]
    fn a_station_of_several_servers_is_the_repairman_also_deep_in_saturation() {
        for (users, servers) in [(50, 4), (500, 16), (300, 200), (3, 8)] {
            let network = closed_network(users, 1.0, &[ClosedStation { demand: 0.1, servers }]).unwrap();
            let repairman = Repairman::new(users, 1.0, 0.1, servers).unwrap();
            assert_close(network.throughput, repairman.throughput(), 1e-9);
            assert_close(network.response_time, repairman.mean_response_time(), 1e-8);
        }
    }

    #[test]
    fn users_are_conserved_over_thinking_and_stations() {
        let stations = [
            ClosedStation { demand: 0.4, servers: 5 },
            ClosedStation { demand: 0.07, servers: 1 },
            ClosedStation { demand: 0.2, servers: 3 },
        ];
        let means = closed_network(60, 2.0, &stations).unwrap();
        let present: f64 = means.stations.iter().map(|s| s.mean_number).sum();
        assert_close(present + 2.0 * means.throughput, 60.0, 1e-10);
        let bounds = AsymptoticBounds::new(2.0, &stations).unwrap();
        assert!(means.throughput < bounds.throughput_bound(60));
        assert!(means.response_time > bounds.response_time_bound(60));
    }

    #[test]
    fn without_thinking_or_with_an_unused_station_the_answer_stays_finite() {
        let means = closed_network(5, 0.0, &single(&[0.1, 0.1, 0.0])).unwrap();
        // Balanced network: X = N/(D(N + M − 1)), M = 2.
        assert_close(means.throughput, 5.0 / (0.1 * 6.0), 1e-12);
        assert_eq!(means.stations[2].mean_number, 0.0);
        assert!(closed_network(5, 0.0, &[]).is_err());
    }
}
