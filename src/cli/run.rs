//! `scalelab run`: files in, answers out.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Status, complain, print, show, width};
use crate::experiment::conduct;
use crate::experiment::design::{Design, Options, design};
use crate::experiment::runner::{Observer, RunError};
use crate::experiment::shard::shareable;
use crate::experiment::tracing::{self, Choice};
use crate::report::{csv, json, table, trace, write};
use crate::spec::load::{Disk, Document, Loader};
use crate::spec::text::diagnostic::Diagnostic;
use crate::study::Study;
use crate::study::finding::Verdict;

/// Run experiments (or models alone) and answer their questions
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct RunArguments {
    #[command(flatten)]
    run: Arguments,
    /// Run one part of the runs, such as 3/8, into NAME.shards, for `scalelab merge`; `auto` or `auto/8` asks the job scheduler
    #[arg(long, value_name = "I/N", conflicts_with_all = ["trace", "trace_slowest"])]
    shard: Option<String>,
    /// Keep what an earlier, interrupted attempt has finished in NAME.shards, and run only what is missing
    #[arg(long)]
    resume: bool,
}

/// What to run and how.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// Experiment or model files; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The folder for results; each experiment has a folder of its own in it
    #[arg(long, default_value = "output", value_name = "FOLDER")]
    pub(super) out: PathBuf,
    /// Another seed than the file's
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Another number of replications than the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// How many runs at once; all cores if left out
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) jobs: usize,
    /// A tenth of the time, three replications, five levels: to see whether everything works
    #[arg(long)]
    pub(super) quick: bool,
    /// Change the model: services.shop.instances=8; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Trace N requests, spread over the window, of the last point of every variant
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trace: Option<u32>,
    /// Trace the N slowest requests instead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "trace")]
    trace_slowest: Option<u32>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Print neither progress nor answer
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people
    Table,
    /// The whole summary, as in summary.json
    Json,
    /// The points, as in points.csv
    Csv,
}

impl Arguments {
    /// The same for one of the files alone.
    pub(super) fn of_file(&self, file: &Path) -> Self {
        Arguments { files: vec![file.to_owned()], ..self.clone() }
    }
}

/// Runs all files; everything is checked before anything is run.
pub fn run(arguments: &RunArguments) -> Status {
    let RunArguments { run: arguments, shard, resume } = arguments;
    let share = match shard.as_deref().map(super::shard::share_of).transpose() {
        Ok(share) => share,
        Err(message) => {
            complain(&message);
            return Status::Input;
        }
    };
    let mut loader = Loader::new(&Disk);
    let designs = match prepare(arguments, &mut loader) {
        Ok(designs) => designs,
        Err(status) => return status,
    };
    if share.is_some() || *resume {
        for (document, design) in &designs {
            if let Err(message) = shareable(design) {
                complain(&format!("{}: {message}", document.name));
                return Status::Input;
            }
        }
    }
    let stop = interruptible();
    let mut status = Status::Good;
    for (document, design) in &designs {
        let answered = match (share, resume) {
            (Some(share), resume) => super::shard::run(arguments, document, design, share, *resume, &stop),
            (None, true) => super::shard::run_whole(arguments, document, design, &stop),
            (None, false) => answer(arguments, document, design, &stop),
        };
        match answered {
            Status::Good => {}
            Status::Expectation => status = Status::Expectation,
            other => return other,
        }
    }
    status
}

/// A flag that the first interrupt sets; the second one ends the program.
pub(super) fn interruptible() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // Without a handler an interrupt just ends the program, which loses nothing but what is being run.
    let _ = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Status::Interrupted.code()));
        }
    });
    stop
}

/// What the command line changes.
pub(super) fn options(arguments: &Arguments, loader: &mut Loader) -> Result<Options, Vec<Diagnostic>> {
    let mut options = Options {
        seed: arguments.seed,
        replications: arguments.replications,
        quick: arguments.quick,
        ..Options::default()
    };
    let mut diagnostics = Vec::new();
    for text in &arguments.set {
        match loader.override_of(text) {
            Ok(change) => options.set.push(change),
            Err(found) => diagnostics.extend(found),
        }
    }
    if diagnostics.is_empty() { Ok(options) } else { Err(diagnostics) }
}

/// Loads and designs all files.
pub(super) fn prepare(arguments: &Arguments, loader: &mut Loader) -> Result<Vec<(Document, Design)>, Status> {
    let (options, mut diagnostics) = match options(arguments, loader) {
        Ok(options) => (options, Vec::new()),
        Err(found) => (Options::default(), found),
    };
    let mut designs = Vec::new();
    for file in &arguments.files {
        let designed = loader.load(file).and_then(|document| {
            let design = design(loader, &document, &options)?;
            Ok((document, design))
        });
        match designed {
            Ok(designed) => designs.push(designed),
            Err(found) => diagnostics.extend(found),
        }
    }
    if !diagnostics.is_empty() {
        show(&diagnostics, &loader.sources);
        return Err(Status::Input);
    }
    let mut names = BTreeSet::new();
    for (document, _) in &designs {
        if !names.insert(&document.name) {
            complain(&format!("two of the files are called `{}`; their results would be in one folder", document.name));
            return Err(Status::Input);
        }
    }
    Ok(designs)
}

