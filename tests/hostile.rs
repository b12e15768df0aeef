//! Files that are damaged or meant to hurt, and models that are valid but extreme: always an answer or a diagnostic, never
//! a panic, a hang, or half an answer.

use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use scalelab::experiment::design::Options;
use scalelab::model::{Ending, Plan, System};

use crate::support::{Folder, Memory, SECOND, plan, study, try_design, try_ran};

const EXPERIMENT: &str = "\
question: \"What if?\"
prediction: >
  It holds.
model: m.yaml
run: { warm_up: 1s, window: 5s, replications: 2, seed: 7, confidence: 95% }
set: { services.shop.queue.limit: 30 }
variants:
  small: {}
  large:
    services.shop.instances: 4
sweep:
  clients.users.arrivals.poisson: { from: 50/s, to: 100/s, points: 3, spacing: log }
  services.db.runtime.workers: [1, 2]
expect:
  - { metric: users.latency.p95, in: small, at: { services.db.runtime.workers: 2 }, below: 200ms }
  - { metric: users.goodput, of: large, times: small, at_least: 1 }
plots:
  - { y: users.latency.mean, x: clients.users.arrivals.poisson, by: variant, mark: knee, slo: 100ms }
  - { y: users, x: attribution }
";

const MODEL: &str = "\
about: A shop
clients:
  users: { arrivals: { poisson: 80/s }, call: shop.browse, timeout: 1s }
  others:
    arrivals: { users: 5, think: { exponential: 100ms } }
    mix: { shop.browse: 50%, db.read: 50% }
services:
  shop:
    instances: 2
    machine: { cores: 1500m }
    runtime: { workers: 4 }
    queue: { limit: 20 }
    balancer: least_in_flight
    operations:
      browse:
        - cpu: { lognormal: { mean: 8ms, cv: 2 } }
        - parallel: [ call: db.read, [ wait: { percentiles: { p50: 1ms, p99: 9ms } } ] ]
        - choose: [ { share: 10%, steps: [ fail: 5% ] } ]
        - repeat: { times: 2, steps: [ { call: db.read, timeout: 300ms } ] }
        - reply: 2kB
        - wait: { samples: { csv: s.csv, column: t, unit: 1ms } }
  db: { runtime: { workers: 3 }, operations: { read: [ wait: { erlang: { mean: 5ms, stages: 3 } } ] } }
";

const SAMPLES: &str = "n,t\na,1\nb,2.5\nc,40\n";

/// Does something within a time limit; what takes longer fails the test.
fn within<R: Send + 'static>(seconds: u64, what: &str, does: impl FnOnce() -> R + Send + 'static) -> R {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || send.send(does()));
    match receive.recv_timeout(Duration::from_secs(seconds)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} takes more than {seconds} s"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("a result is sent before the thread ends"),
        },
    }
}

/// Random damage, always the same in every run of the tests.
fn attack<S: Strategy>(cases: u32, damage: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: std::fmt::Debug,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]));
    if let Err(error) = runner.run(&damage, check) {
        panic!("{error}");
    }
}

/// Damages to a text: bytes flipped, cut, doubled; lines doubled, moved, dropped; numbers made huge.
fn damages(most: usize) -> impl Strategy<Value = Vec<(u8, prop::sample::Index, prop::sample::Index, usize)>> {
    prop::collection::vec((0..9u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..50usize), 1..most)
}

