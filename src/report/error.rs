//! Why a report could not be made.

use std::fmt;

use super::chart::ChartError;

/// Why a report could not be made. The messages name what to change.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportError {
    /// A chart asks for something that the results do not hold or that cannot be read.
    Plot {
        /// The chart, in words: `plot 2 (y: shoppers.latency.p95)`.
        plot: String,
        /// What is wrong and what is known.
        what: String,
    },
    /// A chart could not be drawn.
    Chart {
        /// The stem of its file.
        plot: String,
        /// Why.
        source: ChartError,
    },
    /// A file of columns could not be made.
    #[cfg(feature = "parquet")]
    Columns(String),
    /// `summary.json` is not a summary, or a damaged one.
    Summary(String),
    /// `summary.json` was written in another layout.
    Layout {
        /// The version in the file.
        found: u64,
        /// The version that can be read.
        known: u32,
    },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plot { plot, what } => write!(f, "{plot}: {what}"),
            Self::Chart { plot, source } => write!(f, "{plot}: {source}"),
            #[cfg(feature = "parquet")]
            Self::Columns(what) => f.write_str(what),
            Self::Summary(what) => write!(f, "the summary cannot be read: {what}"),
            Self::Layout { found, known } => write!(
                f,
                "the summary has layout version {found}, but only version {known} can be read; run the experiment again"
            ),
        }
    }
}

impl std::error::Error for ReportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Chart { source, .. } => Some(source),
            _ => None,
        }
    }
}
