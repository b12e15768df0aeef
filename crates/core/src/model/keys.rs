//! Keys: which data item a request is about.
//!
//! Key 0 is the most popular one. A request's key is drawn from the request's own randomness, so that two variants meet the same
//! requests with the same keys.
//!
//! Source of the Zipf draw: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
//! distributions", ACM TOMACS 6 (1996); on average 1.1 uniform numbers, whatever the population.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::engine::random::{below, unit};
use crate::quantity::{Duration, Share};

/// The most keys of a population.
const MOST: u32 = 1 << 31;

/// Which data items requests are about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Keys")]
#[serde(deny_unknown_fields)]
pub struct KeysSpec {
    /// How many keys there are; all equally likely unless `zipf` or `hot` says otherwise.
    #[schemars(range(min = 1, max = 2_147_483_648u32))]
    pub population: u32,
    /// The exponent of Zipf's law: key k is asked for in proportion to 1/(k + 1)^exponent. 0.99 is a common choice (YCSB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub zipf: Option<f64>,
    /// A few keys that get most requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hot: Option<HotSpec>,
}

/// A set of keys that get most requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotSpec {
    /// The share of the keys that is hot.
    pub keys: Share,
    /// The share of the requests that are for them; within the set and outside of it all keys are equally likely.
    pub requests: Share,
    /// How often the set moves on, to keys that were not hot before; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<Duration>,
}

/// Draws keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    population: u32,
    law: Law,
}

/// How popular the keys are.
#[derive(Debug, Clone, PartialEq)]
enum Law {
    Uniform,
    Zipf(Zipf),
    /// Keys in the set, the probability of being for one, and how often it moves [ns] (0 for never).
    Hot {
        keys: u32,
        requests: f64,
        moves: Nanos,
    },
}

impl KeysSpec {
    /// Checks the keys and prepares drawing them.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn prepare(&self) -> Result<Keys, String> {
        let population = self.population;
        if population == 0 || population > MOST {
            return Err(format!("a population has between 1 and {MOST} keys"));
        }
        let law = match (self.zipf, &self.hot) {
            (Some(_), Some(_)) => return Err("give either `zipf` or `hot`, not both".to_owned()),
            (Some(exponent), None) if !(0.0..=10.0).contains(&exponent) => {
                return Err("the exponent of Zipf's law is between 0 and 10".to_owned());
            }
            (Some(exponent), None) => Law::Zipf(Zipf::new(population, exponent)),
            (None, Some(hot)) => {
                let keys = (f64::from(population) * hot.keys.fraction()).round() as u32;
                if keys == 0 {
                    return Err("the hot set is empty: its share of the keys is less than one key".to_owned());
                }
                if hot.moves == Some(Duration::ZERO) {
                    return Err("the time between moves of the hot set must be longer than 0".to_owned());
                }
                Law::Hot { keys, requests: hot.requests.fraction(), moves: hot.moves.map_or(0, Duration::as_nanos) }
            }
            (None, None) => Law::Uniform,
        };
        Ok(Keys { population, law })
    }
}

impl Keys {
    /// Draws the key of a request that begins now.
    #[inline]
    pub fn draw(&self, now: Nanos, random: &mut impl Rng) -> u32 {
        match &self.law {
            Law::Uniform => below(random, u64::from(self.population)) as u32,
            Law::Zipf(zipf) => zipf.draw(random),
            Law::Hot { keys, requests, moves } => {
                let round = now.checked_div(*moves).unwrap_or(0);
                let first = (u128::from(round) * u128::from(*keys) % u128::from(self.population)) as u64;
                let others = u64::from(self.population - keys);
                let offset = if others == 0 || unit(random) < *requests {
                    below(random, u64::from(*keys))
                } else {
                    u64::from(*keys) + below(random, others)
                };
                ((first + offset) % u64::from(self.population)) as u32
            }
        }
    }
}

/// Zipf's law over 1..=n, by rejection-inversion.
#[derive(Debug, Clone, PartialEq)]
struct Zipf {
    n: f64,
    exponent: f64,
    /// H(1.5) − 1 and H(n + 0.5), between which a uniform number is drawn.
    ends: [f64; 2],
    /// What lies this close to an integer is accepted at once.
    close: f64,
}

