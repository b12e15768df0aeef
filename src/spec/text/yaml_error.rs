//! Errors of YAML syntax in the user's words, with advice for the usual causes.

use granit_parser::ErrorKind;

use super::diagnostic::Diagnostic;
use super::parse::MAX_NESTING;
use super::source::{FileId, Span};

/// The diagnostic for a syntax error that the parser found at byte `at` of `text`.
pub(super) fn diagnostic(kind: &ErrorKind, text: &str, file: FileId, at: usize) -> Diagnostic {
    let at = super::source::floor_boundary(text, at);
    let width = text[at..].chars().next().filter(|next| !matches!(next, '\n' | '\r')).map_or(0, char::len_utf8);
    let span = Span::new(file, at, at + width);
    if *kind == ErrorKind::RecursionLimitExceeded {
        return too_deep(span);
    }
    let words = kind.to_string();
    let label = match words.split_once(", ") {
        Some((context, fact)) if context.starts_with("while ") => fact.to_owned(),
        _ => words,
    };
    let error = Diagnostic::error("the file is not valid YAML", span).with_label(label);
    match advice(kind, text, at) {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// The diagnostic for lists and maps nested beyond the limit.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(format!("lists and maps are nested more than {MAX_NESTING} deep"), span)
        .with_label("the limit is passed here")
}

/// What to do, judged by the kind of the error and by the line it was found on and the written line before.
fn advice(kind: &ErrorKind, text: &str, at: usize) -> Option<String> {
    use ErrorKind as E;
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    let line = &text[start..end];
    let before = text[..start].lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
    let indent = &line[..line.len() - line.trim_start().len()];
    match kind {
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar => {
            return Some("indent with spaces; YAML does not allow tabs there".to_owned());
        }
        _ if indent.contains('\t') => {
            return Some("indent with spaces; YAML does not allow tabs there".to_owned());
        }
        E::UnclosedFlowCollection { open: '{' } | E::UnexpectedEofFlowMapping => {
            return Some("close the `{` with a `}`".to_owned());
        }
        E::UnclosedFlowCollection { .. } | E::UnexpectedEofFlowSequence => {
            return Some("close the `[` with a `]`".to_owned());
        }
        E::ExpectedFlowMappingSeparator => {
            return Some("separate the entries with commas and close the `{` with a `}`".to_owned());
        }
        E::ExpectedFlowSequenceSeparator => {
            return Some("separate the items with commas and close the `[` with a `]`".to_owned());
        }
        E::UnclosedQuotedScalar => return Some("close the quotes".to_owned()),
        E::UnknownAnchor => {
            return Some("define the part with `&name` above its alias `*name`".to_owned());
        }
        E::UnexpectedCharacter { character: '%' | '@' | '`' } => {
            return Some("put a text that starts with this character in quotes".to_owned());
        }
        _ => {}
    }
    [line, before].into_iter().find_map(assignment)
}

/// Advice for `key = value` and `key:value`, which YAML reads as mere text.
pub(super) fn assignment(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("- ");
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    if let Some((key, value)) = line.split_once('=') {
        let (key, value) = (key.trim(), value.trim());
        return is_name(key)
            .then(|| format!("write `{key}: {value}`; keys and values are separated by a colon and a space"));
    }
    let (key, value) = line.split_once(':')?;
    let glued = !value.is_empty() && !value.starts_with(char::is_whitespace) && !value.starts_with("//");
    (is_name(key) && glued).then(|| format!("write `{key}: {value}`, with a space after the colon"))
}
