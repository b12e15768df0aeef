//! A breaker that opens at a rate of failures or slow calls over a window.
//!
//! Source: resilience4j `CircuitBreakerConfig` and `CircuitBreakerStateMachine`: the window is the latest N calls or the
//! calls of the latest time; with at least `minimum` calls in it (no more than N), the breaker opens when the failure
//! rate or the slow-call rate is equal to or above its threshold. It stays open for `open` and becomes half-open at the
//! next call; `half_open` calls are permitted, and when all of them have ended the rates decide: open again or closed.
//! The window is empty after every change. Slow calls are those that took longer than `slow`.
//!
//! Defaults: 50 % failures, 60 s slow, 100 calls, at least 100 calls, 60 s open, 10 permitted. Hystrix is
//! `{ failure_rate: 50%, window: 10s, minimum: 20, open: 5s, half_open: 1 }`; both have time windows in 10 slices here.

use std::collections::VecDeque;

use super::super::window::Window;
use super::{BreakerSpec, State, WindowSpec};
use crate::engine::time::Nanos;

/// What a call was: failed, slow.
type Result = [bool; 2];

/// The calls that are watched.
#[derive(Debug, Clone)]
enum Watched {
    /// The latest so many.
    Calls { latest: VecDeque<Result>, most: usize, sums: [i64; 2] },
    /// Of the latest time: all, failed, slow.
    Time(Window<3>),
}

impl Watched {
    /// Adds a call; returns how many there are, how many failed and were slow.
    fn add(&mut self, now: Nanos, result: Result) -> [i64; 3] {
        match self {
            Watched::Calls { latest, most, sums } => {
                if latest.len() == *most
                    && let Some(old) = latest.pop_front()
                {
                    sums.iter_mut().zip(old).for_each(|(sum, was)| *sum -= i64::from(was));
                }
                latest.push_back(result);
                sums.iter_mut().zip(result).for_each(|(sum, is)| *sum += i64::from(is));
                [latest.len() as i64, sums[0], sums[1]]
            }
            Watched::Time(window) => {
                window.add(now, 0, 1);
                window.add(now, 1, i64::from(result[0]));
                window.add(now, 2, i64::from(result[1]));
                window.sums(now)
            }
        }
    }

    fn clear(&mut self) {
        match self {
            Watched::Calls { latest, sums, .. } => {
                latest.clear();
                *sums = [0; 2];
            }
            Watched::Time(window) => window.clear(),
        }
    }
}

/// The breaker.
#[derive(Debug, Clone)]
pub struct Rate {
    /// Of failures and of slow calls; above 1 for never.
    thresholds: [f64; 2],
    slow: Nanos,
    minimum: i64,
    open: Nanos,
    probes: u32,
    pub(super) state: State,
    watched: Watched,
    /// Half-open: probes that may still begin, and those that ended, failed, were slow.
    permits: u32,
    probed: [i64; 3],
}

impl Rate {
    /// A closed breaker.
    pub fn new(spec: &BreakerSpec) -> Self {
        let window = spec.window.unwrap_or(WindowSpec::Calls(100));
        let (watched, most) = match window {
            WindowSpec::Calls(calls) => {
                (Watched::Calls { latest: VecDeque::new(), most: calls.max(1) as usize, sums: [0; 2] }, calls.max(1))
            }
            WindowSpec::Time(time) => (Watched::Time(Window::new(time.as_nanos(), 10)), u32::MAX),
        };
        Rate {
            thresholds: [
                spec.failure_rate.map_or(0.5, |share| share.fraction()),
                spec.slow_rate.map_or(2.0, |s| s.fraction()),
            ],
            slow: spec.slow.map_or(60_000_000_000, |slow| slow.as_nanos()),
            minimum: i64::from(spec.minimum.unwrap_or(100).min(most)),
            open: spec.open.as_nanos(),
            probes: spec.half_open.unwrap_or(10),
            state: State::Closed,
            watched,
            permits: 0,
            probed: [0; 3],
        }
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.watched.clear();
        self.permits = self.probes;
        self.probed = [0; 3];
    }

    /// Whether a rate is at or above its threshold.
    fn exceeded(&self, [calls, failed, slow]: [i64; 3]) -> bool {
        let rate = |count: i64| count as f64 / calls as f64;
        rate(failed) >= self.thresholds[0] || rate(slow) >= self.thresholds[1]
    }

    pub(super) fn admit(&mut self, now: Nanos) -> Option<u64> {
        if let State::Open(until) = self.state
            && now >= until
        {
            self.change(State::HalfOpen);
        }
        match self.state {
            State::Closed => Some(0),
            State::Open(_) => None,
            State::HalfOpen => {
                let permitted = self.permits > 0;
                self.permits -= u32::from(permitted);
                permitted.then_some(0)
            }
        }
    }

