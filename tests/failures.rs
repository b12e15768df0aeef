//! Calls that fail and what surrounds them: hand-counted traces, amplification, what is lost, stopped and wasted.

use crate::support::{Ran, plan, ran};

/// One request at 1 s by a client that is written so, to `s.o` with these steps.
fn one(client: &str, steps: &str) -> Ran {
    let model = format!(
        "clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: s.o, {client} }} }}\nservices: {{ s: {{ operations: {{
        o: {steps} }} }} }}"
    );
    ran(&model, plan(100))
}

/// One request at 1 s to `a.go`, which makes a call that is written so to `b.do`, with these steps.
fn chain(call: &str, service: &str, steps: &str) -> Ran {
    let model = format!(
        "clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: a.go }} }}\nservices: {{ a: {{ {service} operations: {{ go: [
        {{ call: b.do, {call} }} ] }} }}, b: {{ operations: {{ do: {steps} }} }} }}"
    );
    ran(&model, plan(100))
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

/// The time until the only request ended [s], whatever its outcome.
fn ended(run: &Ran) -> f64 {
    run.value("users.in_flight") * 100.0
}

#[test]
fn retries_come_when_the_textbook_says() {
    // Case M06: timeout 100 ms, 2 retries, backoff 50 then 100 ms, no answer: the end comes after 450 ms.
    let retry = "timeout: 100ms, retry: { attempts: 3, backoff: { exponential: 50ms, jitter: none } }";
    let run = one(retry, "[ cpu: 10s ]");
    near(ended(&run), 0.45);
    near(run.value("users.timed_out"), 1.0);
    near(run.value("users -> s.o.amplification"), 3.0);
    near(run.value("s.o.per_request"), 3.0);
    near(run.value("s.o.unheard"), 1.0);
    // Three attempts of 10 s that nobody hears.
    near(run.value("s.o.wasted"), 0.3);
}

#[test]
fn hedges_are_sent_when_the_proposal_says() {
    // Case M07: 4 attempts, 500 ms apart, nothing answers: 1, 2, 3, 4 outstanding after 1, 501, 1001, 1501 ms.
    for (deadline, attempts) in [(1, 1.0), (501, 2.0), (1001, 3.0), (1501, 4.0), (9000, 4.0)] {
        let hedge = format!("deadline: {deadline}ms, hedge: {{ after: 500ms, attempts: 4 }}");
        let run = one(&hedge, "[ wait: 10s ]");
        near(run.value("users -> s.o.amplification"), attempts);
        near(ended(&run), f64::from(deadline) / 1000.0);
    }
}

#[test]
fn the_first_answer_counts_and_the_losers_stop_or_go_on() {
    // The first attempt takes 1 s; the hedge after 100 ms too, so the first wins.
    let run = one("hedge: { after: 100ms }", "[ cpu: 1s ]");
    near(ended(&run), 1.0);
    near(run.value("s.o.unheard"), 0.5);
    near(run.value("s.o.wasted"), 0.009);
    let run = one("hedge: { after: 100ms, cancel: false }", "[ cpu: 1s ]");
    near(run.value("s.o.wasted"), 0.01);
    // An answer before the hedge is due: it is never sent.
    let run = one("hedge: { after: 2s }", "[ cpu: 1s ]");
    near(run.value("users -> s.o.hedges"), 0.0);
    near(run.value("s.o.per_request"), 1.0);
    // A failure before the hedge is due is a failure; hedges are against slowness.
    let run = one("hedge: { after: 2s }", "[ cpu: 1s, fail: 100% ]");
    near(run.value("users.errors"), 1.0);
    near(ended(&run), 1.0);
}

#[test]
fn a_deadline_covers_all_tries_and_stops_them() {
    let run = one("timeout: 100ms, deadline: 250ms, retry: { attempts: 100 }", "[ wait: 10s ]");
    near(ended(&run), 0.25);
    near(run.value("s.o.per_request"), 3.0);
    near(run.value("users.timed_out"), 1.0);
}

#[test]
fn canceled_work_stops_all_the_way_down_where_calls_say_so() {
    let services = |inner: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: a.go, timeout: 100ms, propagate: [cancellation] }} }}
services: {{ a: {{ operations: {{ go: [ {{ call: b.do{inner} }} ] }} }}, b: {{ operations: {{ do: [ cpu: 10s ] }} }} }}"
        )
    };
    let run = ran(&services(""), plan(100));
    near(run.value("users.timed_out"), 1.0);
    near(run.value("b.do.failures"), 0.0);
    near(run.value("b.do.wasted"), 0.1);
    let run = ran(&services(", propagate: [cancellation]"), plan(100));
    near(run.value("b.do.failures"), 1.0);
    near(run.value("b.do.wasted"), 0.001);
}

