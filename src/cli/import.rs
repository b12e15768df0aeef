//! `scalelab import`: model skeletons from Kubernetes manifests and Mermaid flowcharts.

use std::path::PathBuf;

use super::{Status, print, show};
use crate::quantity::Rate;
use crate::spec::import::{Known, import};
use crate::spec::load::{Disk, Files as _};
use crate::spec::text::source::Sources;

/// Turn Kubernetes manifests or a Mermaid flowchart into a model skeleton, and name known traps
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file of manifests (Deployment, Service, HorizontalPodAutoscaler, ScaledObject), or one with a flowchart
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Requests per second that are expected, such as 10000/s: a minimum that cannot carry them is warned of
    #[arg(long, value_name = "RATE", requires = "per_instance")]
    rate: Option<Rate>,
    /// Requests per second that one instance carries
    #[arg(long, value_name = "RATE")]
    per_instance: Option<Rate>,
    /// Database connections of each instance; found in the environment of its container if left out
    #[arg(long, value_name = "COUNT")]
    pool: Option<u32>,
    /// Connections that the database allows: a maximum of replicas that exhausts them is warned of
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<u32>,
}

/// Prints the skeleton; warnings go to the standard error.
pub fn run(arguments: &Arguments) -> Status {
    let name = arguments.file.display().to_string();
    let bytes = match Disk.read(&arguments.file) {
        Ok(bytes) => bytes,
        Err(message) => {
            anstream::eprintln!("{name}: {message}");
            return Status::Input;
        }
    };
    let known = Known {
        rate: arguments.rate.map(Rate::per_second),
        per_instance: arguments.per_instance.map(Rate::per_second),
        pool: arguments.pool,
        max_connections: arguments.max_connections,
    };
    let mut sources = Sources::new();
    match import(&mut sources, &name, &bytes, &known) {
        Ok(imported) => {
            show(&imported.warnings, &sources);
            print(&imported.text);
            Status::Good
        }
        Err(problems) => {
            show(&problems, &sources);
            Status::Input
        }
    }
}
