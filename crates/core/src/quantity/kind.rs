//! What all quantities share: one description each (name, units, examples), and reading and printing driven by it.

use super::error::{QuantityError, nearest_first, quote};
use super::number::{Decimal, Scale, ScanError, exact_quotient, shortest};
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// One spelling of a unit. The empty name stands for a bare number.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitName {
    pub name: &'static str,
    pub scale: Scale,
    /// Used for printing? (Synonyms are only read.)
    pub printed: bool,
}

/// A unit of 10^shift base units.
pub(super) const fn decimal(name: &'static str, shift: i32) -> UnitName {
    scaled(name, shift, 1, 1)
}

/// A unit of 10^shift × times ÷ over base units.
pub(super) const fn scaled(name: &'static str, shift: i32, times: u64, over: u32) -> UnitName {
    UnitName { name, scale: Scale { shift, times, over }, printed: true }
}

/// The same unit, read but never printed.
pub(super) const fn synonym(unit: UnitName) -> UnitName {
    UnitName { printed: false, ..unit }
}

/// The description of a quantity, from which errors, schema and printing follow.
#[derive(Debug)]
pub(super) struct Kind {
    /// The schema's format name, also used in [`super::check`].
    pub format: &'static str,
    /// The noun with its article, as sentences use it.
    pub noun: &'static str,
    /// The schema's description.
    pub description: &'static str,
    /// How to write it, as the end of the sentence "write ...".
    pub write: &'static str,
    /// The largest value, for the overflow message.
    pub limit: &'static str,
    /// Added to the message about an unknown unit; may be empty.
    pub hint: &'static str,
    /// Texts that read without error, for the schema.
    pub examples: &'static [&'static str],
    /// The JSON type of a bare number, where one is allowed.
    pub bare: Option<&'static str>,
    /// All spellings; on equal length the earlier one is printed.
    pub units: &'static [UnitName],
}

impl Kind {
    /// Splits a text into its number and its unit; rejects signs, unknown units and missing ones.
    pub fn split(&self, text: &str) -> Result<(Decimal, UnitName), QuantityError> {
        let (number, rest) = self.number(text)?;
        let unit = self.unit(rest, text)?;
        if number.negative {
            return Err(self.negative(text));
        }
        Ok((number, unit))
    }

