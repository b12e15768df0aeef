//! Values with units: reading and printing the quantities of the files that users write.
//!
//! A dimensioned value is a text with its unit (`50ms`, `400/s`, `2GiB`, `1Gbps`, `80%`); a bare number in its place is
//! an error that shows how to write it. Only [`Cores`] and [`Count`], which have no dimension, may be bare numbers.
//!
//! Invariants, tested for every type:
//! - what is printed reads back as the same value, to the last bit;
//! - no text makes reading panic; negative, infinite, overflowing and vanishing values are errors;
//! - the schema's examples are valid.
//!
//! Printing takes the shortest text over the quantity's units, without scientific notation up to 21 characters.
//!
//! Limits: unit names are case-sensitive (`gb` is not guessed to be `GB`); at most 24 significant digits; no
//! arithmetic: the engine computes in plain integers and `f64`.

mod bandwidth;
mod bytes;
mod cores;
mod count;
mod duration;
mod error;
mod kind;
mod number;
mod price;
mod rate;
mod share;
#[cfg(test)]
mod tests;
pub mod unit;

pub use bandwidth::Bandwidth;
pub use bytes::Bytes;
pub use cores::Cores;
pub use count::Count;
pub use duration::Duration;
pub use error::QuantityError;
pub use price::Price;
pub use rate::Rate;
pub use share::Share;
pub use unit::Unit;

use error::{nearest_first, quote};
use kind::{Kind, Quantity};
use number::Decimal;

/// A scalar as it stands in a file, for [`check`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// A string, quoted or plain.
    Text(&'a str),
    /// A number.
    Number {
        /// Its value, used where `text` is not a decimal (`0x1F`).
        value: f64,
        /// The text as written, which is exact.
        text: &'a str,
    },
    /// `true` or `false`.
    Bool(bool),
    /// `null`, `~` or nothing.
    Null,
}

/// The names of all formats that [`check`] knows, as they stand in the schema's `format`.
pub fn formats() -> &'static [&'static str] {
    &["duration", "rate", "bytes", "bandwidth", "share", "cores", "count", "price"]
}

/// Is the scalar a value of the format? Accepts exactly what decoding into the format's type accepts.
///
/// Errors explain the mistake in the value, or list the known formats if the format is unknown.
pub fn check(format: &str, value: Scalar<'_>) -> Result<(), QuantityError> {
    match format {
        "duration" => check_as::<Duration>(value),
        "rate" => check_as::<Rate>(value),
        "bytes" => check_as::<Bytes>(value),
        "bandwidth" => check_as::<Bandwidth>(value),
        "share" => check_as::<Share>(value),
        "cores" => check_as::<Cores>(value),
        "count" => check_as::<Count>(value),
        "price" => check_as::<Price>(value),
        _ => Err(QuantityError::new(format!(
            "unknown format {}; known, nearest first: {}",
            quote(format),
            nearest_first(format, formats().iter().copied()).join(", ")
        ))),
    }
}

fn check_as<Q: Quantity>(value: Scalar<'_>) -> Result<(), QuantityError> {
    let text = match value {
        Scalar::Text(text) => text.to_owned(),
        Scalar::Number { value, text } => match Decimal::scan(text.trim()) {
            Ok((_, "")) => text.to_owned(),
            _ => value.to_string(),
        },
        Scalar::Bool(value) => return Err(wrong_scalar(Q::KIND, &format!("`{value}`"))),
        Scalar::Null => return Err(wrong_scalar(Q::KIND, "nothing")),
    };
    text.parse::<Q>().map(drop)
}

fn wrong_scalar(kind: &Kind, found: &str) -> QuantityError {
    QuantityError::new(format!("{} is expected, not {found}: write {}", kind.noun, kind.write))
}
