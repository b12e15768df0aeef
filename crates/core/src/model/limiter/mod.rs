//! Rate limiters: which requests may pass, and when.
//!
//! One file per rule. A rule is asked once per request; it says pass, pass later, or no. A [`Limiter`] keeps the state of one rule
//! for everybody together or for each key, user or client of its own.
//!
//! Invariant: answers depend only on the instants at which a rule was asked.

mod concurrency;
mod fixed_window;
mod leaky_bucket;
mod sliding_window;
mod token_bucket;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use concurrency::Concurrency;
use fixed_window::FixedWindow;
use leaky_bucket::LeakyBucket;
use sliding_window::SlidingWindow;
use token_bucket::TokenBucket;

/// What a limiter says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass.
    Pass,
    /// It may pass after so long [ns].
    Later(Nanos),
    /// It is refused.
    Refused,
}

/// How much a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allow {
    /// Tokens come at a rate up to a greatest number; every request takes one.
    TokenBucket(token_bucket::Parameters),
    /// A queue that lets requests through evenly; those that find it full are refused.
    LeakyBucket(leaky_bucket::Parameters),
    /// So many requests per interval, counted anew at the start of each.
    FixedWindow(fixed_window::Parameters),
    /// So many requests within the last interval, estimated from two counters.
    SlidingWindow(sliding_window::Parameters),
    /// So many requests at once.
    Concurrency(concurrency::Parameters),
}

/// Whose requests count together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of everybody.
    #[default]
    All,
    /// Those of one client of the model.
    Client,
    /// Those of one user or session of a client.
    User,
    /// Those about one data key.
    Key,
}

/// The state of one rule.
#[derive(Debug, Clone, Copy)]
enum State {
    TokenBucket(TokenBucket),
    LeakyBucket(LeakyBucket),
    FixedWindow(FixedWindow),
    SlidingWindow(SlidingWindow),
    Concurrency(Concurrency),
}

impl Allow {
    /// Checks the parameters.
    ///
    /// # Errors
    /// What is wrong with them, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Allow::TokenBucket(parameters) => parameters.check(),
            Allow::LeakyBucket(parameters) => parameters.check(),
            Allow::FixedWindow(parameters) => parameters.check(),
            Allow::SlidingWindow(parameters) => parameters.check(),
            Allow::Concurrency(_) => Ok(()),
        }
    }

    /// Whether a request that passed must be reported when it is done.
    pub fn holds(&self) -> bool {
        matches!(self, Allow::Concurrency(_))
    }

    fn state(&self) -> State {
        match *self {
            Allow::TokenBucket(parameters) => State::TokenBucket(TokenBucket::new(parameters)),
            Allow::LeakyBucket(parameters) => State::LeakyBucket(LeakyBucket::new(parameters)),
            Allow::FixedWindow(parameters) => State::FixedWindow(FixedWindow::new(parameters)),
            Allow::SlidingWindow(parameters) => State::SlidingWindow(SlidingWindow::new(parameters)),
            Allow::Concurrency(parameters) => State::Concurrency(Concurrency::new(parameters)),
        }
    }
}

/// A limit at work.
#[derive(Debug, Clone)]
pub struct Limiter {
    fresh: State,
    all: State,
    /// The states of those that count for themselves; one is made at the first request.
    each: BTreeMap<u64, State>,
}

impl Limiter {
    /// A limit that has seen no request.
    pub fn new(allow: Allow) -> Self {
        let fresh = allow.state();
        Limiter { fresh, all: fresh, each: BTreeMap::new() }
    }

    fn state(&mut self, who: Option<u64>) -> &mut State {
        match who {
            None => &mut self.all,
            Some(who) => self.each.entry(who).or_insert(self.fresh),
        }
    }

    /// Asks for a request of `who` (`None`: whose requests count with all others without a name).
    pub fn ask(&mut self, who: Option<u64>, now: Nanos) -> Verdict {
        match self.state(who) {
            State::TokenBucket(rule) => rule.ask(now),
            State::LeakyBucket(rule) => rule.ask(now),
            State::FixedWindow(rule) => rule.ask(now),
            State::SlidingWindow(rule) => rule.ask(now),
            State::Concurrency(rule) => rule.ask(),
        }
    }

    /// A request of `who` that passed is done.
    pub fn done(&mut self, who: Option<u64>) {
        if let State::Concurrency(rule) = self.state(who) {
            rule.done();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everybody_has_a_state_of_their_own() {
        let allow: Allow = serde_json::from_value(json!({"token_bucket": {"rate": "1/s", "burst": 1}})).unwrap();
        let mut limiter = Limiter::new(allow);
        let said = [Some(1), Some(1), Some(2), None, None].map(|who| limiter.ask(who, 0));
        use Verdict::{Pass, Refused};
        assert_eq!(said, [Pass, Refused, Pass, Pass, Refused]);
    }
}
