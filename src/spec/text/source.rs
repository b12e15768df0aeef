//! Source texts by file, and places in them.
//!
//! Invariants: a stored text is valid UTF-8 without a byte order mark; a [`FileId`] stays valid as long as its
//! [`Sources`]; offsets count bytes of the stored text. Limit: [`MAX_FILE_BYTES`] per file.

use super::diagnostic::Diagnostic;

/// Largest file that is read, in bytes (4 MiB). Own rule: a hundred times the largest plausible hand-written model.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Names one text inside a [`Sources`]; ordered by the time of adding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text that the range lies in.
    pub file: FileId,
    /// First byte of the range, bytes from the start of the text.
    pub start: u32,
    /// First byte after the range; equal to `start` for an empty place.
    pub end: u32,
}

impl Span {
    /// The range `start..end` in bytes of `file`; an `end` before `start` gives an empty place at `start`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        // Texts are at most MAX_FILE_BYTES long, so saturation only meets offsets that are wrong already.
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        Self { file, start, end: end.max(start) }
    }
}

/// One text with its name and the places where its lines start.
#[derive(Debug, Clone)]
struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

/// All texts that diagnostics may point into.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// An empty set of texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that diagnostics show. The same name with the same text gives the same id again; the
    /// same name with another text (a file that changed meanwhile) gives a new id. A leading byte order mark is removed.
    pub fn add(&mut self, name: &str, text: &str) -> FileId {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(at) = self.files.iter().position(|file| file.name == name && file.text == text) {
            return file_id(at);
        }
        let line_starts = line_starts(text);
        self.files.push(SourceFile { name: name.to_owned(), text: text.to_owned(), line_starts });
        file_id(self.files.len() - 1)
    }

    /// Adds a file as its bytes were read.
    ///
    /// # Errors
    /// One diagnostic, boxed for its size, if the file is larger than [`MAX_FILE_BYTES`] or is not UTF-8. The place
    /// shown is the first wrong byte; wrong bytes are displayed as `\u{fffd}`.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<FileId, Box<Diagnostic>> {
        if bytes.len() > MAX_FILE_BYTES {
            let file = self.add(name, "");
            let message = format!("the file is {} bytes long; at most {MAX_FILE_BYTES} (4 MiB) are read", bytes.len());
            let diagnostic = Diagnostic::error(message, Span::new(file, 0, 0));
            return Err(Box::new(diagnostic.with_help("keep measured data in CSV files and refer to them")));
        }
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(self.add(name, text)),
            Err(error) => error,
        };
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let file = self.add(name, "");
            let diagnostic = Diagnostic::error("the file is written in UTF-16", Span::new(file, 0, 0));
            return Err(Box::new(diagnostic.with_help("save it again as UTF-8")));
        }
        let at = error.valid_up_to();
        let bom = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let file = self.add(name, &String::from_utf8_lossy(bytes));
        let byte = bytes.get(at).copied().unwrap_or_default();
        let start = at.saturating_sub(bom);
        let width = '\u{fffd}'.len_utf8();
        let diagnostic = Diagnostic::error("the file is not valid UTF-8 text", Span::new(file, start, start + width))
            .with_label(format!("byte 0x{byte:02x} is not a character"))
            .with_help("save the file as UTF-8");
        Err(Box::new(diagnostic))
    }

    /// The name under which the text was added.
    pub fn name(&self, file: FileId) -> &str {
        self.file(file).map_or("", |file| &file.name)
    }

    /// The whole text.
    pub fn text(&self, file: FileId) -> &str {
        self.file(file).map_or("", |file| &file.text)
    }

    /// Line and column of the start of `span`, both from 1; columns count characters, not bytes.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let line = self.line_of(span.file, span.start as usize);
        let start = self.line_range(span.file, line).start;
        let end = floor_boundary(self.text(span.file), span.start as usize).max(start);
        (line, self.text(span.file)[start..end].chars().count() + 1)
    }

    /// Line, from 1, that holds byte `offset`; an offset after the end is on the last line.
    pub(super) fn line_of(&self, file: FileId, offset: usize) -> usize {
        self.file(file).map_or(1, |file| file.line_starts.partition_point(|&start| start <= offset).max(1))
    }

    /// Byte range of line `line` (from 1) without its line break; empty for a line that does not exist.
    pub(super) fn line_range(&self, file: FileId, line: usize) -> std::ops::Range<usize> {
        let Some(source) = self.file(file) else {
            return 0..0;
        };
        let Some(&start) = line.checked_sub(1).and_then(|at| source.line_starts.get(at)) else {
            return source.text.len()..source.text.len();
        };
        let end = source.line_starts.get(line).copied().unwrap_or(source.text.len());
        start..start + source.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    fn file(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }
}

fn file_id(at: usize) -> FileId {
    FileId(u32::try_from(at).unwrap_or(u32::MAX))
}

/// Starts of the lines; LF, CRLF and a lone CR end a line, as in YAML 1.2.2 section 5.4.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends_line = |at: usize| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    std::iter::once(0).chain((0..bytes.len()).filter(|&at| ends_line(at)).map(|at| at + 1)).collect()
}

/// The nearest character boundary of `text` at or before `offset`.
pub(super) fn floor_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_all_line_breaks_count() {
        let mut sources = Sources::new();
        let file = sources.add("a", "\u{feff}é: 1\r\nb: 2\rc: 3\n");
        assert_eq!(sources.line_column(Span::new(file, 4, 5)), (1, 4));
        assert_eq!(sources.line_column(Span::new(file, 7, 8)), (2, 1));
        assert_eq!(sources.line_column(Span::new(file, 12, 13)), (3, 1));
        assert_eq!(&sources.text(file)[sources.line_range(file, 1)], "é: 1");
        assert_eq!(sources.line_column(Span::new(file, 9999, 9999)).0, 4);
    }

    #[test]
    fn the_same_name_and_text_is_stored_once() {
        let mut sources = Sources::new();
        let first = sources.add("a", "x");
        assert_eq!(sources.add("a", "x"), first);
        assert_ne!(sources.add("a", "y"), first);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_place() {
        let mut sources = Sources::new();
        let error = sources.add_bytes("a", b"ab: \xff").unwrap_err();
        assert_eq!(sources.line_column(error.span), (1, 5));
        assert!(error.label.contains("0xff"));
        assert!(sources.add_bytes("b", b"\xff\xfea\0").unwrap_err().message.contains("UTF-16"));
        assert!(sources.add_bytes("c", &vec![b' '; MAX_FILE_BYTES + 1]).is_err());
        assert!(sources.add_bytes("d", &vec![b' '; MAX_FILE_BYTES]).is_ok());
    }
}
