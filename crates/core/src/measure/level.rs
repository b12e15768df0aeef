//! A level that changes at instants: a queue's length, busy servers, requests in flight.
//!
//! Its integral over time is kept in whole units times nanoseconds, exactly, so that Little's law can be checked to the
//! nanosecond.

use crate::engine::time::Nanos;

/// A whole-numbered level and its integral over time since the start of the run.
///
/// The integral is kept as the sum of the instants at which the level was lowered less those at which it was raised:
/// value·now + that sum is the area, and a change costs one addition.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    value: u32,
    peak: u32,
    /// Instants lowered − instants raised [ns], in wrapping arithmetic.
    instants: u128,
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

    /// Raises the value by one at `now`.
    #[inline]
    pub fn up(&mut self, now: Nanos) {
        self.value += 1;
        self.peak = self.peak.max(self.value);
        self.instants = self.instants.wrapping_sub(u128::from(now));
    }

    /// Lowers the value by one at `now`.
    #[inline]
    pub fn down(&mut self, now: Nanos) {
        self.value -= 1;
        self.instants = self.instants.wrapping_add(u128::from(now));
    }

    /// The integral of the value from the start of the run to `now` [units·ns].
    pub fn area(&self, now: Nanos) -> u128 {
        (u128::from(self.value) * u128::from(now)).wrapping_add(self.instants)
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
