//! A model skeleton as text: what is known, and what is missing.

use std::fmt::Write as _;

/// A service of the skeleton.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) instances: u32,
    /// Lines of its block beside the operations, without indentation.
    pub(super) lines: Vec<String>,
    /// The steps of its operation `request`, one per line.
    pub(super) steps: Vec<String>,
}

/// A whole skeleton.
#[derive(Debug, Clone, Default)]
pub(super) struct Skeleton {
    pub(super) about: String,
    pub(super) clients: Vec<(String, String)>,
    pub(super) parts: Vec<Part>,
    /// Queues: name, and the service that works them off.
    pub(super) queues: Vec<(String, String)>,
}

/// A name as our files allow it: letters, digits, underscores, hyphens.
pub(super) fn clean(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' };
    let text: String = name.trim().chars().map(letter).collect();
    let text = text.trim_matches('_').to_lowercase();
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) { text } else { format!("part_{text}") }
}

impl Skeleton {
    /// The model file.
    pub(super) fn text(&self) -> String {
        let mut text = format!("# {}\n", self.about);
        text.push_str(
            "# What is marked MISSING is not in there: replace it by what you measured before you believe a result.\n",
        );
        text.push_str("clients:\n");
        for (name, call) in &self.clients {
            let _ = writeln!(text, "  {name}:");
            let _ = writeln!(text, "    arrivals: {{ poisson: 100/s }} # MISSING: how many requests come");
            let _ = writeln!(text, "    call: {call}");
        }
        text.push_str("services:\n");
        for part in &self.parts {
            let _ = writeln!(text, "  {}:", part.name);
            if part.instances > 1 {
                let _ = writeln!(text, "    instances: {}", part.instances);
            }
            part.lines.iter().for_each(|line| {
                let _ = writeln!(text, "    {line}");
            });
            let _ = writeln!(text, "    operations:\n      request:");
            part.steps.iter().for_each(|step| {
                let _ = writeln!(text, "        {step}");
            });
        }
        if !self.queues.is_empty() {
            text.push_str("queues:\n");
            for (queue, service) in &self.queues {
                let _ = writeln!(text, "  {queue}: {{ consumers: {{ workers: {{ call: {service}.request }} }} }}");
            }
        }
        text
    }
}
