//! Simulated time: whole nanoseconds since the start of the run.
//!
//! Integers, so that sums of times are exact and the same on every machine. Rounding from real numbers happens in
//! [`round`] (draws) and in `quantity::Duration` (files), to the nearest nanosecond, and nowhere else.

/// An instant (nanoseconds since the start of the run) or a length of time (nanoseconds).
pub type Nanos = u64;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;

/// The end of time; no event lies beyond it.
pub const NEVER: Nanos = Nanos::MAX;

/// Rounds a length of time in nanoseconds to the nearest whole one; negative values and NaN become 0, values beyond
/// the end of time become [`NEVER`].
#[inline]
pub fn round(nanos: f64) -> Nanos {
    /// 2⁵²: numbers from here to twice as much are whole, and their bits count.
    const WHOLE: f64 = (1u64 << 52) as f64;
    let raised = nanos + 0.5;
    // As integers, the bits of negative numbers and NaN are greater too.
    if raised.to_bits() < WHOLE.to_bits() {
        let nearest = raised + WHOLE;
        return nearest.to_bits() - WHOLE.to_bits() - u64::from(nearest - WHOLE > raised);
    }
    round_others(raised)
}

/// Rounds down what is negative, not a number, or 52 days and more.
#[cold]
fn round_others(raised: f64) -> Nanos {
    let whole = raised as i64;
    if whole == i64::MAX { NEVER } else { whole.max(0) as Nanos }
}

/// A length of time in seconds, for reports; never for the clock itself.
#[inline]
pub fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_and_total() {
        assert_eq!(round(1.4), 1);
        assert_eq!(round(1.5), 2);
        assert_eq!(round(-3.0), 0);
        assert_eq!(round(f64::NAN), 0);
        assert_eq!(round(f64::INFINITY), NEVER);
        let mut random = crate::engine::Stream::new(9);
        for _ in 0..100_000 {
            // Halves and wholes too, of all sizes.
            let bits = rand::Rng::next_u64(&mut random);
            let nanos = (bits >> (bits % 64)) as f64 / [1.0, 2.0, 3.0][(bits % 3) as usize];
            let whole = (nanos + 0.5) as i64;
            assert_eq!(round(nanos), if whole == i64::MAX { NEVER } else { whole as u64 }, "{nanos}");
            assert_eq!(round(-nanos), 0, "-{nanos}");
        }
        assert_eq!(seconds(1_500_000_000), 1.5);
    }
}
