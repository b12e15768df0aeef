//! Batches by the clock: so many requests at set times, such as a nightly job.
//!
//! The requests of a batch come evenly spaced over a time, or all at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Count, Duration};

/// Batches by the clock: `{ at: 1min, every: 1h, requests: 500, over: 10s }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockSpec {
    /// When the first batch begins, from the start of the run.
    pub at: Duration,
    /// After how long the next one begins; there is only one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// The requests of a batch.
    pub requests: Count,
    /// The time over which they are spread; all at once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Duration>,
}

/// Batches at work: the number of the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    at: Nanos,
    every: Option<Nanos>,
    requests: u64,
    over: Nanos,
    next: u64,
}

impl ClockSpec {
    /// Checks the batches.
    ///
    /// # Errors
    /// What is wrong with them, and what is allowed.
    pub fn prepare(&self) -> Result<Clock, String> {
        let (over, every) = (self.over.map_or(0, Duration::as_nanos), self.every.map(Duration::as_nanos));
        if self.requests.get() == 0 {
            return Err("a batch needs at least one request".to_owned());
        }
        if every.is_some_and(|every| every == 0 || every < over) {
            return Err(
                "a batch must be over before the next one begins: `every` at least as long as `over`".to_owned()
            );
        }
        Ok(Clock { at: self.at.as_nanos(), every, requests: self.requests.get(), over, next: 0 })
    }
}

impl Clock {
    /// When batches begin and end [ns], the first ones.
    pub fn batches(&self) -> impl Iterator<Item = (Nanos, Nanos)> {
        let &Clock { at, every, over, .. } = self;
        let count = if every.is_some() { u64::MAX } else { 1 };
        (0..count).map(move |number| {
            let begin = at.saturating_add(every.unwrap_or(0).saturating_mul(number));
            (begin, begin.saturating_add(over))
        })
    }

    /// The instant of the next request.
    pub fn next_arrival(&mut self) -> Option<Nanos> {
        let (batch, place) = (self.next / self.requests, self.next % self.requests);
        if batch > 0 && self.every.is_none() {
            return None;
        }
        self.next += 1;
        let within = u128::from(self.over) * u128::from(place) / u128::from(self.requests);
        Some(self.at.saturating_add(self.every.unwrap_or(0).saturating_mul(batch)).saturating_add(within as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(text: &str) -> Result<Clock, String> {
        serde_json::from_str::<ClockSpec>(text).expect("well formed").prepare()
    }

    #[test]
    fn batches_come_at_their_times_and_are_spread() {
        let mut clock = clock(r#"{"at": "1s", "every": "10s", "requests": 2, "over": "4s"}"#).expect("valid");
        let times: Vec<u64> = (0..5).filter_map(|_| clock.next_arrival()).map(|time| time / 1_000_000_000).collect();
        assert_eq!(times, [1, 3, 11, 13, 21]);
    }

    #[test]
    fn a_single_batch_comes_once_and_at_once() {
        let mut clock = clock(r#"{"at": "1s", "requests": 3}"#).expect("valid");
        let times: Vec<u64> = std::iter::from_fn(|| clock.next_arrival()).collect();
        assert_eq!(times, [1_000_000_000; 3]);
    }

    #[test]
    fn batches_that_overlap_or_are_empty_are_refused() {
        assert!(clock(r#"{"at": "1s", "every": "1s", "requests": 3, "over": "2s"}"#).is_err());
        assert!(clock(r#"{"at": "1s", "requests": 0}"#).is_err());
    }
}
