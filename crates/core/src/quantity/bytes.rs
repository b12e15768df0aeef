//! Amounts of data: whole bytes, written `20KB`, `2GiB`.
//!
//! Decimal units (`kB`, `MB`, ...) are powers of 1000, binary ones (`KiB`, `MiB`, ...) powers of 1024 (IEC 80000-13).
//! `KB` is read as `kB`. A fraction of a byte (`0.3KiB`) is rounded to the nearest byte.

use super::QuantityError;
use super::kind::{Kind, decimal, quantity, scaled, synonym};

const KIND: Kind = Kind {
    format: "bytes",
    noun: "a size",
    description: "An amount of data with its unit: B, kB or KB (1000 B), MB, GB, TB, KiB (1024 B), MiB, GiB, TiB. Rounded to the nearest byte.",
    write: "20KB, 512MiB or 2GiB",
    limit: "about 16777216TiB",
    hint: "GB is 1000³ bytes, GiB is 1024³ bytes",
    examples: &["20KB", "512MiB", "2GiB"],
    bare: None,
    units: &[
        decimal("B", 0),
        decimal("kB", 3),
        decimal("MB", 6),
        decimal("GB", 9),
        decimal("TB", 12),
        scaled("KiB", 0, 1 << 10, 1),
        scaled("MiB", 0, 1 << 20, 1),
        scaled("GiB", 0, 1 << 30, 1),
        scaled("TiB", 0, 1 << 40, 1),
        synonym(decimal("KB", 3)),
    ],
};

/// An amount of data in whole bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes {
    bytes: u64,
}

impl Bytes {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self { bytes }
    }

    /// The amount, in B.
    pub const fn as_u64(self) -> u64 {
        self.bytes
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        KIND.read_u64(text).map(|(bytes, _)| Self { bytes })
    }

    fn print(self) -> String {
        KIND.print_u64(self.bytes)
    }
}

quantity!(Bytes, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> u64 {
        text.parse::<Bytes>().unwrap().as_u64()
    }

    #[test]
    fn decimal_and_binary_units_differ() {
        assert_eq!(bytes("20KB"), 20_000);
        assert_eq!(bytes("20kB"), 20_000);
        assert_eq!(bytes("2 GiB"), 2 << 30);
        assert_eq!(bytes("1.5KiB"), 1536);
        assert_eq!(bytes("0.3KiB"), 307);
        assert_eq!(Bytes::new(2 << 30).to_string(), "2GiB");
        assert_eq!(Bytes::new(20_000).to_string(), "20kB");
    }

    #[test]
    fn a_wrong_case_is_explained_and_not_guessed() {
        let error = "2gb".parse::<Bytes>().unwrap_err().to_string();
        assert!(error.starts_with("`gb` is not a unit of a size in `2gb`; known, nearest first: GB,"), "{error}");
        assert!("2Gi".parse::<Bytes>().unwrap_err().to_string().contains("first: GiB"));
        assert!("99999999TiB".parse::<Bytes>().is_err());
        assert!("0.2B".parse::<Bytes>().is_err());
    }
}
