//! Experiments that are shared among machines: what is merged, what is refused, and what a crash leaves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{Ended, Folder, wait};

/// Variants with other parts, a sweep into overload, open and closed clients, a cache, time series.
const EXPERIMENT: &str = "
question: Where does it bend?
model: m.yaml
run: { warm_up: 1s, window: 8s, drain: 2s, replications: 4, in_flight_limit: 5k }
sweep: { clients.users.arrivals.poisson: [50/s, 200/s, 900/s] }
variants:
  as is: {}
  more: { services.web.instances: 3, services.web.machine.cores: 2 }
expect: [ { metric: users.goodput, in: more, at: { clients.users.arrivals.poisson: 50/s }, equals: 50/s, within: 10% } ]
plots: [ { y: users.goodput, x: time }, { y: users, x: attribution }, { y: users, x: distribution } ]
";

const MODEL: &str = "
clients:
  users: { arrivals: { poisson: 100/s }, call: web.page, timeout: 1s, keys: { population: 50, zipf: 1.0 } }
  crawlers: { arrivals: { users: 3, think: { exponential: 100ms } }, call: web.page }
services:
  web:
    instances: 1
    machine: { cores: 1 }
    runtime: { workers: 8 }
    queue: { limit: 20 }
    operations:
      page: [ cpu: { exponential: 5ms }, wait: { samples: { csv: waits.csv, column: ms, unit: 1ms } } ]
";

/// A smaller one, for many runs.
const SMALL: &str = "
question: How long?
model: m.yaml
run: { warm_up: 0s, window: 2s, replications: 6 }
sweep: { services.web.instances: [1, 2] }
";

fn folder() -> Folder {
    let folder = Folder::new("shards");
    folder.write("m.yaml", MODEL);
    folder.write("e.yaml", EXPERIMENT);
    folder.write("s.yaml", SMALL);
    folder.write("waits.csv", "ms\n3\n7\n20\n");
    folder
}

/// The files of the folder's results, without those of its shards.
fn results(folder: &Folder, out: &str) -> BTreeMap<String, Vec<u8>> {
    folder.files(out)
}

fn run_shards(folder: &Folder, file: &str, out: &str, count: u32, more: &[&str]) {
    for index in 1..=count {
        let shard = format!("{index}/{count}");
        let arguments = [&["run", file, "--shard", &shard, "--out", out][..], more].concat();
        folder.scalelab(&arguments).with(0);
    }
}

fn shards(out: &str, file: &str) -> String {
    format!("{out}/{}.shards", file.trim_end_matches(".yaml"))
}

#[track_caller]
fn says(ended: &Ended, words: &[&str]) {
    for words in words {
        assert!(ended.err.contains(words), "{words} is not in:\n{}", ended.err);
    }
}

#[test]
fn merged_shards_are_what_one_machine_writes_byte_for_byte() {
    let folder = folder();
    let whole = folder.scalelab(&["run", "e.yaml", "--out", "whole"]).with(0);
    let expected = results(&folder, "whole/e");
    assert!(expected.len() > 8 && expected.contains_key("series.csv"), "{:?}", expected.keys());
    // One share, some, more than there are runs.
    for count in [1, 5, 30] {
        let out = format!("of{count}");
        run_shards(&folder, "e.yaml", &out, count, &["--quiet"]);
        let merged = folder.scalelab(&["merge", &shards(&out, "e.yaml"), "--out", &out]).with(0);
        assert_eq!(merged.out.replace(&out, "whole"), whole.out);
        let found = results(&folder, &format!("{out}/e"));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, content) in &expected {
            assert!(found[name] == *content, "{name} differs with {count} shards");
        }
    }
}

#[test]
fn what_the_command_line_changes_goes_through_the_shards() {
    let folder = folder();
    let more = ["--quick", "--seed", "7", "--replications", "2", "--set", "services.web.runtime.workers=4"];
    folder.scalelab(&[&["run", "e.yaml", "--out", "whole", "--quiet"][..], &more].concat()).with(0);
    run_shards(&folder, "e.yaml", "parts", 2, &more);
    folder.scalelab(&["merge", "parts/e.shards", "--out", "parts"]).with(0);
    assert!(results(&folder, "whole/e") == results(&folder, "parts/e"));
}

