//! From the user's YAML text to a tree that is known to fit the file format.
//!
//! The way of a file: bytes → [`source::Sources`] → [`parse::parse`] → [`tree::Node`] (overrides are written into it by
//! [`set::set`]) → [`check::check`] against the JSON Schema of the serde types → [`to_json::to_json`] →
//! `serde_json::from_value`, which cannot fail on shape any more.
//!
//! Invariants: every node knows the bytes it was read from; every error is a [`diagnostic::Diagnostic`] with a place;
//! all errors of a step are reported together; no input makes this layer panic, hang or use unbounded memory.
//!
//! Limits: one YAML document per file, the core schema of YAML 1.2 without tags and merge keys, and the sizes in
//! [`parse`] and [`source`]. No file is opened here: bytes come in, so the layer also works without a file system.

pub mod check;
mod check_scalar;
mod choose;
pub mod diagnostic;
mod explain;
pub mod parse;
pub mod path;
mod render;
mod scalar;
pub mod schema;
pub mod set;
mod shape;
pub mod source;
#[cfg(test)]
mod tests;
pub mod to_json;
pub mod tree;
mod yaml_error;
