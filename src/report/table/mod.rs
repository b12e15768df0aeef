//! The answer on the terminal: question, results, where the time goes, verdicts, warnings.
//!
//! Written for 80 columns and better with more: what does not fit is left out by rank and named in a line below. Without
//! color nothing is lost. Names from files cannot steer the terminal: control characters are removed.

mod findings;
mod insight;
mod points;
mod scaling;
mod search;
mod time;

pub(super) use findings::unit as finding_unit;
pub use insight::{comparison, explanations};
pub use search::search;

use super::names::clean;
use crate::study::Study;

/// The fewest columns that are laid out for; a narrower terminal wraps.
const NARROWEST: usize = 40;

/// The answer to the experiment's question for a terminal of `width` columns, with ANSI colors if `color`.
pub fn terminal(study: &Study, width: usize, color: bool) -> String {
    let mut page = Page { text: String::new(), width: width.max(NARROWEST), color };
    page.paragraph(&study.question, Style::Bold, 0);
    if let Some(prediction) = &study.prediction {
        page.paragraph(&format!("Prediction: {prediction}"), Style::Faint, 0);
    }
    points::write(&mut page, study);
    time::write(&mut page, study);
    scaling::write(&mut page, study);
    findings::write(&mut page, study);
    if let Some(analysis) = &study.analysis {
        page.heading("Analysis");
        for paragraph in analysis.split("\n\n") {
            page.paragraph(paragraph, Style::Plain, 0);
        }
    }
    notes(&mut page, study);
    page.text
}

/// The most assumptions that are printed.
const ASSUMPTIONS: usize = 6;

/// What limits the results: warnings, assumptions.
fn notes(page: &mut Page, study: &Study) {
    let notes = &study.warnings;
    if !notes.is_empty() {
        page.heading(if notes.len() == 1 { "Warning" } else { "Warnings" });
        for note in notes {
            page.item("!", Style::Yellow, note, 2);
        }
    }
    if !study.assumptions.is_empty() {
        page.line("");
        let more = study.assumptions.len().saturating_sub(ASSUMPTIONS);
        let shown = study.assumptions.iter().take(ASSUMPTIONS).cloned().collect::<Vec<_>>().join("; ");
        let more = if more > 0 { format!("; and {more} more in summary.json") } else { String::new() };
        page.paragraph(&format!("Assumed, as the files do not say: {shown}{more}."), Style::Faint, 0);
    }
}

/// How text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Bold,
    Faint,
    Green,
    Red,
    Yellow,
}

impl Style {
    /// The parameter of the ANSI sequence "select graphic rendition" (ECMA-48).
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "0",
            Style::Bold => "1",
            Style::Faint => "2",
            Style::Green => "32",
            Style::Red => "31",
            Style::Yellow => "33",
        }
    }
}

/// The text so far.
struct Page {
    text: String,
    width: usize,
    color: bool,
}

impl Page {
    fn paint(&self, text: &str, style: Style) -> String {
        if self.color && style != Style::Plain && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }

    /// A line as it is, without spaces at its end.
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn styled(&mut self, line: &str, style: Style) {
        let line = self.paint(line.trim_end(), style);
        self.line(&line);
    }

    /// A heading after an empty line.
    fn heading(&mut self, text: &str) {
        self.line("");
        let width = self.width;
        for line in wrap(&clean(text), width) {
            self.styled(&line, Style::Bold);
        }
    }

    /// Text in lines of the page's width.
    fn paragraph(&mut self, text: &str, style: Style, indent: usize) {
        for line in wrap(&clean(text), self.width - indent) {
            let line = format!("{}{}", " ".repeat(indent), self.paint(&line, style));
            self.line(&line);
        }
    }

    /// Text behind a label, its further lines under its first.
    fn item(&mut self, label: &str, style: Style, text: &str, indent: usize) {
        self.pieces(label, style, &words(&clean(text)), indent);
    }

    /// Pieces that are not broken behind a label, further lines under the first.
    fn pieces(&mut self, label: &str, style: Style, pieces: &[String], indent: usize) {
        let hang = indent + label.chars().count() + 1;
        let first = format!("{}{} ", " ".repeat(indent), self.paint(label, style));
        for (index, line) in fill(pieces, self.width.saturating_sub(hang)).iter().enumerate() {
            let start = if index == 0 { first.clone() } else { " ".repeat(hang) };
            self.line(&format!("{start}{line}"));
        }
    }
}

/// The text in lines of at most `width` characters, broken at spaces; a longer word has a line of its own. A number is
/// not parted from its unit or its interval.
fn wrap(text: &str, width: usize) -> Vec<String> {
    fill(&words(text), width)
}

/// The pieces in lines of at most `width` characters.
fn fill(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in pieces {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width.max(20) {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// What stays together on a line: words, and quantities such as `83.1 ms ± 0.4 ms`.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut previous = "";
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let bare = word.trim_end_matches([',', '.', ';', ':', ')']);
        let is_unit = matches!(bare, "%" | "ns" | "µs" | "ms" | "s" | "B" | "KiB" | "MiB" | "GiB" | "cores" | "±");
        let glued = (is_unit && previous.ends_with(|c: char| c.is_ascii_digit())) || previous == "±" || word == "±";
        match out.last_mut().filter(|_| glued) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => out.push(word.to_owned()),
        }
        previous = word;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_a_number_with_its_unit_and_interval() {
        assert_eq!(
            wrap("measured at 83.1 ms ± 0.4 ms, as expected", 22),
            ["measured at", "83.1 ms ± 0.4 ms, as", "expected"]
        );
    }
}
