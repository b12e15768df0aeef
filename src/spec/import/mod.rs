//! Import: from what others describe systems with to a model skeleton.
//!
//! What a manifest or a diagram says is taken over; what it does not say is filled in with a number that is marked `MISSING`, so that the
//! skeleton is a valid model that claims nothing. An unknown version, kind or metric is refused with its line; nothing is guessed silently.
//!
//! Limits: what is not named here is not read. A Service becomes a note only: our services are reached by their name.

pub mod kubernetes;
pub mod mermaid;
mod metrics;
mod skeleton;
#[cfg(test)]
mod tests;

use super::text::diagnostic::Diagnostic;
use super::text::source::Sources;

/// A model skeleton, and what its author should know.
#[derive(Debug)]
pub struct Imported {
    /// The model file.
    pub text: String,
    /// Traps that were found.
    pub warnings: Vec<Diagnostic>,
}

/// What is known beside the files, for finding traps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// Requests per second that are expected.
    pub rate: Option<f64>,
    /// Requests per second that one instance carries.
    pub per_instance: Option<f64>,
    /// Database connections that each instance opens.
    pub pool: Option<u32>,
    /// Connections that the database allows.
    pub max_connections: Option<u32>,
}

/// Imports a file: a Mermaid flowchart if a line begins with `flowchart` or `graph`, otherwise Kubernetes manifests.
///
/// # Errors
/// What cannot be imported, each with its place.
pub fn import(sources: &mut Sources, name: &str, bytes: &[u8], known: &Known) -> Result<Imported, Vec<Diagnostic>> {
    let file = sources.add_bytes(name, bytes).map_err(|diagnostic| vec![*diagnostic])?;
    let text = sources.text(file).to_owned();
    let is_chart = |line: &str| ["flowchart", "graph"].contains(&line.split_whitespace().next().unwrap_or_default());
    if text.lines().any(is_chart) {
        return mermaid::import(sources, file, &text);
    }
    kubernetes::import(sources, name, &text, known)
}
