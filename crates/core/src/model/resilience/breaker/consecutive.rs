//! A breaker that opens at failures in a row.
//!
//! Source: sony/gobreaker: closed, a success clears the count; at `failures` in a row it opens for `open`; then the next
//! call makes it half-open, and up to `probes` calls (`MaxRequests`) may be under way or done; the first failure opens it
//! again, `probes` successes in a row close it. Every change of state begins a generation, and results of calls of an
//! earlier generation are ignored. (gobreaker's own default trips on more than 5 in a row, the sixth; here the number
//! given is that of the failure it opens at, as with Envoy's `consecutive_5xx`.)

use super::State;
use crate::engine::time::Nanos;

/// The breaker.
#[derive(Debug, Clone)]
pub struct Consecutive {
    failures: u32,
    open: Nanos,
    probes: u32,
    pub(super) state: State,
    generation: u64,
    /// Closed: failures in a row. Half-open: successes in a row.
    row: u32,
    /// Half-open: probes admitted.
    admitted: u32,
}

impl Consecutive {
    /// A closed breaker; `open` in nanoseconds.
    pub fn new(failures: u32, open: Nanos, probes: u32) -> Self {
        Consecutive { failures, open, probes, state: State::Closed, generation: 0, row: 0, admitted: 0 }
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
        self.row = 0;
        self.admitted = 0;
    }

    pub(super) fn admit(&mut self, now: Nanos) -> Option<u64> {
        if let State::Open(until) = self.state
            && now >= until
        {
            self.change(State::HalfOpen);
        }
        match self.state {
            State::Closed => Some(self.generation),
            State::Open(_) => None,
            State::HalfOpen if self.admitted < self.probes => {
                self.admitted += 1;
                Some(self.generation)
            }
            State::HalfOpen => None,
        }
    }

    pub(super) fn record(&mut self, now: Nanos, generation: u64, success: bool) {
        if generation != self.generation {
            return;
        }
        match (self.state, success) {
            (State::Closed, true) => self.row = 0,
            (State::Closed, false) => {
                self.row += 1;
                if self.row >= self.failures {
                    self.change(State::Open(now.saturating_add(self.open)));
                }
            }
            (State::HalfOpen, true) => {
                self.row += 1;
                if self.row >= self.probes {
                    self.change(State::Closed);
                }
            }
            (State::HalfOpen, false) => self.change(State::Open(now.saturating_add(self.open))),
            (State::Open(_), _) => {}
        }
    }

    pub(super) fn forget(&mut self, generation: u64) {
        if generation == self.generation {
            self.admitted = self.admitted.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn every_transition_of_gobreaker() {
        let mut breaker = Consecutive::new(3, 10 * SECOND, 2);
        let fail = |breaker: &mut Consecutive, now| {
            let generation = breaker.admit(now).unwrap();
            breaker.record(now, generation, false);
        };
        fail(&mut breaker, 0);
        fail(&mut breaker, 0);
        let generation = breaker.admit(0).unwrap();
        breaker.record(0, generation, true);
        assert_eq!(breaker.state, State::Closed, "closed: a success clears the count");
        fail(&mut breaker, 1);
        fail(&mut breaker, 1);
        let late = breaker.admit(1).unwrap();
        fail(&mut breaker, 1);
        assert_eq!(breaker.state, State::Open(10 * SECOND + 1), "closed to open at the third in a row");
        assert_eq!(breaker.admit(10 * SECOND), None, "open: nothing passes");
        breaker.record(10 * SECOND, late, true);
        assert_eq!(breaker.state, State::Open(10 * SECOND + 1), "results of an earlier generation are ignored");
        let first = breaker.admit(10 * SECOND + 1).unwrap();
        assert_eq!(breaker.state, State::HalfOpen, "open to half-open at the next call");
        let second = breaker.admit(10 * SECOND + 1).unwrap();
        assert_eq!(breaker.admit(10 * SECOND + 1), None, "half-open: as many probes as allowed");
        breaker.record(11 * SECOND, first, true);
        assert_eq!(breaker.state, State::HalfOpen);
        breaker.record(11 * SECOND, second, false);
        assert_eq!(breaker.state, State::Open(21 * SECOND), "half-open to open at a failure");
        let probes = [breaker.admit(21 * SECOND).unwrap(), breaker.admit(21 * SECOND).unwrap()];
        probes.into_iter().for_each(|generation| breaker.record(22 * SECOND, generation, true));
        assert_eq!(breaker.state, State::Closed, "half-open to closed after as many successes");
        fail(&mut breaker, 23 * SECOND);
        assert_eq!(breaker.state, State::Closed, "the count begins anew");
    }

    #[test]
    fn a_canceled_probe_makes_room_for_another() {
        let mut breaker = Consecutive::new(1, SECOND, 1);
        let generation = breaker.admit(0).unwrap();
        breaker.record(0, generation, false);
        let probe = breaker.admit(SECOND).unwrap();
        assert_eq!(breaker.admit(SECOND), None);
        breaker.forget(probe);
        assert!(breaker.admit(SECOND).is_some());
    }

    #[test]
    fn time_in_each_state_is_that_of_the_renewal_process() {
        // Case G06: trips after 5 in a row, open 5 s, Poisson 10/s, answers at once.
        for (p, open, admitted) in [(0.5, 0.609_756, 3.902_44), (0.9, 0.967_239, 0.327_606)] {
            let (mut breaker, mut random) = (Consecutive::new(5, 5 * SECOND, 1), Stream::new(8));
            let (mut now, mut calls, mut rejected) = (0.0, 0u32, 0u32);
            while now < 100_000.0 {
                now += -libm::log(1.0 - unit(&mut random)) / 10.0;
                let time = (now * 1e9) as Nanos;
                match breaker.admit(time) {
                    Some(generation) => {
                        calls += 1;
                        breaker.record(time, generation, unit(&mut random) >= p);
                    }
                    None => rejected += 1,
                }
            }
            let share = f64::from(rejected) / f64::from(calls + rejected);
            assert!((share / open - 1.0).abs() < 0.03, "{p}: {share}");
            assert!((f64::from(calls) / 1e5 / admitted - 1.0).abs() < 0.03, "{p}: {calls}");
        }
    }
}
