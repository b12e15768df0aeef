//! Hit ratios of caches under the independent reference model: each request asks for item i with probability pᵢ.
//!
//! Sources: Che, Tung & Wang 2002 and Fricker, Robert & Roberts 2012 (LRU); Gelenbe 1973, Martina, Garetto & Leonardi
//! 2014 (RANDOM and FIFO); Jung, Berger & Balakrishnan 2003, Fofack et al. 2012 (TTL). T is the characteristic time in
//! requests. Limits: items of one size; the LRU, RANDOM and FIFO forms are approximations, good from ~100 items on.

use super::error::{MathsError, at_least_one, check, non_negative};
use super::numeric::root;

/// Probabilities of requesting each item, most popular first.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    probabilities: Vec<f64>,
}

impl Popularity {
    /// Zipf's law: pᵢ ∝ i^(−`exponent`) for `items` ≥ 1 (exponent 0: uniform).
    ///
    /// # Errors
    /// An argument outside its domain.
    pub fn zipf(items: u32, exponent: f64) -> Result<Self, MathsError> {
        at_least_one("items", items)?;
        non_negative("exponent", exponent)?;
        Self::from_weights((1..=items).map(|i| libm::pow(f64::from(i), -exponent)).collect())
    }

    /// Any weights, in any order; zero weights are allowed.
    ///
    /// # Errors
    /// A negative or infinite weight, or none above zero.
    pub fn from_weights(mut weights: Vec<f64>) -> Result<Self, MathsError> {
        for &weight in &weights {
            non_negative("weight", weight)?;
        }
        weights.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = weights.iter().rev().sum();
        check("sum of weights", total, total.is_finite() && total > 0.0, "a finite number above 0")?;
        weights.iter_mut().for_each(|w| *w /= total);
        weights.retain(|&w| w > 0.0);
        Ok(Self { probabilities: weights })
    }

    /// Probability of each item that is requested at all, most popular first.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Hit ratio when the `capacity` most popular items stay in the cache: no policy without foresight can do better.
    pub fn lfu_hit_ratio(&self, capacity: u32) -> f64 {
        self.probabilities.iter().take(capacity as usize).sum::<f64>().min(1.0)
    }

    /// Che's characteristic time of LRU \[requests\]: Σ(1 − e^(−pᵢT)) = `capacity`. `None` if all items fit.
    ///
    /// # Errors
    /// No capacity; [`MathsError::NoConvergence`] of the root.
    pub fn lru_characteristic_time(&self, capacity: u32) -> Result<Option<f64>, MathsError> {
        self.characteristic_time(capacity, |x| -libm::expm1(-x))
    }

    /// LRU hit ratio by Che's approximation: Σ pᵢ(1 − e^(−pᵢT)).
    ///
    /// # Errors
    /// As [`Popularity::lru_characteristic_time`].
    pub fn lru_hit_ratio(&self, capacity: u32) -> Result<f64, MathsError> {
        self.hit_ratio(capacity, |x| -libm::expm1(-x))
    }

    /// Hit ratio of RANDOM and of FIFO eviction by the mean-field approximation: Σ pᵢ·pᵢT/(1 + pᵢT).
    ///
    /// # Errors
    /// No capacity; [`MathsError::NoConvergence`] of the root.
    pub fn random_hit_ratio(&self, capacity: u32) -> Result<f64, MathsError> {
        self.hit_ratio(capacity, |x| x / (1.0 + x))
    }

    fn hit_ratio(&self, capacity: u32, present: impl Fn(f64) -> f64) -> Result<f64, MathsError> {
        Ok(match self.characteristic_time(capacity, &present)? {
            Some(time) => self.probabilities.iter().map(|p| p * present(p * time)).sum(),
            None => 1.0,
        })
    }

    /// The T at which the items present, each with probability `present(pᵢT)`, fill the cache.
    fn characteristic_time(&self, capacity: u32, present: impl Fn(f64) -> f64) -> Result<Option<f64>, MathsError> {
        at_least_one("capacity", capacity)?;
        if capacity as usize >= self.probabilities.len() {
            return Ok(None);
        }
        let room = f64::from(capacity);
        let excess = |time: f64| self.probabilities.iter().map(|p| present(p * time)).sum::<f64>() - room;
        let mut high = room;
        while excess(high) < 0.0 {
            high *= 2.0;
            if high > 1e300 {
                return Err(MathsError::NoConvergence { method: "characteristic time" });
            }
        }
        root(excess, 0.0, high, 1e-14).map(Some)
    }
}

