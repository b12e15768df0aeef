//! Adaptive client throttling: a client that is refused asks less.
//!
//! Source: B. Beyer et al., "Site Reliability Engineering", O'Reilly 2016, chapter 21 "Handling Overload". Over the last
//! two minutes a client counts its `requests` (those it refused itself included) and those the backend `accepted`, and
//! refuses a new one by itself with probability max(0, (requests − K·accepts) / (requests + 1)), with K = 2.
//!
//! What is accepted: whatever the backend worked on and answered, with success or an error. Refused: rejected, limited,
//! shed, timed out, unreachable. The window has 120 slices of a second (own choice).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::window::Window;
use crate::engine::time::Nanos;
use crate::quantity::Duration;

/// Adaptive client throttling: `{ multiplier: 2, window: 2min }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrottleSpec {
    /// K: how many requests are sent for each that is accepted before the client refuses some itself; 2 if left out.
    #[serde(default = "two")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub multiplier: f64,
    /// How far back requests count; 2 min if left out.
    #[serde(default = "two_minutes")]
    pub window: Duration,
}

fn two() -> f64 {
    2.0
}

fn two_minutes() -> Duration {
    Duration::from_nanos(120_000_000_000)
}

/// The state of one client.
#[derive(Debug, Clone)]
pub struct Throttle {
    multiplier: f64,
    /// Requests and accepts.
    window: Window<2>,
}

impl Throttle {
    /// A throttle that has seen nothing yet.
    pub fn new(spec: &ThrottleSpec) -> Self {
        Throttle { multiplier: spec.multiplier, window: Window::new(spec.window.as_nanos(), 120) }
    }

    /// The probability with which the client refuses a request now.
    pub fn refusal(&mut self, now: Nanos) -> f64 {
        let [requests, accepts] = self.window.sums(now).map(|count| count as f64);
        ((requests - self.multiplier * accepts) / (requests + 1.0)).max(0.0)
    }

    /// Takes note of a request; whether it may be sent. `point` is a uniform number in [0, 1).
    pub fn admit(&mut self, now: Nanos, point: f64) -> bool {
        let refusal = self.refusal(now);
        self.window.add(now, 0, 1);
        point >= refusal
    }

    /// Takes note that the backend accepted a request.
    pub fn accepted(&mut self, now: Nanos) {
        self.window.add(now, 1, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    const SECOND: Nanos = 1_000_000_000;

    fn throttle() -> Throttle {
        Throttle::new(&serde_json::from_str("{}").unwrap())
    }

    #[test]
    fn nothing_is_refused_while_half_of_all_is_accepted() {
        let mut throttle = throttle();
        for second in 0..100 {
            assert!(throttle.admit(second * SECOND, 0.0));
            throttle.accepted(second * SECOND);
            assert!(throttle.admit(second * SECOND, 0.0));
        }
    }

    #[test]
    fn the_probability_is_that_of_the_book() {
        let mut throttle = throttle();
        for _ in 0..100 {
            throttle.admit(0, 1.0);
        }
        for _ in 0..30 {
            throttle.accepted(0);
        }
        assert_eq!(throttle.refusal(0), (100.0 - 60.0) / 101.0);
        assert_eq!(throttle.refusal(119 * SECOND), 40.0 / 101.0);
        assert_eq!(throttle.refusal(120 * SECOND), 0.0, "two minutes later it is forgotten");
    }

    #[test]
    fn a_backend_that_takes_a_tenth_is_sent_twice_what_it_takes() {
        // With a capacity of c of λ requests a client settles where requests − K·accepts = p·requests: it sends K·c.
        let (mut throttle, mut random) = (throttle(), Stream::new(5));
        let (mut sent, mut window) = (0, 0);
        for number in 0..600_000u64 {
            let now = number * SECOND / 1000;
            if number % 100 == 0 {
                window = 10;
            }
            if throttle.admit(now, unit(&mut random)) {
                sent += u64::from(number >= 300_000);
                if window > 0 {
                    window -= 1;
                    throttle.accepted(now);
                }
            }
        }
        assert!((sent as f64 / 300_000.0 - 0.2).abs() < 0.01, "{sent}");
    }
}
