//! A discrete-event laboratory for scaling questions.
#![deny(missing_docs)]

pub mod cli;
pub mod engine;
pub mod experiment;
pub mod insight;
pub mod maths;
pub mod measure;
pub mod model;
pub mod quantity;
pub mod report;
pub mod spec;
