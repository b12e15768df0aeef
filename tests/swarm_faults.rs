//! Random systems with every kind of fault and every way to deal with failures: whatever is combined, all laws hold,
//! nothing hangs, and no attempt is left over.

use std::fmt::Write as _;

use scalelab::engine::Stream;
use scalelab::engine::random::below;
use scalelab::model::frame::Outcome;
use scalelab::model::system::{Ending, Plan};

use crate::support::{plan, try_ran};

/// One of several texts.
fn one<T: Copy>(random: &mut Stream, texts: &[T]) -> T {
    texts[below(random, texts.len() as u64) as usize]
}

fn maybe(random: &mut Stream, percent: u64) -> bool {
    below(random, 100) < percent
}

/// What may surround a call; without `fallback`, `bulkhead` and `through` it goes for clients too.
fn protection(random: &mut Stream, of_client: bool) -> String {
    let mut text = String::new();
    let options: [&[&str]; 6] = [
        &[", timeout: 30ms", ", timeout: 200ms", ", timeout: 1s"],
        &[", deadline: 100ms", ", deadline: 700ms"],
        &[", propagate: [deadline]", ", propagate: [cancellation]", ", propagate: [deadline, cancellation]"],
        &[
            ", retry: { attempts: 3 }",
            ", retry: { attempts: 4, backoff: { exponential: 5ms, max: 50ms }, budget: 20% }",
            ", retry: { attempts: 2, backoff: { fixed: 10ms, jitter: equal }, budget: { aws: {} } }",
            ", retry: { attempts: 3, backoff: { linear: 3ms, jitter: decorrelated }, budget: { finagle: {} } }",
            ", retry: { attempts: 5, budget: { grpc: {} }, on: [error, crashed, unreachable, timed_out] }",
            ", retry: { attempts: 3, budget: { aws: {} }, rate: aws_adaptive }",
        ],
        &[
            ", hedge: { after: 5ms }",
            ", hedge: { percentile: 90%, attempts: 3 }",
            ", hedge: { after: 1ms, cancel: false }",
        ],
        &[
            ", breaker: { consecutive_failures: 3, open: 200ms }",
            ", breaker: { failure_rate: 50%, window: 20, minimum: 5, open: 300ms, half_open: 3 }",
            ", breaker: { slow_rate: 50%, slow: 20ms, window: 1s, minimum: 5, open: 100ms }",
        ],
    ];
    for (number, texts) in options.iter().enumerate() {
        if maybe(random, 40) && !(number == 2 && text.is_empty()) {
            text.push_str(one(random, texts));
        }
    }
    if maybe(random, 20) {
        text.push_str(", throttle: { multiplier: 2, window: 10s }");
    }
    if of_client {
        return text;
    }
    let inner: [&[&str]; 3] = [
        &[
            ", fallback: { after: 1ms }",
            ", fallback: { steps: [ wait: 2ms ] }",
            ", fallback: { steps: [ { call: c.work } ] }",
        ],
        &[", bulkhead: { size: 3 }", ", bulkhead: { size: 2, queue: 5, wait: 20ms }"],
        &[", through: db"],
    ];
    for texts in inner {
        if maybe(random, 40) {
            text.push_str(one(random, texts));
        }
    }
    text
}

fn fault(random: &mut Stream) -> String {
    let times = one(
        random,
        &[
            "at: 1s, for: 500ms",
            "at: 500ms, for: 100ms, every: 700ms",
            "at: 2s",
            "mtbf: { exponential: 1s }, mttr: { exponential: 300ms }",
        ],
    );
    let target = one(random, &["a", "b", "c", "b/0", "c/1", "[a/0, b]"]);
    let share = one(random, &["", "", ", share: 50%"]);
    let kind = match below(random, 13) {
        0 => format!("crash: {target}"),
        1 => format!("hang: {target}"),
        2 => format!("spot: {target}, notice: 50ms"),
        3 => format!("slow: {{ target: {target}, speed: {} }}", one(random, &["5%", "50%"])),
        4 => format!("errors: {{ target: {target}, share: 30% }}"),
        5 => format!("latency: {{ target: {target}, add: {{ exponential: 20ms }}, share: 50% }}"),
        6 => format!("loss: {{ target: {target}, share: 20%, resend: 20ms }}"),
        7 => format!("outage: {target}"),
        8 => {
            format!("link: {{ target: a -> b, loss: 10%, latency: 5ms, bandwidth: {} }}", one(random, &["1%", "100%"]))
        }
        9 => "link: { target: [default, a -> b], loss: 100% }".to_owned(),
        10 => format!("flush: {}", one(random, &["b", "store", "[b, store]"])),
        11 => format!("quota: {{ target: c, left: {} }}", one(random, &["0%", "40%"])),
        _ => format!("partition: {{ from: [users, a], to: {target} }}"),
    };
    // A flush takes no time, and a fault on links strikes all of them.
    let times = if kind.starts_with("flush") {
        times.replace(", for: 500ms", "").replace(", for: 100ms", "")
    } else {
        times.to_owned()
    };
    let share = if kind.starts_with("link") { "" } else { share };
    format!("{{ {times}, {kind}{share} }}")
}

