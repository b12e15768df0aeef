//! `cargo bench --bench instruction_check`: the instructions per customer of every standard workload against those in
//! `instruction_counts.csv`, so that a change that makes the engine slower is noticed on any machine, however noisy.
//!
//! Counts are callgrind's, and the difference of two runs, so that start-up drops out; they vary by less than 1 % between
//! machines of one kind and with the compiler's version by a few. Build the counted program first:
//! `cargo bench --bench instructions --no-run`. With `--write` the file is written anew.
//!
//! Exit code 0: all within the tolerance; 1: some are not, or nothing could be counted.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const WORKLOADS: [&str; 5] = ["mm1", "mm16", "web", "web_held", "ps"];
/// Customers of the two runs.
const CUSTOMERS: [u64; 2] = [100_000, 200_000];
/// How far a count may be from the one in the file, as a share of it.
const TOLERANCE: f64 = 0.03;

fn main() -> ExitCode {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instruction_counts.csv");
    let outcome = counted_program().and_then(|program| {
        let counts: Vec<(&str, u64)> = WORKLOADS
            .into_iter()
            .map(|workload| Ok((workload, per_customer(&program, workload)?)))
            .collect::<Result<_, String>>()?;
        if std::env::args().any(|argument| argument == "--write") {
            write(&file, &counts)
        } else {
            check(&file, &counts)
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("instruction_check: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The newest program `instructions` beside this one.
fn counted_program() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = here.parent().ok_or("this program is in no folder")?;
    let built = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?.flatten();
    let programs = built.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("instructions-")
            && Path::new(&name).extension().is_none_or(|end| end == "exe")
    });
    let newest = programs.max_by_key(|entry| entry.metadata().and_then(|data| data.modified()).ok());
    newest.map(|entry| entry.path()).ok_or_else(|| {
        "there is no program to count; build it with `cargo bench --bench instructions --no-run`".to_owned()
    })
}

/// Instructions per customer of a workload.
fn per_customer(program: &Path, workload: &str) -> Result<u64, String> {
    let [few, many] = CUSTOMERS;
    let difference = count(program, workload, many)?.checked_sub(count(program, workload, few)?);
    difference
        .map(|difference| difference / (many - few))
        .ok_or_else(|| format!("{workload}: more customers cost less"))
}

/// Instructions of one run, by callgrind.
fn count(program: &Path, workload: &str, customers: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([workload, &customers.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not run ({error}); install it with `apt-get install valgrind`"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim().parse());
    match collected {
        Some(Ok(count)) if output.status.success() => Ok(count),
        _ => Err(format!("{workload} did not run under valgrind:\n{log}")),
    }
}

fn write(file: &Path, counts: &[(&str, u64)]) -> Result<(), String> {
    let rows = counts.iter().map(|(workload, count)| format!("{workload},{count}\n"));
    let text = format!("workload,instructions_per_customer\n{}", rows.collect::<String>());
    print!("{text}");
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn check(file: &Path, counts: &[(&str, u64)]) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut beyond = Vec::new();
    for (workload, count) in counts {
        let known = text.lines().find_map(|line| line.split_once(',').filter(|(name, _)| name == workload));
        let known: f64 = known
            .and_then(|(_, known)| known.parse().ok())
            .ok_or_else(|| format!("{workload} is missing from {}; write it with `--write`", file.display()))?;
        let change = *count as f64 / known - 1.0;
        println!("{workload:10} {count:6} instructions per customer, {:+.1} %", change * 100.0);
        if change.abs() > TOLERANCE {
            beyond.push(format!("{workload} takes {count} where {known} are on file ({:+.1} %)", change * 100.0));
        }
    }
    if beyond.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}; the tolerance is {} %. If the change is meant, write the file anew: \
         `cargo bench --bench instruction_check -- --write`, and say why in the commit",
        beyond.join("; "),
        TOLERANCE * 100.0
    ))
}
