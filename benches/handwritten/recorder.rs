//! Response times of one run: count, sum and a log-linear histogram with 64 buckets per octave.
//!
//! Values under 64 ns are exact; above, a bucket is at most 1/64 of its value wide, so its midpoint is within 1/128. The
//! array covers all of `u64` in 30 KiB. The layout is the one of HdrHistogram (Tene), with a fixed precision.

use super::{NANOS_PER_SECOND, Outcome};

const BUCKETS_PER_OCTAVE: usize = 64;
const OCTAVE_BITS: u32 = BUCKETS_PER_OCTAVE.ilog2();
/// One exact block for the values under 64, and one block for each leading bit from 6 to 63.
const BUCKETS: usize = BUCKETS_PER_OCTAVE * (1 + (64 - OCTAVE_BITS as usize));

/// Count, sum and distribution of durations.
pub struct Recorder {
    counts: Box<[u64; BUCKETS]>,
    sum_ns: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), sum_ns: 0 }
    }
}

impl Recorder {
    /// Records one duration \[ns\].
    #[inline]
    pub fn record(&mut self, duration_ns: u64) {
        self.counts[bucket(duration_ns)] += 1;
        self.sum_ns += duration_ns;
    }

    /// Closes the run after `events` events.
    #[must_use]
    pub fn outcome(&self, events: u64) -> Outcome {
        let customers: u64 = self.counts.iter().sum();
        let mean_seconds = self.sum_ns as f64 / customers.max(1) as f64 / NANOS_PER_SECOND;
        let (p50, p99) = (self.quantile(customers, 50), self.quantile(customers, 99));
        Outcome { customers, mean_seconds, p50, p99, events }
    }

    /// The midpoint \[s\] of the bucket that holds the `percent` percentile (nearest rank) of `customers` values.
    fn quantile(&self, customers: u64, percent: u64) -> f64 {
        let rank = (u128::from(customers) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return midpoint_ns(index) / NANOS_PER_SECOND;
            }
        }
        0.0
    }
}

/// The bucket of a value: its seven leading bits, in the block of its octave.
#[inline]
fn bucket(value: u64) -> usize {
    let shift = (value | (BUCKETS_PER_OCTAVE as u64 - 1)).ilog2().saturating_sub(OCTAVE_BITS);
    // The leading bit of `value >> shift` (absent in the exact block) counts as one block more.
    shift as usize * BUCKETS_PER_OCTAVE + (value >> shift) as usize
}

/// The middle of a bucket's values \[ns\]: the inverse of [`bucket`].
fn midpoint_ns(index: usize) -> f64 {
    let shift = (index / BUCKETS_PER_OCTAVE).saturating_sub(1);
    let low = ((index - shift * BUCKETS_PER_OCTAVE) as u64) << shift;
    let width = 1_u64 << shift;
    low as f64 + (width - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_midpoint_is_within_one_128th_of_every_value_of_its_bucket() {
        let values = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) + (1 << bit) / 3, u64::MAX >> bit]);
        for value in values.chain(0..5_000) {
            let error = (midpoint_ns(bucket(value)) - value as f64).abs();
            assert!(error <= value as f64 / 128.0, "{value}: off by {error}");
            assert!(value >= 64 || error == 0.0, "{value} is not exact");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut recorder = Recorder::default();
        (1..=50).for_each(|value| recorder.record(value));
        let outcome = recorder.outcome(7);
        assert_eq!((outcome.customers, outcome.events), (50, 7));
        assert_eq!((outcome.p50, outcome.p99), (25e-9, 50e-9));
        assert!((outcome.mean_seconds - 25.5e-9).abs() < 1e-20);
    }

    #[test]
    fn an_empty_run_reports_zeros() {
        let outcome = Recorder::default().outcome(0);
        assert_eq!((outcome.customers, outcome.mean_seconds, outcome.p99), (0, 0.0, 0.0));
    }
}
