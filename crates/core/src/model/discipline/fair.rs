//! Weighted fair queueing between priorities, by start times: each request of a priority starts, in virtual time, when the one
//! before it of that priority has ended; the earliest start is served. So while several priorities wait, each gets its share.
//!
//! Source: P. Goyal, H. Vin, H. Cheng, "Start-time fair queueing", IEEE/ACM ToN 5 (1997). All requests count alike, whatever
//! their work, which nobody knows beforehand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of weighted fair queueing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WeightedFair")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The weights of priority 0, 1, …; the last one is also that of all further priorities.
    pub weights: Vec<f64>,
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        let good = !self.weights.is_empty() && self.weights.iter().all(|weight| *weight > 0.0 && weight.is_finite());
        if good { Ok(()) } else { Err("give at least one weight, and all above 0".to_owned()) }
    }
}

/// The clock. State: virtual time, and when the last request of each priority ends.
#[derive(Debug, Clone)]
pub struct Fair {
    weights: Vec<f64>,
    ends: Vec<f64>,
    now: f64,
}

impl Fair {
    /// A clock that has seen nothing.
    pub fn new(parameters: &Parameters) -> Self {
        Fair { weights: parameters.weights.clone(), ends: vec![0.0; parameters.weights.len()], now: 0.0 }
    }

    /// The rank of a request of a priority: its start. Starts are not negative, so their bits are in order.
    pub fn rank(&mut self, priority: u64) -> u64 {
        let class = (priority as usize).min(self.weights.len() - 1);
        let start = self.ends[class].max(self.now);
        self.ends[class] = start + 1.0 / self.weights[class];
        start.to_bits()
    }

    /// A request with this rank is served.
    pub fn served(&mut self, rank: u64) {
        self.now = self.now.max(f64::from_bits(rank));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_3_and_1_serve_three_of_the_first_for_one_of_the_second() {
        let mut fair = Fair::new(&Parameters { weights: vec![3.0, 1.0] });
        let mut waiting: Vec<(u64, usize)> = Vec::new();
        for _ in 0..40 {
            waiting.push((fair.rank(0), 0));
            waiting.push((fair.rank(1), 1));
        }
        waiting.sort_unstable();
        let second = waiting[..40].iter().filter(|(_, class)| *class == 1).count();
        assert_eq!(second, 10);
    }
}
