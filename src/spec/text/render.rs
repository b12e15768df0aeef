//! The rendering of diagnostics in the manner of rustc.
//!
//! Invariants: sorted by file and position, equal diagnostics once, at most [`MAX_SHOWN`], lines cut to a window around
//! the marked place, no control character of the user's text reaches the terminal. A place that spans several lines is
//! marked on its first line only.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity};
use super::source::{FileId, Sources, Span, floor_boundary};

/// Diagnostics rendered at most; the rest is counted. Own rule.
pub const MAX_SHOWN: usize = 50;

/// Bytes of a line shown before and after the marked place; longer lines are cut. Own rule.
const LINE_CONTEXT: usize = 160;

/// Places of one diagnostic further apart than this many lines are shown in separate snippets. Own rule.
const SNIPPET_GAP_LINES: usize = 6;

/// Renders diagnostics for a terminal: sorted by file, position and severity, without repetitions, the first
/// [`MAX_SHOWN`] of them. With `color` the text contains ANSI styles. Ends with a line break unless it is empty.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let mut sorted: Vec<&Diagnostic> = Vec::with_capacity(diagnostics.len());
    sorted.extend(diagnostics);
    sorted.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    sorted.dedup();
    let renderer = if color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    let shown = sorted.iter().take(MAX_SHOWN);
    let mut blocks: Vec<String> = shown.map(|diagnostic| render_one(diagnostic, sources, &renderer)).collect();
    if sorted.len() > MAX_SHOWN {
        blocks.push(format!("... and {} more", sorted.len() - MAX_SHOWN));
    }
    let mut text = blocks.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// All fields take part, so that equal diagnostics are neighbors and the order never depends on that of the input.
fn sort_key(diagnostic: &Diagnostic) -> impl Ord + '_ {
    let Diagnostic { severity, message, span, label, notes, help, secondary } = diagnostic;
    (span.file, span.start, severity, message, span.end, label, notes, (help, secondary))
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(escape_controls(&diagnostic.message)));
    for excerpt in excerpts(diagnostic, sources) {
        group = group.elements(excerpt.elements(sources));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(escape_controls(note)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(escape_controls(help)));
    }
    let rendered = renderer.render(&[group]);
    rendered.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// One marked place inside a line.
struct Mark<'d> {
    line: usize,
    span: Span,
    label: &'d str,
    primary: bool,
}

/// Neighboring marks of one file, shown in one snippet.
struct Excerpt<'d> {
    file: FileId,
    marks: Vec<Mark<'d>>,
}

/// The marks grouped by nearness, the group of the primary mark first, then in the order of the places.
fn excerpts<'d>(diagnostic: &'d Diagnostic, sources: &Sources) -> Vec<Excerpt<'d>> {
    let mark = |span: Span, label: &'d str, primary| Mark {
        line: sources.line_of(span.file, span.start as usize),
        span,
        label,
        primary,
    };
    let mut marks: Vec<Mark> = diagnostic.secondary.iter().map(|(span, label)| mark(*span, label, false)).collect();
    marks.push(mark(diagnostic.span, &diagnostic.label, true));
    marks.sort_by_key(|mark| (mark.span, !mark.primary));
    let mut excerpts: Vec<Excerpt> = Vec::new();
    for mark in marks {
        match excerpts.last_mut() {
            Some(last)
                if last.file == mark.span.file
                    && last.marks.last().is_some_and(|before| mark.line - before.line <= SNIPPET_GAP_LINES) =>
            {
                last.marks.push(mark);
            }
            _ => excerpts.push(Excerpt { file: mark.span.file, marks: vec![mark] }),
        }
    }
    excerpts.sort_by_key(|excerpt| !excerpt.marks.iter().any(|mark| mark.primary));
    excerpts
}

impl Excerpt<'_> {
    /// The place line and the snippet. The snippet's text is built here from the lines needed, cut and escaped, so for cut
    /// lines the place is given explicitly.
    fn elements<'a>(&self, sources: &Sources) -> Vec<Element<'a>> {
        let first = self.marks.iter().map(|mark| mark.line).min().unwrap_or(1);
        let last = self.marks.iter().map(|mark| mark.line).max().unwrap_or(1);
        let head = self.marks.iter().find(|mark| mark.primary).or(self.marks.first());
        let (line, column) = head.map_or((1, 1), |mark| sources.line_column(mark.span));
        let mut text = String::new();
        let mut annotations = Vec::new();
        let mut is_cut = false;
        for number in first..=last {
            let marks: Vec<&Mark> = self.marks.iter().filter(|mark| mark.line == number).collect();
            let shown = ShownLine::new(sources, self.file, number, &marks);
            for mark in marks {
                let range = shown.range(mark.span, text.len());
                let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let label = (!mark.label.is_empty()).then(|| escape_controls(mark.label));
                annotations.push(kind.span(range).label(label.map(Cow::Owned)));
            }
            is_cut |= shown.is_cut;
            text.push_str(&shown.text);
            text.push('\n');
        }
        let name = escape_controls(sources.name(self.file));
        let snippet = Snippet::source(text).line_start(first).annotations(annotations);
        if !is_cut {
            return vec![Element::Cause(snippet.path(name))];
        }
        // The snippet would count the column from the cut.
        let origin = Origin::path(name).line(line).char_column(column);
        vec![Element::Origin(origin), Element::Cause(snippet)]
    }
}

