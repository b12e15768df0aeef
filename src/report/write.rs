//! The files of a result folder, and putting them there in one piece.
//!
//! A folder is written beside its place first and then renamed, so that a reader never meets half of the results and an
//! interrupted or failed write leaves the older results as they were. What others put into an older result folder is
//! carried over; what an earlier run wrote there is replaced.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::chart::{Chart, to_png, to_svg};
use super::csv::{points_csv, runs_csv, series_csv};
use super::error::ReportError;
use super::html::report_html;
use super::json::summary_json;
use super::plots::charts;
use super::trace::PREFIX;
use crate::study::Study;

/// The name of the file that holds the whole study.
pub const SUMMARY: &str = "summary.json";

/// The name of the page.
pub const REPORT: &str = "report.html";

/// Names of files that are written besides the charts.
const FIXED: [&str; 8] =
    ["runs.csv", "points.csv", "series.csv", SUMMARY, REPORT, "runs.parquet", "points.parquet", "series.parquet"];

/// The files of a study's result folder with their contents: CSV files, the summary, the page, and every chart as SVG and PNG.
///
/// # Errors
/// [`ReportError::Plot`] if a chart asks for what the results do not hold, [`ReportError::Chart`] if it cannot be drawn.
pub fn files(study: &Study) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    // Drawing is most of the work of a short run. The charts have nothing to do with each other, nor with the page.
    let draw = || -> Result<Vec<_>, ReportError> {
        charts(study)?.par_iter().map(|(stem, chart)| pictures(stem, chart)).collect()
    };
    let (page, drawn) = rayon::join(|| report_html(study), draw);
    let mut files = vec![
        ("runs.csv".to_owned(), runs_csv(study)),
        ("points.csv".to_owned(), points_csv(study)),
        ("series.csv".to_owned(), series_csv(study)),
        (SUMMARY.to_owned(), summary_json(study)),
        (REPORT.to_owned(), page?),
    ];
    #[cfg(feature = "parquet")]
    files.extend(super::parquet::files(study).map_err(ReportError::Columns)?);
    files.extend(drawn?.into_iter().flatten());
    Ok(files)
}

/// A chart as SVG and PNG.
fn pictures(stem: &str, chart: &Chart) -> Result<[(String, Vec<u8>); 2], ReportError> {
    let failed = |source| ReportError::Chart { plot: stem.to_owned(), source };
    let svg = to_svg(chart).map_err(failed)?;
    let png = to_png(&svg).map_err(failed)?;
    Ok([(format!("{stem}.svg"), svg.into_bytes()), (format!("{stem}.png"), png)])
}