impl Zipf {
    fn new(n: u32, exponent: f64) -> Self {
        let n = f64::from(n);
        let ends = [integral(1.5, exponent) - 1.0, integral(n + 0.5, exponent)];
        let close = 2.0 - inverse(integral(2.5, exponent) - weight(2.0, exponent), exponent);
        Zipf { n, exponent, ends, close }
    }

    fn draw(&self, random: &mut impl Rng) -> u32 {
        let [low, high] = self.ends;
        loop {
            let point = high + unit(random) * (low - high);
            let x = inverse(point, self.exponent);
            let k = (x + 0.5).floor().clamp(1.0, self.n);
            if k - x <= self.close || point >= integral(k + 0.5, self.exponent) - weight(k, self.exponent) {
                return k as u32 - 1;
            }
        }
    }
}

/// x^−exponent.
fn weight(x: f64, exponent: f64) -> f64 {
    libm::exp(-exponent * libm::log(x))
}

/// The integral of the weight from 1 to x: (x^(1−exponent) − 1)/(1 − exponent), or ln x.
fn integral(x: f64, exponent: f64) -> f64 {
    let log = libm::log(x);
    let t = (1.0 - exponent) * log;
    log * if t.abs() > 1e-8 { libm::expm1(t) / t } else { 1.0 + t / 2.0 }
}

/// The inverse of [`integral`].
fn inverse(y: f64, exponent: f64) -> f64 {
    let t = (y * (1.0 - exponent)).max(-1.0);
    libm::exp(y * if t.abs() > 1e-8 { libm::log1p(t) / t } else { 1.0 - t / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Draw, Stream};
    use serde_json::json;

    fn keys(spec: serde_json::Value) -> Result<Keys, String> {
        serde_json::from_value::<KeysSpec>(spec).unwrap().prepare()
    }

    #[test]
    fn zipf_gives_every_key_its_probability() {
        for exponent in [0.0, 0.5, 0.99, 1.0, 1.5] {
            let keys = keys(json!({"population": 50, "zipf": exponent})).unwrap();
            let mut counts = [0f64; 50];
            (0..200_000).for_each(|request| counts[keys.draw(0, &mut Draw::new(request, 7, 0)) as usize] += 1.0);
            let weights: Vec<f64> = (1..=50).map(|k| f64::from(k).powf(-exponent)).collect();
            let total: f64 = weights.iter().sum();
            let chi: f64 = weights
                .iter()
                .zip(counts)
                .map(|(weight, count)| (count - 200_000.0 * weight / total).powi(2) / (200_000.0 * weight / total))
                .sum();
            // Chi-square with 49 degrees of freedom: mean 49, standard deviation 9.9; bound at five.
            assert!(chi < 98.5, "exponent {exponent}: {chi}");
        }
    }

    #[test]
    fn a_hot_set_gets_its_share_and_moves_on() {
        let spec = json!({"population": 1000, "hot": {"keys": "1%", "requests": "90%", "moves": "10s"}});
        let keys = keys(spec).unwrap();
        for (now, first) in [(0, 0), (9_999_999_999, 0), (10_000_000_000, 10), (995_000_000_000, 990)] {
            let mut random = Stream::new(now);
            let hot = (0..10_000).filter(|_| (first..first + 10).contains(&keys.draw(now, &mut random))).count();
            // Binomial: standard deviation 30; bound at five.
            assert!((hot as i32 - 9000).abs() < 150, "{now}: {hot}");
        }
    }

    #[test]
    fn all_keys_are_below_the_population() {
        for spec in [json!({"population": 1}), json!({"population": 1, "zipf": 1.0}), json!({"population": 3})] {
            let keys = keys(spec).unwrap();
            assert!((0..1000).all(|key| keys.draw(5, &mut Stream::new(key)) < keys.population));
        }
        assert!(keys(json!({"population": 10, "hot": {"keys": "1%", "requests": "90%"}})).is_err());
        assert!(keys(json!({"population": 0})).is_err());
    }
}
