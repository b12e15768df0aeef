//! A tally of observed times: count, sum, greatest.

use crate::engine::time::{Nanos, seconds};

/// Count, sum and maximum of times, exact.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Number of observations.
    pub count: u64,
    /// Their sum [ns].
    pub sum: u128,
    /// The greatest [ns].
    pub max: Nanos,
}

impl Tally {
    /// Adds one observation.
    #[inline]
    pub fn record(&mut self, value: Nanos) {
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
    }

    /// The mean [s]; `None` without observations.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 / 1e9)
    }

    /// The maximum [s]; `None` without observations.
    pub fn greatest(&self) -> Option<f64> {
        (self.count > 0).then(|| seconds(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_keeps_count_mean_and_maximum() {
        let mut tally = Tally::default();
        assert_eq!(tally.mean(), None);
        [1_000_000_000, 3_000_000_000].into_iter().for_each(|value| tally.record(value));
        assert_eq!((tally.mean(), tally.greatest()), (Some(2.0), Some(3.0)));
    }
}