fn damaged(text: &str, damages: &[(u8, prop::sample::Index, prop::sample::Index, usize)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (kind, at, other, length) in damages {
        if bytes.is_empty() {
            break;
        }
        if *kind >= 5 {
            bytes = by_line(&String::from_utf8_lossy(&bytes), *kind, *at, *other).into_bytes();
            continue;
        }
        let at = at.index(bytes.len());
        let end = (at + length).min(bytes.len());
        match kind {
            0 => bytes[at] ^= 1 << (length % 8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                let place = other.index(bytes.len());
                bytes.splice(place..place, part);
            }
            3 => bytes.truncate(at),
            _ => bytes[at] = b":-{}[]&*#'\"|>%@\t\n ,?!0987"[length % 25],
        }
    }
    bytes
}

fn by_line(text: &str, kind: u8, at: prop::sample::Index, other: prop::sample::Index) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let (at, other) = (at.index(lines.len()), other.index(lines.len()));
    match kind {
        5 => lines.insert(other, lines[at].clone()),
        6 => lines.swap(at, other),
        7 => drop(lines.remove(at)),
        _ => {
            let huge =
                ["999999999999", "1e308", "0", "-1", ".nan", "0.0000001", "18446744073709551616", "[]", "{}", "~"];
            let number = lines[at].find(|c: char| c.is_ascii_digit());
            if let Some(place) = number {
                let rest = lines[at][place..].trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
                lines[at] = format!("{}{}{rest}", &lines[at][..place], huge[other % huge.len()]);
            }
        }
    }
    lines.join("\n") + "\n"
}

/// Designs damaged files; what is still fine is run for a moment, what is not must say where.
fn survives(experiment: Vec<u8>, model: Vec<u8>, samples: Vec<u8>) -> Result<bool, TestCaseError> {
    let files = Memory::of("e.yaml", experiment).and("m.yaml", model).and("s.csv", samples);
    match try_design(&files, "e.yaml", &Options::default()) {
        Err(message) => {
            prop_assert!(message.contains("error") && message.contains("-->"), "{message}");
            Ok(false)
        }
        Ok((_, design)) => {
            for point in [design.points.first(), design.points.last()].into_iter().flatten() {
                let longest = |nanos: u64| nanos.min(SECOND / 5);
                let plan = Plan {
                    warm_up: longest(design.plan.warm_up),
                    window: longest(design.plan.window),
                    drain: longest(design.plan.drain),
                    in_flight_limit: design.plan.in_flight_limit.min(2000),
                    event_limit: design.plan.event_limit.min(20_000),
                    ..design.plan
                };
                let plan = Plan { interval: plan.interval.max(SECOND / 100), ..plan };
                // A model in which time does not pass is an error; a broken law is one too, and a fault.
                if let Err(violation) = System::new(&point.blueprint, plan).run(&|| false) {
                    prop_assert!(violation.what.contains("time does not pass"), "{violation}");
                }
            }
            Ok(true)
        }
    }
}

#[test]
fn damaged_experiments_are_refused_or_run() {
    within(120, "an attack on experiments", || {
        attack(700, damages(4), |damages| {
            survives(damaged(EXPERIMENT, &damages), MODEL.into(), SAMPLES.into()).map(drop)
        });
    });
}

#[test]
fn damaged_models_are_refused_or_run() {
    within(120, "an attack on models", || {
        attack(1200, damages(4), |damages| {
            survives(EXPERIMENT.into(), damaged(MODEL, &damages), SAMPLES.into()).map(drop)
        });
    });
}

#[test]
fn damaged_samples_are_refused_or_used() {
    within(120, "an attack on samples", || {
        attack(200, damages(4), |damages| {
            survives(EXPERIMENT.into(), MODEL.into(), damaged(SAMPLES, &damages)).map(drop)
        });
    });
}

#[test]
fn the_files_that_are_damaged_are_fine_before() {
    assert!(survives(EXPERIMENT.into(), MODEL.into(), SAMPLES.into()).expect("it runs"));
}

