//! `scalelab init`: a starter model and experiment with comments.

use std::path::{Path, PathBuf};

use super::{Status, complain, print};

/// Write a commented starter model and experiment
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to write to
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
}

/// The starter files and their content.
pub const STARTER: [(&str, &str); 2] = [
    ("models/starter.yaml", include_str!("starter/model.yaml")),
    ("experiments/starter.yaml", include_str!("starter/experiment.yaml")),
];

/// Writes the files; nothing that exists is touched.
pub fn run(arguments: &Arguments) -> Status {
    let taken: Vec<PathBuf> = paths(&arguments.folder).filter(|path| path.exists()).collect();
    if let Some(path) = taken.first() {
        complain(&format!("`{}` exists; nothing was written", path.display()));
        return Status::Input;
    }
    for (path, (_, content)) in paths(&arguments.folder).zip(STARTER) {
        if let Err(error) = write(&path, content) {
            complain(&format!("`{}` cannot be written: {error}", path.display()));
            return Status::Broken;
        }
        print(&format!("wrote {}\n", path.display()));
    }
    let experiment = arguments.folder.join(STARTER[1].0);
    print(&format!("now try: scalelab run {}\n", experiment.display()));
    Status::Good
}

fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> {
    STARTER.into_iter().map(move |(name, _)| folder.join(name))
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content)
}
