//! All integration tests: one crate, one module per kind.

mod cli;
mod crashes;
mod determinism;
mod experiments;
#[path = "../benches/handwritten/mod.rs"]
#[allow(dead_code, reason = "the benchmarks run the loops; here only their own tests do")]
mod handwritten;
mod hostile;
mod machines;
mod model;
mod schema;
mod support;
mod swarm;
mod tidy;
mod traffic;
mod validation;