/// Files that must be refused, and a word of the reason.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    let model = |from: &str, to: &str| {
        assert!(MODEL.contains(from), "{from}");
        MODEL.replacen(from, to, 1)
    };
    let inline = |run: &str, sweep: &str| {
        let indented: String = MODEL.lines().map(|line| format!("  {line}\n")).collect();
        let plain = indented.replace("{ samples: { csv: s.csv, column: t, unit: 1ms } }", "1ms");
        format!("question: q\nmodel:\n{plain}run: {run}\nsweep: {sweep}\n")
    };
    let bomb: String = (1..40)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(",")))
        .collect();
    let grid = "{ clients.users.arrivals.poisson: { from: 1/s, to: 9/s, points: 1000 }, services.db.runtime.workers: { from: \
                1, to: 1000, points: 1000 } }";
    let deep = (0..60).fold("wait: 1ms".to_owned(), |inner, _| format!("parallel: [ [ {inner} ] ]"));
    let loops = (0..9).fold("wait: 1ms".to_owned(), |inner, _| format!("repeat: {{ times: 9, steps: [ {inner} ] }}"));
    vec![
        ("nothing", String::new(), ""),
        ("a list", "- 1\n".into(), ""),
        ("no maps", "clients: {}\nservices: {}\n".into(), "clients"),
        (
            "no operations",
            model("operations: { read: [ wait: { erlang: { mean: 5ms, stages: 3 } } ] }", "operations: {}"),
            "",
        ),
        ("an alias bomb", format!("a0: &a0 x\n{bomb}"), "more than 1000000 values"),
        ("deep nesting", "[".repeat(100_000), "nested"),
        ("deep steps", model("reply: 2kB", &deep), "nested"),
        ("deep loops", model("reply: 2kB", &loops), "4 deep"),
        ("10^12 instances", model("instances: 2", "instances: 1000000000000"), "instances"),
        ("10^12 users", model("users: 5", "users: 1000000000000"), ""),
        ("10^12 workers", model("workers: 4", "workers: 1000000000000"), "workers"),
        ("10^12 rounds", model("times: 2", "times: 1000000000000"), "65535"),
        ("10^18 s of patience", model("timeout: 1s", "timeout: 1000000000000000000s"), "timeout"),
        ("a negative time", model("timeout: 1s", "timeout: -1s"), "timeout"),
        ("no patience", model("timeout: 1s", "timeout: 0s"), "longer than 0"),
        ("not a number", model("mean: 8ms", "mean: .nan"), ""),
        ("10^400", model("mean: 8ms", &format!("mean: 1{}ms", "0".repeat(400))), ""),
        ("a window of 10^18 s", inline("{ window: 1000000000000000000s }", "{}"), "window"),
        ("a window of nothing", inline("{ window: 0s }", "{}"), "longer than 0"),
        ("10^9 replications", inline("{ replications: 1000000000 }", "{}"), "100000"),
        ("a nanosecond's interval", inline("{ window: 60s, interval: 1ns }", "{}"), "100000 points"),
        ("a grid of a million points", inline("{}", grid), "more than 100000 points"),
        (
            "10^9 points",
            inline("{}", "{ services.db.runtime.workers: { from: 1, to: 9, points: 1000000000 } }"),
            "1000",
        ),
        (
            "ten million runs",
            inline("{ replications: 100000 }", "{ services.db.runtime.workers: { from: 1, to: 100, points: 100 } }"),
            "10000000 runs are too many",
        ),
        (
            "more users than memory",
            model("users: 5,", "users: 10000000,").replace("poisson: 80/s", "users: 1, think: 1s"),
            "10000001 users",
        ),
        ("no levels", inline("{}", "{ services.db.runtime.workers: [] }"), "at least one"),
        ("a key of nothing", inline("{}", "{ services.bd.runtime.workers: [1] }"), ""),
        ("a name with a path", model("  db:", "  \"../../etc\":"), "name"),
        ("a name with a script", model("  users:", "  \"<script>alert(1)</script>\":"), "name"),
        ("a name with lines", model("  users:", "  \"a\\nb\\e[31m\":"), "name"),
        ("a name of nothing", model("  users:", "  \"\":"), "name"),
        ("an endless name", model("  users:", &format!("  {}:", "n".repeat(500))), "name"),
        (
            "a circle",
            model("erlang: { mean: 5ms, stages: 3 } } ]", "erlang: { mean: 5ms, stages: 3 } }, call: shop.browse ]"),
            "circle",
        ),
        ("a call of itself", model("reply: 2kB", "call: shop.browse"), "circle"),
        ("itself as model", "question: q\nmodel: f.yaml\n".into(), ""),
        ("samples that are not there", model("s.csv", "none.csv"), "none.csv"),
        ("samples of another column", model("column: t", "column: x"), "no column `x`"),
        ("samples of words", model("column: t", "column: n"), "is no number"),
        ("samples from elsewhere", model("s.csv", "../../../../../../etc/passwd"), "cannot be read"),
    ]
}