/// Writes the files as the folder `dir`, replacing the results of an earlier run of the same experiment.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if a name is not that of a plain file or `dir` has no name of its own;
/// [`io::ErrorKind::AlreadyExists`] if `dir` is something else than results of this experiment; otherwise what the
/// file system says. The older results are then still in place.
pub fn write_all(dir: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    if let Some((name, _)) = files.iter().find(|(name, _)| !is_plain(name)) {
        return Err(invalid(format!("{name:?} is not the name of a file")));
    }
    // Through a symbolic link, the folder behind it is replaced and the link stays.
    let dir = &if dir.exists() { fs::canonicalize(dir)? } else { dir.to_path_buf() };
    let name = dir.file_name().ok_or_else(|| invalid(format!("{} has no name of its own", dir.display())))?;
    let beside = |what: &str| -> PathBuf {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(what);
        dir.with_file_name(hidden)
    };
    let (partial, old) = (beside(".partial"), beside(".old"));
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    // A run that was killed between the two renames below left its predecessor's results under the hidden name.
    if old.exists() && !dir.exists() {
        fs::rename(&old, dir)?;
    }
    check_replaceable(dir, files)?;
    remove(&old)?;
    remove(&partial)?;
    fs::create_dir(&partial)?;
    if let Err(error) = fill(&partial, files) {
        // The first error is the one to report.
        let _ = remove(&partial);
        return Err(error);
    }
    if !dir.exists() {
        return fs::rename(&partial, dir);
    }
    fs::rename(dir, &old)?;
    if let Err(error) = fs::rename(&partial, dir) {
        let _ = fs::rename(&old, dir);
        return Err(error);
    }
    carry_over(&old, dir)?;
    remove(&old)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

fn fill(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (name, content) in files {
        let mut file = fs::File::create_new(folder.join(name))?;
        file.write_all(content)?;
        // Waiting for the disk takes longer than a short run. All else can be made again from the summary.
        if name == SUMMARY {
            file.sync_all()?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// That `dir` is free, empty, or holds results of the same experiment.
fn check_replaceable(dir: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    if !dir.exists() || (dir.is_dir() && fs::read_dir(dir)?.next().is_none()) {
        return Ok(());
    }
    let taken = |what: String| Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} {what}", dir.display())));
    let found = fs::read(dir.join(SUMMARY)).ok().and_then(|bytes| experiment(&bytes));
    let ours = files.iter().find(|(name, _)| name == SUMMARY).and_then(|(_, bytes)| experiment(bytes));
    match (found, ours) {
        (None, _) => taken("exists and does not hold results of an experiment; choose another folder".to_owned()),
        (Some(found), Some(ours)) if found != ours => {
            taken(format!("holds results of another experiment, {found:?}; choose another folder"))
        }
        _ => Ok(()),
    }
}

/// The experiment that a summary is about, whatever its layout.
fn experiment(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        experiment: String,
    }
    serde_json::from_slice(bytes).ok().map(|Head { experiment }| experiment)
}

/// Moves what no run wrote from the older folder into the new one.
fn carry_over(old: &Path, dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(old)? {
        let name = entry?.file_name();
        let target = dir.join(&name);
        if !is_result(&name.to_string_lossy()) && !target.exists() {
            fs::rename(old.join(&name), target)?;
        }
    }
    Ok(())
}

/// Whether a run writes files of this name: the fixed ones and numbered charts.
fn is_result(name: &str) -> bool {
    let numbered = name.split_once('-').is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    FIXED.contains(&name) || is_trace(name) || (numbered && (name.ends_with(".svg") || name.ends_with(".png")))
}

/// Whether a file of this name holds traces.
pub fn is_trace(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(".json")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{single, variants};
    use super::*;

    /// A folder of its own for a test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("scalelab-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Scratch(path)
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let entries = fs::read_dir(self.0.join(folder)).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn summary(experiment: &str) -> (String, Vec<u8>) {
        (SUMMARY.to_owned(), format!("{{\"experiment\": \"{experiment}\"}}").into_bytes())
    }

    #[test]
    fn every_chart_is_written_as_svg_and_png() {
        let names: Vec<String> = files(&variants()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[..5], ["runs.csv", "points.csv", "series.csv", "summary.json", "report.html"]);
        assert!(names[5..].chunks(2).all(|pair| pair[0].ends_with(".svg")
            && pair[1].ends_with(".png")
            && pair[0].trim_end_matches(".svg") == pair[1].trim_end_matches(".png")));
        assert!(names.len() >= 7 && names.iter().all(|name| is_plain(name) && is_result(name)));
        assert_eq!(files(&single()).unwrap(), files(&single()).unwrap());
    }

    #[test]
    fn newer_results_replace_older_ones_and_keep_what_others_put_there() {
        let scratch = Scratch::new("replace");
        let dir = scratch.0.join("results/scaling");
        write_all(&dir, &[summary("a"), ("2-stale.svg".to_owned(), vec![])]).unwrap();
        fs::write(dir.join("notes.txt"), "mine").unwrap();
        write_all(&dir, &[summary("a"), ("1-fresh.svg".to_owned(), vec![1])]).unwrap();
        assert_eq!(scratch.names("results/scaling"), ["1-fresh.svg", "notes.txt", "summary.json"]);
        assert_eq!(scratch.names("results"), ["scaling"]);
    }

    #[test]
    fn folders_of_something_else_are_left_alone() {
        let scratch = Scratch::new("refuse");
        let dir = scratch.0.join("precious");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("thesis.tex"), "years").unwrap();
        let kind = |result: io::Result<()>| result.unwrap_err().kind();
        assert_eq!(kind(write_all(&dir, &[summary("a")])), io::ErrorKind::AlreadyExists);
        assert_eq!(scratch.names("precious"), ["thesis.tex"]);
        write_all(&scratch.0.join("b"), &[summary("b")]).unwrap();
        assert_eq!(kind(write_all(&scratch.0.join("b"), &[summary("a")])), io::ErrorKind::AlreadyExists);
        let escape = [("../x.csv".to_owned(), vec![])];
        assert_eq!(kind(write_all(&scratch.0.join("c"), &escape)), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_failed_write_leaves_the_older_results() {
        let scratch = Scratch::new("fail");
        let dir = scratch.0.join("a");
        write_all(&dir, &[summary("a")]).unwrap();
        let twice = [summary("a"), ("1-x.svg".to_owned(), vec![]), ("1-x.svg".to_owned(), vec![])];
        assert!(write_all(&dir, &twice).is_err());
        assert_eq!(scratch.names("a"), ["summary.json"]);
        assert_eq!(scratch.names(""), ["a"]);
    }

    #[test]
    fn results_hidden_by_a_killed_run_come_back() {
        let scratch = Scratch::new("killed");
        let old = scratch.0.join(".a.old");
        fs::create_dir(&old).unwrap();
        fs::write(old.join("notes.txt"), "mine").unwrap();
        fs::write(old.join(SUMMARY), summary("a").1).unwrap();
        write_all(&scratch.0.join("a"), &[summary("a")]).unwrap();
        assert_eq!(scratch.names("a"), ["notes.txt", "summary.json"]);
        assert_eq!(scratch.names(""), ["a"]);
    }
}