/// A random system of three services, two clients and up to four faults.
fn model(seed: u64) -> String {
    let mut random = Stream::new(seed);
    let random = &mut random;
    let call = |target: &str, random: &mut Stream| format!("{{ call: {target}{} }}", protection(random, false));
    let (first, second, third) = (call("b.work", random), call("c.work", random), call("c.work", random));
    let parallel = one(
        random,
        &[
            "",
            ", need: first",
            ", need: 2",
            ", within: 30ms",
            ", need: first, stop_rest: true",
            ", within: 20ms, at_least: 1",
        ],
    );
    let a = match below(random, 3) {
        0 => format!("[ cpu: {{ exponential: 2ms }}, {first}, {second} ]"),
        1 => format!("[ {{ parallel: [ {first}, [ wait: 1ms, {second} ], wait: 5ms ]{parallel} }} ]"),
        _ => format!("[ {first}, reply: 1KB, {{ repeat: {{ times: 2, steps: [ {second} ] }} }} ]"),
    };
    let memory = one(random, MEMORIES);
    let workers = one(random, &["", "runtime: { workers: 4 }, queue: { limit: 10 },", "runtime: { workers: 2 },"]);
    let gate = GATES[below(random, GATES.len() as u64) as usize];
    let mut text = format!(
        "clients:
  users: {{ arrivals: {{ poisson: 60/s }}, call: a.go{}, keys: {{ population: 100 }} }}
  others: {{ arrivals: {{ users: 5, think: {{ exponential: 50ms }} }}, mix: {{ a.go: 50%, c.work: 50% }}, priority: 1{}, keys: {{ population: 100 }} }}
services:
  a: {{ instances: 2, {workers} {gate} machine: {{ cores: 2 }}, pools: {{ db: {{ size: 3, queue: 20, wait: 50ms, connect: 1ms, idle: 1s }} }},
    operations: {{ go: {a} }} }}
  b: {{ instances: 2, pools: {{ db: {{ size: 2 }} }}, {gate} machine: {{ cores: 1{} }}, {}
    operations: {{ work: [ cpu: {{ exponential: 5ms }}, {{ cache: store, on_miss: [ {third} ] }}, fail: 2%, reply: 2KB ] }} }}
  c: {{ instances: 3, {workers} quota: 200/s, operations: {{ work: [ wait: {{ exponential: 8ms }} ] }} }}
caches: {{ store: {{ items: 20, instances: 2 }} }}
links: {{ default: {{ latency: 1ms, retransmit: 10ms }}, a -> b: {{ latency: 2ms, loss: 1%, bandwidth: 8Mbps, retransmit: 10ms }} }}
",
        protection(random, true),
        protection(random, true),
        memory.0,
        memory.1,
    );
    let faults: Vec<String> = (0..below(random, 5)).map(|_| fault(random)).collect();
    let _ = writeln!(text, "faults: [ {} ]", faults.join(", "));
    text
}

/// Memory of a machine, and what takes it; at the limit the process is killed, or requests are refused.
const MEMORIES: &[(&str, &str)] = &[
    ("", ""),
    (
        ", memory: 64MiB",
        "memory: { base: 8MiB, per_request: 4MiB, leak: { per_second: 20MiB }, at_limit: { kill: { restart: 300ms } } },",
    ),
    (", memory: 40MiB", "memory: { base: 8MiB, per_request: 4MiB, at_limit: refuse },"),
];

/// Rules at the door of a service.
const GATES: [&str; 4] = [
    "",
    "",
    "shed: [ { in_flight: 6, resume: 3 }, { in_flight: 4, from_priority: 1 } ],",
    "adaptive_limit: { gradient2: { min: 2 } },",
];

/// Runs so many random systems and checks the books of each.
fn storm(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let text = model(seed);
        let plan = Plan { seed, drain: 3_000_000_000, in_flight_limit: 200_000, event_limit: 5_000_000, ..plan(4) };
        let run = try_ran(&text, plan).unwrap_or_else(|violation| panic!("seed {seed}: {violation}\n{text}"));
        assert_ne!(run.record.ending, Ending::EventLimit, "seed {seed}\n{text}");
        for client in ["users", "others"] {
            let reasons = ["errors", "rejected", "timed_out", "limited", "shed", "broken", "unreachable", "crashed"];
            let Some(failures) = run.get(&format!("{client}.failures")) else { continue };
            let sum: f64 = reasons.iter().map(|reason| run.value(&format!("{client}.{reason}"))).sum();
            assert!((sum - failures).abs() < 1e-9, "seed {seed}: {sum} and {failures}\n{text}");
        }
        for (book, plan) in run.record.guards.iter().zip(&run.blueprint.program.guards) {
            // Within a window the ends of calls before it count, so the sums fit only up to what was under way.
            assert!(book.attempts <= book.calls + book.retries + book.hedges + 2000, "seed {seed}: {}", plan.name);
        }
        for book in &run.record.operations {
            assert!(book.ended[Outcome::Success as usize] <= book.begun, "seed {seed}");
        }
    }
}

#[test]
fn systems_with_random_faults_and_protections_keep_all_laws() {
    storm(0..60);
}

#[test]
#[ignore = "thousands of systems; minutes"]
fn thousands_of_systems_with_random_faults_and_protections_keep_all_laws() {
    storm(1000..6000);
}
