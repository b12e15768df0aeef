//! Units of measured values: their symbols in data files, their text for people, and reading bounds on them.
//!
//! Measured values are plain `f64` in the base unit that [`Unit::symbol`] names. For people they are scaled
//! ([`display`]); a chart's axis is scaled as a whole ([`axis_scale`]).

use super::kind::{Kind, decimal};
use super::{Bandwidth, Bytes, Duration, Price, QuantityError, Rate, Share, cores, count};

/// Significant digits that [`display`] shows.
const DIGITS: usize = 3;
/// Intervals narrower than this part of the mean are shown as 0: they are rounding noise of `f64` sums.
const NEGLIGIBLE: f64 = 1e-9;
/// Most decimals of a mean with its interval; values that need more are shown each with its own three digits.
const MOST_PLACES: usize = 12;
/// Outside of these magnitudes, numbers are shown in scientific notation.
const PLAIN: std::ops::Range<f64> = 1e-6..1e15;

/// The unit of a metric.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Time, in s.
    Seconds,
    /// Events per time, in 1/s.
    PerSecond,
    /// A part of a whole, 0 to 1.
    Share,
    /// Data, in B.
    Bytes,
    /// Data per time, in B/s.
    BytesPerSecond,
    /// A number of things; means of it are fractional.
    Count,
    /// Processor cores.
    Cores,
    /// A quotient of two values of the same unit.
    Ratio,
    /// Currency units per hour, in 1/h.
    PerHourPrice,
}

/// One magnitude of a unit for people.
struct Step {
    /// Size in base units.
    size: f64,
    /// What follows the number, with its space.
    suffix: &'static str,
}

const fn step(size: f64, suffix: &'static str) -> Step {
    Step { size, suffix }
}

const KIB: f64 = 1024.0;

impl Unit {
    /// The symbol of the base unit, as column headers of data files write it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::PerSecond => "1/s",
            Unit::Share | Unit::Count | Unit::Ratio => "1",
            Unit::Bytes => "B",
            Unit::BytesPerSecond => "B/s",
            Unit::Cores => "cores",
            Unit::PerHourPrice => "1/h",
        }
    }

    /// The magnitudes, smallest first.
    const fn steps(self) -> &'static [Step] {
        match self {
            Unit::Seconds => &const { [step(1e-9, " ns"), step(1e-6, " µs"), step(1e-3, " ms"), step(1.0, " s")] },
            Unit::PerSecond => &const { [step(1.0, "/s"), step(1e3, "k/s"), step(1e6, "M/s"), step(1e9, "G/s")] },
            Unit::Share => &const { [step(0.01, " %")] },
            Unit::Bytes => {
                &const {
                    [
                        step(1.0, " B"),
                        step(KIB, " KiB"),
                        step(KIB * KIB, " MiB"),
                        step(KIB * KIB * KIB, " GiB"),
                        step(KIB * KIB * KIB * KIB, " TiB"),
                    ]
                }
            }
            Unit::BytesPerSecond => {
                &const {
                    [step(1.0, " B/s"), step(1e3, " kB/s"), step(1e6, " MB/s"), step(1e9, " GB/s"), step(1e12, " TB/s")]
                }
            }
            Unit::Count => &const { [step(1.0, ""), step(1e3, "k"), step(1e6, "M"), step(1e9, "G")] },
            Unit::Cores => &const { [step(1.0, " cores")] },
            Unit::Ratio => &const { [step(1.0, "")] },
            Unit::PerHourPrice => &const { [step(1.0, "/h")] },
        }
    }

    /// The largest magnitude in which `value` shows at least 1 (after rounding), else the smallest; zero and values
    /// that are not finite take the base unit.
    fn step_for(self, value: f64) -> &'static Step {
        let steps = self.steps();
        let base = steps.iter().find(|step| step.size == 1.0);
        if let Some(base) = base
            && (value == 0.0 || !value.is_finite())
        {
            return base;
        }
        // Rates and counts are read with their thousands up to ten thousand: 1496/s, 12.3k/s.
        let least = |step: &Step| match self {
            Unit::PerSecond | Unit::Count if step.size > 1.0 => 10.0,
            _ => 1.0,
        };
        steps.iter().rev().find(|step| round_to_digits(value.abs() / step.size) >= least(step)).unwrap_or(&steps[0])
    }
}

/// The value for people: three significant digits (whole numbers from 1000 on), without trailing zeros, scaled:
/// `38.1 ms`, `450 s`, `12.3k/s`, `70.1 %`, `1.2 GiB`, `0.5`. Times are not split into minutes.
pub fn display(value: f64, unit: Unit) -> String {
    let step = unit.step_for(value);
    format!("{}{}", significant(value / step.size), step.suffix)
}

