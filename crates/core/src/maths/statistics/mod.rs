//! Statistics of simulation output: intervals, comparisons, quantiles, truncation, and tests of generators.
//!
//! Invariants: samples are finite (else [`crate::maths::MathsError`]); nothing is dropped silently.

pub mod batch_means;
pub mod chi_square;
pub mod interval;
pub mod ks;
pub mod moments;
pub mod multiple;
pub mod paired;
pub mod proportion;
pub mod quantile;
pub mod run_length;
pub mod selection;
pub mod warm_up;
