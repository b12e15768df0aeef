//! What is recorded while a simulation runs: per observation, over time, and as distributions.
//!
//! Invariants: recording allocates nothing in steady state; everything merges exactly, so that replications and shards
//! add up to the same bytes in any order.

pub mod histogram;
pub mod ledger;
pub mod level;
pub mod metric;
pub mod tally;

pub use histogram::{Binned, Histogram};
pub use ledger::{Attribution, Kind};
pub use level::Level;
pub use metric::Metric;
pub use tally::Tally;