#[test]
fn the_same_shard_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = folder();
    folder.scalelab(&["run", "s.yaml", "--shard", "2/3", "--out", "one", "--jobs", "1"]).with(0);
    folder.scalelab(&["run", "s.yaml", "--shard", "2/3", "--out", "two", "--jobs", "4"]).with(0);
    assert_eq!(folder.files("one/s.shards"), folder.files("two/s.shards"));
}

#[test]
fn a_shard_that_is_there_is_not_run_again_but_replaced_if_asked() {
    let folder = folder();
    let arguments = ["run", "s.yaml", "--shard", "1/2"];
    folder.scalelab(&arguments).with(0);
    let before = folder.files("output");
    let again = folder.scalelab(&[&arguments[..], &["--resume"]].concat()).with(0);
    assert!(again.out.contains("6 runs (6 of them were there already)"), "{}", again.out);
    folder.scalelab(&arguments).with(0);
    assert_eq!(folder.files("output"), before);
    // The plan has changed: what is there is not mixed with it, nor thrown away unasked.
    folder.write("s.yaml", SMALL.replace("2s", "1s"));
    let other = folder.scalelab(&[&arguments[..], &["--resume"]].concat()).with(2);
    says(&other, &["holds runs of another plan", "contents of `s.yaml`", "without --resume"]);
    assert_eq!(folder.files("output"), before);
    folder.scalelab(&arguments).with(0);
}

#[test]
fn a_whole_run_can_be_resumed_and_gives_the_same_results() {
    let folder = folder();
    folder.scalelab(&["run", "s.yaml", "--out", "whole", "--quiet"]).with(0);
    let ended = folder.scalelab(&["run", "s.yaml", "--out", "again", "--resume"]).with(0);
    assert!(ended.out.contains("How long?"), "{}", ended.out);
    assert!(results(&folder, "whole/s") == results(&folder, "again/s"));
    // Its runs are kept: another answer needs none.
    folder.scalelab(&["run", "s.yaml", "--out", "again", "--resume", "--quiet"]).with(0);
    assert!(results(&folder, "whole/s") == results(&folder, "again/s"));
}

#[test]
fn what_is_missing_doubled_or_foreign_is_refused_with_what_to_do() {
    let folder = folder();
    let merge = |folders: &[&str]| folder.scalelab(&[&["merge"][..], folders, &["--out", "merged"]].concat()).with(2);
    says(&folder.scalelab(&["merge", "."]).with(2), &["no files of runs"]);
    says(&folder.scalelab(&["merge", "nowhere"]).with(1), &["nowhere"]);
    run_shards(&folder, "s.yaml", "a", 3, &[]);
    let third = folder.files("a/s.shards")["3-of-3.runs"].clone();
    std::fs::remove_file(folder.path().join("a/s.shards/3-of-3.runs")).unwrap();
    std::fs::remove_file(folder.path().join("a/s.shards/1-of-3.runs")).unwrap();
    let missing = merge(&["a/s.shards"]);
    says(
        &missing,
        &["2 of 3 shards are missing", "scalelab run s.yaml --shard 1/3 --resume --out 'a'", "--shard 3/3 --resume"],
    );
    assert!(!missing.err.contains("--shard 2/3"));
    // The list is a list of commands that help.
    for line in missing.err.lines().filter_map(|line| line.trim().strip_prefix("scalelab ")) {
        folder.scalelab(&line.replace('\'', "").split(' ').collect::<Vec<_>>()).with(0);
    }
    folder.scalelab(&["merge", "a/s.shards", "--out", "merged"]).with(0);
    // In two folders, once each; then one of them twice.
    folder.write("b/s.shards/3-of-3.runs", &third);
    says(&merge(&["a/s.shards", "b/s.shards"]), &["are both shard 3/3"]);
    std::fs::remove_file(folder.path().join("a/s.shards/3-of-3.runs")).unwrap();
    folder.scalelab(&["merge", "a/s.shards", "b/s.shards", "--out", "merged"]).with(0);
    // The same folder twice is once.
    folder.scalelab(&["merge", "a/s.shards", "b/s.shards", "a/s.shards", "--out", "merged"]).with(0);
    folder.scalelab(&["run", "s.yaml", "--shard", "3/3", "--out", "c", "--seed", "9"]).with(0);
    says(&merge(&["a/s.shards", "c/s.shards"]), &["do not belong together", "--seed 9"]);
    folder.scalelab(&["run", "s.yaml", "--shard", "1/2", "--out", "d"]).with(0);
    says(&merge(&["a/s.shards", "b/s.shards", "d/s.shards"]), &["is one of 3 shards, others are of 2; keep one kind"]);
    // Files that have changed since.
    folder.write("waits.csv", "ms\n3\n7\n21\n");
    says(&merge(&["a/s.shards", "b/s.shards"]), &["other files than are here now", "contents of `waits.csv`"]);
}

