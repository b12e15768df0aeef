//! `scalelab schema`: the JSON Schemas of the file formats.

use clap::ValueEnum;

use super::{Status, print};
use crate::spec::load::{experiment_schema, model_schema};

/// Print the JSON Schema of a file format, for editors
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file format
    #[arg(value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Model files
    Model,
    /// Experiment files
    Experiment,
}

/// Prints the schema.
pub fn run(arguments: &Arguments) -> Status {
    let schema = match arguments.format {
        Format::Model => model_schema(),
        Format::Experiment => experiment_schema(),
    };
    print(&format!("{schema:#}\n"));
    Status::Good
}
