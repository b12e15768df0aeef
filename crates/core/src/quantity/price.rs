//! Prices of running something: currency units per hour, written `0.20/h`, `2/d`, `150/month`.
//!
//! A month is 730 hours (8760 hours a year ÷ 12), the convention of cloud price lists. The currency is the user's.

use super::QuantityError;
use super::kind::{Kind, decimal, quantity, scaled};

const KIND: Kind = Kind {
    format: "price",
    noun: "a price",
    description: "Currency units per time: /h, /d (24 h) or /month (730 h).",
    write: "0.20/h, 2/d or 150/month",
    limit: "about 1.8e308/h",
    hint: "",
    examples: &["0.20/h", "2/d", "150/month"],
    bare: None,
    units: &[decimal("/h", 0), scaled("/d", 0, 1, 24), scaled("/month", 0, 1, 730)],
};

/// Currency units per hour, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Price {
    per_hour: f64,
}

impl Price {
    /// So many currency units per hour, in 1/h. Errors if the value is negative or not finite.
    pub fn from_per_hour(per_hour: f64) -> Result<Self, QuantityError> {
        KIND.accept(per_hour).map(|per_hour| Self { per_hour })
    }

    /// The price in currency units per hour.
    pub const fn per_hour(self) -> f64 {
        self.per_hour
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        KIND.read_f64(text).map(|per_hour| Self { per_hour })
    }

    fn print(self) -> String {
        KIND.print_f64(self.per_hour)
    }
}

quantity!(Price, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_per_hour() {
        assert_eq!("0.20/h".parse::<Price>().unwrap().per_hour(), 0.2);
        assert_eq!("2/d".parse::<Price>().unwrap().per_hour(), 2.0 / 24.0);
        assert_eq!("150/month".parse::<Price>().unwrap().per_hour(), 150.0 / 730.0);
        assert_eq!("150/month".parse::<Price>().unwrap().to_string(), "150/month");
    }

    #[test]
    fn a_price_without_its_time_is_an_error() {
        assert_eq!(
            "0.20".parse::<Price>().unwrap_err().to_string(),
            "a price needs a unit: write 0.20/h, 2/d or 150/month"
        );
    }
}
