//! Input that is damaged or meant to hurt: never a panic, never a hang, always a tree or diagnostics.

use proptest::prelude::*;

use super::super::diagnostic::render;
use super::super::parse::parse;
use super::super::source::Sources;
use super::super::to_json::to_json;
use super::{Model, VALID, diagnose, rendered};

#[test]
fn hostile_sizes_are_refused_quickly() {
    let bomb: String = (1..40)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(",")))
        .collect();
    let text_bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(","));
    let many = format!("[{}]", "1,".repeat(1_500_000));
    for (text, expected) in [
        (format!("a0: &a0 x\n{bomb}"), "more than 1000000 values"),
        (text_bomb, "bytes of text"),
        (many, "more than 1000000 values"),
        ("[".repeat(100_000), "nested more than 64 deep"),
        ("{a: ".repeat(100_000), "nested more than 64 deep"),
        ("- ".repeat(100_000), "nested more than 64 deep"),
        ((0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(), "nested more than 64 deep"),
        ("a: &a [*a]".to_owned(), "inside the part that it names"),
        ("a: 1\n---\nb: 2\n".to_owned(), "more than one YAML document"),
        ("a: .inf".to_owned(), "not a finite number"),
        ("~: 1".to_owned(), "a key must be text, not nothing"),
    ] {
        let message = rendered(&text);
        assert!(message.contains(expected), "{expected}: {}", &message[..message.len().min(2000)]);
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut sources = Sources::new();
    let [fits, deep] = [64, 65].map(|depth| sources.add("n", &nested(depth)));
    assert!(parse(&sources, fits).is_ok());
    assert!(parse(&sources, deep).is_err());
}

#[test]
fn numbers_as_keys_are_their_text_and_truth_words_stay_text() {
    let mut sources = Sources::new();
    let file = sources.add("k", "1: a\n2.50: b\nyes: on\n\"~\": c\n");
    let json = to_json(&parse(&sources, file).unwrap());
    assert_eq!(json, serde_json::json!({ "1": "a", "2.50": "b", "yes": "on", "~": "c" }));
}

/// One random damage to a text.
fn damaged(text: &str, kind: u8, at: prop::sample::Index, length: usize, byte: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    let end = (at + length).min(bytes.len());
    match kind {
        0 => bytes[at] ^= byte.max(1),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        3 => bytes.truncate(at),
        _ => bytes[at] = b":-{}[]&*#'\"|>%@\t\n ,?!"[usize::from(byte) % 21],
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No damage makes the layer panic, and what passes the check decodes (asserted in `diagnose`).
    #[test]
    fn damaged_models_give_diagnostics_or_decode(
        damages in prop::collection::vec((0u8..5, any::<prop::sample::Index>(), 1usize..60, any::<u8>()), 1..4),
    ) {
        let mut text = VALID.to_owned();
        for (kind, at, length, byte) in damages {
            if !text.is_empty() {
                text = String::from_utf8_lossy(&damaged(&text, kind, at, length, byte)).into_owned();
            }
        }
        let (sources, found) = diagnose::<Model>(&text);
        let shown = render(&found, &sources, false);
        prop_assert_eq!(found.is_empty(), shown.is_empty());
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    }

    /// Any bytes are text or a diagnostic, and any text is a tree or diagnostics.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut sources = Sources::new();
        let found = match sources.add_bytes("any", &bytes) {
            Ok(file) => parse(&sources, file).err().unwrap_or_default(),
            Err(error) => vec![*error],
        };
        render(&found, &sources, true);
    }
}

#[test]
fn a_wide_map_of_mistakes_is_reported_completely() {
    let text: String = (0..40_000).map(|key| format!("k{key}: 1\n")).collect();
    let (sources, found) = diagnose::<Model>(&text);
    // One for each key, and one for the missing `clients`.
    assert_eq!(found.len(), 40_001);
    assert!(render(&found, &sources, false).ends_with("... and 39951 more\n"));
}