#[test]
fn what_comes_too_late_is_not_begun_if_the_deadline_is_told() {
    // Two requests at 1 s for one worker; each needs 300 ms and may take 200 ms.
    let model = |propagate: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ at: [1s, 1s] }}, call: s.o, timeout: 200ms, {propagate} }} }}
services: {{ s: {{ runtime: {{ workers: 1 }}, operations: {{ o: [ wait: 300ms ] }} }} }}"
        )
    };
    near(ran(&model(""), plan(100)).value("s.workers.busy"), 0.006);
    let run = ran(&model("propagate: [deadline]"), plan(100));
    near(run.value("s.workers.busy"), 0.003);
    near(run.value("s.o.failures"), 0.5);
}

#[test]
fn a_told_deadline_shortens_the_calls_further_down() {
    let model = "clients: { users: { arrivals: { at: [1s] }, call: a.go, timeout: 200ms, propagate: [deadline] } }
services: { a: { operations: { go: [ wait: 50ms, { call: b.do, timeout: 500ms, propagate: [deadline, cancellation] } ] } },
    b: { operations: { do: [ cpu: 10s ] } } }";
    let run = ran(model, plan(100));
    near(run.value("b.do.wasted"), 0.0015);
}

#[test]
fn a_pool_bounds_what_is_under_way_and_how_long_others_wait() {
    // Three requests at 1 s, two connections, 300 ms each, a wait of at most 100 ms.
    let model = |pool: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ at: [1s, 1s, 1s] }}, call: a.go }} }}\nservices: {{ a: {{ pools: {{ db: {pool} }},
        operations: {{ go: [ {{ call: b.do, through: db }} ] }} }}, b: {{ operations: {{ do: [ wait: 300ms ] }} }} }}"
        )
    };
    let run = ran(&model("{ size: 2 }"), plan(100));
    near(run.value("users.failures"), 0.0);
    near(run.value("users.latency.max"), 0.6);
    near(run.value("a.db.wait.mean"), 0.1);
    let run = ran(&model("{ size: 2, wait: 100ms }"), plan(100));
    near(run.value("users.failures"), 1.0 / 3.0);
    near(run.value("a.db.refused"), 0.01);
    near(run.value("b.do.per_request"), 2.0 / 3.0);
    let run = ran(&model("{ size: 2, queue: 0 }"), plan(100));
    near(run.value("users.failures"), 1.0 / 3.0);
    near(run.value("a.db.wait.mean"), 0.0);
}

#[test]
fn connections_are_opened_once_and_again_when_they_were_closed() {
    let model = |idle: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ at: [1s, 2s, 10s] }}, call: a.go }} }}\nservices: {{ a: {{ pools: {{ db: {{ size: 2,
        connect: 50ms{idle} }} }}, operations: {{ go: [ {{ call: b.do, through: db }} ] }} }}, b: {{ operations: {{ do: [ wait:
        100ms ] }} }} }}"
        )
    };
    near(ran(&model(""), plan(100)).value("users.latency.mean"), 0.35 / 3.0);
    near(ran(&model(", idle: 5s"), plan(100)).value("users.latency.mean"), 0.4 / 3.0);
}

#[test]
fn a_breaker_opens_refuses_and_probes() {
    // One call per second, which fails; opens at the third, for 10 s; then one probe, which fails.
    let model = "clients: { users: { arrivals: { constant: 1/s }, call: a.go } }\nservices: { a: { operations: { go: [ { call:
        b.do, breaker: { consecutive_failures: 3, open: 10s }, fallback: { after: 1ms } } ] } }, b: { operations: { do: [
        fail: 100% ] } } }";
    let run = ran(model, plan(100));
    // Attempts at 1, 2, 3 s; probes at 13, 23, …, 93 s: 3 + 9; 99 or 100 calls in 100 s.
    let calls = run.value("users.requests");
    near(run.value("a -> b.do.attempts"), 0.12);
    near(run.value("a -> b.do.broken"), (calls - 12.0) / calls);
    near(run.value("a -> b.do.opened"), 10.0);
    near(run.value("a -> b.do.fallbacks"), 1.0);
    near(run.value("users.failures"), 0.0);
}

