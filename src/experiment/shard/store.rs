//! Where a share keeps its results on disk: a journal while it runs, one whole file at the end.
//!
//! In the folder of an experiment's shares stand, for the share 3/8: `3-of-8.runs`, the finished file; `3-of-8.part`, the
//! journal, to which every run is added when it ends; `.3-of-8.lock`, which whoever works on the share holds. The lock is
//! the operating system's (`flock`, `LockFileEx`), so it is free when its holder is gone, however it went.
//!
//! Invariants: the finished file is written under another name, brought to the disk and renamed; an older one stays until
//! then. A journal whose last line was torn by a crash or a full disk is cut back to its last whole line.
//!
//! Limits: on a file system without locks two processes must not be given the same share.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::deal;
use super::file::{Contents, Head, difference, finished_file, look, refused, run_line};
use super::{ShardError, Share};
use crate::experiment::design::Design;
use crate::experiment::estimate::Finished;
use crate::experiment::runner::{Observer, run_some};

/// The ending of finished files.
pub const RUNS: &str = "runs";

/// The ending of journals.
pub const JOURNAL: &str = "part";

/// The name of a share's file with this ending.
pub fn name(share: Share, ending: &str) -> String {
    format!("{}-of-{}.{ending}", share.index, share.count)
}

/// How a share came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The runs of the share.
    pub runs: usize,
    /// How many of them were there already.
    pub known: usize,
    /// How many of them are there now.
    pub finished: usize,
    /// Its file, if all are; otherwise the journal.
    pub file: PathBuf,
}

/// Runs what is missing of a share and writes its file; `resume` keeps what an earlier attempt has finished. When `stop` becomes
/// true, the journal keeps what is finished.
///
/// # Errors
/// A [`ShardError`]: the laws, the disk, or files that are in the way. What was finished is then in the journal.
pub fn run(
    folder: &Path,
    design: &Design,
    head: &Head,
    resume: bool,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Progress, ShardError> {
    let wanted = deal::share(design, head.share, jobs)?;
    let head = &Head { runs: [wanted.len() as u64, head.runs[1]], ..head.clone() };
    fs::create_dir_all(folder).map_err(ShardError::disk("making the folder", folder))?;
    let _lock = lock(folder, head.share)?;
    let (file, part) = (folder.join(name(head.share, RUNS)), folder.join(name(head.share, JOURNAL)));
    if resume && is_complete(&file, head)? {
        return Ok(Progress { runs: wanted.len(), known: wanted.len(), finished: wanted.len(), file });
    }
    let (journal, known) = open_journal(&part, head, resume)?;
    let left: Vec<(usize, u64)> = wanted.iter().copied().filter(|run| known.binary_search(run).is_err()).collect();
    (0..known.len()).for_each(|_| observer.finished(0));
    let journal = Mutex::new(journal);
    let keep = |point: usize, finished: Finished| {
        let line = run_line(point, &finished);
        let mut journal = journal.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        journal.write_all(line.as_bytes()).map_err(|error| full(&part, error))
    };
    run_some(design, &left, jobs, observer, stop, &keep)?;
    let bytes = fs::read(&part).map_err(ShardError::disk("reading", &part))?;
    let contents = look(&bytes).map_err(|what| refused(&part, what))?;
    let (runs, known, finished) = (wanted.len(), known.len(), contents.runs.len());
    if finished < runs {
        return Ok(Progress { runs, known, finished, file: part });
    }
    put(folder, &file, &finished_file(&bytes, &contents))?;
    fs::remove_file(&part).map_err(ShardError::disk("removing", &part))?;
    Ok(Progress { runs, known, finished, file })
}

/// The lock of a share.
fn lock(folder: &Path, share: Share) -> Result<File, ShardError> {
    let path = folder.join(format!(".{}", name(share, "lock")));
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(ShardError::disk("opening", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ShardError::Refused(format!(
            "another process is working on shard {share} in `{}`; wait for it, or choose another folder with --out",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(ShardError::disk("locking", &path)(error)),
    }
}

/// Whether a finished file of this plan is there; one that is damaged counts as missing.
fn is_complete(file: &Path, head: &Head) -> Result<bool, ShardError> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        read => read.map_err(ShardError::disk("reading", file))?,
    };
    let Ok(contents) = look(&bytes) else { return Ok(false) };
    same_plan(file, &contents, head)?;
    Ok(contents.whole.is_ok())
}

fn same_plan(file: &Path, contents: &Contents, head: &Head) -> Result<(), ShardError> {
    match difference(&contents.head, head) {
        None => Ok(()),
        Some(what) => Err(refused(
            file,
            format!(
                "holds runs of another plan (different {what}); run without --resume to replace it, or choose another \
                     folder with --out"
            ),
        )),
    }
}

/// The journal, ready for the next line, and the runs that it holds, in order.
fn open_journal(part: &Path, head: &Head, resume: bool) -> Result<(File, Vec<(usize, u64)>), ShardError> {
    let writing = ShardError::disk("writing", part);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(part);
    let mut file = file.map_err(ShardError::disk("opening", part))?;
    let mut known = Vec::new();
    let mut good = 0;
    if resume {
        let bytes = fs::read(part).map_err(ShardError::disk("reading", part))?;
        // A journal without a head holds nothing.
        if let Ok(contents) = look(&bytes) {
            same_plan(part, &contents, head)?;
            known = contents.runs.iter().map(|(key, ..)| (key.point, key.replication)).collect();
            good = contents.good;
        }
    }
    known.sort_unstable();
    file.set_len(good as u64).map_err(&writing)?;
    file.seek(SeekFrom::End(0)).map_err(&writing)?;
    if good == 0 {
        file.write_all(head.line().as_bytes()).map_err(|error| full(part, error))?;
    }
    Ok((file, known))
}

/// A failed addition to the journal, with what to do.
fn full(part: &Path, error: io::Error) -> ShardError {
    let help = "what was finished is kept there; make room and run again with --resume";
    ShardError::disk("writing", part)(io::Error::new(error.kind(), format!("{error}; {help}")))
}

/// Puts a file into its place in one piece.
fn put(folder: &Path, file: &Path, bytes: &[u8]) -> Result<(), ShardError> {
    let partial = file.with_extension("partial");
    let written = File::create(&partial).and_then(|mut open| {
        open.write_all(bytes)?;
        open.sync_all()
    });
    if let Err(error) = written {
        // The first error is the one to report; the runs are in the journal.
        let _ = fs::remove_file(&partial);
        return Err(full(file, error));
    }
    fs::rename(&partial, file).map_err(ShardError::disk("renaming to", file))?;
    // The name is on the disk too where folders can be opened; elsewhere the system sees to it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
