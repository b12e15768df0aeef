//! Why a chart could not be drawn.

use std::fmt;

/// Why a chart could not be drawn. The messages name the field to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartError {
    /// A size, range, length or count in the chart is not drawable.
    Invalid(String),
    /// The drawing libraries refused; a defect of this module or a file that it did not make.
    Internal(String),
}

impl ChartError {
    pub(super) fn internal(error: impl fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl fmt::Display for ChartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "chart cannot be drawn: {what}"),
            Self::Internal(what) => write!(f, "chart drawing failed: {what}"),
        }
    }
}

impl std::error::Error for ChartError {}
