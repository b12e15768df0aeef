//! Errors and warnings with a place in the user's text. [`render`] shows them.
//!
//! Limit: every diagnostic has a place; what is not in a file (an argument of the command line) is added to the
//! [`Sources`](super::source::Sources) under a name of its own.

pub use super::render::{MAX_SHOWN, escape_controls, render};
use super::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not mean what was intended.
    Warning,
}

/// One thing to tell the user about a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The fact, as one line.
    pub message: String,
    /// The place that the user has to look at.
    pub span: Span,
    /// What is written beside the mark; may be empty.
    pub label: String,
    /// Further facts, such as what is allowed; each may have several lines.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to the matter, with their labels.
    pub secondary: Vec<(Span, String)>,
}

impl Diagnostic {
    /// An error with a message and a place.
    pub fn error(message: impl Into<String>, span: Span) -> Self {
        let (label, notes, secondary) = (String::new(), Vec::new(), Vec::new());
        Self { severity: Severity::Error, message: message.into(), span, label, notes, help: None, secondary }
    }

    /// A warning with a message and a place.
    pub fn warning(message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, span) }
    }

    /// Sets the text beside the mark.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_secondary(mut self, span: Span, label: impl Into<String>) -> Self {
        self.secondary.push((span, label.into()));
        self
    }
}
