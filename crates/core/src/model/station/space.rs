//! Space: an amount of memory that is held, and its limit.
//!
//! In use are a base, what requests hold, and what has leaked: by requests that ended, and by the second. The limit is the
//! caller's to enforce: [`Space::fits`] tells whether an amount fits.
//!
//! Units: bytes. Times are nanoseconds. What is held and leaked by requests is counted in whole bytes; leaks by the second
//! flow evenly.
//!
//! Invariant: everything that was taken was given back, was lost, or is held or leaked still, to the byte.

use crate::engine::time::{Nanos, SECOND};

/// What a space is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpacePlan {
    /// The most that may be in use [B]; `u64::MAX` if there is no limit.
    pub limit: u64,
    /// In use from the start [B].
    pub base: u64,
    /// What leaks by itself [B/s].
    pub leak: f64,
}

/// The memory of one instance.
#[derive(Debug, Clone)]
pub struct Space {
    plan: SpacePlan,
    held: u64,
    leaked: u64,
    /// When the leak began, at the start or the latest restart; `None` while nothing runs. State [ns].
    since: Option<Nanos>,
    /// When `area` was true. State [ns].
    updated: Nanos,
    /// In use, integrated [B·ns].
    area: f64,
    peak: f64,
    /// Everything that was ever taken, given back, and lost [B].
    taken: u128,
    given_back: u128,
    lost: u128,
}

impl Space {
    /// A space at time 0.
    pub fn new(plan: SpacePlan) -> Self {
        Space {
            plan,
            held: 0,
            leaked: 0,
            since: Some(0),
            updated: 0,
            area: 0.0,
            peak: plan.base as f64,
            taken: 0,
            given_back: 0,
            lost: 0,
        }
    }

    /// In use at `now` [B].
    pub fn used(&self, now: Nanos) -> f64 {
        match self.since {
            None => self.held as f64,
            Some(since) => (self.plan.base + self.held + self.leaked) as f64 + self.seeped(now - since),
        }
    }

    /// What has leaked by itself in so much time [B].
    fn seeped(&self, time: Nanos) -> f64 {
        self.plan.leak * time as f64 / SECOND as f64
    }

    /// Brings the books up to `now`.
    fn advance(&mut self, now: Nanos) {
        // Between changes the use grows evenly, so its mean is that of both ends.
        let (before, after) = (self.used(self.updated), self.used(now));
        self.area += (now - self.updated) as f64 * (before + after) / 2.0;
        self.updated = now;
        self.peak = self.peak.max(after);
    }

    /// Whether so much more would fit at `now`; never while nothing runs.
    pub fn fits(&self, now: Nanos, amount: u64) -> bool {
        self.since.is_some() && self.used(now) + amount as f64 <= self.plan.limit as f64
    }

    /// Takes an amount for a request, whether it fits or not.
    pub fn take(&mut self, now: Nanos, amount: u64) {
        self.advance(now);
        self.held += amount;
        self.taken += u128::from(amount);
        self.peak = self.peak.max(self.used(now));
    }

    /// Gives an amount back of which a part leaks.
    pub fn give_back(&mut self, now: Nanos, amount: u64, leaks: u64) {
        self.advance(now);
        let leaks = leaks.min(amount);
        self.held -= amount;
        if self.since.is_some() {
            self.leaked += leaks;
            self.given_back += u128::from(amount - leaks);
        } else {
            self.lost += u128::from(amount);
        }
    }

    /// Everything that is in use is lost: the process is gone. What requests hold is lost as they give it back.
    pub fn lose(&mut self, now: Nanos) {
        self.advance(now);
        self.since = None;
        self.lost += u128::from(std::mem::take(&mut self.leaked));
    }

    /// The process begins anew.
    pub fn restart(&mut self, now: Nanos) {
        self.advance(now);
        self.since = Some(now);
    }

    /// When the leak by itself will have used up what is left, if nothing else changes; `None` if it never does.
    pub fn full_at(&self, now: Nanos) -> Option<Nanos> {
        self.since?;
        if self.plan.leak <= 0.0 || self.plan.limit == u64::MAX {
            return None;
        }
        let left = (self.plan.limit as f64 - self.used(now)).max(0.0);
        // Rounded up to the next microsecond, so that it is full then.
        let micros = (left / self.plan.leak * 1e6).ceil() as Nanos + 1;
        Some(now.saturating_add(micros.saturating_mul(1000)))
    }

    /// What is in use beyond the limit, as a share of all that is in use.
    pub fn excess(&self, now: Nanos) -> f64 {
        let used = self.used(now);
        if used > 0.0 { ((used - self.plan.limit as f64) / used).max(0.0) } else { 0.0 }
    }

