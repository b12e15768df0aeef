//! `scalelab check`: everything that can be found without simulating.

use std::path::PathBuf;

use super::{Status, print, show};
use crate::experiment::design::{Options, design};
use crate::spec::load::{Disk, Loader};

/// Check files without running them
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Model or experiment files; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks all files and says what they would run.
pub fn run(arguments: &Arguments) -> Status {
    let mut loader = Loader::new(&Disk);
    let mut status = Status::Good;
    let options = Options { lint: true, ..Options::default() };
    for file in &arguments.files {
        let designed = loader.load(file).and_then(|document| design(&loader, &document, &options));
        match designed {
            Err(diagnostics) => {
                show(&diagnostics, &loader.sources);
                status = Status::Input;
            }
            Ok(design) => {
                let (points, replications) = (design.points.len(), design.run.replications);
                let plural = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
                print(&format!(
                    "{}: fine; {} of {}\n",
                    file.display(),
                    plural(points as u64, "point"),
                    plural(replications, "replication")
                ));
                show(&design.warnings, &loader.sources);
                for assumption in &design.assumptions {
                    print(&format!("  assumed: {assumption}\n"));
                }
            }
        }
    }
    status
}
