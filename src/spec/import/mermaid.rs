//! Mermaid flowcharts: nodes become services or clients, arrows become calls.
//!
//! Read are `A[text]`, `A(text)`, `A[(text)]`, `A{text}`, `A((text))` and bare names; `-->`, `---`, `-.->`, `==>` with a label `|…|`; chains
//! of them; `%%` comments and code fences. A node that nothing points to is a client. Where an arrow has a label, how often it is
//! followed is not in the chart; a part called a balancer follows one of its arrows. Source: mermaid.js.org, "Flowcharts - Basic Syntax".

use super::Imported;
use super::skeleton::{Part, Skeleton, clean};
use crate::spec::text::diagnostic::Diagnostic;
use crate::spec::text::source::{FileId, Sources, Span};

/// A node: its id and what is written in it.
#[derive(Debug, Clone)]
struct Mark {
    id: String,
    text: String,
    stores: bool,
}

/// The nodes and the arrows between them, with their labels.
#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Mark>,
    arrows: Vec<(usize, usize, Option<String>)>,
}

const ARROWS: [&str; 5] = ["-.->", "-->", "---", "==>", "--x"];

/// Imports a chart.
///
/// # Errors
/// Lines that cannot be read.
pub(super) fn import(_: &Sources, file: FileId, text: &str) -> Result<Imported, Vec<Diagnostic>> {
    let (mut graph, mut problems, mut at) = (Graph::default(), Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let span = Span::new(file, at, at + line.trim_end().len());
        at += line.len();
        let line = line.trim().trim_end_matches(';');
        let first = line.split_whitespace().next().unwrap_or_default();
        let skipped = ["flowchart", "graph", "end", "subgraph", "classDef", "class", "style", "linkStyle", "direction"];
        if line.is_empty() || line.starts_with("%%") || line.starts_with("```") || skipped.contains(&first) {
            continue;
        }
        if let Err(message) = graph.line(line) {
            problems
                .push(Diagnostic::error(message, span).with_help("write `A[Text] --> B[Text]`, or `A -->|label| B`"));
        }
    }
    if graph.nodes.is_empty() && problems.is_empty() {
        problems.push(Diagnostic::error("the chart has no nodes", Span::new(file, 0, 0)));
    }
    if problems.is_empty() {
        Ok(Imported { text: graph.skeleton().text(), warnings: Vec::new() })
    } else {
        Err(problems)
    }
}

impl Graph {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut rest = line;
        let mut before = self.node(&mut rest)?;
        while !rest.trim_start().is_empty() {
            rest = rest.trim_start();
            let Some(arrow) = ARROWS.iter().find(|arrow| rest.starts_with(**arrow)) else {
                return Err(format!("`{rest}` is no arrow"));
            };
            rest = rest[arrow.len()..].trim_start();
            let mut label = None;
            if let Some(after) = rest.strip_prefix('|') {
                let Some((inside, after)) = after.split_once('|') else {
                    return Err("a label is not closed".to_owned());
                };
                label = Some(inside.trim().to_owned());
                rest = after;
            }
            let next = self.node(&mut rest)?;
            self.arrows.push((before, next, label));
            before = next;
        }
        Ok(())
    }

    /// Reads a node; returns its number.
    fn node(&mut self, rest: &mut &str) -> Result<usize, String> {
        *rest = rest.trim_start();
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let (id, after) = rest.split_at(end);
        if id.is_empty() {
            return Err(format!("`{rest}` is no node"));
        }
        let shapes = [("[(", ")]"), ("((", "))"), ("[[", "]]"), ("[", "]"), ("(", ")"), ("{", "}")];
        let shape = shapes.iter().find(|(open, _)| after.starts_with(open));
        let mut text = None;
        *rest = after;
        if let Some((open, close)) = shape {
            let inside = &after[open.len()..];
            let Some(length) = inside.find(close) else { return Err(format!("the text of {id} is not closed")) };
            text = Some(inside[..length].trim().trim_matches('"').to_owned());
            *rest = &inside[length + close.len()..];
        }
        let stores = shape.is_some_and(|(open, _)| *open == "[(");
        let number = self.nodes.iter().position(|node| node.id == id).unwrap_or_else(|| {
            self.nodes.push(Mark { id: id.to_owned(), text: id.to_owned(), stores: false });
            self.nodes.len() - 1
        });
        if let Some(text) = text {
            self.nodes[number].text = text;
            self.nodes[number].stores = stores;
        }
        Ok(number)
    }

    fn skeleton(&self) -> Skeleton {
        let mut skeleton = Skeleton { about: "A flowchart as a model.".to_owned(), ..Skeleton::default() };
        let mut names: Vec<String> = Vec::new();
        for node in &self.nodes {
            let name = clean(&node.text);
            names.push(if names.contains(&name) { format!("{name}_{}", clean(&node.id)) } else { name });
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let out: Vec<_> = self.arrows.iter().filter(|(from, ..)| *from == number).collect();
            let reached = self.arrows.iter().any(|(_, to, _)| *to == number);
            if !reached && !out.is_empty() {
                skeleton
                    .clients
                    .extend(out.iter().map(|(_, to, _)| (names[number].clone(), format!("{}.request", names[*to]))));
                continue;
            }
            let mut part = Part { name: names[number].clone(), instances: 1, ..Part::default() };
            let own = if node.stores {
                "- wait: 5ms # MISSING: the time of a query"
            } else {
                "- cpu: 1ms # MISSING: work per request"
            };
            part.steps.push(own.to_owned());
            if node.text.to_lowercase().contains("balancer") && out.len() > 1 {
                part.steps.push("- choose: # MISSING: how the parts share the requests".to_owned());
                let share = 100.0 / out.len() as f64;
                part.steps.extend(out.iter().map(|(_, to, _)| {
                    format!(
                        "    - {{ share: {:.4}%, steps: [ call: {}.request ] }}",
                        (share * 1e4).floor() / 1e4,
                        names[*to]
                    )
                }));
            } else {
                part.steps.extend(out.iter().map(|(_, to, label)| match label {
                    None => format!("- call: {}.request # MISSING: whether every request goes there", names[*to]),
                    Some(label) => format!(
                        "- choose: [ {{ share: 50%, steps: [ call: {}.request ] }} ] # MISSING: how often ({})",
                        names[*to],
                        label.replace(['\n', '#'], " ")
                    ),
                }));
            }
            skeleton.parts.push(part);
        }
        skeleton
    }
}
