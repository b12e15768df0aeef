//! Durations: whole nanoseconds, written `50ms`, `2s`, `5min`, `1h30m`.
//!
//! Limits: from 0 to about 584 years. A day is 24 hours; there are no months and no leap seconds.

use super::QuantityError;
use super::kind::{Kind, UnitName, decimal, quantity, scaled, synonym};
use super::number::exact_quotient;

/// Larger units first: in a compound (`1h30m`) the units must follow this order. The first seven are printed.
const UNITS: &[UnitName] = &[
    scaled("d", 9, 86_400, 1),
    scaled("h", 9, 3_600, 1),
    scaled("m", 9, 60, 1),
    decimal("s", 9),
    decimal("ms", 6),
    decimal("us", 3),
    decimal("ns", 0),
    synonym(scaled("min", 9, 60, 1)),
    synonym(decimal("µs", 3)),
];

const KIND: Kind = Kind {
    format: "duration",
    noun: "a duration",
    description: "A duration with its unit: ns, us, ms, s, m or min (minutes), h, d; parts may follow each other (1h30m). Rounded to the nearest nanosecond.",
    write: "50ms, 2s or 5min",
    limit: "about 584 years",
    hint: "",
    examples: &["50ms", "2s", "5min", "1h30m"],
    bare: None,
    units: UNITS,
};

/// Nanoseconds in a second.
const NANOS_PER_SECOND: f64 = 1e9;

/// A length of time in whole nanoseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    nanoseconds: u64,
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self::from_nanos(0);

    /// A duration of so many nanoseconds.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self { nanoseconds }
    }

    /// A duration of so many seconds, to the **nearest** nanosecond (ties away from zero).
    ///
    /// This is the single place where a computed time in seconds becomes integer time. It saturates: a negative value
    /// gives [`Duration::ZERO`], one that is too large gives [`Duration::MAX`]; NaN gives [`Duration::ZERO`].
    pub fn from_secs_f64(seconds: f64) -> Self {
        // Whole seconds are exact integers and apart from the fraction, which is exact too: multiplying all of it by
        // 10⁹ would round twice. `as` saturates and maps NaN (also that of ∞ − ∞) to 0.
        let whole = seconds.trunc();
        let fraction = ((seconds - whole) * NANOS_PER_SECOND).round() as u64;
        let nanoseconds = (whole as u64).saturating_mul(1_000_000_000).saturating_add(fraction);
        Self::from_nanos(nanoseconds)
    }

    /// The duration in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.nanoseconds
    }

    /// The duration in seconds, to the nearest `f64`: [`Duration::from_secs_f64`] gives the
    /// same duration back below 2²³ s, about 97 days.
    pub fn as_secs_f64(self) -> f64 {
        self.nanoseconds as f64 / NANOS_PER_SECOND
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        let mut rest = text.trim();
        let mut total: u64 = 0;
        let mut previous: Option<u64> = None;
        loop {
            let (number, after) = KIND.number(rest)?;
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            // A part without letters has a stray sign instead of its unit: show all of it.
            let end = if end == 0 { after.len() } else { end };
            let unit = KIND.unit(&after[..end], text)?;
            if number.negative {
                return Err(KIND.negative(text));
            }
            let size = factor(unit);
            if previous.is_some_and(|previous| previous <= size) {
                return Err(QuantityError::new(format!(
                    "{} must name each unit once, larger ones first: write 1h30m",
                    super::error::quote(text.trim())
                )));
            }
            let too_large = || KIND.too_large(text);
            let (part, whole) = number.to_u64(unit.scale).ok_or_else(too_large)?;
            if part == 0 && !whole {
                return Err(KIND.too_small(text));
            }
            total = total.checked_add(part).ok_or_else(too_large)?;
            previous = Some(size);
            rest = after[end..].trim_start();
            if rest.is_empty() {
                return Ok(Self::from_nanos(total));
            }
        }
    }

    /// The shortest of all ways to split the value over some of the units, larger ones first, where the last part may
    /// have decimals. Numbers from 1 on come before fractions (`300ms`, not `0.3s`). Ties: fewer parts, then the larger unit.
    fn print(self) -> String {
        let units = &UNITS[..7];
        (1..1u32 << units.len())
            .filter_map(|mask| {
                let chosen = units.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, unit)| *unit);
                let text = self.split_over(chosen)?;
                Some((text.starts_with("0."), text.len(), mask.count_ones(), mask, text))
            })
            .min()
            .map_or_else(|| format!("{}ns", self.nanoseconds), |(.., text)| text)
    }

    /// The value as whole numbers of the larger units and a decimal of the last; `None` if a part would be zero or
    /// the decimal has no end.
    fn split_over(self, units: impl Iterator<Item = UnitName>) -> Option<String> {
        let mut text = String::new();
        let mut remaining = self.nanoseconds;
        let mut units = units.peekable();
        while let Some(unit) = units.next() {
            let size = factor(unit);
            let number = if units.peek().is_none() {
                if remaining == 0 && !text.is_empty() {
                    return None;
                }
                exact_quotient(remaining, size, 22)?
            } else {
                let whole = remaining / size;
                if whole == 0 {
                    return None;
                }
                remaining %= size;
                whole.to_string()
            };
            text.push_str(&number);
            text.push_str(unit.name);
        }
        Some(text)
    }
}

