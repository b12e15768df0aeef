//! Reports: tables, CSV files and charts, made from recorded results alone.
//!
//! Everything here reads a [`crate::experiment::Study`] and nothing else: a report can be made again from `summary.json`
//! without simulating, and gives the same bytes. [`table::terminal`] is the answer on the screen, [`csv`] and [`json`]
//! are for programs, [`plots`] turns what an experiment asks to see into charts, [`markdown`] makes tables for docs, and
//! [`write`](mod@write) puts a folder of results together.

pub mod chart;
pub mod csv;
mod error;
pub mod json;
pub mod markdown;
mod names;
pub mod plots;
pub mod table;
#[cfg(test)]
mod tests;
pub mod write;

pub use error::ReportError;
