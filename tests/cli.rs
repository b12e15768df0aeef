//! The program from end to end: what it prints, writes, and how it exits.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use scalelab::experiment::conduct;
use scalelab::experiment::design::Options;
use scalelab::experiment::runner::Observer;
use scalelab::report::write::files;

use crate::support::{Ended, Folder, Memory, other, try_design, wait};

const MODEL: &str = "
clients: { users: { arrivals: { poisson: 100/s }, call: web.page, timeout: 1s } }
services:
  web: { instances: 2, runtime: { workers: 4 }, operations: { page: [ wait: { exponential: 10ms } ] } }
";

/// An experiment with a bound on the mean response time, which is 10 ms and a little.
fn experiment(bound: &str) -> String {
    format!(
        "question: How long?
model: m.yaml
run: {{ warm_up: 1s, window: 10s, replications: 3 }}
variants: {{ two: {{}}, three: {{ services.web.instances: 3 }} }}
expect: [ {{ metric: users.latency.mean, {bound} }} ]
"
    )
}

fn folder(bound: &str) -> Folder {
    let folder = Folder::new("cli");
    folder.write("m.yaml", MODEL);
    folder.write("e.yaml", experiment(bound));
    folder
}

const GOOD: &str = "below: 50ms";

/// A model that would run for hours.
const LONG: &str = "
question: When does it end?
model:
  clients: { users: { arrivals: { poisson: 10k/s }, call: s.o } }
  services: { s: { operations: { o: [ wait: 1ms ] } } }
run: { warm_up: 0s, window: 1000h, replications: 2 }
";

#[track_caller]
fn one_line(ended: &Ended, words: &str) {
    assert!(ended.err.contains(words), "{words} is not in:\n{}", ended.err);
}

#[test]
fn init_and_run_answer_the_first_question() {
    let folder = Folder::new("init");
    let init = folder.scalelab(&["init", "lab"]).with(0);
    assert!(init.out.contains("now try: scalelab run"), "{}", init.out);
    assert_eq!(
        folder.files("lab").into_keys().collect::<Vec<_>>(),
        ["experiments/starter.yaml", "models/starter.yaml"]
    );
    let ran = folder.scalelab(&["run", "lab/experiments/starter.yaml", "--quick"]).with(0);
    assert!(ran.out.contains("How much load does the web service carry"), "{}", ran.out);
    assert!(ran.out.contains("Results and charts: output/starter") || cfg!(windows));
    let header = |name: &str| folder.read(&format!("output/starter/{name}")).lines().next().map(str::to_owned);
    let key = "clients.users.arrivals.poisson [1/s]";
    let runs = header("runs.csv").expect("it has a header");
    assert!(
        runs.starts_with(&format!("experiment,variant,{key},replication,seed,fingerprint,ending,events,users.")),
        "{runs}"
    );
    assert_eq!(header("points.csv"), Some(format!("experiment,variant,{key},metric,unit,mean,low,high,n")));
    assert_eq!(header("series.csv"), Some(format!("variant,{key},time [s],column,unit,mean,low,high")));
    assert!(serde_json::from_str::<serde_json::Value>(&folder.read("output/starter/summary.json")).is_ok());
    let charts = folder.files("output/starter").into_keys().filter(|name| name.ends_with(".svg")).count();
    assert!(charts >= 2, "{charts}");
    // Starting again overwrites nothing.
    let again = folder.scalelab(&["init", "lab"]).with(2);
    one_line(&again, "exists; nothing was written");
}

#[test]
fn the_exit_status_tells_how_it_went() {
    folder(GOOD).scalelab(&["run", "e.yaml"]).with(0);
    folder("above: 50ms").scalelab(&["run", "e.yaml"]).with(99);
    // A single replication decides nothing; a quick run does not mind.
    folder(GOOD).scalelab(&["run", "e.yaml", "--replications", "1"]).with(99);
    folder(GOOD).scalelab(&["run", "e.yaml", "--replications", "1", "--quick"]).with(0);
}

