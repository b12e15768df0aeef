//! A histogram of times with a bounded relative error.
//!
//! Log-linear buckets: 64 of equal width in every power of two of nanoseconds, so a bucket is at most 1/64 of its values
//! wide and its middle at most 0.8 % away from any of them. Values below 64 ns are exact. Memory is taken for the octaves
//! (512 B each) between the least and the greatest value only; a service whose times stay within a factor of 1000 takes
//! 5 KiB.
//!
//! Source: the layout is that of HdrHistogram (G. Tene). Counts merge exactly.

use crate::engine::time::Nanos;

/// Buckets per octave, as a power of two.
const PRECISION: u32 = 6;
const PER_OCTAVE: usize = 1 << PRECISION;

/// Counts of times by size.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// The number of the bucket that `counts` begins with; a whole octave.
    first: usize,
    counts: Vec<u64>,
}

/// The number of a value's bucket: octave 0 holds the values below 64, octave k ≥ 1 those from 2^(k+5) on.
#[inline]
fn bucket(value: Nanos) -> usize {
    let shift = (value | PER_OCTAVE as u64).ilog2() - PRECISION;
    // From octave 1 on the leading bit of `value >> shift` counts as one octave more.
    ((shift as usize) << PRECISION) + (value >> shift) as usize
}

/// The lowest value of a bucket and the bucket's width.
fn bounds(bucket: usize) -> (Nanos, Nanos) {
    let (octave, slot) = (bucket / PER_OCTAVE, bucket % PER_OCTAVE);
    match octave {
        0 => (slot as Nanos, 1),
        _ => (((PER_OCTAVE + slot) as Nanos) << (octave - 1), 1 << (octave - 1)),
    }
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: Nanos) {
        let bucket = bucket(value);
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(count) => *count += 1,
            None => self.add_outside(bucket, 1),
        }
    }

    /// Counts one value many times.
    pub fn record_many(&mut self, value: Nanos, times: u64) {
        self.add(bucket(value), times);
    }

    #[inline]
    fn add(&mut self, bucket: usize, times: u64) {
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(count) => *count += times,
            None if times > 0 => self.add_outside(bucket, times),
            None => {}
        }
    }

    /// Extends the counters to the bucket's octave and counts.
    #[cold]
    fn add_outside(&mut self, bucket: usize, times: u64) {
        let octave = bucket - bucket % PER_OCTAVE;
        if self.counts.is_empty() {
            self.first = octave;
        }
        if octave < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - octave));
            self.first = octave;
        }
        let length = self.counts.len().max(octave + PER_OCTAVE - self.first);
        self.counts.resize(length, 0);
        self.counts[bucket - self.first] += times;
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The quantile at `p` in 0..=1 [ns]: the value of rank ⌈p·n⌉ (nearest rank, Hyndman and Fan's type 1), read as the
    /// middle of its bucket. `None` if nothing was counted.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let rank = (libm::ceil(p.clamp(0.0, 1.0) * self.count() as f64) as u64).max(1);
        let mut seen = 0;
        self.buckets().find_map(|(low, width, count)| {
            seen += count;
            (seen >= rank).then(|| middle(low, width))
        })
    }

    /// The buckets that hold values, smallest first: lowest value [ns], width [ns], count.
    pub fn buckets(&self) -> impl Iterator<Item = (Nanos, Nanos, u64)> + '_ {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(place, &count)| {
            let (low, width) = bounds(self.first + place);
            (low, width, count)
        })
    }

    /// The buckets that hold values by their numbers, ascending, with their counts: all that there is to record.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(place, &count)| (self.first + place, count))
    }

    /// The histogram with these buckets; `None` if one of them does not exist, or the counts are too many.
    pub fn from_numbered(buckets: impl Iterator<Item = (usize, u64)>) -> Option<Self> {
        let (mut histogram, mut total) = (Histogram::new(), 0u64);
        for (number, count) in buckets {
            if number > bucket(Nanos::MAX) {
                return None;
            }
            total = total.checked_add(count)?;
            histogram.add(number, count);
        }
        Some(histogram)
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Histogram) {
        for (place, &count) in other.counts.iter().enumerate() {
            self.add(other.first + place, count);
        }
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
}

fn middle(low: Nanos, width: Nanos) -> f64 {
    low as f64 + (width - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use rand::Rng;

    #[test]
    fn every_value_lies_in_its_bucket_and_within_one_percent_of_its_middle() {
        let mut random = Stream::new(3);
        let values = (0..200_000).map(|_| random.next_u64() >> (random.next_u64() % 64));
        for value in values.chain([0, 1, 63, 64, 65, 127, 128, u64::MAX]) {
            let (low, width) = bounds(bucket(value));
            assert!(low <= value && value - low < width, "{value}: {low} + {width}");
            assert!((middle(low, width) - value as f64).abs() <= 0.008 * value as f64, "{value}");
        }
    }

    #[test]
    fn quantiles_are_nearest_rank_within_one_percent() {
        let mut random = Stream::new(4);
        let mut values: Vec<u64> = (0..10_001).map(|_| below(&mut random, 1 << 40) >> below(&mut random, 30)).collect();
        let mut histogram = Histogram::new();
        values.iter().for_each(|&value| histogram.record(value));
        values.sort_unstable();
        for p in [0.0, 0.001, 0.25, 0.5, 0.95, 0.99, 0.999, 1.0] {
            let rank = ((p * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1] as f64;
            let read = histogram.quantile(p).unwrap();
            assert!((read - exact).abs() <= 0.008 * exact, "p {p}: {read} for {exact}");
        }
    }

    #[test]
    fn merging_equals_recording_everything_in_one() {
        let mut random = Stream::new(5);
        let (mut one, mut two, mut both) = (Histogram::new(), Histogram::new(), Histogram::new());
        for number in 0..5_000 {
            let value = random.next_u64() >> (number % 60);
            if number % 3 == 0 {
                one.record(value)
            } else {
                two.record(value)
            }
            both.record(value);
        }
        one.merge(&two);
        assert!(one.buckets().eq(both.buckets()));
        assert_eq!(one.count(), both.count());
    }

    #[test]
    fn a_histogram_is_its_numbered_buckets() {
        let mut random = Stream::new(6);
        let mut histogram = Histogram::new();
        (0..1000).for_each(|number| histogram.record(random.next_u64() >> (number % 64)));
        histogram.record(u64::MAX);
        let again = Histogram::from_numbered(histogram.numbered()).unwrap();
        assert!(again.buckets().eq(histogram.buckets()));
        assert_eq!(again.count(), histogram.count());
        let last = bucket(u64::MAX);
        assert!(Histogram::from_numbered([(last + 1, 1)].into_iter()).is_none());
        assert!(Histogram::from_numbered([(1, u64::MAX), (2, 1)].into_iter()).is_none());
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
    }
}
