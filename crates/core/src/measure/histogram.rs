//! A histogram of times with a bounded relative error.
//!
//! Log-linear buckets: 64 of equal width in every power of two of nanoseconds, so a bucket is at most 1/64 of its values
//! wide and its middle at most 0.8 % away from any of them. Values below 64 ns are exact. Memory is taken for the octaves
//! (128 B each) between the least and the greatest value only; a service whose times stay within a factor of 1000 takes
//! 1.3 KiB.
//!
//! Source: the layout is that of HdrHistogram (G. Tene). Counts merge exactly.

use crate::engine::time::Nanos;

/// Buckets per octave, as a power of two.
const PRECISION: u32 = 6;
const PER_OCTAVE: usize = 1 << PRECISION;

/// What one upper bit of a count stands for.
const CARRY: u64 = 1 << u16::BITS;

/// A time and its bucket, which several histograms count and need to look up only once.
#[derive(Debug, Clone, Copy)]
pub struct Binned {
    /// The time [ns].
    pub nanos: Nanos,
    bucket: usize,
}

impl Binned {
    /// A time [ns] with its bucket.
    #[inline(always)]
    pub fn new(nanos: Nanos) -> Self {
        Binned { nanos, bucket: bucket(nanos) }
    }

    /// The number of its class among classes of a quarter of the precision: the buckets of a quarter as many per octave, of which
    /// the first holds all times below 17 ns.
    #[inline(always)]
    pub(super) fn class(self) -> usize {
        if self.bucket < PER_OCTAVE { small_class(self.nanos) } else { self.bucket / 4 + PER_OCTAVE / 4 }
    }
}

/// The class of a time below 64 ns.
#[cold]
fn small_class(nanos: Nanos) -> usize {
    let value = nanos.max(PER_OCTAVE as u64 / 4) as usize;
    if value < PER_OCTAVE / 2 { value - PER_OCTAVE / 4 } else { value / 2 }
}

/// Counts of times by size.
///
/// Counts are kept in 16 bits, so that as many of them as possible stay in the caches; what goes beyond is carried elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// The number of the bucket that `counts` begins with; a whole octave.
    first: usize,
    /// Per bucket: the lower 16 bits of its count.
    counts: Box<[u16]>,
    /// Per bucket: the upper bits of its count, once one needs them.
    carried: Option<Box<[u64]>>,
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

/// Puts so many zeros before counts, and others behind them up to a length.
fn extend<C: Copy + Default>(counts: &mut Box<[C]>, before: usize, length: usize) {
    let mut longer = vec![C::default(); length];
    longer[before..before + counts.len()].copy_from_slice(counts);
    *counts = longer.into();
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: Nanos) {
        self.count_in(bucket(value));
    }

    /// Counts one value whose bucket is known.
    #[inline]
    pub fn record_binned(&mut self, value: Binned) {
        self.count_in(value.bucket);
    }

    #[inline(always)]
    fn count_in(&mut self, bucket: usize) {
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(count) => {
                *count = count.wrapping_add(1);
                if *count == 0 {
                    self.carry(bucket, 1);
                }
            }
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
            Some(count) => {
                let sum = u64::from(*count) + times % CARRY;
                *count = (sum % CARRY) as u16;
                let carried = times / CARRY + sum / CARRY;
                if carried > 0 {
                    self.carry(bucket, carried);
                }
            }
            None if times > 0 => self.add_outside(bucket, times),
            None => {}
        }
    }

    /// Adds to the upper bits of a bucket's count.
    #[cold]
    fn carry(&mut self, bucket: usize, upper: u64) {
        let counts = self.counts.len();
        let carried = self.carried.get_or_insert_with(|| vec![0; counts].into());
        carried[bucket - self.first] += upper;
    }

    /// Extends the counters to the bucket's octave and counts.
    #[cold]
    fn add_outside(&mut self, bucket: usize, times: u64) {
        let octave = bucket - bucket % PER_OCTAVE;
        if self.counts.is_empty() {
            self.first = octave;
        }
        let before = self.first.saturating_sub(octave);
        self.first -= before;
        let length = (before + self.counts.len()).max(octave + PER_OCTAVE - self.first);
        extend(&mut self.counts, before, length);
        self.carried.iter_mut().for_each(|carried| extend(carried, before, length));
        self.add(bucket, times);
    }

    /// The counts of all buckets, from the first.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let upper = |place: usize| self.carried.as_ref().map_or(0, |carried| carried[place] * CARRY);
        self.counts.iter().enumerate().map(move |(place, count)| u64::from(*count) + upper(place))
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts().sum()
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
        let counts = self.counts().enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(place, count)| {
            let (low, width) = bounds(self.first + place);
            (low, width, count)
        })
    }

    /// The buckets that hold values by their numbers, ascending, with their counts: all that there is to record.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let counts = self.counts().enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(place, count)| (self.first + place, count))
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
        for (place, count) in other.counts().enumerate() {
            self.add(other.first + place, count);
        }
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.carried = None;
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
    fn a_class_is_four_buckets_wide_and_the_smallest_times_share_one() {
        let class = |nanos: Nanos| Binned::new(nanos).class();
        let mut random = Stream::new(3);
        let times = (0..4096).chain((0..4096).map(|number| random.next_u64() >> (number % 64)));
        for nanos in times {
            // Sixteen of equal width in every octave from 16 ns on.
            let value = nanos.max(16);
            let octave = value.ilog2() - 4;
            assert_eq!(class(nanos), (octave * 16) as usize + (value >> octave) as usize % 16, "{nanos}");
        }
    }

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
    fn counts_beyond_16_bits_are_kept() {
        let mut histogram = Histogram::new();
        histogram.record_many(1000, u64::from(u32::MAX));
        histogram.record(1000);
        histogram.record_many(70, 5 << 32 | 7);
        histogram.record_many(5000, 3 * CARRY - 1);
        histogram.record(5000);
        let counts = |histogram: &Histogram| histogram.buckets().map(|(.., count)| count).collect::<Vec<_>>();
        assert_eq!(counts(&histogram), [5 << 32 | 7, 1 << 32, 3 << 16]);
        let mut both = Histogram::new();
        both.record(1000);
        both.merge(&histogram);
        both.merge(&histogram);
        assert_eq!(counts(&both), [10 << 32 | 14, (2 << 32) + 1, 6 << 16]);
        assert_eq!(both.count(), (12 << 32) + (6 << 16) + 15);
        let again = Histogram::from_numbered(both.numbered()).unwrap();
        assert!(again.buckets().eq(both.buckets()));
        both.clear();
        assert_eq!(both.count(), 0);
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
    }
}