#[test]
fn wrong_files_and_arguments_are_refused_before_anything_is_run() {
    let folder = folder(GOOD);
    folder.write("bad.yaml", MODEL.replace("workers: 4", "workers: many"));
    folder.write("other/m.yaml", MODEL);
    for (arguments, words) in [
        (&["run", "missing.yaml"][..], "`missing.yaml` cannot be read"),
        (&["run", "other"], "it is a folder"),
        (&["run", "bad.yaml"], "bad.yaml:4"),
        (&["run", "m.yaml", "bad.yaml"], "nothing was run"),
        (&["run", "m.yaml", "other/m.yaml"], "two of the files are called `m`"),
        (&["run", "m.yaml", "m.yaml"], "two of the files are called `m`"),
        (&["run"], "required"),
        (&["run", "m.yaml", "--format", "xml"], "possible values"),
        (&["run", "m.yaml", "--replications", "0"], "not in 1..=100000"),
        (&["run", "m.yaml", "--seed", "x"], "--seed"),
        (&["run", "m.yaml", "--set", "services.web.instances"], "KEY=VALUE"),
        (&["run", "m.yaml", "--set", "services.web.instances=none"], "--set"),
        (&["run", "m.yaml", "--set", "services.wed.instances=3"], "there is no service `wed`"),
        (&["walk", "m.yaml"], "unrecognized subcommand"),
        (&["check", "bad.yaml"], "bad.yaml:4"),
        (&[], "Usage"),
    ] {
        let ended = folder.scalelab(arguments).with(2);
        one_line(&ended, words);
        assert_eq!(ended.out, "", "{arguments:?}");
        assert!(folder.files("output").is_empty(), "{arguments:?} wrote something");
    }
}

#[test]
fn a_file_cannot_name_the_standard_input() {
    let folder = folder(GOOD);
    folder.write("e.yaml", experiment(GOOD).replace("m.yaml", "\"-\""));
    folder.write("s.yaml", MODEL.replace("exponential: 10ms", "samples: { csv: \"-\", column: x, unit: 1ms }"));
    let replay = "arrivals: { replay: { file: \"-\", format: timestamps } }";
    folder.write("r.yaml", MODEL.replace("arrivals: { poisson: 100/s }", replay));
    for file in ["e.yaml", "s.yaml", "r.yaml"] {
        let ended = folder.scalelab_with(&["check", file], &[], b"x\n1\n").with(2);
        one_line(&ended, "`-` would be the standard input");
    }
}

#[test]
fn a_quick_run_says_that_it_ends_before_the_arrivals_stop_changing() {
    let folder = folder(GOOD);
    let ramp = "poisson: { ramp: { from: 10/s, to: 100/s, over: 5s } }";
    folder.write("m.yaml", MODEL.replace("poisson: 100/s", ramp));
    let warning = "the arrivals of users change until 5 s, but it ends at 1.1 s";
    let quick = folder.scalelab(&["run", "e.yaml", "--quick"]).with(0);
    assert!(quick.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(warning), "{}", quick.out);
    let whole = folder.scalelab(&["run", "e.yaml"]).with(0);
    assert!(!whole.out.contains("change until"), "{}", whole.out);
}

#[test]
fn help_and_lists_go_to_the_standard_output() {
    let folder = Folder::new("help");
    for arguments in [&["--help"][..], &["help"], &["run", "--help"], &["--version"], &["list"], &["schema", "model"]] {
        let ended = folder.scalelab(arguments).with(0);
        assert!(!ended.out.is_empty() && ended.err.is_empty(), "{ended:?}");
    }
    let steps = folder.scalelab(&["list", "steps"]).with(0).out;
    assert!(
        ["cpu", "wait", "call", "parallel", "choose", "repeat", "fail", "reply"]
            .iter()
            .all(|step| steps.contains(step))
    );
    let folder = self::folder(GOOD);
    let metrics = folder.scalelab(&["list", "metrics", "m.yaml"]).with(0).out;
    assert!(metrics.contains("users.latency.p95 [s]") && metrics.contains("web.workers.utilization"), "{metrics}");
    let schema = folder.scalelab(&["schema", "experiment"]).with(0).out;
    assert!(serde_json::from_str::<serde_json::Value>(&schema).is_ok());
}

#[test]
fn json_and_csv_are_what_the_files_hold() {
    let folder = folder(GOOD);
    let json = folder.scalelab(&["run", "e.yaml", "--format", "json"]).with(0);
    assert_eq!(json.out, folder.read("output/e/summary.json"));
    let csv = folder.scalelab(&["run", "e.yaml", "--format", "csv"]).with(0);
    assert_eq!(csv.out, folder.read("output/e/points.csv"));
    assert_eq!([json.err, csv.err], ["", ""]);
}

#[test]
fn quiet_prints_nothing_and_writes_everything() {
    let folder = folder(GOOD);
    let ended = folder.scalelab(&["run", "e.yaml", "--quiet"]).with(0);
    assert_eq!([ended.out, ended.err], ["", ""]);
    assert!(folder.files("output/e").contains_key("summary.json"));
}