#[test]
fn hostile_files_are_refused_with_the_place_and_the_reason() {
    for (what, text, reason) in refused() {
        let message = within(20, what, move || {
            let files = Memory::of("f.yaml", text).and("s.csv", SAMPLES);
            try_design(&files, "f.yaml", &Options::default()).err()
        });
        let message = message.unwrap_or_else(|| panic!("{what} is accepted"));
        assert!(message.contains("--> f.yaml:") && message.contains(reason), "{what}: {message}");
        let visible = |c: char| c == '\n' || !c.is_control();
        assert!(message.chars().all(visible) && message.len() < 20_000, "{what}: {message:?}");
    }
}

#[test]
fn the_program_refuses_hostile_files_and_writes_nothing() {
    for (what, text, _) in refused() {
        let folder = Folder::new("hostile");
        folder.write("f.yaml", text);
        folder.write("s.csv", SAMPLES);
        let ended = folder.scalelab(&["run", "f.yaml"]).with(2);
        assert!(ended.err.contains("--> f.yaml:"), "{what}: {}", ended.err);
        assert_eq!(folder.files("").len(), 2, "{what}");
    }
}

#[test]
fn the_program_refuses_damaged_files_and_writes_nothing() {
    let folder = Folder::new("damaged");
    folder.write("m.yaml", MODEL);
    folder.write("s.csv", SAMPLES);
    attack(40, damages(6), |damages| {
        folder.write("e.yaml", damaged(EXPERIMENT, &damages));
        let ended = folder.scalelab(&["check", "e.yaml"]);
        prop_assert!(matches!(ended.status, Some(0 | 2)), "{:?}", ended);
        prop_assert!(ended.status == Some(0) || ended.err.contains("-->"), "{:?}", ended);
        prop_assert_eq!(folder.files("").len(), 3);
        Ok(())
    });
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = Folder::new("bytes");
    folder.write("zeros.yaml", [0u8; 4096]);
    folder.write("noise.yaml", (0..=255u8).cycle().take(4096).collect::<Vec<_>>());
    folder.write("wide.yaml", "a: b\n".bytes().flat_map(|byte| [byte, 0]).collect::<Vec<_>>());
    for file in ["zeros.yaml", "noise.yaml", "wide.yaml"] {
        folder.scalelab(&["run", file]).with(2);
    }
    assert_eq!(folder.files("").len(), 3);
}

// Valid, but extreme.

fn extreme(model: &str, plan: Plan) -> Result<crate::support::Ran, String> {
    let model = model.to_owned();
    within(60, "an extreme model", move || try_ran(&model, plan).map_err(|violation| violation.to_string()))
}

const OVERLOADED: &str = "
question: Can it keep up?
model:
  clients: { users: { arrivals: { poisson: 200/s }, call: s.o } }
  services: { s: { runtime: { workers: 1 }, operations: { o: [ wait: { exponential: 10ms } ] } } }
run: { warm_up: 1s, window: 20s, replications: 2 }
";

#[test]
fn a_system_that_cannot_keep_up_is_reported_as_overloaded() {
    let study = study(OVERLOADED);
    let overload = study.points[0].overload.as_ref().expect("200/s are too much for 100/s");
    // 100/s more come than go; 2 × 20 s: a standard error of about 3/s; bound at five.
    assert!(overload.client == "users" && (overload.growth - 100.0).abs() < 15.0, "{overload:?}");
    let folder = Folder::new("overloaded");
    folder.write("e.yaml", OVERLOADED);
    let ended = folder.scalelab(&["run", "e.yaml"]).with(0);
    assert!(ended.out.to_lowercase().contains("overload"), "{}", ended.out);
}

#[test]
fn a_system_at_half_its_capacity_is_not() {
    let half = study(&OVERLOADED.replace("200/s", "50/s"));
    assert!(half.points[0].overload.is_none());
}

