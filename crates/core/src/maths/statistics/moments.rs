//! Mean and variance in one pass, and their merge.
//!
//! Sources: Welford 1962; Chan, Golub & LeVeque 1979 (merge). Stable where the textbook sum of squares cancels.

/// Running mean and variance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of no observations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one observation.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let from_old = value - self.mean;
        self.mean += from_old / self.count as f64;
        self.squares += from_old * (value - self.mean);
    }

    /// As if the observations of both had been added to one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let gap = other.mean - self.mean;
        Self {
            count: self.count + other.count,
            mean: self.mean + gap * b / (a + b),
            squares: self.squares + other.squares + gap * gap * a * b / (a + b),
        }
    }

    /// Number of observations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean; `None` of no observations.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Unbiased variance (divisor n − 1); `None` below two observations.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// Square root of the variance.
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::new();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;
    use proptest::prelude::*;

    #[test]
    fn a_large_offset_does_not_spoil_the_variance() {
        let moments: Moments = [4.0, 7.0, 13.0, 16.0].iter().map(|x| x + 1e9).collect();
        assert_close(moments.variance().unwrap(), 30.0, 1e-12);
    }

    #[test]
    fn too_few_observations_have_no_mean_or_variance() {
        assert_eq!(Moments::new().mean(), None);
        assert_eq!([1.0].into_iter().collect::<Moments>().variance(), None);
    }

    proptest! {
        #[test]
        fn merging_equals_adding_and_the_two_pass_formula(
            values in proptest::collection::vec(-1e3..1e3_f64, 2..60),
            cut in 0_usize..60,
        ) {
            let cut = cut.min(values.len());
            let halves = values.split_at(cut);
            let merged = halves.0.iter().copied().collect::<Moments>().merge(halves.1.iter().copied().collect());
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
            prop_assert!((merged.mean().unwrap() - mean).abs() < 1e-10);
            prop_assert!((merged.variance().unwrap() - variance).abs() <= 1e-10 * (1.0 + variance));
        }
    }
}
