//! From values to pixels, and the choice of a range for an axis.

use super::model::Scale;
use super::ticks::Step;

/// Magnitudes above this count as not finite, so that differences cannot overflow.
const LARGEST: f64 = 1e300;
/// Positive values below this cannot be shown on a logarithmic axis.
const SMALLEST: f64 = 1e-300;

/// A range of values shown on an axis; `lo < hi`, both finite, both positive on a logarithmic one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub lo: f64,
    pub hi: f64,
    pub scale: Scale,
}

/// Whether a value can be shown on an axis of this scale at all.
pub(super) fn showable(value: f64, scale: Scale) -> bool {
    match scale {
        Scale::Linear => value.abs() <= LARGEST,
        Scale::Log => (SMALLEST..=LARGEST).contains(&value),
    }
}

/// Smallest and largest showable value.
pub(super) fn extent(values: impl Iterator<Item = f64>, scale: Scale) -> Option<(f64, f64)> {
    values.filter(|&v| showable(v, scale)).fold(None, |acc, v| match acc {
        None => Some((v, v)),
        Some((lo, hi)) => Some((lo.min(v), hi.max(v))),
    })
}

impl Range {
    /// The range that shows exactly this extent, widened where it is a single value. None: nothing to show.
    pub fn tight(extent: Option<(f64, f64)>, scale: Scale) -> Self {
        let (lo, hi) = match (extent, scale) {
            (None, Scale::Linear) => (0.0, 1.0),
            (None, Scale::Log) => (0.1, 10.0),
            (Some((lo, hi)), Scale::Log) if hi <= lo * (1.0 + 1e-9) => (lo / 2.0, hi * 2.0),
            (Some((lo, hi)), Scale::Linear) if hi - lo <= 1e-9 * lo.abs().max(hi.abs()) => {
                let pad = if hi == 0.0 { 1.0 } else { hi.abs() * 0.5 };
                (lo - pad, hi + pad)
            }
            (Some(pair), _) => pair,
        };
        Self { lo, hi, scale }
    }

    /// A range for a y axis: rounded to ticks, from zero where `zero` or where zero is near.
    pub fn rounded(extent: Option<(f64, f64)>, scale: Scale, zero: bool) -> Self {
        let Some((mut lo, mut hi)) = extent else {
            return Self::tight(None, scale);
        };
        if scale == Scale::Log {
            let tight = Self::tight(Some((lo, hi)), scale);
            return Self { lo: round_log(tight.lo, false), hi: round_log(tight.hi, true), scale };
        }
        let same_sign = lo >= 0.0 || hi <= 0.0;
        let flat = hi - lo <= 1e-9 * lo.abs().max(hi.abs());
        // Zero is included unless the data would fill less than half of the axis then.
        let near = lo.abs().min(hi.abs()) <= 0.5 * lo.abs().max(hi.abs());
        if zero || flat || (same_sign && near) {
            (lo, hi) = (lo.min(0.0), hi.max(0.0));
        }
        let tight = Self::tight(Some((lo, hi)), scale);
        if lo == 0.0 && hi == 0.0 {
            return Self { lo: 0.0, hi: 1.0, scale };
        }
        let (lo, hi) = Step::for_span(tight.hi - tight.lo, 5).widen(tight.lo, tight.hi);
        Self { lo, hi, scale }
    }

    /// Position of a value: 0 at the low end, 1 at the high end, beyond outside. None: cannot be shown.
    pub fn position(&self, value: f64) -> Option<f64> {
        if !showable(value, self.scale) {
            return None;
        }
        let position = match self.scale {
            Scale::Linear => (value - self.lo) / (self.hi - self.lo),
            Scale::Log => {
                let lo = libm::log10(self.lo);
                (libm::log10(value) - lo) / (libm::log10(self.hi) - lo)
            }
        };
        // Far outside is only ever clipped; the bound keeps pixel arithmetic exact enough.
        Some(position.clamp(-1e4, 1e4))
    }

    /// Whether the value lies in the range, up to rounding.
    pub fn holds(&self, value: f64) -> bool {
        self.position(value).is_some_and(|p| (-1e-9..=1.0 + 1e-9).contains(&p))
    }
}

/// The next 1, 2 or 5 times a power of ten, upward or downward.
fn round_log(value: f64, up: bool) -> f64 {
    let exponent = libm::floor(libm::log10(value)) as i32;
    let mut steps =
        (exponent - 1..=exponent + 1).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * super::ticks::power_of_ten(e)));
    let found =
        if up { steps.find(|s| *s >= value * (1.0 - 1e-9)) } else { steps.rfind(|s| *s <= value * (1.0 + 1e-9)) };
    found.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_included_when_it_is_near_and_left_out_when_it_would_flatten_the_data() {
        assert_eq!(Range::rounded(Some((3.0, 9.0)), Scale::Linear, false).lo, 0.0);
        assert_eq!(Range::rounded(Some((95.0, 99.0)), Scale::Linear, false).lo, 95.0);
        assert_eq!(Range::rounded(Some((95.0, 99.0)), Scale::Linear, true).lo, 0.0);
    }

    #[test]
    fn every_degenerate_extent_gives_a_range_with_room() {
        let extents = [
            None,
            Some((0.0, 0.0)),
            Some((5.0, 5.0)),
            Some((-3.0, -3.0)),
            Some((1e300, 1e300)),
            Some((-1e300, 1e300)),
            Some((1e-300, 1e-300)),
        ];
        for extent in extents {
            for scale in [Scale::Linear, Scale::Log] {
                let extent = extent.filter(|e| showable(e.0, scale));
                for range in [Range::tight(extent, scale), Range::rounded(extent, scale, false)] {
                    assert!(range.lo < range.hi, "{extent:?} {range:?}");
                    assert!(range.lo.is_finite() && range.hi.is_finite());
                    assert!(range.position(range.hi) == Some(1.0) || extent.is_some());
                }
            }
        }
    }

    #[test]
    fn log_ranges_round_outward_to_one_two_five() {
        let range = Range::rounded(Some((0.013, 730.0)), Scale::Log, false);
        assert_eq!((range.lo, range.hi), (0.01, 1000.0));
    }

    #[test]
    fn values_that_cannot_be_shown_have_no_position() {
        let log = Range::tight(Some((1.0, 10.0)), Scale::Log);
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(log.position(value), None);
        }
    }
}
