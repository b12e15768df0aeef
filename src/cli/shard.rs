//! Sharing an experiment among machines: which share this process runs, and running it.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::run::{Arguments, Progress, broken, command, conclude};
use super::{Status, complain, print};
use crate::experiment::design::Design;
use crate::experiment::shard::file::{Head, Origin};
use crate::experiment::shard::merge::gather;
use crate::experiment::shard::{ShardError, Share, store};
use crate::experiment::study_of;
use crate::spec::load::Document;

/// A job scheduler's way to tell a task its number: the variable, and the number of the first task.
struct Scheduler {
    name: &'static str,
    index: &'static str,
    first: u64,
}

/// Sources: Slurm, sbatch(1), "Output environment variables"; Kubernetes, "Indexed Job"; HyperQueue, "Task arrays"; GNU
/// parallel, parallel(1).
const SCHEDULERS: [Scheduler; 4] = [
    Scheduler { name: "Slurm", index: "SLURM_ARRAY_TASK_ID", first: 1 },
    Scheduler { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: 0 },
    Scheduler { name: "HyperQueue", index: "HQ_TASK_ID", first: 1 },
    Scheduler { name: "GNU parallel", index: "PARALLEL_SEQ", first: 1 },
];

/// The share that is asked for: `3/8`, `auto`, `auto/8`.
pub(super) fn share_of(text: &str) -> Result<Share, String> {
    find_share(text, &|name| std::env::var(name).ok())
}

