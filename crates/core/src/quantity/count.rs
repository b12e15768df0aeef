//! Whole numbers of things: `50`, `1_000`, `100k`, `1M`, `1e6`.

use super::QuantityError;
use super::error::quote;
use super::kind::{Kind, decimal, quantity};

pub(super) const KIND: Kind = Kind {
    format: "count",
    noun: "a count",
    description: "A whole number, optionally with k, M or G (thousands, millions, billions).",
    write: "50, 100k or 1M",
    limit: "18446744073709551615",
    hint: "",
    examples: &["50", "100k", "1M"],
    bare: Some("integer"),
    units: &[decimal("", 0), decimal("k", 3), decimal("M", 6), decimal("G", 9)],
};

/// A whole number of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Count {
    count: u64,
}

impl Count {
    /// So many.
    pub const fn new(count: u64) -> Self {
        Self { count }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.count
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        // A text that rounds to zero is not whole either: one message for both.
        let (number, unit) = KIND.split(text)?;
        match number.to_u64(unit.scale) {
            Some((count, true)) => Ok(Self { count }),
            Some((_, false)) => Err(QuantityError::new(format!(
                "a count must be a whole number: write {}, not {}",
                KIND.write,
                quote(text.trim())
            ))),
            None => Err(KIND.too_large(text)),
        }
    }

    fn print(self) -> String {
        KIND.print_u64(self.count)
    }
}

quantity!(Count, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_integers_and_texts() {
        for text in ["100000", "1e5", "\"100k\"", "\"0.1M\"", "\"100_000\""] {
            assert_eq!(serde_json::from_str::<Count>(text).unwrap(), Count::new(100_000));
        }
        assert_eq!(Count::new(100_000).to_string(), "100k");
        assert_eq!(Count::new(1500).to_string(), "1500");
    }

    #[test]
    fn fractions_and_overflow_are_errors() {
        let error = |text: &str| text.parse::<Count>().unwrap_err().to_string();
        assert!(error("1.5").contains("whole number"));
        assert!(error("1.2345k").contains("whole number"));
        assert!(error("99999999999G").contains("too large"));
        assert!(error("5K").contains("nearest first: k"));
    }
}
