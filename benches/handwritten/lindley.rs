//! The floor: waiting times by recursion, without a calendar and without a queue.
//!
//! Lindley (1952) for one server, Kiefer and Wolfowitz (1955) for sixteen, both on absolute times: a customer starts when
//! it has arrived and the earliest free server is free. Draws and recording are the same as in the event loops, so what
//! remains of an event loop's time above this is calendar and queue. Valid only for FIFO without feedback.

use super::random::{Exponential, streams};
use super::recorder::Recorder;
use super::{NANOS_PER_SECOND, Outcome, mm1, mmc};

/// When each of `SERVERS` servers becomes free \[ns\], ascending: the Kiefer–Wolfowitz workload vector plus the clock.
pub struct Workload<const SERVERS: usize> {
    free_at: [u64; SERVERS],
}

impl<const SERVERS: usize> Default for Workload<SERVERS> {
    fn default() -> Self {
        Self { free_at: [0; SERVERS] }
    }
}

impl<const SERVERS: usize> Workload<SERVERS> {
    /// Serves a customer that arrives at `arrived` with demand `service` \[ns\]; returns when it leaves \[ns\].
    /// Arrivals must come in order of time.
    #[inline]
    pub fn serve(&mut self, arrived: u64, service: u64) -> u64 {
        let leaves = arrived.max(self.free_at[0]) + service;
        // Drop the first entry and insert `leaves` in order, without a branch to mispredict: each new entry is the median
        // of the two old ones around it and `leaves`.
        for index in 1..SERVERS {
            self.free_at[index - 1] = self.free_at[index].min(leaves.max(self.free_at[index - 1]));
        }
        self.free_at[SERVERS - 1] = leaves.max(self.free_at[SERVERS - 1]);
        leaves
    }
}

/// Workload A by Lindley's recursion; equals [`mm1::run`] except for its events.
#[must_use]
pub fn mm1(customers: u64, seed: u64) -> Outcome {
    recursion::<1>(mm1::ARRIVAL_RATE, mm1::SERVICE_RATE, customers, seed)
}

/// Workload B by the Kiefer–Wolfowitz recursion; equals [`mmc::run`] except for its events.
#[must_use]
pub fn mm16(customers: u64, seed: u64) -> Outcome {
    recursion::<{ mmc::SERVERS }>(mmc::ARRIVAL_RATE, mmc::SERVICE_RATE, customers, seed)
}

fn recursion<const SERVERS: usize>(arrival_rate: f64, service_rate: f64, customers: u64, seed: u64) -> Outcome {
    let [arrivals, services] = streams(seed);
    let mut interarrival = Exponential::new(arrivals, NANOS_PER_SECOND / arrival_rate);
    let mut service = Exponential::new(services, NANOS_PER_SECOND / service_rate);
    let mut recorder = Recorder::default();
    let mut workload = Workload::<SERVERS>::default();
    let mut now = 0;
    for _ in 0..customers {
        now += interarrival.draw();
        recorder.record(workload.serve(now, service.draw()) - now);
    }
    recorder.outcome(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handwritten::theory::{assert_within, mmc_mean};

    #[test]
    fn the_event_loops_agree_with_the_recursions_to_the_last_bit() {
        for seed in 0..5 {
            let without_events = |run: fn(u64, u64) -> Outcome| Outcome { events: 0, ..run(100_000, seed) };
            let (one, sixteen) = (mm1(100_000, seed), mm16(100_000, seed));
            assert_eq!([one; 2], [mm1::run::<false>, mm1::run::<true>].map(without_events));
            assert_eq!([sixteen; 2], [mmc::run::<false>, mmc::run::<true>].map(without_events));
        }
    }

    /// Tolerances as in the event loops of the same workloads.
    #[test]
    fn recursions_have_the_mean_of_theory() {
        let (one, sixteen) = (mm1(1_000_000, 2), mm16(1_000_000, 2));
        assert_within("M/M/1", one.mean_seconds, mmc_mean(1, mm1::ARRIVAL_RATE, mm1::SERVICE_RATE), 0.04);
        let erlang_c = mmc_mean(mmc::SERVERS as u32, mmc::ARRIVAL_RATE, mmc::SERVICE_RATE);
        assert_within("M/M/16", sixteen.mean_seconds, erlang_c, 0.03);
    }

    #[test]
    fn the_workload_stays_sorted_and_serves_at_the_earliest_free_server() {
        let mut workload = Workload::<3>::default();
        let leaves = [(0, 9), (1, 4), (2, 5), (3, 1), (4, 1), (20, 2)].map(|(arrived, service)| {
            let left = workload.serve(arrived, service);
            assert!(workload.free_at.is_sorted());
            left
        });
        assert_eq!(leaves, [9, 5, 7, 6, 7, 22]);
    }
}
