//! Reports: tables, CSV files and charts, made from recorded results alone.

pub mod chart;
