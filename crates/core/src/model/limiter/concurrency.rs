//! Concurrency limit: so many requests at once; one more is refused until one is done.
//!
//! Source: the semaphore of Netflix's Hystrix and of Envoy's circuit breaker `max_requests`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// Parameters of a concurrency limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Concurrency")]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How many requests may be there at once.
    pub requests: u32,
}

/// The limit. State: requests that are there.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    most: u32,
    present: u32,
}

impl Concurrency {
    /// A limit that nobody uses.
    pub fn new(parameters: Parameters) -> Self {
        Concurrency { most: parameters.requests, present: 0 }
    }

    /// Asks to pass.
    pub fn ask(&mut self) -> Verdict {
        if self.present >= self.most {
            return Verdict::Refused;
        }
        self.present += 1;
        Verdict::Pass
    }

    /// One that passed is done.
    pub fn done(&mut self) {
        self.present = self.present.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_one_is_done() {
        let mut limit = Concurrency::new(Parameters { requests: 1 });
        assert_eq!([limit.ask(), limit.ask()], [Verdict::Pass, Verdict::Refused]);
        limit.done();
        assert_eq!(limit.ask(), Verdict::Pass);
    }
}
