//! Merging: the files of all shares as the points of one experiment.
//!
//! First every file is looked through; then the runs are read point by point on all cores, so that at no time more than a few
//! points' runs are in memory beside the results. Nothing is taken on trust: shares of different plans, damaged or missing files,
//! runs that are there twice or not at all end it, with what to do.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::file::{Contents, Head, difference, look, read_run, refused};
use super::store::{JOURNAL, RUNS};
use super::{ShardError, Share};
use crate::experiment::design::Design;
use crate::experiment::estimate::{Finished, summarize};
use crate::study::Point;

/// The files of all shares, found to be complete.
#[derive(Debug)]
pub struct Gathered {
    /// The head of the first one; all belong to the same plan.
    pub head: Head,
    files: Vec<(PathBuf, Contents)>,
}

/// Finds the files of shares in some folders (or the files named) and checks that they belong together and are complete.
///
/// # Errors
/// Everything that is wrong, with what to do.
pub fn gather(places: &[PathBuf]) -> Result<Gathered, ShardError> {
    let found = find(places)?;
    let mut files = Vec::new();
    let mut wrong = Vec::new();
    for path in found {
        let bytes = fs::read(&path).map_err(ShardError::disk("reading", &path))?;
        match look(&bytes) {
            Ok(contents) => files.push((path, contents)),
            Err(what) => wrong.push(format!("`{}` cannot be used: {what}", path.display())),
        }
    }
    files.sort_by_key(|(_, contents)| contents.head.share);
    let Some(head) = files.first().map(|(_, contents)| contents.head.clone()) else {
        let first = wrong.into_iter().next();
        let what = first.unwrap_or_else(|| "there are no files of runs (`*.runs`) in these folders".to_owned());
        return Err(ShardError::Refused(what));
    };
    for (path, contents) in &files {
        let own = &contents.head;
        if let Some(what) = difference(&head, own) {
            wrong.push(format!(
                "`{}` and `{}` do not belong together: different {what}",
                files[0].0.display(),
                path.display()
            ));
        } else if own.share.count != head.share.count {
            let (one, other) = (head.share.count, own.share.count);
            wrong.push(format!("`{}` is one of {other} shards, others are of {one}; keep one kind", path.display()));
        } else if let Err(what) = &contents.whole {
            wrong.push(format!("`{}` is damaged: {what}; remove it and run its shard again", path.display()));
        }
    }
    for pair in files.windows(2).filter(|pair| pair[0].1.head.share == pair[1].1.head.share) {
        let names = format!("`{}` and `{}`", pair[0].0.display(), pair[1].0.display());
        wrong.push(format!("{names} are both shard {}; remove one of them", pair[0].1.head.share));
    }
    wrong.extend(missing(&head, &files));
    if wrong.is_empty() { Ok(Gathered { head, files }) } else { Err(ShardError::Refused(wrong.join("\n"))) }
}

/// The finished files in some folders; a file that is named is taken as it is.
fn find(places: &[PathBuf]) -> Result<Vec<PathBuf>, ShardError> {
    let mut found = Vec::new();
    for place in places {
        if place.is_file() {
            found.push(place.clone());
            continue;
        }
        let reading = ShardError::disk("reading", place);
        for entry in fs::read_dir(place).map_err(&reading)? {
            let path = entry.map_err(&reading)?.path();
            if path.extension().is_some_and(|ending| ending == RUNS) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// What to run again: the shards that are not there.
fn missing(head: &Head, files: &[(PathBuf, Contents)]) -> Option<String> {
    let whole = files.iter().filter(|(_, contents)| contents.whole.is_ok());
    let there: Vec<u32> = whole.map(|(_, contents)| contents.head.share.index).collect();
    let count = head.share.count;
    let commands: Vec<String> = (1..=count)
        .filter(|index| !there.contains(index))
        .map(|index| {
            let folder = files.first().and_then(|(path, _)| path.parent()?.parent());
            let out = folder.map_or(String::new(), |folder| format!(" --out '{}'", folder.display()));
            format!("  {} --shard {} --resume{out}", head.command, Share { index, count })
        })
        .collect();
    let unfinished = || files.first().and_then(|(path, _)| Some(journals(path.parent()?))).unwrap_or(0);
    (!commands.is_empty()).then(|| {
        let begun = match unfinished() {
            0 => String::new(),
            begun => format!(" ({begun} of them begun)"),
        };
        format!("{} of {count} shards are missing{begun}; run:\n{}", commands.len(), commands.join("\n"))
    })
}

/// How many journals are in a folder.
fn journals(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == JOURNAL)).count()
}

impl Gathered {
    /// The points of the design that the shares belong to.
    ///
    /// # Errors
    /// If the design is another one, a run is there twice or not at all, or a file has changed meanwhile.
    pub fn points(&self, design: &Design, expected: &Head) -> Result<Vec<Point>, ShardError> {
        if let Some(what) = difference(&self.head, expected) {
            return Err(ShardError::Refused(format!(
                "the shards were run with other files than are here now: different {what}; give merge the same files, or run the \
                 shards again"
            )));
        }
        let index = self.index(design)?;
        let replications = design.run.replications as usize;
        let numbered = design.points.par_iter().enumerate();
        numbered
            .map(|(number, point)| {
                let runs = &index[number * replications..][..replications];
                let finished: Result<Vec<Finished>, ShardError> =
                    runs.iter().map(|run| self.read(*run, design)).collect();
                Ok(summarize(design, point, finished?))
            })
            .collect()
    }

    /// Where every run is, by point and replication: file, beginning, length.
    fn index(&self, design: &Design) -> Result<Vec<(usize, u64, usize)>, ShardError> {
        let replications = design.run.replications;
        let mut places: BTreeMap<(usize, u64), (usize, u64, usize)> = BTreeMap::new();
        for (file, (path, contents)) in self.files.iter().enumerate() {
            for (key, start, length) in &contents.runs {
                if key.point >= design.points.len() || key.replication >= replications {
                    return Err(refused(path, "it holds a run that the experiment does not have"));
                }
                if let Some((other, ..)) = places.insert((key.point, key.replication), (file, *start, *length)) {
                    let (point, replication) = (key.point, key.replication);
                    let other = self.files[other].0.display();
                    return Err(refused(
                        path,
                        format!("replication {replication} of point {point} is in `{other}` too"),
                    ));
                }
            }
        }
        let all = design.points.len() * replications as usize;
        if places.len() != all {
            let held = places.len();
            return Err(ShardError::Refused(format!("the shards hold {held} runs of {all}; run them again")));
        }
        Ok(places.into_values().collect())
    }

    fn read(&self, (file, start, length): (usize, u64, usize), design: &Design) -> Result<Finished, ShardError> {
        let path = &self.files[file].0;
        let mut text = vec![0; length];
        File::open(path)
            .and_then(|mut open| {
                open.seek(SeekFrom::Start(start))?;
                open.read_exact(&mut text)
            })
            .map_err(ShardError::disk("reading", path))?;
        let text = std::str::from_utf8(&text).map_err(|error| refused(path, error))?;
        read_run(text, design).map_err(|what| refused(path, what))
    }
}