#[test]
fn a_backlog_beyond_the_limit_ends_the_run_with_a_warning_and_partial_results() {
    let text = OVERLOADED.replace("replications: 2", "replications: 2, in_flight_limit: 100");
    let study = study(&text);
    assert!(study.points[0].runs.iter().all(|run| run.ending == Ending::TooManyInFlight));
    assert!(
        study.warnings.iter().any(|warning| warning.contains("too many requests in flight")),
        "{:?}",
        study.warnings
    );
}

/// Services that each call the next one ten times at once, or one after the other.
fn fan_out(services: usize, width: usize, parallel: bool, last: &str) -> String {
    let mut text = "clients: { users: { arrivals: { at: [1s] }, call: s0.o } }\nservices:\n".to_owned();
    for number in 0..services {
        let calls = vec![format!("call: s{}.o", number + 1); width].join(", ");
        let steps = if parallel { format!("parallel: [ {calls} ]") } else { calls };
        text.push_str(&format!("  s{number}: {{ operations: {{ o: [ {steps} ] }} }}\n"));
    }
    text.push_str(&format!("  s{services}: {{ operations: {{ o: [ {last} ] }} }}\n"));
    text
}

#[test]
fn a_fan_out_that_explodes_ends_at_the_limit_before_memory_does() {
    // 100⁵ attempts at one instant.
    for last in ["wait: 1ms", "wait: 0s"] {
        let ran = extreme(&fan_out(5, 100, true, last), plan(10)).expect("no law is broken");
        assert_eq!(ran.record.ending, Ending::TooManyInFlight);
        assert!(ran.record.peak_in_flight < 1_200_000, "{}", ran.record.peak_in_flight);
    }
}

/// Asserts that a model is refused because its time stands still.
#[track_caller]
fn stands_still(model: &str) {
    match extreme(model, plan(10)) {
        Err(message) => assert!(message.contains("time does not pass"), "{message}"),
        Ok(ran) => panic!("it ended: {:?}", ran.record.ending),
    }
}

#[test]
fn time_that_does_not_pass_is_noticed() {
    let single = |arrivals: &str, steps: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {arrivals}, call: s.o }} }}\nservices: {{ s: {{ operations: {{ o: {steps} }} }} }}\n"
        )
    };
    stands_still(&single("{ users: 1, think: 0s }", "[]"));
    stands_still(&single("{ poisson: 1e308/s }", "[]"));
    // Within a single event: 65 535⁴ rounds, and 100⁶ calls.
    let rounds =
        (0..4).fold("wait: 0s".to_owned(), |inner, _| format!("repeat: {{ times: 65535, steps: [ {inner} ] }}"));
    stands_still(&single("{ at: [1s] }", &format!("[ {rounds} ]")));
    stands_still(&fan_out(6, 100, false, "wait: 0s"));
}

#[test]
fn a_flood_of_arrivals_ends_at_the_limit() {
    let model = "clients: { users: { arrivals: { poisson: 1e308/s }, call: s.o } }\n\
                 services: { s: { operations: { o: [ wait: 1ms ] } } }\n";
    let ran = extreme(model, plan(10)).expect("no law is broken");
    assert_eq!(ran.record.ending, Ending::TooManyInFlight);
}

#[test]
fn the_program_says_that_the_model_is_at_fault_when_time_does_not_pass() {
    let folder = Folder::new("still");
    folder.write(
        "m.yaml",
        "clients: { users: { arrivals: { users: 1, think: 0s }, call: s.o } }\nservices: { s: { operations: { o: [] } } }\n",
    );
    let ended = folder.scalelab(&["run", "m.yaml", "--replications", "1"]).with(1);
    assert!(ended.err.contains("time does not pass") && !ended.err.contains("report"), "{}", ended.err);
    assert!(folder.files("output").is_empty());
}

#[test]
fn very_long_times_end_when_they_are_over() {
    let model = "clients: { users: { arrivals: { constant: 1/s }, call: s.o } }\n\
                 services: { s: { runtime: { workers: 1 }, machine: { cores: 1 }, operations: { o: [ cpu: 200000h, wait: 500000h ] } } }\n";
    let ran = extreme(model, plan(100)).expect("no law is broken");
    assert_eq!(ran.value("users.unfinished"), 99.0);
}
