//! Hash functions as balancers and stores use them to place keys.
//!
//! FNV spreads short strings that differ in their last characters badly: the last byte hardly moves the upper bits
//! (FNV-1 multiplies before it takes the byte in; FNV-1a after). They are here because real systems use them.
//!
//! Sources: G. Fowler, L. C. Noll, P. Vo, FNV (draft-eastlake-fnv, 32 bits, as Go's `hash/fnv`); Y. Collet, xxHash
//! (XXH64), by the crate `twox-hash`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// The start of FNV with 32 bits.
const OFFSET: u32 = 0x811c_9dc5;
/// Its factor.
const PRIME: u32 = 0x0100_0193;

/// A hash function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hash {
    /// FNV-1 with 32 bits (Go's `fnv.New32`): multiply, then take the byte in.
    Fnv1,
    /// FNV-1a with 32 bits (Go's `fnv.New32a`): take the byte in, then multiply.
    Fnv1a,
    /// xxHash with 64 bits (XXH64), as Envoy uses.
    #[default]
    Xxhash,
}

impl Hash {
    /// The hash of some bytes; one of 32 bits stands in the upper half, so that all use the whole range.
    pub fn of(self, bytes: &[u8], seed: u64) -> u64 {
        match self {
            Hash::Fnv1 => u64::from(fnv1(bytes, seed)) << 32,
            Hash::Fnv1a => u64::from(fnv1a(bytes, seed)) << 32,
            Hash::Xxhash => XxHash64::oneshot(seed, bytes),
        }
    }

    /// The hash of a number, written in decimal digits as keys usually are.
    pub fn of_number(self, number: u32) -> u64 {
        let mut digits = [0; 10];
        self.of(decimal(number, &mut digits), 0)
    }

    /// The remainder of the hash, as `hash % n` gives it; a hash of 32 bits counts with these.
    pub fn modulo(self, hash: u64, n: u64) -> u64 {
        let value = if self == Hash::Xxhash { hash } else { hash >> 32 };
        value % n.max(1)
    }
}

/// Writes a number in decimal digits.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut begin = digits.len();
    loop {
        begin -= 1;
        digits[begin] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[begin..];
        }
    }
}

/// FNV-1; a seed other than 0 changes the start.
fn fnv1(bytes: &[u8], seed: u64) -> u32 {
    bytes.iter().fold(OFFSET ^ seed as u32, |hash, byte| hash.wrapping_mul(PRIME) ^ u32::from(*byte))
}

/// FNV-1a; a seed other than 0 changes the start.
fn fnv1a(bytes: &[u8], seed: u64) -> u32 {
    bytes.iter().fold(OFFSET ^ seed as u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_are_met() {
        // draft-eastlake-fnv, test vectors of 32 bits; XXH64 of the empty string and of "a" with seed 0.
        assert_eq!(fnv1(b"", 0), 0x811c_9dc5);
        assert_eq!(fnv1(b"foobar", 0), 0x31f0_b262);
        assert_eq!(fnv1a(b"foobar", 0), 0xbf9c_f968);
        assert_eq!(Hash::Xxhash.of(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(Hash::Xxhash.of(b"a", 0), 0xd24e_c4f1_a98c_6e5b);
    }

    #[test]
    fn numbers_are_hashed_as_their_digits() {
        for number in [0, 7, 10, 4_294_967_295] {
            assert_eq!(Hash::Fnv1a.of_number(number), Hash::Fnv1a.of(number.to_string().as_bytes(), 0));
        }
        assert_eq!(Hash::Fnv1a.modulo(Hash::Fnv1a.of(b"foobar", 0), 10), 0xbf9c_f968 % 10);
    }
}