/// A line as shown: cut around its marks, control characters replaced.
struct ShownLine {
    text: String,
    /// Pairs (byte in the source, byte in `text`) of every shown character and of the end.
    map: Vec<(usize, usize)>,
    /// Something is left out before the shown part, so columns do not count from the start of the line.
    is_cut: bool,
}

impl ShownLine {
    fn new(sources: &Sources, file: FileId, number: usize, marks: &[&Mark]) -> Self {
        let line = sources.line_range(file, number);
        let source = sources.text(file);
        let focus_start = marks.iter().map(|mark| mark.span.start as usize).min().unwrap_or(line.start);
        let focus_end = marks.iter().map(|mark| mark.span.end as usize).max().unwrap_or(line.start).min(line.end);
        // A mark longer than the window is shown by its start: what is wrong with it shows there.
        let focus_end = focus_end.min(focus_start + LINE_CONTEXT);
        let start = floor_boundary(source, focus_start.saturating_sub(LINE_CONTEXT).clamp(line.start, line.end));
        let end = floor_boundary(source, (focus_end + LINE_CONTEXT).clamp(start, line.end));
        let mut text = String::from(if start > line.start { "..." } else { "" });
        let mut map = Vec::new();
        for (at, character) in source[start..end].char_indices() {
            map.push((start + at, text.len()));
            match character {
                '\t' => text.push('\t'),
                hidden if is_unsafe(hidden) => text.push('\u{fffd}'),
                plain => text.push(plain),
            }
        }
        map.push((end, text.len()));
        if end < line.end {
            text.push_str("...");
        }
        Self { text, map, is_cut: start > line.start }
    }

    /// The bytes of the shown text, after `offset` bytes of earlier lines, that stand for `span`.
    fn range(&self, span: Span, offset: usize) -> std::ops::Range<usize> {
        let shown = |byte: u32| {
            let at = self.map.partition_point(|&(source, _)| source < byte as usize);
            self.map.get(at).or(self.map.last()).map_or(0, |&(_, shown)| shown)
        };
        let start = shown(span.start);
        offset + start..offset + shown(span.end).max(start)
    }
}

/// The text with control characters and bidirectional overrides written as `\u{..}`; line breaks stay.
pub fn escape_controls(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) && character != '\n' {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Characters that move the cursor or reorder the text of a terminal.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> (Sources, FileId) {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        (sources, file)
    }

    #[test]
    fn diagnostics_are_sorted_shown_once_and_counted_when_too_many() {
        let (sources, file) = sources(&"a: 1\n".repeat(80));
        let at = |line: usize| Diagnostic::error(format!("number {line}"), Span::new(file, line * 5, line * 5 + 1));
        let mut all: Vec<Diagnostic> = (0..60).rev().map(at).collect();
        all.push(at(3));
        let text = render(&all, &sources, false);
        assert_eq!(text.matches("error: ").count(), MAX_SHOWN);
        assert_eq!(text.matches("number 3\n").count(), 1);
        assert!(text.find("number 0\n") < text.find("number 1\n"));
        assert!(text.ends_with("... and 10 more\n"), "{text}");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let (sources, file) = sources("a: \u{1b}[31m\u{202e}x\u{7}y\n");
        let span = Span::new(file, 10, 11);
        let text = render(&[Diagnostic::error("bad \u{1b}[0m", span).with_label("\u{7}")], &sources, false);
        assert!(text.chars().all(|character| character == '\n' || !is_unsafe(character)), "{text:?}");
        assert!(text.contains("bad \\u{1b}[0m"));
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mark_and_keeps_its_column() {
        let line = format!("a: {}HERE{}", "é".repeat(100_000), "x".repeat(100_000));
        let (sources, file) = sources(&line);
        let at = line.find("HERE").unwrap();
        let text = render(&[Diagnostic::error("long", Span::new(file, at, at + 4))], &sources, false);
        assert!(text.len() < 1500 && text.contains("HERE") && text.contains("a.yaml:1:100004"), "{text}");
    }

    #[test]
    fn places_in_two_files_are_both_shown() {
        let (mut sources, file) = sources("a: 1\n");
        let other = sources.add("b.yaml", "\n\nb: 2\n");
        let diagnostic = Diagnostic::warning("twice", Span::new(other, 2, 3))
            .with_label("again")
            .with_secondary(Span::new(file, 0, 1), "first");
        let expected = "\
warning: twice
 --> b.yaml:3:1
  |
3 | b: 2
  | ^ again
  |
 ::: a.yaml:1:1
  |
1 | a: 1
  | - first
";
        assert_eq!(render(&[diagnostic], &sources, false), expected);
    }
}
