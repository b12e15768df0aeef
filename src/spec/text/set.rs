//! Overrides written into a tree: `--set KEY=VALUE`, `set:`, variants and sweeps.
//!
//! Invariants: a failed override changes nothing; scalars and lists on the way are never replaced; what is created has the
//! place of the override, so that errors about it point there. Limit: the nesting limit of the parser.

use super::diagnostic::Diagnostic;
use super::parse::MAX_NESTING;
use super::path::{Path, Segment};
use super::source::Span;
use super::tree::{Entry, Kind, Node, Value};

/// Why an override cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetError {
    /// The part of the path that leads to the obstacle.
    pub at: Path,
    /// The place of the obstacle.
    pub span: Span,
    /// What the obstacle is.
    pub obstacle: Obstacle,
}

/// What stands in the way of an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A key is asked of something that is not a map: a list, or a scalar shorthand, which is never replaced by a map
    /// because what it stood for would be lost silently.
    NotAMap(Kind),
    /// A position is asked of something that is not a list.
    NotAList(Kind),
    /// The list is too short.
    IndexOutOfRange {
        /// The position asked for, from 0.
        index: usize,
        /// How many items there are.
        length: usize,
    },
    /// The tree would become deeper than the parser allows.
    TooDeep,
}

impl SetError {
    /// The error as a diagnostic at the place of the override.
    pub fn diagnostic(&self, override_span: Span) -> Diagnostic {
        let at = if self.at.segments().is_empty() { "the file".to_owned() } else { format!("`{}`", self.at) };
        let (message, help) = match &self.obstacle {
            Obstacle::NotAMap(Kind::List) => {
                (format!("{at} is a list and has no keys"), "name an item by its position, as in `[0]`".to_owned())
            }
            Obstacle::NotAMap(kind) => (
                format!("{at} is {} and has no keys", kind.describe()),
                format!("set {at} as a whole, or write it as a map in the file; a short form is not replaced silently"),
            ),
            Obstacle::NotAList(kind) => {
                (format!("{at} is {} and has no positions", kind.describe()), "name a key instead".to_owned())
            }
            Obstacle::IndexOutOfRange { index, length } => (
                format!("{at} has no item [{index}]"),
                match length {
                    0 => "the list is empty; set it as a whole".to_owned(),
                    _ => format!("its items are [0] to [{}]", length - 1),
                },
            ),
            Obstacle::TooDeep => {
                (format!("{at} is nested too deep to set anything there"), "use a flatter form".to_owned())
            }
        };
        let error = Diagnostic::error(message, override_span).with_label("set here").with_help(help);
        if self.span == override_span { error } else { error.with_secondary(self.span, "this is what the file says") }
    }
}

/// Writes `value` at `path`: replaces what is there, or creates it with all maps on the way, whose place is that of the
/// override. `key:` with nothing after it counts as missing. Lists are never created or lengthened.
///
/// # Errors
/// A [`SetError`], boxed for its size; the tree is then unchanged.
pub fn set(node: &mut Node, path: &Path, value: Node) -> Result<(), Box<SetError>> {
    let fail = |depth: usize, span: Span, obstacle| Box::new(SetError { at: path.prefix(depth), span, obstacle });
    if path.segments().len() + height(&value) > MAX_NESTING {
        return Err(fail(path.segments().len(), value.span, Obstacle::TooDeep));
    }
    // First look whether the way is free, so that a failure changes nothing.
    let mut seen: &Node = node;
    for (depth, segment) in path.segments().iter().enumerate() {
        let next = match (segment, &seen.value) {
            (Segment::Key(key), Value::Map(_)) => seen.entry(key).map(|entry| &entry.value),
            (Segment::Key(_), Value::Null) => None,
            (Segment::Key(_), _) => {
                return Err(fail(depth, seen.span, Obstacle::NotAMap(seen.kind())));
            }
            (Segment::Index(index), Value::List(items)) => match items.get(*index) {
                Some(item) => Some(item),
                None => {
                    let obstacle = Obstacle::IndexOutOfRange { index: *index, length: items.len() };
                    return Err(fail(depth, seen.span, obstacle));
                }
            },
            (Segment::Index(_), _) => {
                return Err(fail(depth, seen.span, Obstacle::NotAList(seen.kind())));
            }
        };
        let Some(next) = next else {
            let later = path.segments().iter().enumerate().skip(depth + 1);
            if let Some((at, _)) = later.clone().find(|(_, segment)| matches!(segment, Segment::Index(_))) {
                return Err(fail(at, value.span, Obstacle::NotAList(Kind::Null)));
            }
            break;
        };
        seen = next;
    }
    write(node, path.segments(), value);
    Ok(())
}

/// Writes along a way that is known to be free.
fn write(node: &mut Node, segments: &[Segment], value: Node) {
    let Some((segment, rest)) = segments.split_first() else {
        *node = value;
        return;
    };
    match segment {
        Segment::Index(index) => {
            if let Value::List(items) = &mut node.value
                && let Some(item) = items.get_mut(*index)
            {
                write(item, rest, value);
            }
        }
        Segment::Key(key) => {
            if node.value == Value::Null {
                *node = Node { span: value.span, value: Value::Map(Vec::new()) };
            }
            let Value::Map(entries) = &mut node.value else {
                return;
            };
            let at = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
                let missing = Node { span: value.span, value: Value::Null };
                entries.push(Entry { key: key.clone(), key_span: value.span, value: missing });
                entries.len() - 1
            });
            write(&mut entries[at].value, rest, value);
        }
    }
}

/// Lists and maps inside each other; 0 for a scalar.
fn height(node: &Node) -> usize {
    let children = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    match node.value {
        Value::List(_) | Value::Map(_) => 1 + children.map(height).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::text::path::span_of;
    use crate::spec::text::{parse::parse, source::Sources, to_json::to_json};

    fn tree(text: &str) -> Node {
        let mut sources = Sources::new();
        let file = sources.add("a", text);
        parse(&sources, file).unwrap()
    }

    #[test]
    fn setting_replaces_and_creates_maps_on_the_way() {
        let mut node = tree("a: { b: 1 }\nl: [x, { c: 2 }]\nn:\n");
        let value = tree("9");
        for path in ["a.b", "a.z.y", "l[1].c", "n.m", "new.deep.er"] {
            set(&mut node, &path.parse().unwrap(), value.clone()).unwrap();
        }
        let expected = serde_json::json!({
            "a": { "b": 9, "z": { "y": 9 } }, "l": ["x", { "c": 9 }], "n": { "m": 9 }, "new": { "deep": { "er": 9 } }
        });
        assert_eq!(to_json(&node), expected);
        assert_eq!(span_of(&node, &"new.deep".parse().unwrap()), Some(value.span));
    }

    #[test]
    fn setting_never_goes_through_scalars_or_past_lists() {
        let before = tree("cpu: 8ms\nl: [1, 2]\n");
        let mut node = before.clone();
        for (path, obstacle) in [
            ("cpu.lognormal.mean", Obstacle::NotAMap(Kind::Text)),
            ("cpu[0]", Obstacle::NotAList(Kind::Text)),
            ("l[2]", Obstacle::IndexOutOfRange { index: 2, length: 2 }),
            ("l.x", Obstacle::NotAMap(Kind::List)),
            ("q.r[0]", Obstacle::NotAList(Kind::Null)),
        ] {
            let error = set(&mut node, &path.parse().unwrap(), tree("1")).unwrap_err();
            assert_eq!(error.obstacle, obstacle, "{path}");
            assert!(error.diagnostic(before.span).help.is_some());
        }
        assert_eq!(node, before);
    }
}
