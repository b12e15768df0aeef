//! The check of a spanned tree against the schema of the serde types: all errors at once.
//!
//! If nothing is reported, `serde_json::from_value(to_json(node))` of the types that gave the schema succeeds, provided
//! that the callback refuses every text that their own `Deserialize` would refuse. Each mistake is reported once, where it
//! was made, about the alternative that was meant: an alternative is chosen by kind and by keys, never by trying all of
//! them, so the time is proportional to the size of the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::explain::{cut, expected, keys_of, listing, nearest, quoted, read};
use super::path::{Path, Segment};
use super::schema::Schema;
use super::shape::Shape;
use super::source::Span;
use super::to_json::to_json;
use super::tree::{Entry, Kind, Node, Value};
use super::yaml_error::assignment;

/// A scalar whose schema has a format of the caller's own, such as `duration`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Text, quoted or not.
    Text(&'a str),
    /// A number, which for a dimensioned value usually means that its unit was forgotten.
    Number {
        /// As written.
        text: &'a str,
        /// Its value; finite.
        value: f64,
    },
}

/// Judges a scalar by the name of its format; the error is a sentence part shown beside the mark, such as "write the unit,
/// as in `50ms`". Formats that the caller does not know are its to accept. Accepting a number does not allow it where the
/// schema wants text.
pub type FormatCheck<'a> = dyn Fn(&str, Scalar<'_>) -> Result<(), String> + 'a;

/// Checks `node` against `schema` and returns all errors, in the order of the tree.
pub fn check(node: &Node, schema: &Schema, formats: &FormatCheck<'_>) -> Vec<Diagnostic> {
    let mut checker = Checker { schema, formats, path: Path::root(), errors: Vec::new() };
    let head = node.entries().first().map_or(node.span, |entry| entry.key_span);
    checker.node(node, schema.root(), head);
    // An aliased part is checked at each of its uses; what is wrong inside it is said once.
    let mut seen = BTreeSet::new();
    let mut errors = checker.errors;
    errors.retain(|e| seen.insert((e.span, e.label.clone(), e.notes.clone(), e.help.clone(), e.secondary.clone())));
    errors
}

/// The walk. `head` is always the place that stands for a map or list in messages: the key that holds it.
pub(super) struct Checker<'s> {
    pub(super) schema: &'s Schema,
    pub(super) formats: &'s FormatCheck<'s>,
    pub(super) path: Path,
    pub(super) errors: Vec<Diagnostic>,
}

impl<'s> Checker<'s> {
    /// The place in the tree, for messages.
    pub(super) fn here(&self) -> String {
        if self.path.segments().is_empty() { "the file".to_owned() } else { format!("`{}`", self.path) }
    }

    pub(super) fn shapes(&self, schema: &'s Json) -> Arc<[Shape<'s>]> {
        self.schema.shapes(schema)
    }

    fn node(&mut self, node: &Node, schema: &'s Json, head: Span) {
        let shapes = self.shapes(schema);
        let fitting: Vec<&Shape<'s>> = shapes.iter().filter(|shape| shape.accepts(node.kind())).collect();
        match &node.value {
            Value::Map(_) if !fitting.is_empty() => {
                if let Some((shape, ignored)) = self.choose(node, &shapes, &fitting, head) {
                    self.map(node, shape, &ignored, head);
                }
            }
            Value::List(items) if !fitting.is_empty() => self.list(items, node, &fitting, head),
            Value::Map(_) | Value::List(_) | Value::Null if fitting.is_empty() => self.wrong_kind(node, &shapes, head),
            _ => self.scalar(node, &shapes, head),
        }
    }

    fn child(&mut self, segment: Segment, node: &Node, schemas: impl Iterator<Item = &'s Json>, head: Span) {
        self.path.push(segment);
        schemas.for_each(|schema| self.node(node, schema, head));
        self.path.pop();
    }