#[test]
fn the_standard_input_is_a_file_like_any_other() {
    let folder = folder(GOOD);
    let ended = folder.scalelab_with(&["run", "-", "--quick"], &[], MODEL.as_bytes()).with(0);
    assert!(ended.out.contains("standard input"), "{}", ended.out);
    assert!(folder.files("output/standard input").contains_key("points.csv"));
    // An experiment from there finds its model from the current folder.
    folder.scalelab_with(&["check", "-"], &[], experiment(GOOD).as_bytes()).with(0);
    let wrong = folder.scalelab_with(&["check", "-"], &[], b"clients: 3\n").with(2);
    one_line(&wrong, "-:1");
    folder.scalelab_with(&["check", "-"], &[], b"").with(2);
}

#[test]
fn set_changes_the_model_on_top_of_all_variants() {
    let folder = folder(GOOD);
    let ended =
        folder.scalelab(&["run", "e.yaml", "--set", "clients.users.arrivals.poisson=50/s", "--format", "csv"]).with(0);
    let offered: Vec<f64> = ended
        .out
        .lines()
        .filter(|line| line.contains(",users.offered,"))
        .map(|line| line.split(',').nth(4).and_then(|mean| mean.parse().ok()).expect("a mean"))
        .collect();
    assert_eq!(offered.len(), 2);
    // 1 500 arrivals; bound at five standard deviations.
    assert!(offered.iter().all(|rate| (rate - 50.0).abs() < 6.5), "{offered:?}");
    let summary = folder.read("output/e/summary.json");
    assert!(summary.contains("--set 'clients.users.arrivals.poisson=50/s'"));
}

#[test]
fn the_command_in_the_results_gives_the_same_results() {
    let folder = folder(GOOD);
    folder.scalelab(&["run", "--seed", "5", "--quick", "e.yaml", "--jobs", "1"]).with(0);
    let summary: serde_json::Value = serde_json::from_str(&folder.read("output/e/summary.json")).expect("it is JSON");
    let command = summary["provenance"]["command"].as_str().expect("it is text");
    assert_eq!(command, "scalelab run e.yaml --seed 5 --quick");
    let before = folder.files("output");
    folder.scalelab(&command.split(' ').skip(1).collect::<Vec<_>>()).with(0);
    assert!(before == folder.files("output"));
}

#[test]
fn pipes_get_no_escape_codes_and_terminals_can_do_without() {
    let folder = folder("above: 50ms");
    folder.write("bad.yaml", "clients: 3\n");
    for environment in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "dumb")]] {
        let ran = folder.scalelab_with(&["run", "e.yaml"], environment, b"").with(99);
        let bad = folder.scalelab_with(&["check", "bad.yaml"], environment, b"").with(2);
        for text in [ran.out, ran.err, bad.out, bad.err] {
            assert!(!text.contains('\u{1b}'), "{text}");
        }
    }
    // Who asks for color gets it in a pipe too, so the test above tests something.
    let colored = folder.scalelab_with(&["check", "bad.yaml"], &[("CLICOLOR_FORCE", "1")], b"").with(2);
    assert!(colored.err.contains('\u{1b}'));
}

#[test]
fn tables_fit_the_width() {
    let folder = folder(GOOD);
    for columns in ["60", "100", "200"] {
        let out = folder.scalelab_with(&["run", "e.yaml"], &[("COLUMNS", columns)], b"").with(0).out;
        let width = columns.parse().expect("a number");
        let wide: Vec<&str> = out.lines().filter(|line| line.chars().count() > width).collect();
        assert!(wide.is_empty(), "{columns}: {wide:#?}");
    }
}

#[test]
fn newer_results_replace_older_ones_and_nothing_else() {
    let folder = folder(GOOD);
    folder.scalelab(&["run", "e.yaml", "-q"]).with(0);
    folder.write("output/e/notes.txt", "mine");
    folder.write("output/e/9-stale.svg", "old");
    folder.write("output/other.txt", "also mine");
    folder.scalelab(&["run", "e.yaml", "-q", "--seed", "2"]).with(0);
    let files = folder.files("output");
    assert!(files.contains_key("e/notes.txt") && files.contains_key("other.txt"));
    assert!(!files.contains_key("e/9-stale.svg"));
    assert!(files.keys().all(|name| name.starts_with("e/") || name == "other.txt"), "{:?}", files.keys());
    assert!(folder.read("output/e/summary.json").contains("--seed 2"));
}

#[test]
fn folders_of_something_else_are_not_overwritten() {
    let folder = folder(GOOD);
    folder.write("output/e/thesis.tex", "years of work");
    let ended = folder.scalelab(&["run", "e.yaml"]).with(1);
    one_line(&ended, "does not hold results of an experiment");
    assert_eq!(folder.files("output").into_keys().collect::<Vec<_>>(), ["e/thesis.tex"]);
    folder.write("file", "");
    let ended = folder.scalelab(&["run", "e.yaml", "--out", "file"]).with(1);
    one_line(&ended, "cannot be written");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(GOOD);
    folder.write("output/.keep", "");
    let output = folder.path().join("output");
    let mode = |mode| std::fs::set_permissions(&output, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o555);
    // The superuser may write everywhere.
    if std::fs::write(output.join("probe"), "").is_err() {
        let ended = folder.scalelab(&["run", "e.yaml"]).with(1);
        one_line(&ended, "the results cannot be written to `output/e`");
        assert_eq!(folder.files("output").len(), 1);
    }
    mode(0o755);
}

