//! Lines with checksums: the framing of the files of shares.
//!
//! A line is the XXH64 (seed 0) of its text in 16 hexadecimal digits, a space, the text (JSON), and `\n`. A line that was torn
//! or changed does not match its checksum. `cut -c18- FILE` is the JSON alone.

use crate::engine::hash::Hash;

/// What stands before the text of a line [bytes].
const FRONT: usize = 17;

/// The checksum of some bytes in hexadecimal.
pub fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", Hash::Xxhash.of(bytes, 0))
}

/// A text as a line.
pub fn line(text: &str) -> String {
    format!("{} {text}\n", checksum(text.as_bytes()))
}

/// The text of the line at the beginning of `bytes`, and how long the line is; `None` if it is torn or changed.
pub fn first(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = bytes.get(FRONT..end)?;
    let matches = bytes[..FRONT - 1] == *checksum(text).as_bytes() && bytes[FRONT - 1] == b' ';
    Some((std::str::from_utf8(text).ok().filter(|_| matches)?, end + 1))
}