/// The same with other variables than those of the process.
fn find_share(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Share, String> {
    let count = match text.split_once('/') {
        None if text == "auto" => None,
        Some(("auto", count)) => Some(count.parse().map_err(|_| format!("`{count}` is no number of shards"))?),
        _ => return text.parse(),
    };
    let number = |name: &str| -> Result<Option<u64>, String> {
        let value = variable(name).filter(|value| !value.is_empty());
        value.map(|value| value.parse().map_err(|_| format!("{name} is `{value}`, which is no number"))).transpose()
    };
    let mut found = Vec::new();
    for scheduler in &SCHEDULERS {
        if let Some(index) = number(scheduler.index)? {
            found.push((scheduler, index));
        }
    }
    let (scheduler, index) = match found.as_slice() {
        [] => {
            let known: Vec<&str> = SCHEDULERS.iter().map(|scheduler| scheduler.index).collect();
            return Err(format!(
                "no job scheduler says which shard this is (none of {} is set); write --shard 3/8",
                known.join(", ")
            ));
        }
        [one] => one,
        [one, other, ..] => {
            return Err(format!(
                "both {} and {} are set, so the shard is not clear; write it as in --shard 3/8",
                one.0.index, other.0.index
            ));
        }
    };
    match count {
        Some(count) => Share::new((index + 1).saturating_sub(scheduler.first), count),
        None if scheduler.name == "Slurm" => of_slurm(*index, &number),
        None => Err(format!(
            "{} tells a task its number ({} = {index}) but not how many there are; write --shard auto/8 for 8",
            scheduler.name, scheduler.index
        )),
    }
}

/// Slurm tells the whole array: from where to where, in which steps, how many.
fn of_slurm(index: u64, number: &dyn Fn(&str) -> Result<Option<u64>, String>) -> Result<Share, String> {
    let of = |what: &str| number(&format!("SLURM_ARRAY_TASK_{what}"));
    let (Some(first), Some(last), Some(count)) = (of("MIN")?, of("MAX")?, of("COUNT")?) else {
        return Err("Slurm does not say how many tasks the array has; write --shard auto/8 for --array=1-8".to_owned());
    };
    let step = of("STEP")?.unwrap_or(1).max(1);
    // An array of single tasks, as for running some again, does not say how many there were.
    let regular =
        index >= first && last >= first && (last - first) / step + 1 == count && (index - first).is_multiple_of(step);
    if !regular {
        return Err(
            "the Slurm array has gaps, so its tasks do not tell their shards; write --shard auto/8 for --array=1-8, \
                    however many of its tasks run"
                .to_owned(),
        );
    }
    Share::new((index - first) / step + 1, count)
}

/// The folder of an experiment's shares.
fn folder_of(arguments: &Arguments, document: &Document) -> PathBuf {
    arguments.out.join(format!("{}.shards", document.name))
}

/// How the program was called, for merging.
fn origin(arguments: &Arguments, document: &Document) -> Origin {
    Origin {
        file: document.files.first().map_or_else(|| document.name.clone(), |(name, _)| name.clone()),
        seed: arguments.seed,
        replications: arguments.replications,
        quick: arguments.quick,
        set: arguments.set.clone(),
    }
}

/// Says what went wrong.
pub(super) fn refuse(document: &str, error: &ShardError) -> Status {
    complain(&format!("{document}: {error}"));
    if matches!(error, ShardError::Refused(_)) { Status::Input } else { Status::Broken }
}

/// Runs a share of an experiment into its file.
pub(super) fn run(
    arguments: &Arguments,
    document: &Document,
    design: &Design,
    share: Share,
    resume: bool,
    stop: &AtomicBool,
) -> Status {
    let command = command("run", arguments, document);
    let head = Head::new(document, design, &command, origin(arguments, document), share, 0);
    let folder = folder_of(arguments, document);
    let total = design.points.len() as u64 * design.run.replications;
    let progress = Progress::of(arguments, document, total.div_ceil(u64::from(share.count)));
    let ended = store::run(&folder, design, &head, resume, arguments.jobs, &progress, stop);
    progress.bar.finish_and_clear();
    let ended = match ended {
        Err(ShardError::Run(error)) => return broken(document, &error),
        Err(error) => return refuse(&document.name, &error),
        Ok(ended) => ended,
    };
    let file = ended.file.display();
    if ended.finished < ended.runs {
        let (finished, runs) = (ended.finished, ended.runs);
        anstream::eprintln!("interrupted; {finished} of {runs} runs are in {file}; go on with --resume");
        return Status::Interrupted;
    }
    if !arguments.quiet && share != Share::WHOLE {
        let known =
            if ended.known > 0 { format!(" ({} of them were there already)", ended.known) } else { String::new() };
        print(&format!("shard {share} of {}: {} runs{known} in {file}\n", document.name, ended.runs));
        print(&format!("when all shards are there: scalelab merge {}\n", folder.display()));
    }
    Status::Good
}

/// Runs a whole experiment as its only share, so that it can be resumed, and answers from that.
pub(super) fn run_whole(arguments: &Arguments, document: &Document, design: &Design, stop: &AtomicBool) -> Status {
    match run(arguments, document, design, Share::WHOLE, true, stop) {
        Status::Good => {}
        other => return other,
    }
    let command = command("run", arguments, document);
    let expected = Head::new(document, design, &command, origin(arguments, document), Share::WHOLE, 0);
    let file = folder_of(arguments, document).join(store::name(Share::WHOLE, store::RUNS));
    let points = gather(&[file]).and_then(|gathered| gathered.points(design, &expected));
    let study = match points {
        Ok(points) => study_of(document, design, &command, points, Vec::new(), false),
        Err(error) => return refuse(&document.name, &error),
    };
    let traces = match super::run::traces(arguments, design, stop) {
        Ok(traces) => traces,
        Err(error) => return broken(document, &error),
    };
    conclude(&study, traces, &arguments.out, arguments.format, arguments.quiet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        find_share(text, &variable).map(|share| share.to_string())
    }

    fn slurm(id: &str, count: &str) -> [(&'static str, String); 4] {
        [("ID", id), ("MIN", "0"), ("MAX", "14"), ("COUNT", count)]
            .map(|(name, value)| (["SLURM_ARRAY_TASK_", name].concat().leak() as &str, value.to_owned()))
    }

    #[test]
    fn a_share_is_written_or_asked_of_the_scheduler() {
        assert_eq!(share("3/8", &[]), Ok("3/8".to_owned()));
        assert_eq!(share("auto/8", &[("SLURM_ARRAY_TASK_ID", "3")]), Ok("3/8".to_owned()));
        assert_eq!(share("auto/8", &[("JOB_COMPLETION_INDEX", "0")]), Ok("1/8".to_owned()));
        assert_eq!(share("auto/8", &[("HQ_TASK_ID", "8")]), Ok("8/8".to_owned()));
        assert_eq!(share("auto/8", &[("PARALLEL_SEQ", "2")]), Ok("2/8".to_owned()));
    }

    #[test]
    fn a_whole_slurm_array_tells_how_many_shards_there_are() {
        let of = |id, count, step: &str| {
            let variables = slurm(id, count);
            let mut variables: Vec<(&str, &str)> =
                variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            variables.push(("SLURM_ARRAY_TASK_STEP", step));
            share("auto", &variables)
        };
        assert_eq!(of("0", "15", "1"), Ok("1/15".to_owned()));
        assert_eq!(of("14", "8", "2"), Ok("8/8".to_owned()));
        // Tasks 0, 3 and 14 run again.
        assert!(of("3", "3", "1").unwrap_err().contains("gaps"));
        assert!(share("auto", &[("SLURM_ARRAY_TASK_ID", "3")]).unwrap_err().contains("how many"));
    }

    #[test]
    fn what_is_not_clear_is_refused_with_what_to_write() {
        for (text, variables, words) in [
            ("auto", &[][..], "write --shard 3/8"),
            ("auto", &[("HQ_TASK_ID", "1")], "write --shard auto/8"),
            ("auto/8", &[("HQ_TASK_ID", "1"), ("PARALLEL_SEQ", "1")], "both HQ_TASK_ID and PARALLEL_SEQ"),
            ("auto/8", &[("HQ_TASK_ID", "9")], "no shard 9 of 8"),
            ("auto/8", &[("HQ_TASK_ID", "0")], "no shard 0 of 8"),
            ("auto/8", &[("HQ_TASK_ID", "x")], "no number"),
            ("auto/x", &[], "no number of shards"),
            ("0/8", &[], "no shard 0 of 8"),
            ("1/0", &[], "0 shards are not possible"),
            ("8", &[], "write it as 3/8"),
        ] {
            let error = share(text, variables).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
