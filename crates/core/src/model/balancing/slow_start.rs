//! Slow start: an instance that has come back gets its share of the calls step by step.
//!
//! Its weight is multiplied by max(least, (time since it came ÷ window)^(1/aggression)); times below a second count as one.
//! Source: Envoy, "Slow start mode".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// Parameters of slow start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SlowStart")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How long it takes until an instance gets its full share.
    pub window: Duration,
    /// 1, if left out, for a linear increase; more for a faster one at the beginning.
    #[serde(default = "one")]
    #[schemars(range(min = 0.01, max = 100.0))]
    pub aggression: f64,
    /// The least share of its weight; 10% if left out.
    #[serde(default = "tenth")]
    pub least: Share,
}

fn one() -> f64 {
    1.0
}

fn tenth() -> Share {
    Share::from_fraction(0.1).unwrap_or_default()
}

impl Parameters {
    /// The factor to the weight of an instance that came so long ago.
    pub fn factor(&self, since: Nanos) -> f64 {
        let window = self.window.as_secs_f64();
        let time = (since as f64 / 1e9).max(1.0);
        if time >= window {
            return 1.0;
        }
        libm::pow(time / window, 1.0 / self.aggression).max(self.least.fraction()).min(1.0)
    }

    /// How often the factor is looked at while it grows [ns].
    pub fn step(&self) -> Nanos {
        (self.window.as_nanos() / 100).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_the_documented_ones() {
        const S: Nanos = 1_000_000_000;
        let of = |aggression, seconds: u64| {
            let window = Duration::from_nanos(60 * S);
            Parameters { window, aggression, least: tenth() }.factor(seconds * S)
        };
        assert_eq!([0, 3, 6, 15, 30, 60].map(|time| of(1.0, time)), [0.1, 0.1, 0.1, 0.25, 0.5, 1.0]);
        for (time, expected) in
            [(0, 0.129_099_444_873_580_55), (3, 0.223_606_797_75), (15, 0.5), (30, std::f64::consts::FRAC_1_SQRT_2)]
        {
            assert!((of(2.0, time) - expected).abs() < 1e-9, "{time}: {}", of(2.0, time));
        }
    }
}
