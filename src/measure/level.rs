//! A level that changes at instants: a queue's length, busy servers, requests in flight.
//!
//! Its integral over time is kept in whole units times nanoseconds, exactly, so that Little's law can be checked to the
//! nanosecond.

use crate::engine::time::Nanos;

/// A whole-numbered level and its integral over time since the start of the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    value: u32,
    peak: u32,
    since: Nanos,
    area: u128,
}

impl Level {
    /// The present value.
    #[inline]
    pub fn value(&self) -> u32 {
        self.value
    }

    /// The greatest value so far.
    pub fn peak(&self) -> u32 {
        self.peak
    }

    /// Sets the value at `now`.
    #[inline]
    pub fn set(&mut self, now: Nanos, value: u32) {
        self.area += u128::from(self.value) * u128::from(now - self.since);
        self.since = now;
        self.value = value;
        self.peak = self.peak.max(value);
    }

    /// Raises the value by one at `now`.
    #[inline]
    pub fn up(&mut self, now: Nanos) {
        self.set(now, self.value + 1);
    }

    /// Lowers the value by one at `now`.
    #[inline]
    pub fn down(&mut self, now: Nanos) {
        self.set(now, self.value - 1);
    }

    /// The integral of the value from the start of the run to `now` [units·ns].
    pub fn area(&self, now: Nanos) -> u128 {
        self.area + u128::from(self.value) * u128::from(now - self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_integral_of_the_value() {
        let mut level = Level::default();
        level.up(10);
        level.up(15);
        level.down(25);
        assert_eq!((level.value(), level.peak()), (1, 2));
        assert_eq!(level.area(25), 5 + 20);
        assert_eq!(level.area(30), 5 + 20 + 5);
    }
}
