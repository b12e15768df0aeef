//! `scalelab report`: the files of a result folder again, from its summary alone.

use std::path::{Path, PathBuf};

use super::{Status, complain, print};
use crate::report::write::{SUMMARY, files, is_trace, write_all};
use crate::report::{ReportError, json};

/// Make tables, charts and the page again from recorded results
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folders with results
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

/// Makes the files of all folders again.
pub fn run(arguments: &Arguments) -> Status {
    let mut status = Status::Good;
    for folder in &arguments.folders {
        match again(folder) {
            Ok(()) => print(&format!("{}\n", folder.join("report.html").display())),
            Err((failed, message)) => {
                complain(&message);
                status = failed;
            }
        }
    }
    status
}

fn again(folder: &Path) -> Result<(), (Status, String)> {
    let summary = folder.join(SUMMARY);
    let bytes = std::fs::read(&summary).map_err(|error| {
        let help = "give a folder that `scalelab run` has written";
        (Status::Input, format!("`{}` cannot be read: {error}; {help}", summary.display()))
    })?;
    let unreadable = |error: ReportError| (Status::Input, format!("`{}`: {error}", summary.display()));
    let study = json::read_summary(&bytes).map_err(unreadable)?;
    let mut files = files(&study).map_err(unreadable)?;
    files.extend(
        traces(folder).map_err(|error| {
            (Status::Input, format!("the traces in `{}` cannot be read: {error}", folder.display()))
        })?,
    );
    write_all(folder, &files)
        .map_err(|error| (Status::Broken, format!("the results cannot be written to `{}`: {error}", folder.display())))
}

/// The traces in a folder, which are in no summary: they stay as they are.
fn traces(folder: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut traces = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if is_trace(&name) {
            let content = std::fs::read(folder.join(&name))?;
            traces.push((name, content));
        }
    }
    Ok(traces)
}
