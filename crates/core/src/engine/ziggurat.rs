//! Exponential and normal variates by the ziggurat method.
//!
//! The density is covered by 256 layers of equal area; in 99 of 100 cases one random number, one comparison of integers
//! and one multiplication give a variate. The tables are computed with `libm`, and so are the rare other cases, so that
//! every machine makes the same draws.
//!
//! Source: G. Marsaglia, W. Tsang, "The ziggurat method for generating random variables", J. Stat. Software 5 (2000),
//! with 256 layers and its constants r and v.

use std::sync::LazyLock;

use rand::Rng;

use super::random::{unit, unit_open};

const LAYERS: usize = 256;
/// Random bits that place a point within its layer.
const BITS: u32 = 53;

/// Where the base layer of the exponential ends, and the area of every layer.
const EXPONENTIAL: (f64, f64) = (7.697_117_470_131_05, 0.003_949_659_822_581_557);
/// The same for the normal.
const NORMAL: (f64, f64) = (3.654_152_885_361_009, 0.004_928_673_233_992_336);

/// The layers of a falling density f with f(0) = 1.
#[derive(Debug)]
struct Layers {
    /// Points of a layer below this number lie under the density for sure.
    inside: [u64; LAYERS],
    /// What a point's number is multiplied by.
    scale: [f64; LAYERS],
    /// The density at the layers' ends.
    density: [f64; LAYERS + 1],
}

static EXPONENTIAL_LAYERS: LazyLock<Layers> =
    LazyLock::new(|| layers(EXPONENTIAL, |x| libm::exp(-x), |f| -libm::log(f)));
static NORMAL_LAYERS: LazyLock<Layers> =
    LazyLock::new(|| layers(NORMAL, |x| libm::exp(-0.5 * x * x), |f| libm::sqrt(-2.0 * libm::log(f))));

/// Layer 0 is the base with the tail; the others lie on top, narrower and narrower.
fn layers((r, v): (f64, f64), density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Layers {
    // ends[i] is the width of layer i; the base is widened so that its area, tail included, is v.
    let mut ends = [0.0; LAYERS + 1];
    ends[0] = v / density(r);
    ends[1] = r;
    for i in 2..LAYERS {
        ends[i] = inverse((v / ends[i - 1] + density(ends[i - 1])).min(1.0));
    }
    let points = (1u64 << BITS) as f64;
    Layers {
        inside: std::array::from_fn(|i| (ends[i + 1] / ends[i] * points) as u64),
        scale: std::array::from_fn(|i| ends[i] / points),
        density: std::array::from_fn(|i| if i == LAYERS { 1.0 } else { density(ends[i]) }),
    }
}

/// A sampler of exponential variates with mean 1.
#[derive(Debug, Clone, Copy)]
pub struct Exponential(&'static Layers);

impl Exponential {
    /// The sampler.
    pub fn new() -> Self {
        Exponential(&EXPONENTIAL_LAYERS)
    }

    /// A variate.
    #[inline]
    pub fn sample(self, random: &mut impl Rng) -> f64 {
        let bits = random.next_u64();
        let layer = (bits & (LAYERS as u64 - 1)) as usize;
        let point = bits >> (64 - BITS);
        let x = point as f64 * self.0.scale[layer];
        if point < self.0.inside[layer] { x } else { self.edge(layer, x, random) }
    }

    #[cold]
    fn edge(self, layer: usize, x: f64, random: &mut impl Rng) -> f64 {
        if layer == 0 {
            // Memoryless: the tail is the distribution again.
            return EXPONENTIAL.0 - libm::log(unit_open(random));
        }
        let (low, high) = (self.0.density[layer], self.0.density[layer + 1]);
        if low + (high - low) * unit(random) < libm::exp(-x) { x } else { self.sample(random) }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Exponential {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// A standard normal variate.
pub fn normal(random: &mut impl Rng) -> f64 {
    let layers = &*NORMAL_LAYERS;
    loop {
        let bits = random.next_u64();
        let layer = (bits & (LAYERS as u64 - 1)) as usize;
        // Bit 8 is neither part of the layer nor of the point.
        let sign = if bits & 256 == 0 { 1.0 } else { -1.0 };
        let point = bits >> (64 - BITS);
        let x = point as f64 * layers.scale[layer];
        if point < layers.inside[layer] {
            return sign * x;
        }
        if layer == 0 {
            return sign * normal_tail(random);
        }
        let (low, high) = (layers.density[layer], layers.density[layer + 1]);
        if low + (high - low) * unit(random) < libm::exp(-0.5 * x * x) {
            return sign * x;
        }
    }
}

/// A variate beyond r. Source: G. Marsaglia, "Generating a variable from the tail of the normal distribution" (1964).
#[cold]
fn normal_tail(random: &mut impl Rng) -> f64 {
    loop {
        let x = -libm::log(unit_open(random)) / NORMAL.0;
        let y = -libm::log(unit_open(random));
        if 2.0 * y >= x * x {
            return NORMAL.0 + x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Draw, Stream, key};
    use crate::maths::statistics::ks::kolmogorov_smirnov;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn keyed_exponentials_pass_kolmogorov_and_smirnov() {
        let sampler = Exponential::new();
        let sample: Vec<f64> = (0..200_000).map(|n| sampler.sample(&mut Draw::new(key(5, n), 3, 0))).collect();
        let test = kolmogorov_smirnov(&sample, |x| 1.0 - libm::exp(-x)).unwrap();
        assert!(test.p_value > 1e-4, "{test:?}");
    }

    #[test]
    fn normals_pass_kolmogorov_and_smirnov() {
        let mut random = Stream::new(17);
        let sample: Vec<f64> = (0..200_000).map(|_| normal(&mut random)).collect();
        let law = Normal::standard();
        let test = kolmogorov_smirnov(&sample, |x| law.cdf(x)).unwrap();
        assert!(test.p_value > 1e-4, "{test:?}");
    }

    #[test]
    fn tails_have_their_probability() {
        let (mut random, sampler, n) = (Stream::new(2), Exponential::new(), 4_000_000);
        let far = (0..n).filter(|_| sampler.sample(&mut random) > EXPONENTIAL.0).count() as f64;
        let expected = n as f64 * libm::exp(-EXPONENTIAL.0);
        // Poisson counts: 1816 with standard deviation 43, and 1032 with 32; bounds at five.
        assert!((far - expected).abs() < 5.0 * expected.sqrt(), "{far} for {expected}");
        let far = (0..n).filter(|_| normal(&mut random).abs() > NORMAL.0).count() as f64;
        let expected = n as f64 * 2.0 * Normal::standard().sf(NORMAL.0);
        assert!((far - expected).abs() < 5.0 * expected.sqrt(), "{far} for {expected}");
    }
}
