//! Workload A: M/M/1 FIFO, λ = 0.8/s, μ = 1/s, as an event loop over the standard binary heap.

use std::collections::VecDeque;

use super::calendar::Calendar;
use super::random::{Exponential, streams};
use super::recorder::Recorder;
use super::{NANOS_PER_SECOND, Outcome};

/// λ \[1/s\].
pub const ARRIVAL_RATE: f64 = 0.8;
/// μ \[1/s\].
pub const SERVICE_RATE: f64 = 1.0;

#[derive(Clone, Copy)]
enum Kind {
    Arrival,
    Departure,
}

/// Serves `customers` customers and drains. Two events per customer. `REPLACE`: see [`Calendar`].
#[must_use]
pub fn run<const REPLACE: bool>(customers: u64, seed: u64) -> Outcome {
    let [arrivals, services] = streams(seed);
    let mut interarrival = Exponential::new(arrivals, NANOS_PER_SECOND / ARRIVAL_RATE);
    let mut service = Exponential::new(services, NANOS_PER_SECOND / SERVICE_RATE);
    let mut calendar = Calendar::<Kind, REPLACE>::with_capacity(4);
    let mut recorder = Recorder::default();
    // Arrival times of everyone present; the front one is in service.
    let mut present: VecDeque<u64> = VecDeque::new();
    let mut to_arrive = customers;

    if to_arrive > 0 {
        calendar.schedule(interarrival.draw(), Kind::Arrival);
    }
    while let Some((now, kind)) = calendar.pop() {
        match kind {
            Kind::Arrival => {
                present.push_back(now);
                if present.len() == 1 {
                    calendar.schedule(now + service.draw(), Kind::Departure);
                }
                to_arrive -= 1;
                if to_arrive > 0 {
                    calendar.schedule(now + interarrival.draw(), Kind::Arrival);
                }
            }
            Kind::Departure => {
                if let Some(arrived) = present.pop_front() {
                    recorder.record(now - arrived);
                }
                if !present.is_empty() {
                    calendar.schedule(now + service.draw(), Kind::Departure);
                }
            }
        }
    }
    recorder.outcome(calendar.scheduled())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handwritten::theory::{assert_within, mmc_mean, mmc_quantile};

    /// One million customers: over 40 seeds the mean and the median scatter by 0.9 % (as `theory` says of the mean) and
    /// the 99th percentile by 2.1 %, so the tolerances are over four standard errors.
    #[test]
    fn response_times_follow_the_exponential_law_of_the_mm1_queue() {
        let outcome = run::<true>(1_000_000, 1);
        assert_within("mean", outcome.mean_seconds, mmc_mean(1, ARRIVAL_RATE, SERVICE_RATE), 0.04);
        assert_within("p50", outcome.p50, mmc_quantile(1, ARRIVAL_RATE, SERVICE_RATE, 0.50), 0.04);
        assert_within("p99", outcome.p99, mmc_quantile(1, ARRIVAL_RATE, SERVICE_RATE, 0.99), 0.09);
        assert_eq!((outcome.customers, outcome.events), (1_000_000, 2_000_000));
    }

    #[test]
    fn no_customers_make_no_events() {
        let outcome = run::<true>(0, 1);
        assert_eq!((outcome.customers, outcome.events), (0, 0));
    }
}