#[test]
fn a_file_that_is_torn_or_changed_anywhere_is_refused() {
    let folder = folder();
    folder.scalelab(&["run", "s.yaml", "--shard", "1/1", "--replications", "2"]).with(0);
    let bytes = folder.files("output/s.shards")["1-of-1.runs"].clone();
    let steps = 24;
    for step in 0..steps {
        let place = bytes.len() * step / steps;
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        for damaged in [&changed[..], &bytes[..place]] {
            folder.write("damaged/1-of-1.runs", damaged);
            let ended = folder.scalelab(&["merge", "damaged", "--quiet"]).with(2);
            assert!(ended.err.contains("damaged") || ended.err.contains("cannot be used"), "{}", ended.err);
        }
    }
    // Lines that are whole, but not all of them, or one twice.
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len() - 1;
    for kept in [[&lines[..1], &lines[2..]].concat(), [&lines[..2], &lines[1..]].concat(), lines[..last].to_vec()] {
        folder.write("damaged/1-of-1.runs", kept.join("\n") + "\n");
        says(&folder.scalelab(&["merge", "damaged", "--quiet"]).with(2), &["is damaged"]);
    }
}

#[test]
fn what_looks_at_all_results_cannot_be_shared_and_says_so() {
    let folder = folder();
    folder.write("auto.yaml", SMALL.replace("warm_up: 0s", "warm_up: auto"));
    folder.write("precise.yaml", SMALL.replace("warm_up: 0s", "precision: { users.latency.mean: 1% }"));
    for more in [&["--shard", "1/2"][..], &["--resume"]] {
        let run = |file| folder.scalelab(&[&["run", file][..], more].concat()).with(2);
        says(&run("auto.yaml"), &["`warm_up: auto` looks at pilot runs", "write the time it found"]);
        says(&run("precise.yaml"), &["`precision` looks at the results", "give enough `replications`"]);
    }
    assert!(folder.files("output").is_empty());
    says(&folder.scalelab(&["run", "s.yaml", "--shard", "4/3"]).with(2), &["no shard 4 of 3"]);
    says(&folder.scalelab(&["run", "s.yaml", "--shard", "auto"]).with(2), &["no job scheduler"]);
}

/// Kills a shard at many moments, resuming it each time, then completes it and compares with an undisturbed run.
fn killed_and_resumed(kills: u32) {
    let folder = folder();
    let long = SMALL.replace("window: 2s", "window: 20s").replace("replications: 6", "replications: 40");
    folder.write("s.yaml", long);
    folder.scalelab(&["run", "s.yaml", "--out", "whole", "--quiet"]).with(0);
    let begin = Instant::now();
    folder.scalelab(&["run", "s.yaml", "--shard", "2/2", "--out", "parts"]).with(0);
    // Kills come at moments from the very beginning to the usual end of a shard, in no order.
    let usual = begin.elapsed();
    let arguments = ["run", "s.yaml", "--shard", "1/2", "--out", "parts", "--resume", "--jobs", "1"];
    let (mut interrupted, mut partial) = (0, 0);
    for kill in 0..kills {
        let mut child = folder.start(&arguments, &[]);
        std::thread::sleep(usual.mul_f64(f64::from(kill * 37 % 101) / 100.0));
        child.kill().unwrap();
        let ended = wait(child, Duration::from_secs(60));
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        interrupted += u32::from(ended.status.is_none());
        let files = folder.files("parts/s.shards");
        let lines = files.get("1-of-2.part").map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
        partial += u32::from(lines > 1);
        if files.contains_key("1-of-2.runs") {
            // It was complete: the next kills meet a new beginning.
            folder.scalelab(&["merge", "parts/s.shards", "--out", "parts", "--quiet"]).with(0);
            assert!(results(&folder, "whole/s") == results(&folder, "parts/s"));
            std::fs::remove_file(folder.path().join("parts/s.shards/1-of-2.runs")).unwrap();
            std::fs::remove_dir_all(folder.path().join("parts/s")).unwrap();
            continue;
        }
        let merge = folder.scalelab(&["merge", "parts/s.shards", "--out", "parts"]).with(2);
        says(&merge, &["1 of 2 shards are missing", "scalelab run s.yaml --shard 1/2 --resume --out 'parts'"]);
        assert!(!folder.path().join("parts/s").exists());
    }
    assert!(
        interrupted * 3 > kills && partial > 0,
        "{interrupted} of {kills} kills came in time, {partial} met results"
    );
    folder.scalelab(&arguments).with(0);
    folder.scalelab(&["merge", "parts/s.shards", "--out", "parts", "--quiet"]).with(0);
    assert!(results(&folder, "whole/s") == results(&folder, "parts/s"));
    let names: Vec<String> = folder.files("parts/s.shards").into_keys().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(names, ["1-of-2.runs", "2-of-2.runs"]);
}

