//! The ways of typing that the check understands, each decoded by serde when it passes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::diagnostic::render;
use super::{Duration, diagnose};

#[derive(Deserialize, JsonSchema)]
struct Sink {
    #[serde(flatten)]
    common: Common,
    #[serde(flatten)]
    source: Source,
    policy: Option<Policy>,
    pair: Option<(u8, String)>,
    by_number: Option<BTreeMap<u32, Duration>>,
    set: Option<BTreeSet<String>>,
    next: Option<Box<Sink>>,
    either: Option<Either>,
    truth: Option<bool>,
    signed: Option<i8>,
    real: Option<f32>,
}

#[derive(Deserialize, JsonSchema)]
struct Common {
    /// A name.
    #[schemars(regex(pattern = "^[a-z]+$"), length(max = 8))]
    name: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// Read it.
    File(String),
    /// Draw it.
    Random { seed: u64 },
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Policy {
    /// Follows a target.
    Hpa { target: f64 },
    /// Follows a table.
    Steps { table: Vec<(f64, u32)> },
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Either {
    Range { from: f64, to: f64, points: u32 },
    Values { values: Vec<f64> },
    One(f64),
    Many(Vec<Duration>),
    Plenty(Vec<f64>),
}

const VALID: &str = "\
name: abc
file: x
policy: { kind: hpa, target: 0.5 }
pair: [ 1, a ]
by_number: { 1: 5s, 22: 6s }
set: [ a, b ]
next:
  random: { seed: 18446744073709551615 }
  policy: { kind: steps, table: [ [ 1, 2 ], [ 0.5, 3 ] ] }
  either: { from: 1, to: 2, points: 3 }
  next: { file: y, either: [ 1s, 2s ], next: { file: z, either: [ 1, 2 ], truth: true, signed: -3, real: 1e3 } }
either: { values: [ 1, 2.5 ] }
";

fn shown(text: &str) -> String {
    let (sources, found) = diagnose::<Sink>(text);
    render(&found, &sources, false)
}

#[test]
fn every_way_of_typing_passes_when_it_is_right() {
    assert_eq!(shown(VALID), "");
}

#[test]
fn every_way_of_typing_is_judged_by_the_alternative_that_was_meant() {
    for (old, new, expected) in [
        ("kind: hpa", "kind: hpb", "unknown `kind` in `policy`"),
        ("kind: hpa, ", "", "missing key `kind` in `policy`"),
        ("target", "taget", "did you mean `target`?"),
        ("[ 1, a ]", "[ 1 ]", "`pair` has 1 items; at least 2"),
        ("[ 1, a ]", "[ 300, a ]", "`pair[0]` must be at most 255"),
        ("22: 6s", "x: 6s", "unknown key `x` in `by_number`"),
        ("[ a, b ]", "[ a, a ]", "`set` holds the same item twice"),
        ("points: 3", "ponts: 3", "did you mean `points`?"),
        ("points: 3", "points: 3, values: [1]", "takes one of"),
        ("file: x", "fle: x", "did you mean `file`?"),
        ("name: abc", "name: Abc", "`name` must be text that matches"),
        ("name: abc", "nme: abc", "did you mean `name`?"),
        ("signed: -3", "signed: -300", "must be at least -128"),
        ("truth: true", "truth: yes", "write `true` or `false`"),
        ("[ 1s, 2s ]", "[ 1s, 2 ]", "`next.next.either[1]` must be a duration"),
        ("18446744073709551615", "18446744073709551616", "from 0 to 18446744073709551615"),
    ] {
        assert!(VALID.contains(old), "{old}");
        let shown = shown(&VALID.replacen(old, new, 1));
        assert!(shown.contains(expected), "{new}: {shown}");
        assert_eq!(shown.matches("error: ").count(), 1, "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Values exchanged at random pass the check only if serde takes them (asserted in `diagnose`).
    #[test]
    fn what_passes_the_check_decodes(
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let words = |text: &str| text.split_inclusive([' ', '\n']).map(str::to_owned).collect::<Vec<_>>();
        let mut all = words(VALID);
        let (from, to) = (from.index(all.len()), to.index(all.len()));
        all[to] = all[from].clone();
        shown(&all.concat());
    }
}
