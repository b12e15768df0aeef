//! `scalelab diagram`: the system of a file as a picture.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Status, complain, print, show};
use crate::experiment::design::{Options, design};
use crate::report::diagram::{Overlay, mermaid, svg};
use crate::spec::load::{Disk, Loader};

/// Draw the system of a model or experiment as SVG or Mermaid
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A model or experiment file; `-` is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A picture, or text for Markdown
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,
    /// The variant of an experiment; the first if left out
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Where to write; the standard output if left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A picture, light or dark as the reader prefers
    Svg,
    /// A flowchart for Mermaid
    Mermaid,
}

/// Draws the system of the file's first point.
pub fn run(arguments: &Arguments) -> Status {
    let mut loader = Loader::new(&Disk);
    let designed = loader.load(&arguments.file).and_then(|document| design(&loader, &document, &Options::default()));
    let design = match designed {
        Ok(design) => design,
        Err(diagnostics) => {
            show(&diagnostics, &loader.sources);
            return Status::Input;
        }
    };
    let wanted = |variant: &str| arguments.variant.as_deref().is_none_or(|wanted| wanted == variant);
    let point = design.points.iter().find(|point| wanted(&point.variant));
    let Some(map) = point.and_then(|point| design.systems.get(point.system)) else {
        let mut known: Vec<&str> = design.points.iter().map(|point| point.variant.as_str()).collect();
        known.dedup();
        known.retain(|name| !name.is_empty());
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
        complain(&format!("the experiment has no variant `{}`; {known}", arguments.variant.as_deref().unwrap_or("")));
        return Status::Input;
    };
    let text = match arguments.format {
        Format::Svg => svg(map, &Overlay::default()),
        Format::Mermaid => mermaid(map),
    };
    match &arguments.out {
        None => print(&text),
        Some(out) => {
            if let Err(error) = std::fs::write(out, text) {
                complain(&format!("`{}` cannot be written: {error}", out.display()));
                return Status::Broken;
            }
        }
    }
    Status::Good
}
