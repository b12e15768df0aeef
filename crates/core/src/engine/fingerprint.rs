//! A 64-bit fingerprint of what happened in a run.
//!
//! It is fed with facts of the simulated system only (who, when, how it ended), never with positions in memory, so
//! that a faster data structure leaves it unchanged and a change in meaning does not.

use super::random::mix;

/// An order-sensitive hash of the facts absorbed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of nothing.
    pub const fn new() -> Self {
        Fingerprint(0x243f_6a88_85a3_08d3)
    }

    /// Absorbs one fact: its place or kind, and its value.
    #[inline]
    pub fn absorb(&mut self, what: u64, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ what).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(value);
    }

    /// The fingerprint as a number whose bits are all well mixed.
    pub fn value(self) -> u64 {
        mix(self.0)
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_value_both_matter() {
        let of = |facts: &[(u64, u64)]| {
            let mut print = Fingerprint::new();
            for &(what, value) in facts {
                print.absorb(what, value);
            }
            print.value()
        };
        assert_ne!(of(&[(1, 2), (3, 4)]), of(&[(3, 4), (1, 2)]));
        assert_ne!(of(&[(1, 2)]), of(&[(1, 3)]));
        assert_ne!(of(&[(1, 2)]), of(&[(2, 1)]));
        assert_eq!(of(&[(1, 2), (3, 4)]), of(&[(1, 2), (3, 4)]));
    }
}