#[test]
fn a_shard_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice() {
    killed_and_resumed(24);
}

#[test]
#[ignore = "takes minutes: cargo test --test all a_thousand_kills -- --ignored"]
fn a_thousand_kills_lose_nothing() {
    killed_and_resumed(1000);
}

/// Waits for a file, for a minute at most.
#[track_caller]
fn appears(path: &std::path::Path) {
    for _ in 0..12_000 {
        if path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{} does not appear", path.display());
}

#[test]
fn two_processes_do_not_work_on_one_shard() {
    let folder = folder();
    folder.write("s.yaml", SMALL.replace("window: 2s", "window: 1000h"));
    let mut first = folder.start(&["run", "s.yaml", "--shard", "1/2", "--jobs", "1"], &[]);
    let lock = folder.path().join("output/s.shards/1-of-2.part");
    appears(&lock);
    let second = folder.scalelab(&["run", "s.yaml", "--shard", "1/2"]).with(2);
    says(&second, &["another process is working on shard 1/2"]);
    assert!(first.try_wait().unwrap().is_none(), "the first one was disturbed");
    // Other shards of the same experiment may.
    let mut other = folder.start(&["run", "s.yaml", "--shard", "2/2", "--jobs", "1"], &[]);
    let journal = folder.path().join("output/s.shards/2-of-2.part");
    appears(&journal);
    [&mut first, &mut other].into_iter().for_each(|child| child.kill().unwrap());
    for child in [first, other] {
        wait(child, Duration::from_secs(60));
    }
    // The lock went with its holder.
    folder.write("s.yaml", SMALL);
    folder.scalelab(&["run", "s.yaml", "--shard", "1/2"]).with(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_or_a_folder_that_cannot_be_written_loses_nothing() {
    let folder = folder();
    folder.scalelab(&["run", "s.yaml", "--out", "whole", "--quiet"]).with(0);
    // A limit to the size of files stands in for a full disk; the signal that comes with it is ignored.
    let limited = |blocks: u32| {
        let program = env!("CARGO_BIN_EXE_scalelab");
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} run s.yaml --shard 1/1 --resume --jobs 1");
        let child =
            std::process::Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        (child.status.code(), String::from_utf8(child.stderr).unwrap())
    };
    let mut kept = 0;
    for blocks in [1, 16, 32] {
        let (status, err) = limited(blocks);
        assert_eq!(status, Some(1), "{err}");
        assert!(err.contains("1-of-1.part") && err.contains("make room and run again with --resume"), "{err}");
        let files = folder.files("output/s.shards");
        assert!(!files.contains_key("1-of-1.runs") && files["1-of-1.part"].len() >= kept);
        kept = files["1-of-1.part"].len();
    }
    assert!(kept > 16 << 10, "{kept}");
    folder.scalelab(&["run", "s.yaml", "--shard", "1/1", "--resume"]).with(0);
    folder.scalelab(&["merge", "output/s.shards", "--quiet"]).with(0);
    assert!(results(&folder, "whole/s") == results(&folder, "output/s"));
    let ended = folder.scalelab(&["run", "s.yaml", "--shard", "1/1", "--out", "/proc/results"]).with(1);
    says(&ended, &["making the folder `/proc/results/s.shards`"]);
    folder.write("file", "mine");
    let ended = folder.scalelab(&["run", "s.yaml", "--shard", "1/1", "--out", "file"]).with(1);
    says(&ended, &["making the folder `file/s.shards`"]);
    assert_eq!(folder.read("file"), "mine");
}