    /// Reads the number at the start and gives the rest without the white space around it.
    pub fn number<'a>(&self, text: &'a str) -> Result<(Decimal, &'a str), QuantityError> {
        let trimmed = text.trim();
        match Decimal::scan(trimmed) {
            Ok((number, rest)) => Ok((number, rest.trim_start())),
            Err(ScanError::NoNumber) if trimmed.is_empty() => {
                Err(QuantityError::new(format!("{} is missing here: write {}", self.noun, self.write)))
            }
            Err(ScanError::NoNumber) => Err(QuantityError::new(format!(
                "{} starts with a number: write {}, not {}",
                self.noun,
                self.write,
                quote(trimmed)
            ))),
            Err(ScanError::NotFinite) => Err(QuantityError::new(format!(
                "{} must be a finite number, not {}: write {}",
                self.noun,
                quote(trimmed),
                self.write
            ))),
            Err(ScanError::TooManyDigits) => Err(QuantityError::new(format!(
                "{} has more than 24 significant digits: write it shorter",
                quote(trimmed)
            ))),
        }
    }

    /// Finds the unit by its exact name; `text` is the whole value, for the message.
    pub fn unit(&self, name: &str, text: &str) -> Result<UnitName, QuantityError> {
        // The Greek letter (U+03BC) and the micro sign (U+00B5) look the same.
        let spelled = name.replace('μ', "µ");
        if let Some(unit) = self.units.iter().find(|unit| unit.name == spelled) {
            return Ok(*unit);
        }
        if name.is_empty() {
            return Err(QuantityError::new(format!("{} needs a unit: write {}", self.noun, self.write)));
        }
        let known = nearest_first(name, self.units.iter().map(|unit| unit.name));
        if known.is_empty() {
            return Err(QuantityError::new(format!(
                "{} has no unit: write {}, not {}",
                self.noun,
                self.write,
                quote(text.trim())
            )));
        }
        let mut message = format!(
            "{} is not a unit of {} in {}; known, nearest first: {}",
            quote(name),
            self.noun,
            quote(text.trim()),
            known.join(", ")
        );
        if known.iter().any(|unit| unit.eq_ignore_ascii_case(name)) {
            message.push_str("; upper and lower case differ");
        }
        if name.starts_with(',') {
            message.push_str("; decimals are written with a point");
        }
        if !self.hint.is_empty() {
            message.push_str("; ");
            message.push_str(self.hint);
        }
        Err(QuantityError::new(message))
    }

    /// Reads a value in base units as `f64`: finite, not negative, not rounded to zero.
    pub fn read_f64(&self, text: &str) -> Result<f64, QuantityError> {
        let (number, unit) = self.split(text)?;
        let value = number.to_f64(unit.scale);
        if !value.is_finite() {
            return Err(self.too_large(text));
        }
        if value == 0.0 && !number.is_zero() {
            return Err(self.too_small(text));
        }
        Ok(value)
    }

    /// Reads a value in whole base units and whether it was whole before rounding to nearest.
    pub fn read_u64(&self, text: &str) -> Result<(u64, bool), QuantityError> {
        let (number, unit) = self.split(text)?;
        let (value, whole) = number.to_u64(unit.scale).ok_or_else(|| self.too_large(text))?;
        if value == 0 && !whole {
            return Err(self.too_small(text));
        }
        Ok((value, whole))
    }

    /// Accepts a computed value that is finite and not negative; `-0` becomes `0`.
    pub fn accept(&self, value: f64) -> Result<f64, QuantityError> {
        if !value.is_finite() {
            return Err(QuantityError::new(format!("{} must be a finite number, not {value}", self.noun)));
        }
        if value < 0.0 {
            return Err(self.negative(&value.to_string()));
        }
        // Adding +0 turns -0 into +0 and changes nothing else.
        Ok(value + 0.0)
    }

    /// The shortest text without avoidable scientific notation that reads back as exactly `value`.
    pub fn print_f64(&self, value: f64) -> String {
        let mut best: Option<String> = None;
        for unit in self.units.iter().filter(|unit| unit.printed) {
            let Scale { shift, times, over } = unit.scale;
            let number = if times == 1 && over == 1 { value } else { value / times as f64 * f64::from(over) };
            if !number.is_finite() {
                continue;
            }
            let text = format!("{}{}", shortest(number, -shift), unit.name);
            let shorter = best.as_ref().is_none_or(|best| text.len() < best.len());
            if shorter && self.read_f64(&text) == Ok(value) {
                best = Some(text);
            }
        }
        best.unwrap_or_else(|| shortest(value, 0))
    }

    /// The shortest text without scientific notation that reads back as exactly `value`.
    pub fn print_u64(&self, value: u64) -> String {
        let mut best: Option<String> = None;
        for unit in self.units.iter().filter(|unit| unit.printed) {
            let factor = 10u64.pow(unit.scale.shift.unsigned_abs()) * unit.scale.times;
            if let Some(number) = exact_quotient(value, factor, 20) {
                let text = number + unit.name;
                if best.as_ref().is_none_or(|best| text.len() < best.len()) {
                    best = Some(text);
                }
            }
        }
        best.unwrap_or_else(|| value.to_string())
    }

    pub fn negative(&self, text: &str) -> QuantityError {
        QuantityError::new(format!("{} cannot be negative: {}", self.noun, quote(text.trim())))
    }

    pub fn too_large(&self, text: &str) -> QuantityError {
        let (text, noun, limit) = (quote(text.trim()), self.noun, self.limit);
        QuantityError::new(format!("{text} is too large for {noun}: at most {limit}"))
    }

    pub fn too_small(&self, text: &str) -> QuantityError {
        let (text, noun) = (quote(text.trim()), self.noun);
        QuantityError::new(format!("{text} is too small for {noun}: it would be rounded to zero"))
    }

    /// The JSON Schema of the quantity.
    pub fn schema(&self) -> schemars::Schema {
        let kind = match self.bare {
            None => serde_json::json!("string"),
            Some(number) => serde_json::json!([number, "string"]),
        };
        // An example that is a JSON number by itself (`4`) is shown as one.
        let examples: Vec<serde_json::Value> =
            self.examples.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|_| (*text).into())).collect();
        schemars::json_schema!({
            "type": kind,
            "format": self.format,
            "description": self.description,
            "examples": examples,
        })
    }
}

/// A type that is read and printed by a [`Kind`].
pub(super) trait Quantity: FromStr<Err = QuantityError> {
    const KIND: &'static Kind;
}

/// Decodes a quantity from a string, or from a number where the quantity allows one.
pub(super) fn deserialize<'de, Q: Quantity, D: Deserializer<'de>>(deserializer: D) -> Result<Q, D::Error> {
    deserializer.deserialize_any(QuantityVisitor(PhantomData))
}

struct QuantityVisitor<Q>(PhantomData<Q>);

impl<Q: Quantity> Visitor<'_> for QuantityVisitor<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} such as {}", Q::KIND.noun, Q::KIND.write)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Q, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Q, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Q, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Q, E> {
        self.visit_str(&value.to_string())
    }
}

/// Gives a type with `fn read(&str)` and `fn print(self) -> String` its reading, printing, coding and schema.
macro_rules! quantity {
    ($type:ident, $kind:expr) => {
        impl super::kind::Quantity for $type {
            const KIND: &'static super::kind::Kind = &$kind;
        }

        impl std::str::FromStr for $type {
            type Err = super::QuantityError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read(text)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.print())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                super::kind::deserialize(deserializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($type)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $kind.schema()
            }
        }
    };
}
pub(super) use quantity;
