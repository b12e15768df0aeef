//! `scalelab merge`: the results of all shards as one machine would have written them.

use std::path::{Path, PathBuf};

use super::run::{Format, conclude};
use super::shard::refuse;
use super::{Status, complain, show};
use crate::experiment::design::{Design, Options, design};
use crate::experiment::shard::file::Head;
use crate::experiment::shard::merge::{Gathered, gather};
use crate::experiment::study_of;
use crate::spec::load::{Disk, Document, Loader};
use crate::spec::text::diagnostic::Diagnostic;

/// Put the results of all shards of an experiment together, as one machine would have written them
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folders of shards, such as output/NAME.shards
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The folder for results; the experiment has a folder of its own in it
    #[arg(long, default_value = "output", value_name = "FOLDER")]
    out: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print no answer
    #[arg(long, short)]
    quiet: bool,
}

/// Checks the shards and merges them. The experiment's files are read again, from the same paths.
pub fn run(arguments: &Arguments) -> Status {
    let gathered = match gather(&arguments.folders) {
        Ok(gathered) => gathered,
        Err(error) => return refuse("merge", &error),
    };
    let head = &gathered.head;
    if head.version != env!("CARGO_PKG_VERSION") {
        let (theirs, own) = (&head.version, env!("CARGO_PKG_VERSION"));
        complain(&format!(
            "the shards were run with version {theirs}, and this is {own}; merge them with the same version"
        ));
        return Status::Input;
    }
    let mut loader = Loader::new(&Disk);
    let (document, design) = match again(&gathered, &mut loader) {
        Ok(designed) => designed,
        Err(diagnostics) => {
            show(&diagnostics, &loader.sources);
            return Status::Input;
        }
    };
    let expected = Head::new(&document, &design, &head.command, head.origin.clone(), head.share, 0);
    match gathered.points(&design, &expected) {
        Ok(points) => {
            let study = study_of(&document, &design, &head.command, points, Vec::new(), false);
            conclude(&study, Vec::new(), &arguments.out, arguments.format, arguments.quiet)
        }
        Err(error) => refuse(&document.name, &error),
    }
}

/// Designs the experiment again as it was called.
fn again(gathered: &Gathered, loader: &mut Loader) -> Result<(Document, Design), Vec<Diagnostic>> {
    let origin = &gathered.head.origin;
    let document = loader.load(Path::new(&origin.file))?;
    let mut options =
        Options { seed: origin.seed, replications: origin.replications, quick: origin.quick, ..Options::default() };
    for text in &origin.set {
        options.set.push(loader.override_of(text)?);
    }
    let design = design(loader, &document, &options)?;
    Ok((document, design))
}