#[test]
fn reading_only_the_first_lines_is_no_error() {
    let folder = folder(GOOD);
    for arguments in
        [&["list"][..], &["schema", "model"], &["run", "e.yaml", "--format", "json"], &["check", "missing.yaml"]]
    {
        let mut child = folder.start(arguments, &[]);
        drop((child.stdin.take(), child.stdout.take()));
        let ended = wait(child, Duration::from_secs(60));
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        assert_eq!(ended.status, Some(if arguments[0] == "check" { 2 } else { 0 }), "{ended:?}");
    }
}

#[test]
fn nobody_reading_the_errors_is_no_error_either() {
    let folder = folder(GOOD);
    for (arguments, status) in [(["check", "missing.yaml"], 2), (["run", "e.yaml"], 0), (["walk", "e.yaml"], 2)] {
        let mut child = folder.start(&arguments, &[]);
        drop((child.stdin.take(), child.stderr.take()));
        assert_eq!(wait(child, Duration::from_secs(60)).status, Some(status), "{arguments:?}");
    }
}

#[test]
fn a_closed_standard_input_is_an_empty_one() {
    let folder = folder(GOOD);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_scalelab"));
    let output = command.args(["check", "-"]).current_dir(folder.path()).stdin(Stdio::null()).output();
    assert_eq!(output.expect("it runs").status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupt_before_anything_is_finished_leaves_older_results() {
    let folder = Folder::new("interrupt");
    folder.write("long.yaml", LONG.replace("window: 1000h", "window: 1s"));
    folder.scalelab(&["run", "long.yaml", "-q"]).with(0);
    let before = folder.files("output/long");
    folder.write("long.yaml", LONG);
    folder.write("short.yaml", LONG.replace("window: 1000h", "window: 1s"));
    let mut child = folder.start(&["run", "short.yaml", "long.yaml"], &[]);
    drop(child.stdin.take());
    // The results of the first file are there: the program can be interrupted, and the second, which never ends, is its turn.
    while !folder.path().join("output/short/summary.json").exists() {
        assert!(child.try_wait().expect("it can be waited for").is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    other("kill", &["-INT", &child.id().to_string()]).expect("`kill` exists on every Unix");
    let ended = wait(child, Duration::from_secs(30)).with(130);
    one_line(&ended, "interrupted before anything was finished; nothing was written");
    assert!(before == folder.files("output/long"), "results of a finished run were replaced by nothing");
}

/// Interrupts when so many runs are finished.
struct Interrupting<'a> {
    runs: AtomicU64,
    stop: &'a AtomicBool,
}

impl Observer for Interrupting<'_> {
    fn finished(&self, _: u64) {
        if self.runs.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    // The two runs of the first variant take no time, those of the second forever.
    let text = LONG.replace("run:", "variants: { quick: { clients.users.arrivals: { at: [1s] } }, endless: {} }\nrun:");
    let text = text.replace("window: 1000h", "window: 1000h, interval: 10h");
    let (document, design) = try_design(&Memory::of("long.yaml", text), "long.yaml", &Options::default()).unwrap();
    let stop = AtomicBool::new(false);
    let observer = Interrupting { runs: AtomicU64::new(2), stop: &stop };
    let study = conduct(&document, &design, "test", 1, &observer, &stop).expect("no law is broken");
    assert!(study.interrupted);
    let files: BTreeMap<String, Vec<u8>> = files(&study).expect("it can be written").into_iter().collect();
    let runs = String::from_utf8_lossy(&files["runs.csv"]);
    assert_eq!(runs.lines().count(), 3, "{runs}");
    assert!(runs.lines().skip(1).all(|line| line.contains(",quick,")), "{runs}");
    assert!(String::from_utf8_lossy(&files["summary.json"]).contains("\"interrupted\": true"));
}

#[test]
fn check_says_what_would_be_run_and_what_is_assumed() {
    let folder = folder(GOOD);
    let out = folder.scalelab(&["check", "e.yaml", "m.yaml"]).with(0).out;
    assert!(out.contains("e.yaml: fine; 2 points of 3 replications"), "{out}");
    assert!(out.contains("assumed: calls and replies take no time on the network"), "{out}");
    assert!(folder.files("output").is_empty());
}
