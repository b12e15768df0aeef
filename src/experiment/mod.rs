//! Experiments: from a question to runs, and from runs to estimates and verdicts.

pub mod expectation;
pub mod study;

pub use study::Study;
