//! The machine of scalelab: everything between a compiled model and its recorded books.
//!
//! It knows no file, no wall clock and no thread. What reads files, runs experiments and draws charts stands above it, in the
//! crate `scalelab`.
#![deny(missing_docs)]

pub mod engine;
pub mod maths;
pub mod measure;
pub mod model;
pub mod quantity;