    /// Checks a map against the alternative that was chosen; `ignored` keys were reported already.
    fn map(&mut self, node: &Node, shape: &Shape<'s>, ignored: &[&str], head: Span) {
        let mut guessed: Vec<&str> = Vec::new();
        let absent = |key: &&str| node.entry(key).is_none();
        let free: Vec<&'s str> = shape.properties.iter().map(|&(key, _)| key).filter(absent).collect();
        for entry in node.entries().iter().filter(|entry| !ignored.contains(&entry.key.as_str())) {
            let key = Node { span: entry.key_span, value: Value::Text { text: entry.key.clone(), quoted: true } };
            for names in &shape.property_names {
                self.child(Segment::Key(entry.key.clone()), &key, std::iter::once(*names), entry.key_span);
            }
            let by_pattern =
                shape.pattern_properties.iter().filter(|(pattern, _)| self.schema.matches(pattern, &entry.key));
            let mut schemas: Vec<&'s Json> =
                by_pattern.map(|&(_, schema)| schema).chain(shape.property(&entry.key)).collect();
            if schemas.is_empty() {
                if shape.is_closed() {
                    guessed.extend(self.unknown_key(entry, &free, shape));
                    continue;
                }
                schemas.extend(&shape.additional);
            }
            self.child(Segment::Key(entry.key.clone()), &entry.value, schemas.into_iter(), entry.key_span);
        }
        let is_missing = |key: &&&str| node.entry(key).is_none() && !guessed.contains(*key);
        let missing: Vec<&str> = shape.required.iter().filter(is_missing).copied().collect();
        if !missing.is_empty() {
            self.missing_keys(&missing, shape, head);
        }
        let count = (node.entries().len(), "keys");
        self.check_count(count, shape, ["minProperties", "maxProperties"], head);
    }

    /// Reports a key that is not declared and returns the one of the `free` declared keys that was probably meant.
    fn unknown_key(&mut self, entry: &Entry, free: &[&'s str], shape: &Shape<'s>) -> Option<&'s str> {
        let allowed = keys_of(self.schema, shape);
        let near = nearest(&entry.key, free.iter().copied());
        let message = format!("unknown key `{}` in {}", cut(&entry.key), self.here());
        let label = near.map_or_else(|| "not a key of this part".to_owned(), |near| format!("did you mean `{near}`?"));
        let mut error = Diagnostic::error(message, entry.key_span).with_label(label);
        if !allowed.is_empty() {
            error = error.with_note(listing("allowed here", &allowed, near));
        } else if let Some((pattern, _)) = shape.pattern_properties.first() {
            error = error.with_note(format!("keys here match `{pattern}`"));
        }
        self.errors.push(match near {
            Some(near) => error.with_help(format!("write `{near}`")),
            None => error.with_help("remove the key or move it to the part that it belongs to"),
        });
        near
    }

    fn missing_keys(&mut self, missing: &[&str], shape: &Shape<'s>, head: Span) {
        let plural = if missing.len() == 1 { "key" } else { "keys" };
        let message = format!("missing {plural} {} in {}", quoted(missing), self.here());
        let mut known = keys_of(self.schema, shape);
        known.retain(|(key, _)| missing.contains(key));
        let error = Diagnostic::error(message, head).with_label(format!("this needs {}", quoted(missing)));
        let error = error.with_help(format!("add `{}: ...`", missing.first().unwrap_or(&"")));
        self.errors.push(if known.is_empty() {
            error
        } else {
            error.with_note(listing("required here", &known, None))
        });
    }

    fn list(&mut self, items: &[Node], node: &Node, fitting: &[&Shape<'s>], head: Span) {
        let mut chosen = None;
        for shape in fitting {
            let accepts = items.first().is_none_or(|item| self.item_accepted(shape, item));
            chosen = chosen.or(accepts.then_some(*shape));
        }
        let Some(shape) = chosen.or(fitting.first().copied()) else {
            return;
        };
        for (at, item) in items.iter().enumerate() {
            let prefix = shape.prefix_items.get(at).copied();
            let others = shape.items.iter().copied().filter(|_| prefix.is_none());
            let item_head = item.entries().first().map_or(item.span, |entry| entry.key_span);
            self.child(Segment::Index(at), item, prefix.into_iter().chain(others), item_head);
        }
        let head = if items.is_empty() { node.span } else { head };
        self.check_count((items.len(), "items"), shape, ["minItems", "maxItems"], head);
        if shape.unique_items {
            self.check_unique(items);
        }
    }

    fn item_accepted(&mut self, shape: &Shape<'s>, item: &Node) -> bool {
        let schemas = shape.prefix_items.first().into_iter().chain(&shape.items);
        schemas.copied().all(|schema| self.shapes(schema).iter().any(|shape| shape.accepts(item.kind())))
    }

    fn check_unique(&mut self, items: &[Node]) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for item in items {
            if let Some(first) = seen.insert(to_json(item).to_string(), item.span) {
                let error = Diagnostic::error(format!("{} holds the same item twice", self.here()), item.span);
                self.errors
                    .push(error.with_label("again").with_secondary(first, "first").with_help("keep one of them"));
            }
        }
    }

