//! Random models: whatever their steps, a run obeys its laws and its books fit each other.
//!
//! The engine checks conservation, Little's law, capacity and every ledger by itself; a broken law fails the run. Here
//! only what stands between its books is added. Calls go to later services only, so no model calls in circles.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use scalelab::model::Plan;

use crate::support::{SECOND, try_ran};

/// The metrics of all reasons for failures.
const REASONS: [&str; 8] = ["errors", "rejected", "timed_out", "limited", "shed", "broken", "unreachable", "crashed"];

/// Services of a random model.
const SERVICES: usize = 4;

fn duration() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("0s".to_owned()),
        (1..20u32).prop_map(|millis| format!("{millis}ms")),
        (1..20u32).prop_map(|millis| format!("{{ exponential: {millis}ms }}")),
        (1..9u32).prop_map(|millis| format!("{{ lognormal: {{ mean: {millis}ms, cv: 3 }} }}")),
        (1..9u32).prop_map(|millis| format!("{{ uniform: {{ from: 0s, to: {millis}ms }} }}")),
    ]
}

fn timeout() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => (1..30u32).prop_map(|millis| format!(", timeout: {millis}ms"))]
}

/// A step of an operation of the service with this number.
fn step(service: usize) -> BoxedStrategy<String> {
    let call = || {
        (service + 1..=SERVICES, 0..2usize, timeout()).prop_map(|(callee, operation, timeout)| match callee {
            SERVICES => "{ wait: 1ms }".to_owned(),
            callee => format!("{{ call: s{callee}.o{operation}{timeout} }}"),
        })
    };
    let leaf = prop_oneof![
        duration().prop_map(|time| format!("{{ cpu: {time} }}")),
        duration().prop_map(|time| format!("{{ wait: {time} }}")),
        call(),
        call(),
        (0..20u32).prop_map(|percent| format!("{{ fail: {percent}% }}")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let steps = prop::collection::vec(inner, 0..4).prop_map(|steps| format!("[ {} ]", steps.join(", ")));
        prop_oneof![
            prop::collection::vec(steps.clone(), 1..4)
                .prop_map(|branches| format!("{{ parallel: [ {} ] }}", branches.join(", "))),
            (steps.clone(), 0..60u32, steps.clone()).prop_map(|(one, share, other)| format!(
                "{{ choose: [ {{ share: {share}%, steps: {one} }}, {{ share: 40%, steps: {other} }} ] }}"
            )),
            (0..4u32, steps).prop_map(|(times, steps)| format!("{{ repeat: {{ times: {times}, steps: {steps} }} }}")),
        ]
    })
    .boxed()
}

fn operation(service: usize) -> impl Strategy<Value = String> {
    let steps = move || prop::collection::vec(step(service), 0..4);
    (steps(), prop::option::of(steps())).prop_map(|(mut front, background)| {
        if let Some(background) = background {
            front.push("{ reply: 1kB }".to_owned());
            front.extend(background);
        }
        format!("[ {} ]", front.join(", "))
    })
}

/// What slows a CPU down.
const SLOWNESS: [&str; 6] = [
    "speed: 0.7",
    "discipline: fcfs",
    "quota: { cores: 0.4, period: 40ms }",
    "context_switch: { cost: 200us }",
    "contention: { alpha: 5%, beta: 1% }",
    "neighbor: { share: 90%, busy: { exponential: 200ms }, quiet: { exponential: 300ms } }",
];

/// The machine, the runtime and the memory of a service. What needs cores is left out without them.
fn machine() -> impl Strategy<Value = String> {
    let cores = prop::option::of(prop::sample::select(vec!["0.5", "1", "1.5", "4"]));
    let slowness = prop::sample::subsequence(SLOWNESS.to_vec(), 0..4);
    let runtime = prop_oneof![
        2 => Just(String::new()),
        2 => (1..5u32).prop_map(|workers| format!("runtime: {{ workers: {workers} }}, ")),
        2 => (1..5u32, 0..6u32).prop_map(|(workers, limit)| format!(
            "runtime: {{ workers: {workers} }}, queue: {{ limit: {limit} }}, "
        )),
        1 => (1..5u32).prop_map(|limit| format!("runtime: {{ threads: {{ limit: {limit} }} }}, ")),
        1 => Just("runtime: { goroutines: { max_procs: 1 } }, ".to_owned()),
        1 => Just("runtime: event_loop, ".to_owned()),
    ];
    let at_limit =
        prop::sample::select(vec!["{ kill: { restart: 100ms } }", "refuse", "{ swap: { touches: 3000/s } }"]);
    let memory = prop::option::of((5..60u32, 1..4u32, 0..5u32, at_limit, prop::bool::ANY));
    (cores, slowness, runtime, memory).prop_map(|(cores, slowness, runtime, memory)| {
        let mut machine = Vec::new();
        if let Some(cores) = cores {
            machine.push(format!("cores: {cores}"));
            machine.extend(slowness.iter().map(|slowness| (*slowness).to_owned()));
        }
        let runtime = if cores.is_none() && runtime.contains("event_loop") { String::new() } else { runtime };
        let memory = memory.map_or(String::new(), |(limit, request, leak, at_limit, collected)| {
            machine.push(format!("memory: {limit}MiB"));
            if at_limit.contains("swap") {
                machine.push("disk: { iops: 500, bandwidth: 50MB/s }".to_owned());
            }
            let collector = "garbage_collector: { allocated: { exponential: 1MiB }, heap: 20MiB, pause: 10ms, \
                             concurrent: { work: 20ms, share: 50% } }, ";
            let collector = if collected && cores.is_some() { collector } else { "" };
            format!(
                "memory: {{ base: 1MiB, per_request: {{ exponential: {request}MiB }}, {collector}\
                 leak: {{ per_request: {leak}KiB, per_second: {leak}MiB }}, at_limit: {at_limit} }}, "
            )
        });
        let machine =
            if machine.is_empty() { String::new() } else { format!("machine: {{ {} }}, ", machine.join(", ")) };
        format!("{machine}{runtime}{memory}")
    })
}

