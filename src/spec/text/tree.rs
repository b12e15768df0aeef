//! The tree of a YAML document, every node with its place.
//!
//! Invariants: keys of one map are distinct; numbers are finite; the order of lists and maps is that of the file.

use super::source::Span;

/// One value with the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Place of the value: for a map or list written as a block, from its first key or dash to the end of its last value.
    pub span: Span,
    /// What was written there.
    pub value: Value,
}

/// What a node holds: the core schema of YAML 1.2, so `yes`, `no`, `on` and `off` are text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number {
        /// As written.
        text: String,
        /// The nearest `f64`; finite.
        value: f64,
        /// Written as an integer (`4`, `0x10`), not as `4.0` or `4e3`.
        is_integer: bool,
    },
    /// Any other scalar.
    Text {
        /// The text after removal of quotes and escapes.
        text: String,
        /// Written in quotes or as a block (`|`, `>`), so that it is text whatever it looks like.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file.
    Map(Vec<Entry>),
}

/// One `key: value` of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; a number is taken as its text.
    pub key: String,
    /// Place of the key.
    pub key_span: Span,
    /// What the key holds.
    pub value: Node,
}

/// The kind of a value, for choosing and for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
}

impl Kind {
    /// The kind in words with its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool => "a truth value",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

impl Node {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self.value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number { .. } => Kind::Number,
            Value::Text { .. } => Kind::Text,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
        }
    }

    /// The entry of `key` if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entries of a map in the order of the file; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }
}
