//! `scalelab compare`: two result folders or files, metric by metric.

use std::path::Path;

use super::run::{self, Progress, broken, command, interruptible, prepare};
use super::{Status, complain, print, width};
use crate::experiment::conduct;
use crate::insight::compare::compare;
use crate::quantity::Share;
use crate::report::write::SUMMARY;
use crate::report::{json, table};
use crate::spec::load::{Disk, Loader};
use crate::study::Study;
use crate::study::insight::Judgement;

/// Compare two result folders or files: better, worse or no difference, metric by metric
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// The two: result folders, or files that are run
    #[command(flatten)]
    run: run::Arguments,
    /// Changes up to this are no difference
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    within: Share,
    /// Compare all metrics, not only the usual ones of the clients
    #[arg(long)]
    all: bool,
}

/// Compares; the exit status is 99 if anything got worse.
pub fn run(arguments: &Arguments) -> Status {
    let [first, second] = arguments.run.files.as_slice() else {
        complain("give two result folders or files to compare");
        return Status::Input;
    };
    let studies = study(arguments, first).and_then(|first| Ok((first, study(arguments, second)?)));
    let (first, second) = match studies {
        Ok(studies) => studies,
        Err(status) => return status,
    };
    let comparison = compare(&first, &second, arguments.within.fraction(), arguments.all);
    if comparison.rows.is_empty() {
        complain("they have no point with a metric in common; variants and levels must have the same names");
        return Status::Input;
    }
    if !arguments.run.quiet {
        print(&table::comparison(&comparison, width(), true));
    }
    let is_worse = comparison.rows.iter().any(|row| row.judgement == Judgement::Worse);
    if is_worse { Status::Expectation } else { Status::Good }
}

/// The study in a result folder, or that of a file, which is run.
fn study(arguments: &Arguments, path: &Path) -> Result<Study, Status> {
    if path.is_dir() || path.extension().is_some_and(|ending| ending == "json") {
        let file = if path.is_dir() { path.join(SUMMARY) } else { path.to_owned() };
        let read = std::fs::read(&file).map_err(|error| error.to_string());
        let study = read.and_then(|bytes| json::read_summary(&bytes).map_err(|error| error.to_string()));
        return study.map_err(|error| {
            complain(&format!("`{}` cannot be read: {error}", file.display()));
            Status::Input
        });
    }
    let mut loader = Loader::new(&Disk);
    let own = arguments.run.of_file(path);
    let designs = prepare(&own, &mut loader)?;
    let Some((document, design)) = designs.first() else { return Err(Status::Input) };
    let stop = interruptible();
    let progress = Progress::new(&own, document, design);
    let result = conduct(document, design, &command("run", &own, document), own.jobs, &progress, &stop);
    progress.bar.finish_and_clear();
    result.map_err(|error| broken(document, &error))
}
