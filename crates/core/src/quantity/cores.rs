//! Processor cores: a bare number (`4`, `0.5`) or Kubernetes' millicores (`500m`). More than zero.

use super::QuantityError;
use super::kind::{Kind, decimal, quantity};

pub(super) const KIND: Kind = Kind {
    format: "cores",
    noun: "a number of cores",
    description: "Processor cores, more than 0: a number, or thousandths of a core as in Kubernetes (500m).",
    write: "4, 0.5 or 500m",
    limit: "about 1.8e308",
    hint: "",
    examples: &["4", "0.5", "500m"],
    bare: Some("number"),
    units: &[decimal("", 0), decimal("m", -3)],
};

/// A number of processor cores, finite and more than zero; fractions are allowed.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Cores {
    cores: f64,
}

impl Cores {
    /// So many cores. Errors unless finite and more than zero.
    pub fn new(cores: f64) -> Result<Self, QuantityError> {
        KIND.accept(cores).and_then(Self::positive)
    }

    /// The number of cores.
    pub const fn get(self) -> f64 {
        self.cores
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        KIND.read_f64(text).and_then(Self::positive)
    }

    fn positive(cores: f64) -> Result<Self, QuantityError> {
        if cores == 0.0 {
            return Err(QuantityError::new(format!("{} must be more than zero: write {}", KIND.noun, KIND.write)));
        }
        Ok(Self { cores })
    }

    fn print(self) -> String {
        KIND.print_f64(self.cores)
    }
}

quantity!(Cores, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_millicores_are_read() {
        assert_eq!("500m".parse::<Cores>().unwrap().get(), 0.5);
        assert_eq!(serde_json::from_str::<Cores>("4").unwrap().get(), 4.0);
        assert_eq!(serde_json::from_str::<Cores>("0.5").unwrap().get(), 0.5);
        assert_eq!("250m".parse::<Cores>().unwrap().to_string(), "0.25");
        assert_eq!("1m".parse::<Cores>().unwrap().to_string(), "1m");
    }

    #[test]
    fn zero_and_negative_cores_are_errors() {
        assert!("0".parse::<Cores>().is_err());
        assert!(serde_json::from_str::<Cores>("-1").is_err());
        assert!(Cores::new(f64::INFINITY).is_err());
    }
}
