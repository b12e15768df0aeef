//! Dotted paths as users write them: `clients.shoppers.arrivals.poisson`, `operations.browse[1].cpu`,
//! `variants."as is"`.
//!
//! A key that is empty or holds dots, brackets, quotes, `=`, spaces or control characters is written in double quotes,
//! with `\"` and `\\` inside. Invariant: `parse(display(path)) == path`. Limit: paths of more than
//! [`MAX_NESTING`] segments are refused.

use std::fmt;
use std::str::FromStr;

use super::parse::MAX_NESTING;
use super::source::Span;
use super::tree::Node;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// The key of a map.
    Key(String),
    /// The position in a list, from 0.
    Index(usize),
}

/// A way from the root of a tree to one of its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path {
    segments: Vec<Segment>,
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// Where the trouble is, bytes from the start of the text.
    pub at: usize,
    /// What is wrong, as part of a sentence.
    pub message: String,
}

impl Path {
    /// The path of the root, with no segments.
    pub fn root() -> Self {
        Self::default()
    }

    /// The segments from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Segment::Key(key.to_owned()))
    }

    /// This path and one list position more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Segment::Index(index))
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    pub(super) fn pop(&mut self) {
        self.segments.pop();
    }

    fn then(&self, segment: Segment) -> Self {
        let mut segments = self.segments.clone();
        segments.push(segment);
        Self { segments }
    }

    pub(super) fn prefix(&self, length: usize) -> Self {
        Self { segments: self.segments.iter().take(length).cloned().collect() }
    }
}

fn needs_quotes(key: &str) -> bool {
    key.is_empty() || key.chars().any(|c| c.is_whitespace() || c.is_control() || ".[]\"'=\\".contains(c))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    f.write_str(if at > 0 { "." } else { "" })?;
                    if needs_quotes(key) {
                        write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))?;
                    } else {
                        f.write_str(key)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut path = Self::root();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let is_first = path.segments.is_empty();
            let (segment, length) = if let Some(inside) = rest.strip_prefix('[') {
                read_index(inside, at)?
            } else if is_first {
                read_key(rest, at)?
            } else if let Some(key) = rest.strip_prefix('.') {
                let (segment, length) = read_key(key, at + 1)?;
                (segment, length + 1)
            } else {
                return Err(PathError { at, message: "expected `.` or `[`".to_owned() });
            };
            if path.segments.len() == MAX_NESTING {
                return Err(PathError { at, message: format!("a path has at most {MAX_NESTING} parts") });
            }
            path.segments.push(segment);
            at += length;
        }
        if path.segments.is_empty() {
            return Err(PathError { at: 0, message: "the path is empty".to_owned() });
        }
        Ok(path)
    }
}

/// Reads the number and the bracket after `[`; the length counts the `[`.
fn read_index(inside: &str, at: usize) -> Result<(Segment, usize), PathError> {
    let digits = inside.split(']').next().unwrap_or("");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(index) if is_number && digits.len() < inside.len() => Ok((Segment::Index(index), digits.len() + 2)),
        _ => Err(PathError { at, message: "expected a position in a list, as in `[0]`".to_owned() }),
    }
}

fn read_key(text: &str, at: usize) -> Result<(Segment, usize), PathError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut key = String::new();
        let mut characters = quoted.char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => return Ok((Segment::Key(key), offset + 2)),
                '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
                plain => key.push(plain),
            }
        }
        return Err(PathError { at, message: "the quotes are not closed".to_owned() });
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let key = &text[..end];
    if key.is_empty() {
        return Err(PathError { at, message: "a name is missing".to_owned() });
    }
    if needs_quotes(key) {
        let message = format!("put the name `{key}` in double quotes, because of its spaces or signs");
        return Err(PathError { at, message });
    }
    Ok((Segment::Key(key.to_owned()), end))
}

/// The value at `path`, if there is one.
pub fn get<'n>(node: &'n Node, path: &Path) -> Option<&'n Node> {
    path.segments.iter().try_fold(node, |node, segment| match segment {
        Segment::Key(key) => node.entry(key).map(|entry| &entry.value),
        Segment::Index(index) => node.items().get(*index),
    })
}

/// The place of the value at `path`, if there is one.
pub fn span_of(node: &Node, path: &Path) -> Option<Span> {
    get(node, path).map(|node| node.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written_the_same() {
        for text in ["a.b-c.d", "a[1].b[0][2]", r#"links."shop -> payments".loss"#, r#""a.b"."c\"d\\"[3]"#, "[0]"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        for (text, at) in
            [("", 0), ("a..b", 2), ("a.", 2), ("a[x]", 1), ("a[1", 1), ("a b.c", 0), ("\"a", 0), ("a[0]b", 4)]
        {
            assert_eq!(text.parse::<Path>().unwrap_err().at, at, "{text}");
        }
    }
}