fn service(number: usize) -> impl Strategy<Value = String> {
    let balancer = prop::sample::select(vec!["round_robin", "random", "least_in_flight"]);
    (1..4u32, machine(), balancer, operation(number), operation(number)).prop_map(
        move |(instances, machine, balancer, first, second)| {
            format!(
                "  s{number}: {{ instances: {instances}, {machine}balancer: {balancer},\n    \
                 operations: {{ o0: {first}, o1: {second} }} }}\n"
            )
        },
    )
}

fn model() -> impl Strategy<Value = String> {
    let arrivals = || {
        prop_oneof![
            (1..200u32).prop_map(|rate| format!("{{ poisson: {rate}/s }}")),
            (1..200u32).prop_map(|rate| format!("{{ constant: {rate}/s }}")),
            (1..20u32, 1..50u32).prop_map(|(users, think)| format!("{{ users: {users}, think: {think}ms }}")),
        ]
    };
    let client = || {
        (arrivals(), 0..2usize, timeout()).prop_map(|(arrivals, operation, timeout)| {
            format!("{{ arrivals: {arrivals}, call: s0.o{operation}{timeout} }}")
        })
    };
    let services = (0..SERVICES).map(service).collect::<Vec<_>>();
    (client(), client(), services).prop_map(|(one, other, services)| {
        format!("clients:\n  one: {one}\n  other: {other}\nservices:\n{}", services.concat())
    })
}

fn books_fit(model: &str, seed: u64) -> Result<(), TestCaseError> {
    let plan = Plan {
        warm_up: SECOND / 2,
        window: 3 * SECOND,
        drain: SECOND,
        interval: SECOND / 10,
        seed,
        replication: 0,
        in_flight_limit: 5_000,
        event_limit: 400_000,
        detailed: false,
    };
    let ran = try_ran(model, plan).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
    let again = try_ran(model, plan).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
    prop_assert_eq!(ran.record.fingerprint, again.record.fingerprint);
    for (number, client) in ["one", "other"].into_iter().enumerate() {
        let get = |metric: &str| ran.get(&format!("{client}.{metric}"));
        if let Some(mean) = get("latency.mean") {
            let sum: f64 = ran.split(number).values().sum();
            prop_assert!((sum - mean).abs() <= 1e-9 * mean.max(1e-9), "{sum} {mean}");
            prop_assert!(get("latency.max") >= get("latency.mean"));
        }
        if let Some(failures) = get("failures") {
            let reasons: f64 = REASONS.iter().filter_map(|reason| get(reason)).sum();
            prop_assert!((reasons - failures).abs() < 1e-9);
        }
    }
    for (name, value) in ran.of("s") {
        let Some(value) = value else { continue };
        prop_assert!(value >= 0.0, "{name} {value}");
        let is_share = name.contains("utilization") || name.ends_with(".share") || name.ends_with("unheard");
        // A window can begin and end in the middle of a quota's periods; what is paged to a disk is beyond the memory.
        let bound = if model.contains("quota") { 1.0 + 0.04 / 3.0 } else { 1.0 };
        let bounded = is_share && !name.contains("memory");
        prop_assert!(!bounded || value <= bound + 1e-9, "{name} {value}");
    }
    Ok(())
}

#[test]
fn books_of_random_models_fit() {
    let config = Config { cases: 300, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[17; 32]);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&(model(), 0..1000u64), |(model, seed)| {
        books_fit(&model, seed).map_err(|error| TestCaseError::fail(format!("{error}\nseed {seed}\n{model}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
