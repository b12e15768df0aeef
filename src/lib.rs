//! A discrete-event laboratory for scaling questions.
//!
//! The machine itself is the crate `scalelab-core`; its modules are named here too, so that the whole is one tree.
#![deny(missing_docs)]

pub mod cli;
pub mod experiment;
pub mod insight;
pub mod report;
pub mod spec;
pub mod study;

pub use scalelab_core::{engine, maths, measure, model, quantity};
