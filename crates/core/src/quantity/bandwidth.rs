//! Bandwidths: bytes per second, written in bits (`1Gbps`, `1Gbit/s`) or in bytes (`125MB/s`, `1GiB/s`).

use super::QuantityError;
use super::kind::{Kind, decimal, quantity, scaled, synonym};

const KIND: Kind = Kind {
    format: "bandwidth",
    noun: "a bandwidth",
    description: "Data per second with its unit: in bits as bps, kbps, Mbps, Gbps, Tbps (or bit/s, kbit/s, ...), in bytes as B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s.",
    write: "1Gbps, 100Mbps or 125MB/s",
    limit: "about 1.8e308B/s",
    hint: "Gbps counts bits, GB/s counts bytes",
    examples: &["1Gbps", "100Mbps", "125MB/s"],
    bare: None,
    units: &[
        scaled("bps", 0, 1, 8),
        scaled("kbps", 3, 1, 8),
        scaled("Mbps", 6, 1, 8),
        scaled("Gbps", 9, 1, 8),
        scaled("Tbps", 12, 1, 8),
        decimal("B/s", 0),
        decimal("kB/s", 3),
        decimal("MB/s", 6),
        decimal("GB/s", 9),
        decimal("TB/s", 12),
        scaled("KiB/s", 0, 1 << 10, 1),
        scaled("MiB/s", 0, 1 << 20, 1),
        scaled("GiB/s", 0, 1 << 30, 1),
        scaled("TiB/s", 0, 1 << 40, 1),
        synonym(decimal("KB/s", 3)),
        synonym(scaled("bit/s", 0, 1, 8)),
        synonym(scaled("kbit/s", 3, 1, 8)),
        synonym(scaled("Mbit/s", 6, 1, 8)),
        synonym(scaled("Gbit/s", 9, 1, 8)),
        synonym(scaled("Tbit/s", 12, 1, 8)),
    ],
};

/// Bytes per second, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Bandwidth {
    bytes_per_second: f64,
}

impl Bandwidth {
    /// So many bytes per second, in B/s. Errors if the value is negative or not finite.
    pub fn from_bytes_per_second(bytes_per_second: f64) -> Result<Self, QuantityError> {
        KIND.accept(bytes_per_second).map(|bytes_per_second| Self { bytes_per_second })
    }

    /// The bandwidth, in B/s.
    pub const fn bytes_per_second(self) -> f64 {
        self.bytes_per_second
    }

    fn read(text: &str) -> Result<Self, QuantityError> {
        KIND.read_f64(text).map(|bytes_per_second| Self { bytes_per_second })
    }

    fn print(self) -> String {
        KIND.print_f64(self.bytes_per_second)
    }
}

quantity!(Bandwidth, KIND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_bytes_are_told_apart() {
        for (text, bytes_per_second) in [
            ("1Gbps", 125e6),
            ("1 Gbit/s", 125e6),
            ("100Mbps", 12.5e6),
            ("10kbps", 1250.0),
            ("125MB/s", 125e6),
            ("1GiB/s", 1_073_741_824.0),
        ] {
            // Exact: powers of ten move the exponent, ÷ 8 and × 2ⁿ are exact.
            assert_eq!(text.parse::<Bandwidth>().unwrap().bytes_per_second(), bytes_per_second);
        }
        assert_eq!("125MB/s".parse::<Bandwidth>().unwrap().to_string(), "1Gbps");
    }

    #[test]
    fn an_ambiguous_unit_is_an_error_that_explains_bits_and_bytes() {
        for text in ["2gb", "2Gb", "2GB", "2gbps", "2G"] {
            let error = text.parse::<Bandwidth>().unwrap_err().to_string();
            assert!(error.ends_with("Gbps counts bits, GB/s counts bytes"), "{error}");
        }
    }
}
