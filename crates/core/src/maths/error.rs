//! The one error type of the closed forms, and the argument checks that produce it.

use std::fmt;

/// Why a closed form has no answer for its arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MathsError {
    /// An argument lies outside the domain of the formula.
    OutOfDomain {
        /// Name of the argument.
        name: &'static str,
        /// The value that was given.
        value: f64,
        /// What is allowed, in words.
        expected: &'static str,
    },
    /// The system has no steady state: work arrives at least as fast as it can be done.
    Unstable {
        /// Offered load divided by the number of servers; at least 1.
        utilization: f64,
    },
    /// Two sequences that belong together have different lengths.
    LengthMismatch {
        /// Length that was expected.
        expected: usize,
        /// Length that was given.
        actual: usize,
    },
    /// There are fewer observations than the formula needs.
    TooFewObservations {
        /// The least number of observations.
        needed: usize,
        /// The number that was given.
        actual: usize,
    },
    /// The linear system has no unique solution (for a network: some request can never leave).
    Singular,
    /// The numerical method did not reach its tolerance within its limit of work.
    NoConvergence {
        /// The method that gave up.
        method: &'static str,
    },
}

impl fmt::Display for MathsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfDomain { name, value, expected } => write!(f, "{name} is {value}, expected {expected}"),
            Self::Unstable { utilization } => {
                write!(f, "no steady state: utilization would be {utilization}, it must be below 1")
            }
            Self::LengthMismatch { expected, actual } => {
                write!(f, "expected {expected} values, got {actual}")
            }
            Self::TooFewObservations { needed, actual } => {
                write!(f, "needs at least {needed} observations, got {actual}")
            }
            Self::Singular => write!(f, "the linear system has no unique solution"),
            Self::NoConvergence { method } => write!(f, "{method} did not converge"),
        }
    }
}

impl std::error::Error for MathsError {}

/// Accepts finite values above zero.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, MathsError> {
    check(name, value, value.is_finite() && value > 0.0, "a finite number above 0")
}

/// Accepts finite values of at least zero.
pub(crate) fn non_negative(name: &'static str, value: f64) -> Result<f64, MathsError> {
    check(name, value, value.is_finite() && value >= 0.0, "a finite number of at least 0")
}

/// Accepts probabilities, both ends included.
pub(crate) fn probability(name: &'static str, value: f64) -> Result<f64, MathsError> {
    check(name, value, (0.0..=1.0).contains(&value), "a probability from 0 to 1")
}

/// Accepts quantile levels: 0 included, 1 excluded (it would be infinite).
pub(crate) fn quantile_level(name: &'static str, value: f64) -> Result<f64, MathsError> {
    check(name, value, (0.0..1.0).contains(&value), "a level from 0 to below 1")
}

/// Accepts confidence levels: strictly between 0 and 1.
pub(crate) fn confidence_level(value: f64) -> Result<f64, MathsError> {
    check("confidence", value, value > 0.0 && value < 1.0, "a level strictly between 0 and 1")
}

/// Accepts counts of at least one.
pub(crate) fn at_least_one(name: &'static str, value: u32) -> Result<u32, MathsError> {
    check(name, f64::from(value), value >= 1, "an integer of at least 1").map(|_| value)
}

/// Accepts utilizations below one.
pub(crate) fn stable(utilization: f64) -> Result<f64, MathsError> {
    if utilization < 1.0 { Ok(utilization) } else { Err(MathsError::Unstable { utilization }) }
}

/// Accepts sequences of equal length.
pub(crate) fn same_length(expected: usize, actual: usize) -> Result<(), MathsError> {
    if expected == actual { Ok(()) } else { Err(MathsError::LengthMismatch { expected, actual }) }
}

/// Accepts sequences of at least `needed` observations, all finite.
pub(crate) fn observations(samples: &[f64], needed: usize) -> Result<(), MathsError> {
    if samples.len() < needed {
        return Err(MathsError::TooFewObservations { needed, actual: samples.len() });
    }
    match samples.iter().find(|x| !x.is_finite()) {
        Some(&value) => Err(MathsError::OutOfDomain { name: "observation", value, expected: "a finite number" }),
        None => Ok(()),
    }
}

/// `value` if `ok`, else the domain error.
pub(crate) fn check(name: &'static str, value: f64, ok: bool, expected: &'static str) -> Result<f64, MathsError> {
    if ok { Ok(value) } else { Err(MathsError::OutOfDomain { name, value, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_is_refused_by_every_check() {
        let checks = [positive, non_negative, probability, quantile_level];
        assert!(checks.iter().all(|check| check("x", f64::NAN).is_err()));
        assert!(confidence_level(f64::NAN).is_err());
        assert!(stable(f64::NAN).is_err());
    }

    #[test]
    fn the_message_names_the_argument_and_what_is_allowed() {
        let message = positive("arrival_rate", -1.0).unwrap_err().to_string();
        assert_eq!(message, "arrival_rate is -1, expected a finite number above 0");
    }
}