    fn check_count(&mut self, (count, what): (usize, &str), shape: &Shape<'s>, keywords: [&str; 2], head: Span) {
        let [least, most] = keywords.map(|keyword| shape.limit(keyword));
        // Counts are far below 2^53, so the conversion is exact.
        let number = count as f64;
        let wanted = match (least, most) {
            (Some(least), _) if number < least => format!("at least {least}"),
            (_, Some(most)) if number > most => format!("at most {most}"),
            _ => return,
        };
        let message = format!("{} has {count} {what}; {wanted} are allowed", self.here());
        self.errors.push(Diagnostic::error(message, head).with_label(format!("{wanted} {what}")));
    }

    /// Reports a value of a kind that no alternative accepts.
    pub(super) fn wrong_kind(&mut self, node: &Node, shapes: &[Shape<'s>], head: Span) {
        let wanted = expected(shapes);
        let message = format!("{} must be {wanted}", self.here());
        let span = if matches!(node.kind(), Kind::Null | Kind::Map) { head } else { node.span };
        let error = Diagnostic::error(message, span).with_label(format!("this is {}", read(node)));
        self.errors.push(match kind_advice(node, shapes) {
            Some(help) => error.with_help(help),
            None => error,
        });
    }
}

/// What to do about a value of the wrong kind, for the usual causes.
fn kind_advice(node: &Node, shapes: &[Shape<'_>]) -> Option<String> {
    let wants = |kind: Kind| shapes.iter().any(|shape| shape.accepts(kind));
    let text_help = |text: &str, quoted: bool| {
        if wants(Kind::Map) {
            let line = text.lines().next().unwrap_or("");
            return assignment(line)
                .or_else(|| Some("write its keys indented below, or as `{ key: value }`".to_owned()));
        }
        if wants(Kind::Number) && quoted && text.parse::<f64>().is_ok() {
            return Some("remove the quotes".to_owned());
        }
        if wants(Kind::Bool) {
            return Some("write `true` or `false`".to_owned());
        }
        wants(Kind::List).then(|| format!("write a list, as in `[{}]`", cut(text)))
    };
    match &node.value {
        Value::List(_) if wants(Kind::Map) => {
            Some("remove the dashes or brackets: these are keys of a map, not items of a list".to_owned())
        }
        Value::List(_) => Some("write one value instead of a list".to_owned()),
        Value::Map(_) if wants(Kind::List) => Some("start each item with `- `, or put them in `[ ]`".to_owned()),
        Value::Map(entries) if bare_constant(entries, shapes).is_some() => {
            bare_constant(entries, shapes).map(|name| format!("write `{name}` alone"))
        }
        Value::Map(entries) => {
            let first = entries.first().filter(|_| wants(Kind::Text));
            first.map(|_| "write one value instead of a map; put a text with a colon in quotes".to_owned())
        }
        Value::Null if wants(Kind::Map) => {
            Some("write its keys below, indented deeper than this line, or `{}` for an empty map".to_owned())
        }
        Value::Null => Some("write a value, or remove the key".to_owned()),
        Value::Text { text, quoted } => text_help(text, *quoted),
        Value::Number { .. } | Value::Bool(_) if wants(Kind::Text) && !wants(Kind::Map) => {
            let text =
                if let Value::Number { text, .. } = &node.value { cut(text) } else { read(node).replace('`', "") };
            Some(format!("put it in quotes: \"{text}\""))
        }
        Value::Number { text, .. } => text_help(text, false),
        Value::Bool(value) => text_help(&value.to_string(), false),
    }
}

/// The listed value that a map has as its key, as in `{ fifo: 1 }` for `fifo`.
fn bare_constant<'n>(entries: &'n [Entry], shapes: &[Shape<'_>]) -> Option<&'n str> {
    let constants = super::choose::constants_of(shapes);
    let keys = entries.iter().map(|entry| entry.key.as_str());
    keys.into_iter().find(|key| constants.iter().any(|(name, _)| name == key))
}