#[test]
fn fallbacks_take_over_with_a_value_or_other_steps() {
    let run = chain("timeout: 100ms, fallback: { after: 5ms }", "", "[ wait: 1s ]");
    near(run.value("users.latency.mean"), 0.105);
    let run = chain("fallback: { steps: [ wait: 7ms ] }", "", "[ wait: 3ms, fail: 100% ]");
    near(run.value("users.latency.mean"), 0.010);
    let run = chain("fallback: { steps: [ fail: 100% ] }", "", "[ wait: 3ms, fail: 100% ]");
    near(run.value("users.errors"), 1.0);
}

#[test]
fn bulkheads_refuse_what_is_too_much() {
    let model = "clients: { users: { arrivals: { at: [1s, 1s, 1s] }, call: a.go } }\nservices: { a: { operations: { go: [ { call:
        b.do, bulkhead: { size: 1, queue: 1, wait: 100ms } } ] } }, b: { operations: { do: [ wait: 300ms ] } } }";
    let run = ran(model, plan(100));
    near(run.value("users.failures"), 2.0 / 3.0);
    near(run.value("b.do.per_request"), 1.0 / 3.0);
}

#[test]
fn a_parallel_goes_on_with_enough_or_with_what_there_is() {
    let steps = |options: &str| format!("[ {{ parallel: [ wait: 100ms, wait: 200ms, wait: 300ms ], {options} }} ]");
    for (options, expected) in [
        ("need: all", 0.3),
        ("need: first", 0.1),
        ("need: 2", 0.2),
        ("within: 250ms", 0.25),
        ("within: 250ms, at_least: 2, stop_rest: true", 0.25),
        ("need: 2, within: 150ms", 0.15),
    ] {
        let run = one("timeout: 10s", &steps(options));
        near(run.value("users.failures"), 0.0);
        near(run.value("users.latency.mean"), expected);
        let partial = options.contains("within");
        near(run.value("s.o.partial"), if partial { 1.0 } else { 0.0 });
    }
    let run = one("timeout: 10s", &steps("within: 250ms, at_least: 3"));
    near(run.value("users.errors") + run.value("users.timed_out"), 1.0);
    near(ended(&run), 0.25);
    // Two of three fail: two successes cannot be reached any more after 200 ms.
    let steps = "[ { parallel: [ [ wait: 100ms, fail: 100% ], [ wait: 200ms, fail: 100% ], wait: 300ms ], need: 2 } ]";
    let run = one("timeout: 10s", steps);
    near(run.value("users.errors"), 1.0);
    near(ended(&run), 0.2);
}

#[test]
fn retries_in_layers_multiply() {
    // Three layers with three tries each above one that always fails: 27 attempts.
    let retry = "retry: { attempts: 3 }";
    let model = format!(
        "clients: {{ users: {{ arrivals: {{ constant: 1/s }}, call: a.go, {retry} }} }}\nservices: {{ a: {{ operations: {{ go: [ {{
        call: b.go, {retry} }} ] }} }}, b: {{ operations: {{ go: [ {{ call: c.go, {retry} }} ] }} }}, c: {{ operations: {{ go: [
        fail: 100% ] }} }} }}"
    );
    let run = ran(&model, plan(20));
    near(run.value("a.go.per_request"), 3.0);
    near(run.value("b.go.per_request"), 9.0);
    near(run.value("c.go.per_request"), 27.0);
}

#[test]
fn attempts_and_final_failures_are_those_of_the_geometric_sum() {
    // Case G01: p = 0.5, three retries: 1.875 attempts, 6.25 % fail.
    let model = "clients: { users: { arrivals: { constant: 1000/s }, call: s.o, retry: { attempts: 4 } } }
services: { s: { operations: { o: [ fail: 50% ] } } }";
    let run = ran(model, plan(100));
    assert!((run.value("users -> s.o.amplification") / 1.875 - 1.0).abs() < 0.01);
    assert!((run.value("users.failures") / 0.0625 - 1.0).abs() < 0.04);
    assert!((run.value("users.errors") - run.value("users.failures")).abs() < 1e-12);
}

#[test]
fn a_budget_pins_the_load() {
    // Case G02: a tenth of a token per call; half of all attempts fail: load 1.1, success 0.55.
    let model =
        "clients: { users: { arrivals: { constant: 1000/s }, call: s.o, retry: { attempts: 100, budget: 10% } } }
services: { s: { operations: { o: [ fail: 50% ] } } }";
    let run = ran(model, plan(100));
    assert!((run.value("users -> s.o.amplification") / 1.1 - 1.0).abs() < 0.02);
    assert!((run.value("users.failures") / 0.45 - 1.0).abs() < 0.02);
    assert!(run.value("users -> s.o.unpaid") > 100.0);
}