    /// What is not in use [B].
    pub fn left(&self, now: Nanos) -> f64 {
        (self.plan.limit as f64 - self.used(now)).max(0.0)
    }

    /// In use, integrated from the start of the run to `now` [B·ns].
    pub fn area(&self, now: Nanos) -> f64 {
        let (before, after) = (self.used(self.updated), self.used(now));
        self.area + (now - self.updated) as f64 * (before + after) / 2.0
    }

    /// The most that was ever in use until `now` [B].
    pub fn peak(&self, now: Nanos) -> f64 {
        self.peak.max(self.used(now))
    }

    /// Whether a process is there to use it.
    pub fn is_alive(&self) -> bool {
        self.since.is_some()
    }

    /// What requests hold [B].
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Checks the space's own law: everything taken was given back, was lost, or is still there.
    pub fn check(&self) -> Result<(), String> {
        let there = u128::from(self.held) + u128::from(self.leaked);
        if self.taken != self.given_back + self.lost + there {
            return Err(format!(
                "memory is not conserved: {} B taken, {} B given back, {} B lost, {there} B still there",
                self.taken, self.given_back, self.lost
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};

    const PLAN: SpacePlan = SpacePlan { limit: 1000, base: 100, leak: 0.0 };

    #[test]
    fn an_amount_fits_up_to_the_limit() {
        let mut space = Space::new(PLAN);
        assert!(space.fits(0, 900) && !space.fits(0, 901));
        space.take(0, 500);
        assert!(space.fits(1, 400) && !space.fits(1, 401));
        space.give_back(2, 500, 0);
        assert!(space.fits(2, 900));
        assert_eq!((space.peak(2), space.area(2)), (600.0, 1200.0));
    }

    #[test]
    fn a_leak_by_the_second_fills_it_when_headroom_over_rate_says() {
        let plan = SpacePlan { leak: 90.0, ..PLAN };
        let mut space = Space::new(plan);
        // 900 B at 90 B/s are 10 s.
        let full = space.full_at(0).expect("it leaks");
        assert!(full.abs_diff(10 * SECOND) <= 2000, "{full}");
        assert!(!space.fits(full, 0));
        assert!((space.area(full) / full as f64 - 550.0).abs() < 1e-3);
        space.take(5 * SECOND, 180);
        assert!(space.full_at(5 * SECOND).expect("it leaks").abs_diff(8 * SECOND) <= 2000);
        space.lose(6 * SECOND);
        assert_eq!((space.full_at(6 * SECOND), space.used(6 * SECOND)), (None, 180.0));
        space.give_back(6 * SECOND, 180, 0);
        space.restart(7 * SECOND);
        assert!(space.full_at(7 * SECOND).expect("it leaks").abs_diff(17 * SECOND) <= 2000);
        assert_eq!(space.check(), Ok(()));
    }

    #[test]
    fn a_part_of_what_is_given_back_can_leak() {
        let mut space = Space::new(PLAN);
        space.take(0, 10);
        space.give_back(0, 10, 2);
        assert_eq!(space.used(0), 102.0);
        space.lose(1);
        space.restart(1);
        assert_eq!((space.used(1), space.check()), (100.0, Ok(())));
    }

    #[test]
    fn the_excess_is_what_lies_beyond_the_limit() {
        let mut space = Space::new(PLAN);
        space.take(0, 900);
        assert_eq!(space.excess(0), 0.0);
        space.take(0, 1000);
        assert_eq!(space.excess(0), 0.5);
    }

    #[test]
    fn memory_is_conserved_over_random_comings_goings_and_deaths() {
        for seed in 0..20 {
            let mut random = Stream::new(seed);
            let mut space = Space::new(SpacePlan { leak: 3.0, ..PLAN });
            let mut held: Vec<u64> = Vec::new();
            for step in 0..2000 {
                let now = step * 1_000_000;
                match below(&mut random, 10) {
                    0 if held.is_empty() => space.restart(now),
                    0 => {
                        space.lose(now);
                        held.drain(..).for_each(|amount| space.give_back(now, amount, 1));
                    }
                    1..=4 if !held.is_empty() => {
                        let amount = held.swap_remove(below(&mut random, held.len() as u64) as usize);
                        space.give_back(now, amount, amount / 7);
                    }
                    _ => {
                        let amount = below(&mut random, 50);
                        space.take(now, amount);
                        held.push(amount);
                    }
                }
                assert_eq!(space.check(), Ok(()));
                assert_eq!(space.held(), held.iter().sum::<u64>());
            }
        }
    }
}