/// Hit ratio of one item requested at Poisson `rate` [1/s] whose `ttl` \[s\] runs from the fill: λT/(1 + λT).
///
/// # Errors
/// An argument outside its domain.
pub fn ttl_hit_ratio(rate: f64, ttl: f64) -> Result<f64, MathsError> {
    let expected = non_negative("rate", rate)? * non_negative("ttl", ttl)?;
    Ok(expected / (1.0 + expected))
}

/// The same when every hit starts the `ttl` \[s\] anew: 1 − e^(−λT).
///
/// # Errors
/// An argument outside its domain.
pub fn sliding_ttl_hit_ratio(rate: f64, ttl: f64) -> Result<f64, MathsError> {
    Ok(-libm::expm1(-non_negative("rate", rate)? * non_negative("ttl", ttl)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    /// The references come from another root finder; twelve digits of T remain.
    const NUMERIC: f64 = 1e-8;

    #[test]
    fn the_small_reference_cases_are_met() {
        let zipf = Popularity::zipf(10, 1.0).unwrap();
        assert_close(zipf.lru_hit_ratio(3).unwrap(), 0.465_723_906_426_711_74, NUMERIC);
        assert_close(zipf.lfu_hit_ratio(3), 0.625_931_445_603_576_7, NUMERIC);
        assert_close(zipf.random_hit_ratio(3).unwrap(), 0.429_519_542_330_663_8, NUMERIC);
        let zipf = Popularity::zipf(100, 0.8).unwrap();
        assert_close(zipf.lru_hit_ratio(10).unwrap(), 0.263_260_825_383_441_7, NUMERIC);
        assert_close(zipf.random_hit_ratio(10).unwrap(), 0.236_059_467_292_156_77, NUMERIC);
    }

    #[test]
    fn the_large_reference_cases_are_met() {
        let zipf = Popularity::zipf(1000, 0.8).unwrap();
        assert_close(zipf.lru_hit_ratio(100).unwrap(), 0.377_790_221_282_957_9, NUMERIC);
        assert_close(zipf.random_hit_ratio(100).unwrap(), 0.333_679_709_404_778_4, NUMERIC);
        let zipf = Popularity::zipf(10_000, 1.0).unwrap();
        assert_close(zipf.lru_characteristic_time(100).unwrap().unwrap(), 141.236_818_454_393_1, NUMERIC);
        assert_close(zipf.lru_hit_ratio(100).unwrap(), 0.390_525_485_410_650_6, NUMERIC);
        assert_close(zipf.lfu_hit_ratio(100), 0.529_994_515_363_235_6, NUMERIC);
    }

    #[test]
    fn the_time_to_live_reference_case_is_met() {
        assert_close(ttl_hit_ratio(0.2, 30.0).unwrap(), 0.857_142_857_142_857_1, NUMERIC);
        assert_close(sliding_ttl_hit_ratio(0.2, 30.0).unwrap(), 0.997_521_247_823_333_6, NUMERIC);
    }

    #[test]
    fn equal_popularity_makes_all_policies_equal() {
        let uniform = Popularity::zipf(200, 0.0).unwrap();
        assert_close(uniform.lru_hit_ratio(50).unwrap(), 0.25, 1e-10);
        assert_close(uniform.random_hit_ratio(50).unwrap(), 0.25, 1e-10);
        assert_close(uniform.lfu_hit_ratio(50), 0.25, 1e-10);
    }

    #[test]
    fn a_cache_for_everything_always_hits_and_an_empty_catalog_is_refused() {
        let items = Popularity::from_weights(vec![0.0, 1.0, 3.0]).unwrap();
        assert_eq!(items.lru_hit_ratio(2).unwrap(), 1.0);
        assert!(Popularity::from_weights(vec![0.0]).is_err());
        assert!(Popularity::from_weights(vec![1.0, f64::NAN]).is_err());
        assert!(items.lru_hit_ratio(0).is_err());
    }
}
