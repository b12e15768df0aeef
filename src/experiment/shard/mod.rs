//! Sharing an experiment among machines, and putting the parts together again.
//!
//! A *share* is a deterministic part of the runs of a design ([`deal`]). Whoever runs it writes one file ([`file`]) in which
//! every run stands whole: values, histograms, ledgers. Putting the files of all shares together ([`merge`]) goes through the
//! same code as a run on one machine, on the same integers and the same bits of every number, so the results are the same bytes.
//!
//! Invariants: a file is there whole or not at all; what was finished before a crash is in a journal beside it and is not run
//! again ([`store`]); no run is counted twice, and none is missing.
//!
//! Limits: what needs the results of all points before it can go on, `precision:`, `select:` and `warm_up: auto`, cannot be shared
//! ([`shareable`]).

pub mod deal;
pub mod file;
mod lines;
pub mod merge;
pub mod store;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::design::Design;
use super::runner::RunError;

/// The most shares of an experiment.
const MOST: u32 = 100_000;

/// A part of an experiment's runs: the `index`-th of `count`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share {
    /// Which.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

impl Share {
    /// All of it.
    pub const WHOLE: Share = Share { index: 1, count: 1 };

    /// The `index`-th of `count`.
    ///
    /// # Errors
    /// If there is no such share.
    pub fn new(index: u64, count: u64) -> Result<Self, String> {
        let of = u32::try_from(count).ok().filter(|count| (1..=MOST).contains(count));
        let count = of.ok_or_else(|| format!("{count} shards are not possible; 1 to {MOST} are"))?;
        let which = u32::try_from(index).ok().filter(|index| (1..=count).contains(index));
        let index =
            which.ok_or_else(|| format!("there is no shard {index} of {count}; they are numbered 1 to {count}"))?;
        Ok(Share { index, count })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        let (index, count) = numbers.ok_or_else(|| format!("`{text}` is no shard; write it as 3/8"))?;
        Share::new(index, count)
    }
}

/// Why a share could not be run or merged.
#[derive(Debug)]
pub enum ShardError {
    /// A simulation broke its laws.
    Run(RunError),
    /// The file system refused.
    Disk {
        /// What was being done: `writing`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// Files do not fit each other or the experiment; in words, with what to do.
    Refused(String),
}

impl ShardError {
    /// The file system's error about a path.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl Fn(std::io::Error) -> ShardError {
        let path = path.to_owned();
        move |error| ShardError::Disk { doing, path: path.clone(), error }
    }
}

impl fmt::Display for ShardError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShardError::Run(error) => error.fmt(formatter),
            ShardError::Disk { doing, path, error } => write!(formatter, "{doing} `{}`: {error}", path.display()),
            ShardError::Refused(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for ShardError {}

impl From<RunError> for ShardError {
    fn from(error: RunError) -> Self {
        ShardError::Run(error)
    }
}

/// Whether the runs of a design are known before any is run.
///
/// # Errors
/// Why they are not, and what to write instead.
pub fn shareable(design: &Design) -> Result<(), String> {
    if design.finds_warm_up {
        return Err(
            "`warm_up: auto` looks at pilot runs of all points before any run begins, so the runs cannot be shared \
                    or resumed; run it once with --replications 1, then write the time it found as `warm_up`"
                .to_owned(),
        );
    }
    if !design.selections.is_empty() {
        return Err("`select` looks at the results of all runs before it asks for more, so they cannot be shared or \
                    resumed; remove it"
            .to_owned());
    }
    if !design.precision.wanted.is_empty() {
        return Err(
            "`precision` looks at the results of all runs before it asks for more, so they cannot be shared or \
                    resumed; remove it and give enough `replications`"
                .to_owned(),
        );
    }
    Ok(())
}
