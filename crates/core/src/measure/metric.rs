//! Metric declarations: one entry per metric, read by tables, CSV headers, charts, docs and expectations alike.

use crate::quantity::Unit;

/// A metric of something whose book is a `B`.
#[derive(Debug)]
pub struct Metric<B> {
    /// Its name behind that of the part: `latency.p95`.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Reads it, given the length of the window [s]; `None` if there is nothing to read, or not enough of it.
    pub read: fn(&B, f64) -> Option<f64>,
}