/// A mean and the half width of its confidence interval for people: `38.1 ms ± 0.4 ms`.
///
/// Both have the same unit and are rounded to the same place: that of the half width's first significant digit, or of its
/// second where the first is 1 (rounding would else change it by up to a half). An interval narrower than a billionth of
/// the mean is shown as 0; one that is not finite stays so (`± inf ms`).
pub fn display_with_interval(mean: f64, half_width: f64, unit: Unit) -> String {
    let half_width = half_width.abs();
    let larger = if half_width.is_finite() { mean.abs().max(half_width) } else { mean };
    let Step { size, suffix } = *unit.step_for(larger);
    let (mean, half) = (mean / size, half_width / size);
    let negligible = half <= NEGLIGIBLE * mean.abs();
    if !mean.is_finite() || !half.is_finite() || negligible {
        let half = if negligible { 0.0 } else { half };
        return format!("{}{suffix} ± {}{suffix}", significant(mean), significant(half));
    }
    // The digits are chosen on the rounded half width: 0.096 is 0.10 or 0.1, never 0.096.
    let coarse = format!("{half:.0e}");
    let digits = usize::from(coarse.starts_with('1'));
    let exponent: i32 = coarse.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let place = exponent - digits as i32;
    if place <= 0 {
        let places = usize::try_from(-place).unwrap_or(0);
        if places > MOST_PLACES {
            return format!("{}{suffix} ± {}{suffix}", significant(mean), significant(half));
        }
        // A mean that rounds to zero has no sign.
        let shown = format!("{mean:.places$}");
        let is_zero = !shown.contains(|c| matches!(c, '1'..='9'));
        let shown = if is_zero { shown.trim_start_matches('-') } else { &shown };
        return format!("{shown}{suffix} ± {half:.places$}{suffix}");
    }
    let round = |value: f64| {
        let grain: f64 = format!("1e{place}").parse().unwrap_or(1.0);
        significant_or_whole((value / grain).round() * grain)
    };
    format!("{}{suffix} ± {}{suffix}", round(mean), round(half))
}

/// For a chart's axis up to `max_abs`: what to multiply the values by, and the unit to put between brackets, so that
/// the axis reads `response time [ms]`. The unit is empty for plain numbers.
pub fn axis_scale(max_abs: f64, unit: Unit) -> (f64, &'static str) {
    let step = unit.step_for(max_abs);
    (1.0 / step.size, step.suffix.trim_start())
}

/// Reads a bound on a metric, written in the unit of the metric, as a value in base units: `200ms` for
/// [`Unit::Seconds`], `400/s`, `80%`, `2GiB`, `1Gbps`, `0.20/h`, a bare number for counts, cores and ratios.
///
/// Bounds on counts may be fractional, since means are. Errors are those of the quantities.
pub fn parse_as(text: &str, unit: Unit) -> Result<f64, QuantityError> {
    /// A ratio is a bound only, never a value in a model: it has no type of its own.
    const RATIO: Kind = Kind {
        format: "ratio",
        noun: "a ratio",
        description: "A bare number.",
        write: "1.8 or 0.5",
        limit: "about 1.8e308",
        hint: "",
        examples: &["1.8", "0.5"],
        bare: Some("number"),
        units: &[decimal("", 0)],
    };
    match unit {
        Unit::Seconds => text.parse::<Duration>().map(Duration::as_secs_f64),
        Unit::PerSecond => text.parse::<Rate>().map(Rate::per_second),
        Unit::Share => text.parse::<Share>().map(Share::fraction),
        Unit::Bytes => text.parse::<Bytes>().map(|bytes| bytes.as_u64() as f64),
        Unit::BytesPerSecond => text.parse::<Bandwidth>().map(Bandwidth::bytes_per_second),
        Unit::Count => count::KIND.read_f64(text),
        Unit::Cores => cores::KIND.read_f64(text),
        Unit::Ratio => RATIO.read_f64(text),
        Unit::PerHourPrice => text.parse::<Price>().map(Price::per_hour),
    }
}

