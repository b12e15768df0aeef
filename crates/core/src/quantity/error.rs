//! The one error of this floor: a sentence for the person who wrote the value.

use std::fmt;

/// Longest piece of the user's text that a message repeats [characters].
const QUOTE_LIMIT: usize = 40;

/// Why a text is not a value of the wanted quantity. Its `Display` is a complete sentence that says how to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityError {
    message: String,
}

impl QuantityError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// The sentence, without position: the reader of the file adds file, line and column.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QuantityError {}

/// The user's text between back quotes: control characters replaced, long texts cut.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTE_LIMIT).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(QUOTE_LIMIT).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The known names, nearest to `wanted` first; of equally near ones those that it abbreviates (`Gi` for `GiB`), then in
/// the order of `known`. Empty names are left out.
pub(super) fn nearest_first<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let characters: Vec<char> = wanted.chars().take(QUOTE_LIMIT).collect();
    let mut names: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
    names.sort_by_cached_key(|name| (distance(&characters, name), !name.starts_with(wanted)));
    names
}

/// Levenshtein's edit distance (1966) in half edits: a change of case alone counts half, because `gb` is nearer to
/// `GB` than to `kB`.
fn distance(wanted: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=wanted.len()).map(|i| 2 * i).collect();
    for c in name.chars() {
        let mut diagonal = row[0];
        row[0] += 2;
        for (i, w) in wanted.iter().enumerate() {
            let substitution = if *w == c {
                0
            } else if w.eq_ignore_ascii_case(&c) {
                1
            } else {
                2
            };
            let best = (diagonal + substitution).min(row[i] + 2).min(row[i + 1] + 2);
            diagonal = row[i + 1];
            row[i + 1] = best;
        }
    }
    row[wanted.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_case_is_nearer_than_a_wrong_letter_and_an_abbreviation_wins_a_tie() {
        let known = || ["kB", "MB", "GB", "GiB"].into_iter();
        assert_eq!(nearest_first("gb", known())[0], "GB");
        assert_eq!(nearest_first("Gi", known())[..2], ["GiB", "GB"]);
    }

    #[test]
    fn a_long_text_is_cut_and_control_characters_are_not_repeated() {
        assert_eq!(quote("a\nb"), "`a\u{FFFD}b`");
        assert_eq!(quote(&"x".repeat(50)).chars().count(), QUOTE_LIMIT + 3);
    }
}
