//! Data files next to a model: CSV columns and recordings, each read once however often a model is built.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Mutex;

use super::load::{Files, STANDARD_INPUT};
use super::recording;
use crate::engine::hash::Hash;
use crate::model::arrival::replay::{Replay, ReplaySpec};
use crate::model::distribution::Values;

/// What was read of a file, with a hash of the whole file.
type Read<T> = Result<(T, u64), String>;

/// What was read, by file and what of it.
type Kept<T> = Mutex<BTreeMap<(PathBuf, String), Read<T>>>;

/// What was read so far.
#[derive(Default)]
pub(super) struct Known {
    /// Columns by file and name.
    columns: Kept<Vec<f64>>,
    /// Recordings by file and how they are played.
    recordings: Kept<(Replay, Option<String>)>,
    /// The files that models asked for, and a hash of each.
    used: Mutex<BTreeMap<String, u64>>,
}

impl Known {
    /// Forgets which files were asked for and returns them, in the order of their names, with a hash of each.
    pub(super) fn take_used(&self) -> Vec<(String, u64)> {
        let mut used = self.used.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::take(&mut *used).into_iter().collect()
    }

    /// What is known under this key, read if it is not.
    fn get<T: Clone>(
        &self,
        known: &Kept<T>,
        key: (PathBuf, String),
        read: impl FnOnce() -> Read<T>,
    ) -> Result<T, String> {
        let name = key.0.display().to_string();
        let mut known = known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (value, hash) = known.entry(key).or_insert_with(read).clone()?;
        self.used.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, hash);
        Ok(value)
    }
}

/// What the data files in a model's folder hold.
pub(super) struct Columns<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) folder: &'a FilePath,
    pub(super) known: &'a Known,
}

impl Columns<'_> {
    fn path(&self, file: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(file);
        if path == FilePath::new(STANDARD_INPUT) {
            return Err(
                "`-` would be the standard input, which holds no data files; name a file (`./-` if it is called so)"
                    .to_owned(),
            );
        }
        Ok(path)
    }

    fn read_column(&self, path: &FilePath, file: &str, column: &str) -> Read<Vec<f64>> {
        let bytes = self.files.read(path).map_err(|reason| format!("`{file}` cannot be read: {reason}"))?;
        let hash = Hash::Xxhash.of(&bytes, 0);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
        let headers = reader.headers().map_err(|error| format!("`{file}`: {error}"))?.clone();
        let Some(place) = headers.iter().position(|header| header == column) else {
            let known: Vec<&str> = headers.iter().collect();
            return Err(format!("`{file}` has no column `{column}`; it has `{}`", known.join("`, `")));
        };
        let mut values = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| format!("`{file}`: {error}"))?;
            let text = record.get(place).unwrap_or_default();
            let line = record.position().map_or(0, csv::Position::line);
            let value = text.parse().map_err(|_| format!("`{file}`, line {line}: `{text}` is no number"))?;
            values.push(value);
        }
        Ok((values, hash))
    }

    fn read_recording(&self, path: &FilePath, spec: &ReplaySpec) -> Read<(Replay, Option<String>)> {
        Ok((recording::replay(path, spec)?, recording::hash(path)?))
    }
}

impl Values for Columns<'_> {
    fn column(&self, file: &str, column: &str) -> Result<Vec<f64>, String> {
        let path = self.path(file)?;
        let read = || self.read_column(&path, file, column);
        self.known.get(&self.known.columns, (path.clone(), column.to_owned()), read)
    }

    fn recording(&self, spec: &ReplaySpec) -> Result<(Replay, Option<String>), String> {
        let path = self.path(&spec.file)?;
        let read = || self.read_recording(&path, spec);
        self.known.get(&self.known.recordings, (path.clone(), format!("{spec:?}")), read)
    }
}
