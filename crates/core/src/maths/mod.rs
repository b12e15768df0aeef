//! Closed forms and statistics: what theory says a queueing system does, and what a sample of a run proves.
//!
//! Floor 0: nothing here knows of events, models, files or reports; inputs and outputs are plain numbers.
//!
//! Invariants: times are in seconds and rates in 1/s wherever a name does not say otherwise; every function is pure;
//! arguments outside the domain are answered with a [`MathsError`], never with a panic or a silent `NaN`. A system
//! without a steady state is [`MathsError::Unstable`]. Transcendental functions come from `libm`, so results are the
//! same on every platform; only the Student, binomial and chi-square tails go through `statrs`.
//!
//! Limits: steady state only, except where a function says otherwise; no matrix-analytic methods. Arguments between
//! 10⁻¹² and 10¹² are meant; products far beyond may overflow.

pub mod availability;
pub mod balancing;
pub mod cache;
mod error;
pub mod numeric;
pub mod queue;
pub mod retries;
pub mod scalability;
pub mod statistics;

pub use error::MathsError;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) mod test_support {
    //! Comparison with stated tolerances.

    /// Asserts that `actual` is within `relative` of `expected` (absolute for an expected zero).
    #[track_caller]
    pub(crate) fn assert_close(actual: f64, expected: f64, relative: f64) {
        let allowed = relative * if expected == 0.0 { 1.0 } else { expected.abs() };
        assert!((actual - expected).abs() <= allowed, "actual {actual:e}, expected {expected:e}, allowed {allowed:e}");
    }

    /// Tolerance against reference constants, which carry 16 digits: only rounding may differ.
    pub(crate) const REFERENCE: f64 = 1e-9;
}