    pub(super) fn record(&mut self, now: Nanos, success: bool, took: Nanos) {
        let result = [!success, took > self.slow];
        match self.state {
            State::Closed => {
                let sums = self.watched.add(now, result);
                if sums[0] >= self.minimum && self.exceeded(sums) {
                    self.change(State::Open(now.saturating_add(self.open)));
                }
            }
            State::HalfOpen => {
                let [calls, failed, slow] = &mut self.probed;
                *calls += 1;
                *failed += i64::from(result[0]);
                *slow += i64::from(result[1]);
                if *calls >= i64::from(self.probes) {
                    let again = self.exceeded(self.probed);
                    self.change(if again { State::Open(now.saturating_add(self.open)) } else { State::Closed });
                }
            }
            State::Open(_) => {}
        }
    }

    pub(super) fn forget(&mut self) {
        if self.state == State::HalfOpen {
            self.permits = (self.permits + 1).min(self.probes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn breaker(text: &str) -> Rate {
        Rate::new(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn it_opens_at_the_threshold_once_there_are_enough_calls() {
        let mut breaker =
            breaker(r#"{"failure_rate": "50%", "window": 10, "minimum": 6, "open": "5s", "half_open": 2}"#);
        for number in 0..5 {
            breaker.record(0, number % 5 == 4, 0);
        }
        assert_eq!(breaker.state, State::Closed, "four of five failed, but six calls are needed");
        breaker.record(0, true, 0);
        assert_eq!(breaker.state, State::Open(5 * SECOND), "four of six");
        breaker.record(0, true, 0);
        assert_eq!(breaker.admit(5 * SECOND - 1), None);
        assert!(breaker.admit(5 * SECOND).is_some() && breaker.admit(5 * SECOND).is_some());
        assert_eq!(breaker.state, State::HalfOpen);
        assert_eq!(breaker.admit(5 * SECOND), None, "as many probes as permitted");
        breaker.record(6 * SECOND, false, 0);
        assert_eq!(breaker.state, State::HalfOpen, "it waits for all probes");
        breaker.record(6 * SECOND, true, 0);
        assert_eq!(breaker.state, State::Open(11 * SECOND), "one of two is at the threshold");
        assert!(breaker.admit(11 * SECOND).is_some() && breaker.admit(11 * SECOND).is_some());
        breaker.record(11 * SECOND, true, 0);
        breaker.record(11 * SECOND, true, 0);
        assert_eq!(breaker.state, State::Closed);
        (0..5).for_each(|_| breaker.record(12 * SECOND, false, 0));
        assert_eq!(breaker.state, State::Closed, "the window began empty");
    }

    #[test]
    fn only_the_latest_calls_count() {
        let mut breaker = breaker(r#"{"failure_rate": "50%", "window": 4}"#);
        // The minimum of 100 is no more than the window.
        for success in [true, true, true, false, true, true, true, false, true, true] {
            breaker.record(0, success, 0);
            assert_eq!(breaker.state, State::Closed);
        }
        breaker.record(0, false, 0);
        assert_eq!(breaker.state, State::Open(60 * SECOND), "two of the latest four");
    }

    #[test]
    fn slow_calls_open_it_too() {
        let mut breaker = breaker(r#"{"slow_rate": "100%", "slow": "1s", "window": 3}"#);
        breaker.record(0, true, SECOND);
        (0..2).for_each(|_| breaker.record(0, true, SECOND + 1));
        assert_eq!(breaker.state, State::Closed, "a call of just 1 s is not slow");
        breaker.record(0, true, SECOND + 1);
        assert_eq!(breaker.state, State::Open(60 * SECOND));
    }

    #[test]
    fn a_time_window_is_that_of_hystrix() {
        let text = r#"{"failure_rate": "50%", "window": "10s", "minimum": 20, "open": "5s", "half_open": 1}"#;
        let mut breaker = breaker(text);
        (0..19).for_each(|_| breaker.record(0, false, 0));
        assert_eq!(breaker.state, State::Closed, "19 calls are too few");
        breaker.record(10 * SECOND, false, 0);
        assert_eq!(breaker.state, State::Closed, "10 s later they are forgotten");
        (0..18).for_each(|_| breaker.record(11 * SECOND, true, 0));
        breaker.record(12 * SECOND, false, 0);
        assert_eq!(breaker.state, State::Closed, "2 of 20");
        (0..16).for_each(|_| breaker.record(12 * SECOND, false, 0));
        assert_eq!(breaker.state, State::Open(17 * SECOND), "18 of 36");
        assert!(breaker.admit(17 * SECOND).is_some());
        assert_eq!(breaker.admit(17 * SECOND), None, "a single probe");
        breaker.record(17 * SECOND, true, 0);
        assert_eq!(breaker.state, State::Closed);
    }

    #[test]
    fn the_defaults_are_those_of_resilience4j() {
        let mut breaker = breaker(r#"{"failure_rate": "50%"}"#);
        (0..99).for_each(|_| breaker.record(0, false, 0));
        assert_eq!(breaker.state, State::Closed);
        breaker.record(0, false, 0);
        assert_eq!(breaker.state, State::Open(60 * SECOND));
        assert_eq!((0..99).filter(|_| breaker.admit(60 * SECOND).is_some()).count(), 10);
    }
}
