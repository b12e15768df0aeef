//! `scalelab find`: the cheapest setting that meets the expectations.

use super::run::{self, Progress, broken, interruptible, options, prepare};
use super::{Status, complain, print, show, width};
use crate::insight::find::{Failed, find};
use crate::report::table;
use crate::spec::load::{Disk, Loader};

/// Find the cheapest setting that meets the expectations
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    #[command(flatten)]
    run: run::Arguments,
}

/// The file of a result folder that holds the search.
const FILE: &str = "find.json";

/// Searches in all files; the exit status is 99 if a search finds nothing.
pub fn run(arguments: &Arguments) -> Status {
    let mut loader = Loader::new(&Disk);
    let designs = match prepare(&arguments.run, &mut loader) {
        Ok(designs) => designs,
        Err(status) => return status,
    };
    let Ok(options) = options(&arguments.run, &mut loader) else { return Status::Input };
    let stop = interruptible();
    let mut status = Status::Good;
    for (document, design) in &designs {
        let progress = Progress::new(&arguments.run, document, design);
        let searched = find(&loader, document, &options, arguments.run.jobs, &progress, &stop);
        progress.bar.finish_and_clear();
        let search = match searched {
            Ok(search) => search,
            Err(Failed::Run(error)) => return broken(document, &error),
            Err(Failed::Files(diagnostics)) => {
                show(&diagnostics, &loader.sources);
                return Status::Input;
            }
            Err(Failed::Nothing(what)) => {
                complain(&format!("{}: {what}", document.name));
                return Status::Input;
            }
        };
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            anstream::eprintln!("interrupted");
            return Status::Interrupted;
        }
        let folder = arguments.run.out.join(&document.name);
        let text = serde_json::to_string_pretty(&search).unwrap_or_default();
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(FILE), text + "\n"));
        if let Err(error) = written {
            complain(&format!("the search cannot be written to `{}`: {error}", folder.display()));
            return Status::Broken;
        }
        if !arguments.run.quiet {
            print(&table::search(document.experiment.question.trim(), &search, width(), true));
            print(&format!("\nAll that was tried: {}\n", folder.join(FILE).display()));
        }
        if search.found.is_none() {
            status = Status::Expectation;
        }
    }
    status
}
