//! The adapter over the YAML parser: events in, one spanned tree out.
//!
//! The parser crate is `granit-parser`: it gives byte offsets for every event, names the kind of each syntax error and
//! bounds its own look-ahead. Nothing of it is visible outside this file and `yaml_error`.
//!
//! Refused, each with its place: several documents, tags, merge keys, directives, keys that are not text or numbers, keys
//! given twice, numbers that are not finite. Limits: [`MAX_NESTING`], [`MAX_NODES`] and [`MAX_TEXT_BYTES`], all counted
//! after aliases, and a part that has an anchor counts twice because it is kept for its aliases. Aliases are copies: the
//! copy's own place is the alias, its content keeps the places of the definition.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};

use super::diagnostic::Diagnostic;
use super::scalar;
use super::source::{FileId, Sources, Span};
use super::tree::{Entry, Node, Value};
use super::yaml_error;

/// Lists and maps inside each other at most.
pub const MAX_NESTING: usize = 64;
/// Values of a file at most, after aliases.
pub const MAX_NODES: usize = 1_000_000;
/// Bytes of all texts and keys of a file at most, after aliases (16 MiB).
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// Reads the YAML text of `file`.
///
/// # Errors
/// All refused constructs up to the first error of syntax, which ends the reading. An empty file is [`Value::Null`].
pub fn parse(sources: &Sources, file: FileId) -> Result<Node, Vec<Diagnostic>> {
    let text = sources.text(file);
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, place) = match event {
            Ok(pair) => pair,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                builder.errors.push(yaml_error::diagnostic(error.kind(), text, file, at));
                break;
            }
        };
        let range = place.byte_range().unwrap_or(0..0);
        let tag = place.tag_span().and_then(|tag| tag.byte_range());
        if let Some(tag) = tag {
            builder.refuse_tag(Span::new(file, tag.start, tag.end));
        }
        let span = Span::new(file, range.start, range.end);
        if let Err(fatal) = builder.event(event, span) {
            builder.errors.push(*fatal);
            break;
        }
    }
    if !builder.errors.is_empty() {
        return Err(builder.errors);
    }
    let empty = Node { span: Span::new(file, 0, 0), value: Value::Null };
    Ok(builder.root.unwrap_or(empty))
}

/// A finished value with what its copies would cost.
#[derive(Clone)]
struct Built {
    node: Node,
    size: Size,
}

/// The cost of a value against the limits.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    /// Lists and maps inside each other; 0 for a scalar.
    height: usize,
}

/// A list or map that is not closed yet.
struct Frame {
    span: Span,
    is_flow: bool,
    anchor: usize,
    size: Size,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        places: BTreeMap<String, Span>,
        /// The key whose value comes next; inner `None` for a key that was refused.
        key: Option<(Option<String>, Span)>,
    },
}

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    /// Values with an anchor, by the parser's anchor number.
    anchors: BTreeMap<usize, Built>,
    total: Size,
    documents: usize,
    root: Option<Node>,
    errors: Vec<Diagnostic>,
}

/// An error that ends the reading.
type Fatal = Box<Diagnostic>;

impl Builder {
    fn refuse_tag(&mut self, span: Span) {
        let error = Diagnostic::error("tags are not supported", span).with_label("a YAML tag");
        self.errors.push(error.with_help("remove the tag; put the value in quotes if it must be text"));
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        match event {
            Event::DocumentStart(..) => self.start_document(span),
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, span),
            Event::SequenceStart(style, anchor, _) => self.open(Content::List(Vec::new()), style, anchor, span),
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Map { entries: Vec::new(), places: BTreeMap::new(), key: None };
                self.open(content, style, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            _ => Ok(()),
        }
    }

