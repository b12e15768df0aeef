//! A level: one of the values that a swept key takes, as text and as a quantity.

use serde::{Deserialize, Serialize};

use crate::quantity::{Bandwidth, Bytes, Count, Duration, Price, Rate, Share, Unit, unit};

/// A level of a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// As written: `400/s`.
    pub text: String,
    /// Its value in the base unit, if it is a quantity or a number.
    pub value: Option<f64>,
}

/// Writes a value in base units as a quantity.
type Write = fn(f64) -> Option<String>;

/// The units in which a text may be a quantity, and how a value is written in each.
const UNITS: [(Unit, Write); 7] = [
    (Unit::Seconds, |value| Some(Duration::from_secs_f64(value).to_string())),
    (Unit::PerSecond, |value| Rate::from_per_second(value).ok().map(|rate| rate.to_string())),
    (Unit::Share, |value| Share::from_fraction(value).ok().map(|share| share.to_string())),
    (Unit::Bytes, |value| Some(Bytes::new(value.round() as u64).to_string())),
    (Unit::BytesPerSecond, |value| Bandwidth::from_bytes_per_second(value).ok().map(|rate| rate.to_string())),
    (Unit::PerHourPrice, |value| Price::from_per_hour(value).ok().map(|price| price.to_string())),
    (Unit::Count, |value| Some(Count::new(value.round() as u64).to_string())),
];

/// Reads a text as a number or quantity: its unit (`None` for a plain number) and value in base units.
pub fn read(text: &str) -> Option<(Option<Unit>, f64)> {
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some((None, number));
    }
    UNITS.iter().find_map(|(unit, _)| unit::parse_as(text, *unit).ok().map(|value| (Some(*unit), value)))
}

/// Writes a value in base units as a plain number (`None`) or a quantity.
pub fn write(value: f64, unit: Option<Unit>) -> Option<String> {
    match unit {
        None => Some(value.to_string()),
        Some(unit) => UNITS.iter().find(|(known, _)| *known == unit).and_then(|(_, write)| write(value)),
    }
}

impl Level {
    /// The level of a value as it is written in the file.
    pub fn new(text: String) -> Self {
        let value = read(&text).map(|(_, value)| value);
        Level { text, value }
    }
}

/// Whether two values are the same level.
pub fn same(one: &Level, other: &Level) -> bool {
    match (one.value, other.value) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
        _ => one.text == other.text,
    }
}

/// Six significant digits: levels are read by people.
pub fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