/// The nearest number of three significant digits.
fn round_to_digits(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

/// Three significant digits, or a whole number from 1000 on: a larger number has no larger unit to go to.
fn significant(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let rounded = round_to_digits(value);
    if rounded.abs() < 1000.0 { significant_or_whole(rounded) } else { significant_or_whole(value.round()) }
}

/// The shortest text of an already rounded number; scientific far from 1.
fn significant_or_whole(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if PLAIN.contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{:e}", round_to_digits(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_three_digits_in_a_fitting_magnitude() {
        for (value, unit, text) in [
            (0.0381, Unit::Seconds, "38.1 ms"),
            (1.5312, Unit::Seconds, "1.53 s"),
            (450.0, Unit::Seconds, "450 s"),
            (86_400.0, Unit::Seconds, "86400 s"),
            (0.9996, Unit::Seconds, "1 s"),
            (0.9994, Unit::Seconds, "999 ms"),
            (2e-5, Unit::Seconds, "20 µs"),
            (0.0, Unit::Seconds, "0 s"),
            (-0.0381, Unit::Seconds, "-38.1 ms"),
            (400.0, Unit::PerSecond, "400/s"),
            (12_345.0, Unit::PerSecond, "12.3k/s"),
            (0.701, Unit::Share, "70.1 %"),
            (0.0, Unit::Share, "0 %"),
            (1.2 * KIB * KIB * KIB, Unit::Bytes, "1.2 GiB"),
            (1010.0, Unit::Bytes, "1010 B"),
            (125e6, Unit::BytesPerSecond, "125 MB/s"),
            (12_345.0, Unit::Count, "12.3k"),
            (0.5, Unit::Ratio, "0.5"),
            (2.5, Unit::Cores, "2.5 cores"),
            (0.2, Unit::PerHourPrice, "0.2/h"),
            (1e300, Unit::Ratio, "1e300"),
            (f64::NAN, Unit::Seconds, "NaN s"),
        ] {
            assert_eq!(display(value, unit), text);
        }
    }

    #[test]
    fn a_mean_is_rounded_where_its_interval_begins() {
        for (mean, half_width, unit, text) in [
            (0.03812, 0.0004, Unit::Seconds, "38.1 ms ± 0.4 ms"),
            (0.03812, 0.00014, Unit::Seconds, "38.12 ms ± 0.14 ms"),
            (0.03812, 0.000096, Unit::Seconds, "38.12 ms ± 0.10 ms"),
            (453.0, 23.0, Unit::Seconds, "450 s ± 20 s"),
            (453.0, 14.0, Unit::Seconds, "453 s ± 14 s"),
            (12_345.0, 100.0, Unit::PerSecond, "12.35k/s ± 0.10k/s"),
            (0.701, 0.0, Unit::Share, "70.1 % ± 0 %"),
            (-0.01, 0.4, Unit::Ratio, "0.0 ± 0.4"),
            (0.0, 5e-300, Unit::Ratio, "0 ± 5e-300"),
            (0.0, 0.002, Unit::Seconds, "0 ms ± 2 ms"),
            (0.5, f64::INFINITY, Unit::Ratio, "0.5 ± inf"),
        ] {
            assert_eq!(display_with_interval(mean, half_width, unit), text);
        }
    }

    #[test]
    fn an_axis_is_scaled_by_its_largest_value() {
        assert_eq!(axis_scale(0.25, Unit::Seconds), (1000.0, "ms"));
        assert_eq!(axis_scale(1.0, Unit::Share), (100.0, "%"));
        assert_eq!(axis_scale(0.0, Unit::Seconds), (1.0, "s"));
        assert_eq!(axis_scale(2e4, Unit::PerSecond), (0.001, "k/s"));
        assert_eq!(axis_scale(50.0, Unit::Count), (1.0, ""));
    }

    #[test]
    fn bounds_are_read_in_the_unit_of_their_metric() {
        for (text, unit, value) in [
            ("200ms", Unit::Seconds, 0.2),
            ("400/s", Unit::PerSecond, 400.0),
            ("80%", Unit::Share, 0.8),
            ("2GiB", Unit::Bytes, 2.0 * KIB * KIB * KIB),
            ("1Gbps", Unit::BytesPerSecond, 125e6),
            ("2.5", Unit::Count, 2.5),
            ("100k", Unit::Count, 1e5),
            ("500m", Unit::Cores, 0.5),
            ("1.8", Unit::Ratio, 1.8),
            ("0.20/h", Unit::PerHourPrice, 0.2),
        ] {
            assert_eq!(parse_as(text, unit), Ok(value), "{text}");
        }
        let error = |text, unit| parse_as(text, unit).unwrap_err().to_string();
        assert!(error("200", Unit::Seconds).contains("write 50ms"));
        assert!(error("1.8x", Unit::Ratio).contains("has no unit"));
    }
}
