//! Rates of events: written `400/s`, `10k/s`, `600/min`.

use super::QuantityError;
use super::kind::{Kind, decimal, quantity, scaled, synonym};

const KIND: Kind = Kind {
    format: "rate",
    noun: "a rate",
    description: "Events per time: a number, optionally k, M or G (thousands, millions, billions), then /ms, /s, /min, /h or /d.",
    write: "400/s, 10k/s or 600/min",
    limit: "about 1.8e308/s",
    hint: "",
    examples: &["400/s", "10k/s", "600/min"],
    bare: None,
    units: &[
        decimal("/s", 0),
        decimal("k/s", 3),
        decimal("M/s", 6),
        decimal("G/s", 9),
        scaled("/min", 0, 1, 60),
        scaled("/h", 0, 1, 3_600),
        scaled("/d", 0, 1, 86_400),
        synonym(decimal("/ms", 3)),
        synonym(decimal("k/ms", 6)),
        synonym(decimal("M/ms", 9)),
        synonym(decimal("G/ms", 12)),
        synonym(scaled("k/min", 3, 1, 60)),
        synonym(scaled("M/min", 6, 1, 60)),
        synonym(scaled("G/min", 9, 1, 60)),
        synonym(scaled("k/h", 3, 1, 3_600)),
        synonym(scaled("M/h", 6, 1, 3_600)),
        synonym(scaled("G/h", 9, 1, 3_600)),
        synonym(scaled("k/d", 3, 1, 86_400)),
        synonym(scaled("M/d", 6, 1, 86_400)),
        synonym(scaled("G/d", 9, 1, 86_400)),
    ],
};

/// Events per second, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate {
    per_second: f64,
}

impl Rate {
    /// So many events per second, in 1/s. Errors if the value is negative or not finite.
    pub fn from_per_second(per_second: f64) -> Result<Self, QuantityError> {
        KIND.accept(per_second).map(|per_second| Self { per_second })
    }

    /// The rate, in 1/s.
    pub const fn per_second(self) -> f64 {
        self.per_second
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        KIND.read_f64(text).map(|per_second| Self { per_second })
    }

    fn print(self) -> String {
        KIND.print_f64(self.per_second)
    }
}

quantity!(Rate, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_per_second() {
        for (text, per_second) in [
            ("400/s", 400.0),
            ("10k/s", 1e4),
            ("1.5 M/s", 1.5e6),
            ("600/min", 10.0),
            ("30/h", 30.0 / 3600.0),
            ("1/d", 1.0 / 86_400.0),
            ("2/ms", 2000.0),
            ("1_000/s", 1000.0),
        ] {
            // Exact: one division of exactly representable numbers is what both sides do.
            assert_eq!(text.parse::<Rate>().unwrap().per_second(), per_second);
        }
    }

    #[test]
    fn the_shortest_text_is_printed() {
        for text in ["400/s", "12k/s", "30/h", "0.5/s", "0/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let error = |text: &str| text.parse::<Rate>().unwrap_err().to_string();
        assert_eq!(error("400"), "a rate needs a unit: write 400/s, 10k/s or 600/min");
        assert!(error("400/sec").contains("nearest first: /s"));
        assert!(error("1e308M/s").contains("too large"));
        assert!(error("1e-400/s").contains("too small"));
        assert!(Rate::from_per_second(f64::NAN).is_err());
        assert!(Rate::from_per_second(-1.0).is_err());
    }
}
