//! Special-purpose simulators, written by hand for one workload each: the yardsticks of the general engine's speed.
//!
//! Each is what a careful author would write for that workload alone: no components, no attribution, no faults, but a
//! real calendar, real queues, a response-time histogram and a full drain. The general engine is measured as a multiple
//! of these in the same run.
//!
//! | function | workload | method |
//! |---|---|---|
//! | [`mm1::run`] | M/M/1 FIFO, utilization 0.8 | event loop |
//! | [`mmc::run`] | M/M/16 FIFO, utilization 0.9 | event loop |
//! | [`web::run`] | balancer, 8 × 4 app servers, 16 database servers | event loop |
//! | [`ps::utilization_80`], [`ps::utilization_95`] | M/M/1 processor sharing | virtual-time heap |
//! | [`lindley::mm1`], [`lindley::mm16`] | the first two again | recursion: the floor |
//!
//! The event loops come with a plain calendar (pop, push) and a tuned one (the popped top is overwritten in place); see
//! [`calendar::Calendar`]. The outcomes are the same.
//!
//! Invariants: time is a `u64` of nanoseconds; simultaneous events fire in the order in which they were scheduled; every
//! customer that arrives is served and recorded before a function returns; equal arguments give equal outcomes. The
//! recursions see the same customers as the event loops of equal seed, so that their outcomes are equal to the last bit.
//!
//! Limits: no warm-up is discarded (each system starts empty), which biases the mean by far less than its standard error
//! at the million customers these are run with. All response times together must stay under 2⁶⁴ ns (584 years).

pub mod calendar;
pub mod lindley;
pub mod mm1;
pub mod mmc;
pub mod ps;
pub mod random;
pub mod recorder;
pub mod station;
#[cfg(test)]
mod theory;
pub mod web;

/// Nanoseconds in a second: the scale between the integer clock and reported times.
pub const NANOS_PER_SECOND: f64 = 1e9;

/// What one run measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Customers that arrived, were served and were recorded.
    pub customers: u64,
    /// Mean response time (waiting and service) \[s\].
    pub mean_seconds: f64,
    /// Median response time \[s\], within 1/128 of its value.
    pub p50: f64,
    /// 99th percentile of the response time \[s\], within 1/128 of its value.
    pub p99: f64,
    /// Events that fired; zero for the recursions, which have none.
    pub events: u64,
}
