//! Machines by size: a catalogue of sizes, in the model or in a file of its own, fills in what a machine does not say.
//!
//! `machine: { size: large }` takes what the catalogue says of `large`; `machine: { size: { cores: 8 } }` takes the cheapest size
//! that has at least that. What the machine says itself comes first. The filling is done in the tree, before it is checked,
//! so that a sweep can go over sizes and every message points at the line that was written.

use super::text::diagnostic::Diagnostic;
use super::text::source::Span;
use super::text::tree::{Entry, Node, Value};
use crate::model::compile::Problem;
use crate::quantity::{Bandwidth, Bytes, Cores, Price};

/// Where the catalogue is in a model.
const KEY: &str = "catalogue";

/// The catalogue of a model, if it names a file instead of holding it: the file, and where it is named.
pub fn file_of(model: &Node) -> Option<(String, Span)> {
    let value = &model.entry(KEY)?.value;
    match &value.value {
        Value::Text { text, .. } => Some((text.clone(), value.span)),
        _ => None,
    }
}

/// Puts the content of a catalogue's file in its place.
pub fn embed(model: &mut Node, catalogue: Node) {
    if let Value::Map(entries) = &mut model.value
        && let Some(entry) = entries.iter_mut().find(|entry| entry.key == KEY)
    {
        entry.value = catalogue;
    }
}

/// Fills in what the machines of a model do not say themselves, by their size.
pub fn fill(model: &mut Node) -> Vec<Diagnostic> {
    let sizes = model.entry(KEY).map(|entry| entry.value.entries().to_vec());
    let mut diagnostics = Vec::new();
    for machine in machines(model) {
        let Some(size) = machine.entry("size").map(|entry| entry.value.clone()) else { continue };
        match choose(&size, sizes.as_deref()) {
            Ok(Some(chosen)) => complete(machine, chosen),
            Ok(None) => {}
            Err(problem) => diagnostics.push(super::load::as_diagnostic(&problem, size.span)),
        }
    }
    diagnostics
}

/// The machines of all services.
fn machines(model: &mut Node) -> Vec<&mut Node> {
    fn below<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
        match &mut node.value {
            Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value),
            _ => None,
        }
    }
    let Some(Node { value: Value::Map(services), .. }) = below(model, "services") else { return Vec::new() };
    services.iter_mut().filter_map(|service| below(&mut service.value, "machine")).collect()
}

/// The size that is meant; `None` if what is written there is no size at all, which the schema will say.
fn choose<'c>(size: &Node, sizes: Option<&'c [Entry]>) -> Result<Option<&'c Entry>, Problem> {
    let missing = || Problem {
        path: String::new(),
        message: "there is no catalogue of sizes".to_owned(),
        help: Some(
            "add `catalogue: { small: { cores: 2, price: 0.10/h } }`, or the name of a file, to the model".to_owned(),
        ),
    };
    match &size.value {
        Value::Text { text, .. } => {
            let sizes = sizes.ok_or_else(missing)?;
            let found = sizes.iter().find(|entry| entry.key == *text);
            found.map(Some).ok_or_else(|| {
                let mut problem = Problem::unknown("", "size", text, sizes.iter().map(|entry| entry.key.as_str()));
                if let Some(largest) = largest(sizes) {
                    let help = problem.help.unwrap_or_default();
                    problem.help = Some(format!("{help}; the largest is `{}`", largest.key));
                }
                problem
            })
        }
        Value::Map(wanted) => {
            let sizes = sizes.ok_or_else(missing)?;
            let enough = |entry: &&Entry| wanted.iter().all(|want| at_least(&entry.value, want));
            let fitting = sizes.iter().filter(enough).min_by(|one, other| price(one).total_cmp(&price(other)));
            fitting.map(Some).ok_or_else(|| {
                let largest = largest(sizes).map_or(String::new(), |largest| {
                    format!("the largest is `{}`{}; use more instances", largest.key, described(&largest.value))
                });
                let message = "there is no size as large as this".to_owned();
                Problem { path: String::new(), message, help: Some(largest) }
            })
        }
        _ => Ok(None),
    }
}

/// What a size has of something, in its base unit.
fn amount(size: &Node, key: &str) -> Option<f64> {
    let text = match &size.entry(key)?.value.value {
        Value::Number { text, .. } | Value::Text { text, .. } => text.as_str(),
        _ => return None,
    };
    match key {
        "cores" => text.parse::<Cores>().ok().map(Cores::get),
        "memory" => text.parse::<Bytes>().ok().map(|bytes| bytes.as_u64() as f64),
        "network" => text.parse::<Bandwidth>().ok().map(Bandwidth::bytes_per_second),
        "price" => text.parse::<Price>().ok().map(Price::per_hour),
        _ => None,
    }
}

/// Whether a size has at least what is wanted.
fn at_least(size: &Node, want: &Entry) -> bool {
    let wanted = Node { span: want.key_span, value: Value::Map(vec![want.clone()]) };
    match (amount(size, &want.key), amount(&wanted, &want.key)) {
        (Some(has), Some(wanted)) => has >= wanted,
        // What is no amount is the schema's matter.
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

fn price(entry: &Entry) -> f64 {
    amount(&entry.value, "price").unwrap_or(0.0)
}

/// The size with the most cores; of several the one with the most memory, then the last.
fn largest(sizes: &[Entry]) -> Option<&Entry> {
    let rank = |entry: &Entry| ["cores", "memory"].map(|key| amount(&entry.value, key).unwrap_or(0.0));
    sizes.iter().max_by(|one, other| {
        let ([cores, memory], [other_cores, other_memory]) = (rank(one), rank(other));
        cores.total_cmp(&other_cores).then(memory.total_cmp(&other_memory))
    })
}

/// Cores and memory of a size, in brackets.
fn described(size: &Node) -> String {
    let text = |key: &str| match &size.entry(key)?.value.value {
        Value::Number { text, .. } | Value::Text { text, .. } => Some(text.clone()),
        _ => None,
    };
    let parts = [text("cores").map(|cores| format!("{cores} cores")), text("memory")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Adds to a machine what the size says and the machine does not.
fn complete(machine: &mut Node, size: &Entry) {
    let missing: Vec<Entry> =
        size.value.entries().iter().filter(|entry| machine.entry(&entry.key).is_none()).cloned().collect();
    if let Value::Map(entries) = &mut machine.value {
        entries.extend(missing);
    }
}