quantity!(Duration, KIND);

/// The size of a unit [ns].
fn factor(unit: UnitName) -> u64 {
    10u64.pow(unit.scale.shift.unsigned_abs()) * unit.scale.times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u64 {
        text.parse::<Duration>().unwrap().as_nanos()
    }

    fn error(text: &str) -> String {
        text.parse::<Duration>().unwrap_err().to_string()
    }

    #[test]
    fn units_and_compounds_are_read_exactly() {
        assert_eq!(nanos("50ms"), 50_000_000);
        assert_eq!(nanos("0.25 ms"), 250_000);
        assert_eq!(nanos("20us"), nanos("20µs"));
        assert_eq!(nanos("20us"), nanos("20μs"));
        assert_eq!(nanos("5min"), nanos("5m"));
        assert_eq!(nanos("1h30m"), 5_400_000_000_000);
        assert_eq!(nanos("1m 30.5s"), 90_500_000_000);
        assert_eq!(nanos("1_000ns"), 1000);
        assert_eq!(nanos("1e-3s"), 1_000_000);
        assert_eq!(nanos("1d"), 86_400_000_000_000);
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(error("50"), "a duration needs a unit: write 50ms, 2s or 5min");
        assert_eq!(
            error("5sec"),
            "`sec` is not a unit of a duration in `5sec`; known, nearest first: s, d, h, m, ms, us, ns, min, µs"
        );
        assert!(error("5MS").contains("nearest first: ms"));
        assert!(error("5MS").ends_with("upper and lower case differ"));
        assert!(error("1,5s").ends_with("decimals are written with a point"));
        assert!(error("-5ms").starts_with("a duration cannot be negative"));
        assert!(error(".nan").contains("finite"));
        assert!(error("1e30s").contains("too large"));
        assert!(error("18446744073s1000ms").contains("too large"));
        assert!(error("0.1ns").contains("too small"));
        assert!(error("30m1h").contains("larger ones first"));
        assert!(error("1h30").contains("needs a unit"));
        assert!(error("soon").contains("starts with a number"));
        assert!(error(" ").contains("missing"));
    }

    #[test]
    fn printing_takes_the_shortest_text() {
        for text in ["0d", "1m", "5m", "90m", "1h1s", "1.5s", "250us", "1s1ns", "1d"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn seconds_round_to_the_nearest_nanosecond_and_saturate() {
        assert_eq!(Duration::from_secs_f64(1.6e-9).as_nanos(), 2);
        assert_eq!(Duration::from_secs_f64(1.4e-9).as_nanos(), 1);
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::INFINITY), Duration::from_nanos(u64::MAX));
    }
}
