//! All integration tests: one crate, one module per kind.

mod cli;
mod consistency;
mod course;
mod crashes;
mod data;
mod determinism;
mod disk_and_batch;
mod expectations;
mod experiments;
mod failures;
mod fleets;
#[path = "../benches/handwritten/mod.rs"]
#[allow(dead_code, reason = "the benchmarks run the loops; here only their own tests do")]
mod handwritten;
mod hostile;
mod insight;
mod locks;
mod machines;
mod metastability;
mod model;
mod network;
mod planted;
mod quiz;
mod report;
mod scenarios;
mod schema;
mod shards;
mod support;
mod swarm;
mod swarm_faults;
mod tidy;
mod trace;
mod traffic;
mod validation;
