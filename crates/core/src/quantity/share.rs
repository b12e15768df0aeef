//! Shares of a whole: from 0 to 1, written `80%`, `0.2%`.

use super::QuantityError;
use super::kind::{Kind, decimal, quantity};

const KIND: Kind = Kind {
    format: "share",
    noun: "a share",
    description: "A share of a whole in percent, from 0% to 100%.",
    write: "80% or 0.2%",
    limit: "100%",
    hint: "",
    examples: &["80%", "0.2%"],
    bare: None,
    units: &[decimal("%", -2)],
};

/// A share of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Share {
    fraction: f64,
}

impl Share {
    /// A share as a fraction from 0 to 1. Errors outside of it.
    pub fn from_fraction(fraction: f64) -> Result<Self, QuantityError> {
        let fraction = KIND.accept(fraction)?;
        if fraction > 1.0 {
            return Err(KIND.too_large(&fraction.to_string()));
        }
        Ok(Self { fraction })
    }

    /// The share as a fraction from 0 to 1.
    pub const fn fraction(self) -> f64 {
        self.fraction
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        let fraction = KIND.read_f64(text)?;
        if fraction > 1.0 {
            return Err(KIND.too_large(text));
        }
        Ok(Self { fraction })
    }

    fn print(self) -> String {
        KIND.print_f64(self.fraction)
    }
}

quantity!(Share, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_become_exact_fractions() {
        // Exact: `%` moves the decimal exponent before the one rounding.
        assert_eq!("0.2%".parse::<Share>().unwrap().fraction(), 0.002);
        assert_eq!("80 %".parse::<Share>().unwrap().to_string(), "80%");
        assert_eq!("100%".parse::<Share>().unwrap().fraction(), 1.0);
    }

    #[test]
    fn more_than_the_whole_and_bare_numbers_are_errors() {
        let error = |text: &str| text.parse::<Share>().unwrap_err().to_string();
        assert_eq!(error("100.1%"), "`100.1%` is too large for a share: at most 100%");
        assert_eq!(error("0.8"), "a share needs a unit: write 80% or 0.2%");
        assert!(Share::from_fraction(1.5).is_err());
    }
}
