//! Instances that die and come back: what is lost, what goes on, and that nothing leaks.

use scalelab::model::Plan;

use crate::support::{SECOND, plan, ran_with};

/// Runs a model whose only service loses an instance; returns the values of some metrics.
fn crashed(model: &str, instance: u32, at: u64, lasting: Option<u64>, plan: Plan, wanted: &[&str]) -> Vec<f64> {
    ran_with(model, &[(instance, at, lasting)], plan).values(wanted)
}

const WANTED: [&str; 4] = ["users.requests", "users.crashed", "users.unreachable", "users.failures"];

#[test]
fn what_is_in_flight_at_a_crash_is_lost_and_what_comes_while_it_is_down_finds_nobody() {
    // One request every 100 ms from 100 ms on, 250 ms of work. A crash just after 1.05 s takes those of 0.9 and 1.0 s; those
    // of 1.1 to 2.0 s come while it is down.
    for steps in ["[ wait: 250ms ]", "[ cpu: 250ms ]", "[ parallel: [ wait: 250ms, [ wait: 10ms, cpu: 240ms ] ] ]"] {
        let model = format!(
            "clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}\nservices: {{ s: {{ machine: {{ cores: 8 }},
            operations: {{ o: {steps} }} }} }}"
        );
        let found = crashed(&model, 0, 1_050_000_001, Some(SECOND), plan(10), &WANTED);
        assert_eq!(found[0] as u64, 99, "{steps}");
        assert_eq!((found[1] * 99.0).round() as u64, 2, "{steps}");
        assert_eq!((found[2] * 99.0).round() as u64, 10, "{steps}");
        assert_eq!((found[3] * 99.0).round() as u64, 12, "{steps}");
    }
}

#[test]
fn those_that_wait_for_a_worker_are_lost_too_and_the_workers_are_all_free_afterwards() {
    // Arrivals at 1, 2, …, 5 s; 10 s of work; one worker: at 4.5 s one works and three wait. The last one comes after.
    let model = "clients: { users: { arrivals: { at: [1s, 2s, 3s, 4s, 5s] }, call: s.o } }\nservices: { s: { runtime: {
        workers: 1 }, operations: { o: [ wait: 10s ] } } }";
    let found = crashed(model, 0, 4_500_000_000, Some(SECOND / 10), plan(30), &WANTED);
    assert_eq!(found, [5.0, 0.8, 0.0, 0.8]);
}

#[test]
fn the_balancer_sends_to_those_that_are_left() {
    for balancer in ["random", "round_robin", "least_in_flight"] {
        let model = format!(
            "clients: {{ users: {{ arrivals: {{ constant: 100/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 3,
            balancer: {balancer}, operations: {{ o: [ wait: 1ms ] }} }} }}"
        );
        let found = crashed(&model, 1, SECOND + 5_000_000, None, plan(10), &WANTED);
        assert_eq!(found[1..], [0.0, 0.0, 0.0], "{balancer}");
    }
}

#[test]
fn a_caller_that_dies_leaves_its_callee_at_work_and_a_callee_that_dies_fails_its_caller() {
    // A caller of 1 s of work at another service, asked at 1 s; it dies at 1.5 s.
    let services = |first: &str, second: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: {first}.go }} }}\nservices: {{ {second}: {{ operations: {{
            go: [ call: other.work ] }} }}, other: {{ operations: {{ work: [ wait: 1s ] }} }} }}"
        )
    };
    let half = 1_500_000_000;
    let wanted = ["users.crashed", "users.errors", "other.work.unheard"];
    assert_eq!(crashed(&services("a", "a"), 0, half, None, plan(10), &wanted), [1.0, 0.0, 1.0]);
    let callee =
        "clients: { users: { arrivals: { at: [1s] }, call: a.go } }\nservices: { other: { operations: { work: [
        wait: 1s ] } }, a: { operations: { go: [ call: other.work ] } } }";
    assert_eq!(crashed(callee, 0, half, None, plan(10), &wanted), [0.0, 1.0, 0.0]);
}