    fn start_document(&mut self, span: Span) -> Result<(), Fatal> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let error = Diagnostic::error("the file holds more than one YAML document", span);
        Err(Box::new(
            error.with_label("a second document starts here").with_help("put each document into its own file"),
        ))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: Span) -> Result<(), Fatal> {
        let value = if style == ScalarStyle::Plain {
            scalar::plain(text)
        } else {
            Some(Value::Text { text: text.to_owned(), quoted: true })
        };
        let value = value.unwrap_or_else(|| {
            let error = Diagnostic::error(format!("`{text}` is not a finite number"), span);
            self.errors.push(error.with_help("leave the key out for no limit, or put the value in quotes for text"));
            Value::Null
        });
        let size = Size { nodes: 1, bytes: text.len(), height: 0 };
        self.charge(size, span)?;
        self.finish(Built { node: Node { span, value }, size }, anchor)
    }

    fn open(&mut self, content: Content, style: StructureStyle, anchor: usize, span: Span) -> Result<(), Fatal> {
        let size = Size { nodes: 1, bytes: 0, height: 1 };
        self.charge(size, span)?;
        self.check_nesting(1, span)?;
        self.frames.push(Frame { span, is_flow: style == StructureStyle::Flow, anchor, size, content });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Fatal> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let mut span = frame.span;
        let value = match frame.content {
            Content::List(items) => {
                span.end = items.last().map_or(span.end, |item| item.span.end);
                Value::List(items)
            }
            Content::Map { entries, .. } => {
                // A flow sequence may hold `key: value` pairs; their event starts at the separator, not at the key.
                span.start = entries.first().map_or(span.start, |entry| entry.key_span.start.min(span.start));
                span.end = entries.last().map_or(span.end, |last| last.value.span.end.max(last.key_span.end));
                Value::Map(entries)
            }
        };
        // The end of a pair without braces in a flow sequence has no text of its own.
        if frame.is_flow && end.end > end.start {
            span.end = end.end;
        }
        span.end = span.end.max(span.start);
        self.finish(Built { node: Node { span, value }, size: frame.size }, frame.anchor)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Fatal> {
        let Some(size) = self.anchors.get(&id).map(|built| built.size) else {
            let error = Diagnostic::error("this alias stands inside the part that it names", span);
            return Err(Box::new(error.with_help("an alias copies a part that is complete above it")));
        };
        self.check_nesting(size.height, span)?;
        self.charge(size, span)?;
        let Some(mut copy) = self.anchors.get(&id).cloned() else {
            return Ok(());
        };
        copy.node.span = span;
        self.finish(copy, 0)
    }

    /// Hands a finished value to the list or map that it stands in.
    fn finish(&mut self, built: Built, anchor: usize) -> Result<(), Fatal> {
        if anchor != 0 {
            self.charge(built.size, built.node.span)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        frame.size.nodes += built.size.nodes;
        frame.size.bytes += built.size.bytes;
        frame.size.height = frame.size.height.max(built.size.height + 1);
        match &mut frame.content {
            Content::List(items) => items.push(built.node),
            Content::Map { entries, places, key } => match key.take() {
                None => {
                    let span = built.node.span;
                    let name = accept_key(built.node, places, &mut self.errors);
                    *key = Some((name, span));
                }
                Some((Some(name), key_span)) => entries.push(Entry { key: name, key_span, value: built.node }),
                Some((None, _)) => {}
            },
        }
        Ok(())
    }

    fn check_nesting(&self, more: usize, span: Span) -> Result<(), Fatal> {
        if self.frames.len() + more <= MAX_NESTING {
            return Ok(());
        }
        Err(Box::new(yaml_error::too_deep(span)))
    }

    fn charge(&mut self, size: Size, span: Span) -> Result<(), Fatal> {
        self.total.nodes += size.nodes;
        self.total.bytes += size.bytes;
        let (what, limit) = if self.total.nodes > MAX_NODES {
            ("values", MAX_NODES)
        } else if self.total.bytes > MAX_TEXT_BYTES {
            ("bytes of text", MAX_TEXT_BYTES)
        } else {
            return Ok(());
        };
        let error = Diagnostic::error(format!("the file holds more than {limit} {what}, aliases included"), span)
            .with_label("the limit is passed here");
        let aliased = !self.anchors.is_empty();
        Err(Box::new(if aliased { error.with_help("use fewer aliases of large parts") } else { error }))
    }
}

/// The name that a key stands for; `None` with an error if it is refused.
fn accept_key(key: Node, places: &mut BTreeMap<String, Span>, errors: &mut Vec<Diagnostic>) -> Option<String> {
    let span = key.span;
    let name = match key.value {
        Value::Text { text, quoted: false } if text == "<<" => {
            let error = Diagnostic::error("merge keys (`<<`) are not supported", span);
            errors.push(error.with_help("write the keys out, or give the whole part an anchor and use its alias"));
            return None;
        }
        Value::Text { text, .. } | Value::Number { text, .. } => text,
        other => {
            let kind = Node { span, value: other }.kind();
            let error = Diagnostic::error(format!("a key must be text, not {}", kind.describe()), span);
            errors.push(error.with_help("put the key in quotes if this is its name"));
            return None;
        }
    };
    if let Some(&first) = places.get(&name) {
        let error = Diagnostic::error(format!("the key `{name}` is given twice in the same map"), span)
            .with_label("given again here")
            .with_secondary(first, "first given here");
        errors.push(error.with_help("keep one of them; the map cannot hold both"));
        return None;
    }
    places.insert(name.clone(), span);
    Some(name)
}
