//! The command line: one file per subcommand; this one only parses and dispatches.
//!
//! Results go to the standard output, everything else to the standard error. Exit status: 0 all went well and all
//! expectations were held; 99 one failed or is undecided; 2 the files or arguments are wrong; 1 a run broke; 130
//! interrupted.

mod check;
mod compare;
mod diagram;
mod explain;
mod find;
mod import;
mod init;
mod list;
mod merge;
mod quiz;
mod report;
mod run;
mod schema;
mod shard;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::spec::text::diagnostic::{Diagnostic, Severity, render};

use crate::spec::text::source::Sources;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All went well.
    Good,
    /// An expectation failed or is undecided.
    Expectation,
    /// The files or the arguments are wrong.
    Input,
    /// A run broke, or its results could not be written.
    Broken,
    /// Interrupted; what was finished is kept.
    Interrupted,
}

impl Status {
    fn code(self) -> u8 {
        match self {
            Status::Good => 0,
            Status::Broken => 1,
            Status::Input => 2,
            Status::Expectation => 99,
            Status::Interrupted => 130,
        }
    }
}

/// A discrete-event laboratory for scaling questions: why is the system slow, and what would help?
#[derive(Debug, Parser)]
#[command(name = "scalelab", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run experiments (or models alone) and answer their questions
    Run(run::RunArguments),
    /// Put the results of all shards of an experiment together, as one machine would have written them
    Merge(merge::Arguments),
    /// Say why a system is as fast as it is: the bottleneck, what helps, what does not, what binds next
    Explain(explain::Arguments),
    /// Find the cheapest setting that meets the expectations
    Find(find::Arguments),
    /// Compare two result folders or files: better, worse or no difference, metric by metric
    Compare(compare::Arguments),
    /// Check files without running them
    Check(check::Arguments),
    /// Turn Kubernetes manifests or a Mermaid flowchart into a model skeleton
    Import(import::Arguments),
    /// Draw the system of a model or experiment as SVG or Mermaid
    Diagram(diagram::Arguments),
    /// Answer an experiment's questions, then see what it says
    Quiz(quiz::Arguments),
    /// Make tables, charts and the page again from recorded results
    Report(report::Arguments),
    /// List what can be written in files: steps, distributions, arrivals, policies, metrics
    List(list::Arguments),
    /// Print the JSON Schema of a file format, for editors
    Schema(schema::Arguments),
    /// Write a commented starter model and experiment
    Init(init::Arguments),
}

/// Runs the program with these arguments.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Status::Input.code() } else { 0 });
        }
    };
    let status = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Find(arguments) => find::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Diagram(arguments) => diagram::run(&arguments),
        Command::Quiz(arguments) => quiz::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
    };
    ExitCode::from(status.code())
}

/// Prints to the standard output; a closed pipe ends the output quietly.
fn print(text: &str) {
    use std::io::Write;
    let mut out = anstream::AutoStream::auto(std::io::stdout());
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Shows diagnostics on the standard error, with a last line that counts them.
fn show(diagnostics: &[Diagnostic], sources: &Sources) {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let mut text = render(diagnostics, sources, true);
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        text.push_str(&format!("\n{errors} error{plural}; nothing was run\n"));
    }
    anstream::eprintln!("{text}");
}

/// Shows a message about the arguments or the surroundings on the standard error.
fn complain(message: &str) {
    anstream::eprintln!("\u{1b}[1;31merror\u{1b}[0m: {message}");
}

/// The width of the terminal [columns]; 100 if it is none.
fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(100)
}
