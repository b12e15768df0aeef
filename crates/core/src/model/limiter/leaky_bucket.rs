//! Leaky bucket as a queue: requests pass one by one, evenly at a rate; as many as the queue holds wait, the others are
//! refused. It smooths bursts where a token bucket lets them through.
//!
//! Source: A. Tanenbaum, Computer Networks, section 5.4 ("leaky bucket"); nginx `limit_req` with `burst` (the queue).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::engine::Nanos;
use crate::quantity::Rate;

/// Parameters of a leaky bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LeakyBucket")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How many requests pass per time.
    pub rate: Rate,
    /// How many may wait; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<u32>,
}

impl Parameters {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.rate.per_second() > 0.0 { Ok(()) } else { Err("the rate must be above 0".to_owned()) }
    }
}

/// The bucket. State: when the next request may pass.
#[derive(Debug, Clone, Copy)]
pub struct LeakyBucket {
    /// Time between two requests [ns].
    gap: f64,
    /// Requests that may wait.
    queue: f64,
    next: f64,
}

impl LeakyBucket {
    /// An empty bucket.
    pub fn new(parameters: Parameters) -> Self {
        let queue = parameters.queue.map_or(f64::INFINITY, f64::from);
        LeakyBucket { gap: 1e9 / parameters.rate.per_second(), queue, next: 0.0 }
    }

    /// Asks to pass.
    pub fn ask(&mut self, now: Nanos) -> Verdict {
        let wait = self.next - now as f64;
        if wait < 0.5 {
            self.next = now as f64 + self.gap;
            return Verdict::Pass;
        }
        // Half a nanosecond is rounding, not a place in the queue.
        if wait > self.queue * self.gap + 0.5 {
            return Verdict::Refused;
        }
        self.next += self.gap;
        Verdict::Later(wait.round() as Nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_leaves_evenly_and_a_full_queue_refuses() {
        let rate = Rate::from_per_second(10.0).unwrap();
        let mut bucket = LeakyBucket::new(Parameters { rate, queue: Some(2) });
        let said: Vec<Verdict> = [0, 0, 0, 0, 150_000_000, 150_000_000].iter().map(|now| bucket.ask(*now)).collect();
        use Verdict::{Later, Pass, Refused};
        let late = |milliseconds: u64| Later(milliseconds * 1_000_000);
        assert_eq!(said, [Pass, late(100), late(200), Refused, late(150), Refused]);
        assert_eq!(bucket.ask(1_000_000_000), Pass);
    }
}
