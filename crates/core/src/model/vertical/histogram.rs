//! A histogram that forgets: the weight of a sample halves with every half-life.
//!
//! Buckets grow by 5 % each, the first is 0.01 cores wide; a percentile is the end of its bucket, so it is at most 5 % too high. Weights are
//! kept as 2^(time / half-life) and scaled down together before they get too large, which changes no percentile.
//!
//! Source: kubernetes/autoscaler, `vertical-pod-autoscaler/pkg/recommender/util/{histogram,histogram_options,decaying_histogram}.go`.

use crate::engine::Nanos;

/// The width of the first bucket [cores].
const FIRST: f64 = 0.01;

/// How much wider each bucket is than the one before.
const GROWTH: f64 = 0.05;

/// Where the last bucket begins, at least [cores].
const LAST: f64 = 1000.0;

/// Buckets with less than this are empty.
const EPSILON: f64 = 0.0001;

/// How many half-lives weights may grow before they are scaled down.
const MOST_HALF_LIVES: u64 = 100;

/// Weights of samples by their value.
#[derive(Debug, Clone)]
pub struct Decaying {
    half_life: Nanos,
    /// When a sample weighs what it weighs [ns].
    reference: Nanos,
    weights: Vec<f64>,
}

impl Decaying {
    /// Without samples.
    pub fn new(half_life: Nanos) -> Self {
        let count = (libm::log(LAST * GROWTH / FIRST + 1.0) / libm::log(1.0 + GROWTH)).ceil() as usize + 1;
        Decaying { half_life, reference: 0, weights: vec![0.0; count] }
    }

    fn bucket(&self, value: f64) -> usize {
        if value < FIRST {
            return 0;
        }
        let bucket = libm::log(value * GROWTH / FIRST + 1.0) / libm::log(1.0 + GROWTH);
        (bucket as usize).min(self.weights.len() - 1)
    }

    /// Where a bucket begins.
    fn start(bucket: usize) -> f64 {
        FIRST * (libm::pow(1.0 + GROWTH, bucket as f64) - 1.0) / GROWTH
    }

    /// Adds a sample of a time.
    pub fn add(&mut self, now: Nanos, value: f64, weight: f64) {
        if now > self.reference.saturating_add(self.half_life.saturating_mul(MOST_HALF_LIVES)) {
            let shift = (now - self.reference + self.half_life / 2) / self.half_life;
            let factor = libm::exp2(-(shift as f64));
            self.weights.iter_mut().for_each(|weight| *weight *= factor);
            self.reference += shift * self.half_life;
        }
        let age = if now >= self.reference {
            (now - self.reference) as f64 / self.half_life as f64
        } else {
            -((self.reference - now) as f64 / self.half_life as f64)
        };
        let bucket = self.bucket(value);
        self.weights[bucket] += weight * libm::exp2(age);
    }

    /// The value below which a share of the weight lies; 0 without samples.
    pub fn percentile(&self, share: f64) -> f64 {
        let full = |weight: &f64| *weight >= EPSILON;
        let (Some(first), Some(last)) = (self.weights.iter().position(full), self.weights.iter().rposition(full))
        else {
            return 0.0;
        };
        let threshold = share * self.weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let reaches = |weight: &f64| {
            sum += weight;
            sum >= threshold
        };
        let bucket = self.weights[first..last].iter().position(reaches).map_or(last, |place| first + place);
        // The last bucket has no end.
        Self::start(if bucket + 1 < self.weights.len() { bucket + 1 } else { bucket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Nanos = 86_400_000_000_000;

    #[test]
    fn a_percentile_is_the_end_of_its_bucket() {
        let mut histogram = Decaying::new(DAY);
        assert_eq!(histogram.percentile(0.9), 0.0);
        histogram.add(0, 0.005, 1.0);
        assert!((histogram.percentile(0.9) - 0.01).abs() < 1e-12);
        // 0.01 to 0.0205 is the second bucket, 0.0205 to 0.031525 the third.
        histogram.add(0, 0.03, 9.0);
        assert!((histogram.percentile(0.9) - 0.031525).abs() < 1e-12);
        assert!((histogram.percentile(0.1) - 0.01).abs() < 1e-12);
        assert_eq!(Decaying::new(DAY).weights.len(), 176);
    }

    /// The percentile of samples by their weights, the obvious way.
    fn twin(samples: &[(Nanos, f64, f64)], now: Nanos, share: f64) -> f64 {
        let weight = |time: Nanos, weight: f64| weight * libm::exp2(-((now - time) as f64) / DAY as f64);
        let mut sorted: Vec<(f64, f64)> =
            samples.iter().map(|(time, value, own)| (*value, weight(*time, *own))).collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all: f64 = sorted.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0.0;
        let found = sorted.iter().find(|(_, weight)| {
            sum += weight;
            sum >= share * all
        });
        found.map_or(0.0, |(value, _)| *value)
    }

    #[test]
    fn it_is_the_weighted_percentile_within_a_bucket() {
        let mut histogram = Decaying::new(DAY);
        let mut samples = Vec::new();
        let mut state = 1_u64;
        for number in 0..3000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (value, weight) = ((state >> 40) as f64 / 4e6, 0.1 + (state >> 56) as f64 / 100.0);
            // A sample every two hours: 250 days, so that weights are scaled down twice.
            let time = number * DAY / 12;
            histogram.add(time, value, weight);
            samples.push((time, value, weight));
            for share in [0.5, 0.9, 0.95] {
                let (told, true_value) = (histogram.percentile(share), twin(&samples, time, share));
                let end = (true_value * 1.05 + 0.01) * (1.0 + 1e-9);
                assert!(told >= true_value && told <= end, "sample {number}: {told} for {true_value}");
            }
        }
    }
}
