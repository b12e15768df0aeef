//! RED: random early detection. Requests are turned away at random when they come, more likely the longer the queue has been.
//!
//! Source: S. Floyd, V. Jacobson, "Random early detection gateways for congestion avoidance", IEEE/ACM ToN 1 (1993): average
//! queue by exponential weights at each arrival; between the thresholds the probability rises linearly to `most`, and
//! is spread so that drops are evenly spaced; above the upper one all are dropped. An empty time counts as many arrivals as
//! would have come at the service rate; here the average simply starts again at the present length when the queue was empty.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Share;

/// Parameters of RED.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Red")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The average length below which all may enter.
    pub from: u32,
    /// The average length above which none may.
    pub to: u32,
    /// The probability of being turned away just below `to`; 10% if left out.
    #[serde(default = "tenth")]
    pub most: Share,
    /// The weight of the present length in the average; 0.2% if left out.
    #[serde(default = "weight")]
    pub weight: Share,
}

fn tenth() -> Share {
    Share::from_fraction(0.1).unwrap_or_default()
}

fn weight() -> Share {
    Share::from_fraction(0.002).unwrap_or_default()
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.from < self.to { Ok(()) } else { Err("`from` must be less than `to`".to_owned()) }
    }
}

/// The controller. State: the average length, and how many entered since the last drop.
#[derive(Debug, Clone, Copy)]
pub struct Red {
    parameters: Parameters,
    average: f64,
    since: f64,
}

impl Red {
    /// A controller that has seen nothing.
    pub fn new(parameters: Parameters) -> Self {
        Red { parameters, average: 0.0, since: 0.0 }
    }

    /// Whether a request that finds so many waiting is turned away; `chance` is a random number below 1 of its own.
    pub fn drops(&mut self, waiting: u32, chance: f64) -> bool {
        let Parameters { from, to, most, weight } = self.parameters;
        let length = f64::from(waiting);
        self.average = if waiting == 0 { 0.0 } else { self.average + weight.fraction() * (length - self.average) };
        let (from, to) = (f64::from(from), f64::from(to));
        if self.average < from {
            self.since = 0.0;
            return false;
        }
        let base = most.fraction() * (self.average - from) / (to - from);
        let spread = if self.since * base < 1.0 { base / (1.0 - self.since * base) } else { 1.0 };
        self.since += 1.0;
        let dropped = self.average >= to || chance < spread;
        if dropped {
            self.since = 0.0;
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    #[test]
    fn drops_are_as_frequent_as_the_average_says() {
        let share = |fraction| Share::from_fraction(fraction).unwrap();
        let parameters = Parameters { from: 10, to: 20, most: share(0.2), weight: share(1.0) };
        let mut random = Stream::new(3);
        for (waiting, least, most) in [(9, 0.0, 0.0), (15, 0.16, 0.22), (20, 1.0, 1.0)] {
            let mut red = Red::new(parameters);
            let dropped = (0..10_000).filter(|_| red.drops(waiting, unit(&mut random))).count() as f64 / 10_000.0;
            // With base 0.1 the gaps between drops are uniform on 1..=10: a share of 2/11 = 0.182.
            assert!((least..=most).contains(&dropped), "{waiting}: {dropped}");
        }
    }
}