/// Runs one experiment, writes its results and prints its answer.
fn answer(arguments: &Arguments, document: &Document, design: &Design, stop: &AtomicBool) -> Status {
    let progress = Progress::new(arguments, document, design);
    let command = command("run", arguments, document);
    let study = match conduct(document, design, &command, arguments.jobs, &progress, stop) {
        Ok(study) => study,
        Err(error) => {
            progress.bar.finish_and_clear();
            return broken(document, &error);
        }
    };
    progress.bar.finish_and_clear();
    if study.interrupted && study.points.is_empty() {
        anstream::eprintln!("interrupted before anything was finished; nothing was written");
        return Status::Interrupted;
    }
    let traces = match traces(arguments, design, stop) {
        Ok(traces) => traces,
        Err(error) => {
            complain(&format!("{}: the traces could not be made: {error}", document.name));
            return Status::Broken;
        }
    };
    conclude(&study, traces, &arguments.out, arguments.format, arguments.quiet)
}

/// Writes a study's results, prints its answer and says how it went.
pub(super) fn conclude(
    study: &Study,
    traces: Vec<(String, Vec<u8>)>,
    out: &Path,
    format: Format,
    quiet: bool,
) -> Status {
    let folder = out.join(&study.experiment);
    if let Err(error) = store(study, traces, &folder) {
        complain(&format!("the results cannot be written to `{}`: {error}", folder.display()));
        return Status::Broken;
    }
    if !quiet {
        show_answer(format, study, &folder);
    }
    if study.interrupted {
        anstream::eprintln!("interrupted; what was finished is in {}", folder.display());
        return Status::Interrupted;
    }
    let kept = |verdict: Verdict| verdict == Verdict::Held || (study.run.quick && verdict == Verdict::Undecided);
    let all_kept = study.expectations.iter().all(|finding| kept(finding.verdict));
    if all_kept { Status::Good } else { Status::Expectation }
}

pub(super) fn store(
    study: &Study,
    traces: Vec<(String, Vec<u8>)>,
    folder: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut files = write::files(study)?;
    files.extend(traces);
    Ok(write::write_all(folder, &files)?)
}

/// The files of the traces that were asked for.
pub(super) fn traces(
    arguments: &Arguments,
    design: &Design,
    stop: &AtomicBool,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let choice = match (arguments.trace, arguments.trace_slowest) {
        (Some(count), _) => Choice::Spread(count as usize),
        (None, Some(count)) => Choice::Slowest(count as usize),
        (None, None) => return Ok(Vec::new()),
    };
    let traced = tracing::trace(design, choice, &|| stop.load(Ordering::Relaxed))?;
    Ok(traced.iter().flat_map(|one| trace::files(one.variant, one.blueprint, &one.traces, design.plan.seed)).collect())
}

/// Says that a simulation broke its own laws.
pub(super) fn broken(document: &Document, error: &RunError) -> Status {
    let whose = if error.is_of_model() {
        "The model is at fault; nothing was written."
    } else {
        "This is a fault in scalelab; please report it with the file."
    };
    complain(&format!("{}: {error}\n{whose}", document.name));
    Status::Broken
}

fn show_answer(format: Format, study: &Study, folder: &Path) {
    match format {
        Format::Table => {
            print(&table::terminal(study, width(), true));
            print(&format!("\nResults and charts: {}\n", folder.display()));
        }
        Format::Json => print(&String::from_utf8_lossy(&json::summary_json(study))),
        Format::Csv => print(&String::from_utf8_lossy(&csv::points_csv(study))),
    }
}

/// The command that gives the same results: without what does not change them.
pub(super) fn command(name: &str, arguments: &Arguments, document: &Document) -> String {
    let file = document.files.first().map_or(document.name.as_str(), |(name, _)| name);
    let mut command = format!("scalelab {name} {file}");
    if let Some(seed) = arguments.seed {
        command.push_str(&format!(" --seed {seed}"));
    }
    if let Some(replications) = arguments.replications {
        command.push_str(&format!(" --replications {replications}"));
    }
    if arguments.quick {
        command.push_str(" --quick");
    }
    for change in &arguments.set {
        command.push_str(&format!(" --set '{change}'"));
    }
    command
}

/// A progress bar on the standard error, if that is a terminal.
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    events: AtomicU64,
}

impl Progress {
    pub(super) fn new(arguments: &Arguments, document: &Document, design: &Design) -> Self {
        let total = design.points.len() as u64 * design.run.replications;
        Progress::of(arguments, document, total)
    }

    /// For so many runs.
    pub(super) fn of(arguments: &Arguments, document: &Document, total: u64) -> Self {
        let hidden = arguments.quiet || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_message(document.name.clone());
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} runs, {eta} left") {
            bar.set_style(style);
        }
        Progress { bar, events: AtomicU64::new(0) }
    }
}

impl Observer for Progress {
    fn finished(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.bar.inc(1);
    }
}
