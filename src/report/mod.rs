//! Reports: tables, CSV files and charts, made from recorded results alone.
//!
//! Everything here reads a [`crate::study::Study`] and nothing else: a report can be made again from `summary.json`
//! without simulating, and gives the same bytes. (Traces of requests, [`trace`], are the exception.) [`table::terminal`] is
//! the answer on the screen, [`report_html`] the page, [`csv`] and [`json`] are for programs, [`plots`] turns what an
//! experiment asks to see into charts, [`diagram`] draws systems, [`markdown`] makes tables for docs, and
//! [`write`](mod@write) puts a folder of results together.

pub mod chart;
pub mod csv;
pub mod diagram;
mod error;
mod html;
pub mod json;
pub mod markdown;
mod names;
#[cfg(feature = "parquet")]
mod parquet;
pub mod plots;
pub mod table;
#[cfg(test)]
mod tests;
pub mod trace;
pub mod write;

pub use error::ReportError;
pub use html::report_html;
