//! Random numbers: keyed draws for requests, named streams for policies.
//!
//! A [`Draw`] is a tiny generator made on the spot from a key. A request's key is a hash of (seed, replication, client,
//! request number); a step's draw adds the step's salt and the visit. So the draws of one step do not depend on which
//! path another step took, and two variants of an experiment meet the same requests with the same demands.
//!
//! A [`Stream`] is a sequential generator (xoshiro256++) seeded from a key, for policies and arrival processes, one
//! per use.
//!
//! Sources: SplitMix64, G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (2014), with D.
//! Stafford's mixing constants (variant 13); xoshiro256++, D. Blackman, S. Vigna (2019), by the crate `rand_xoshiro`.

use std::convert::Infallible;

use rand::rand_core::{SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The increment of SplitMix64: 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits so that every input bit changes every output bit with probability close to one half.
#[inline]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The key of a child: a hash of its parent's key and its own number.
#[inline]
pub fn key(parent: u64, child: u64) -> u64 {
    mix(parent.rotate_left(29) ^ child.wrapping_mul(0xd1b5_4a32_d192_ed03).wrapping_add(GOLDEN))
}

/// The key of a callee or branch: that of its caller, changed by the step's salt (a hash) and the visit. It is not mixed:
/// every [`Draw`] is.
#[inline]
pub fn child(parent: u64, salt: u64, visit: u64) -> u64 {
    (parent ^ salt).rotate_left(17).wrapping_add(visit.wrapping_mul(0xbea2_25f9_eb34_556d))
}

/// The key of a named child.
pub fn named(parent: u64, name: &str) -> u64 {
    let mut hash = key(parent, name.len() as u64);
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = key(hash, u64::from_le_bytes(word));
    }
    hash
}

/// The generator of one draw: SplitMix64 started from a key.
///
/// A few numbers may be taken from it (rejection methods take more than one); it is made anew for every draw.
#[derive(Debug, Clone)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// The draw of a step: the attempt's key, the step's salt (a hash), and the visit (0 for the first).
    #[inline]
    pub fn new(key: u64, salt: u64, visit: u64) -> Self {
        Draw { state: (key ^ salt).wrapping_add(visit.wrapping_mul(0xda94_2042_e4dd_58b5)) }
    }
}

impl TryRng for Draw {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(GOLDEN);
        Ok(mix(self.state))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// A sequential generator with a place of its own in the model.
#[derive(Debug, Clone)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream that belongs to `key`.
    pub fn new(key: u64) -> Self {
        Stream(Xoshiro256PlusPlus::seed_from_u64(key))
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

/// A number in `[0, 1)` with 53 random bits.
#[inline]
pub fn unit(rng: &mut impl rand::Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A number in `(0, 1]`, safe under a logarithm.
#[inline]
pub fn unit_open(rng: &mut impl rand::Rng) -> f64 {
    1.0 - unit(rng)
}

/// A whole number below `bound` (which must not be 0), without division: multiply and shift.
///
/// The bias is at most `bound` / 2⁶⁴. Source: D. Lemire, "Fast random integer generation in an interval" (2019).
#[inline]
pub fn below(rng: &mut impl rand::Rng, bound: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    fn uniforms(keys: impl Iterator<Item = u64>, salt: u64) -> Vec<f64> {
        keys.map(|key| unit(&mut Draw::new(key, salt, 0))).collect()
    }

    fn mean_and_variance(sample: &[f64]) -> (f64, f64) {
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        (mean, sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sample.len() as f64)
    }

    #[test]
    fn keyed_draws_have_the_moments_of_a_uniform_even_over_consecutive_keys() {
        // One million draws: the standard error of the mean is 0.00029, of the variance 0.000075; bounds at five.
        let sample = uniforms(0..1_000_000, 7);
        let (mean, variance) = mean_and_variance(&sample);
        assert!((mean - 0.5).abs() < 0.0015, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.0004, "{variance}");
    }

    #[test]
    fn draws_of_neighbouring_keys_salts_and_visits_are_uncorrelated() {
        let n = 200_000u64;
        let salt = |s: u64| mix(s);
        let pairs: [Vec<(f64, f64)>; 3] = [
            (0..n).map(|k| (unit(&mut Draw::new(k, 1, 0)), unit(&mut Draw::new(k + 1, 1, 0)))).collect(),
            (0..n)
                .map(|k| (unit(&mut Draw::new(mix(k), salt(1), 0)), unit(&mut Draw::new(mix(k), salt(2), 0))))
                .collect(),
            (0..n).map(|k| (unit(&mut Draw::new(mix(k), 1, 0)), unit(&mut Draw::new(mix(k), 1, 1)))).collect(),
        ];
        for pair in pairs {
            let covariance = pair.iter().map(|(x, y)| (x - 0.5) * (y - 0.5)).sum::<f64>() / n as f64;
            // The standard error of the correlation is 1/√n = 0.0022; bound at five.
            assert!((covariance * 12.0).abs() < 0.011, "{covariance}");
        }
    }

    #[test]
    fn keyed_draws_show_no_lattice_in_three_dimensions() {
        // 16³ cells over triples of draws from consecutive request numbers; chi-square with 4095 degrees of freedom has
        // mean 4095 and standard deviation 90.5; bounds at five.
        let mut cells = vec![0u32; 4096];
        let n = 400_000u64;
        for number in 0..n {
            let request = key(42, number);
            let cell =
                (0..3).fold(0, |cell, step| cell * 16 + (unit(&mut Draw::new(request, mix(step), 0)) * 16.0) as usize);
            cells[cell] += 1;
        }
        let expected = n as f64 / 4096.0;
        let chi_square: f64 = cells.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        assert!((chi_square - 4095.0).abs() < 453.0, "{chi_square}");
    }

    #[test]
    fn keys_of_a_million_children_are_distinct() {
        let mut keys: Vec<u64> = (0..1_000_000).map(|child| key(9, child)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 1_000_000);
        assert_ne!(named(1, "ab"), named(1, "ba"));
        assert_ne!(named(1, "a"), named(1, "a\0"));
    }

    #[test]
    fn streams_are_reproducible_and_differ_by_key() {
        let take = |key| -> Vec<u64> {
            let mut stream = Stream::new(key);
            (0..4).map(|_| stream.next_u64()).collect()
        };
        assert_eq!(take(5), take(5));
        assert_ne!(take(5), take(6));
    }

    #[test]
    fn below_covers_its_range_evenly() {
        let mut stream = Stream::new(1);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[below(&mut stream, 7) as usize] += 1;
        }
        // Each count is binomial with mean 10 000 and standard deviation 93; bound at five.
        assert!(counts.iter().all(|&count| (count as i64 - 10_000).abs() < 465), "{counts:?}");
    }
}
