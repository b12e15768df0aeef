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

#[test]
fn an_instance_is_back_only_when_nothing_keeps_it_down_any_more() {
    // It leaks 10 MiB per second: full at 2 s, and 2 s to restart.
    let model = |faults: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 1000/s }}, call: s.o }} }}\nservices: {{ s: {{ machine: {{ memory: 30MiB }}, memory: {{
        base: 10MiB, leak: {{ per_second: 10MiB }}, at_limit: {{ kill: {{ restart: 2s }} }} }}, operations: {{ o: [ wait: 1ms ] }} }} }}
faults: [ {faults} ]"
        )
    };
    // Without a fault it is up for 2 s and down for 2 s.
    let calm = ran(&model(""), plan(40));
    assert!((calm.value("users.failures") - 0.5).abs() < 0.01, "{}", calm.value("users.failures"));
    // Killed at 2 s, it would be back at 4 s in the midst of a crash from 3 s to 30 s.
    let struck = ran(&model("{ at: 3s, for: 27s, crash: s }"), plan(30));
    assert!((struck.value("users.failures") - 28.0 / 30.0).abs() < 0.01, "{}", struck.value("users.failures"));
    // A crash that ends during the restart does not cut it short.
    let short = ran(&model("{ at: 3s, for: 500ms, crash: s }"), plan(4));
    assert!((short.value("users.failures") - 0.5).abs() < 0.01, "{}", short.value("users.failures"));
}

#[test]
fn an_outage_leaves_the_process_alone() {
    // It leaks 10 MiB per second and is full after 2 s, whether it can be reached or not.
    let model = "clients: { users: { arrivals: { constant: 10/s }, call: s.o } }
services: { s: { machine: { memory: 30MiB }, memory: { base: 10MiB, per_request: 1MiB, leak: { per_second: 10MiB },
    at_limit: { kill: { restart: 100s } } }, operations: { o: [ wait: 300ms ] } } }
faults: [ { at: 1s, for: 100ms, outage: s } ]";
    let run = ran(model, plan(10));
    let alive = 1.0 - run.value("users.failures");
    assert!(alive < 0.2, "{alive}: it should have been killed before 2 s");
    assert!(run.value("users.unreachable") > 0.0 && run.value("users.crashed") > 0.0);
}

#[test]
fn a_link_that_is_worse_than_usual_delays_and_loses_both_ways() {
    let model = |fault: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 100/s }}, call: s.o }} }}\nservices: {{ s: {{ operations: {{ o: [ wait: 1ms, reply:
        1MB ] }} }} }}\nlinks: {{ users -> s: {{ latency: 2ms, bandwidth: 8Gbps }} }}\nfaults: [ {{ at: 0s, link: {{ target: users -> s, {fault}
        }} }} ]"
        )
    };
    // 1 ms of work, twice 2 ms on the way, 1 ms for 1 MB.
    let mean = |fault: &str| ran(&model(fault), plan(20)).value("users.latency.mean");
    near(mean("latency: 5ms"), 0.016);
    near(mean("bandwidth: 50%"), 0.007);
    // Each way is lost with probability 0.2 and sent again after 200 ms, 400 ms, …: 0.2·0.2/(1 − 0.4) each way.
    let lossy = mean("loss: 20%");
    assert!((lossy - 0.006 - 2.0 * 0.2 * 0.2 / 0.6).abs() < 0.02, "{lossy}");
    // It heals.
    let healed = "clients: { users: { arrivals: { at: [3s] }, call: s.o } }\nservices: { s: { operations: { o: [ wait: 1ms ] } } }
links: { default: { latency: 2ms } }\nfaults: [ { at: 1s, for: 1s, link: { target: default, latency: 1s, loss: 50% } } ]";
    near(ran(healed, plan(20)).value("users.latency.mean"), 0.005);
}

#[test]
fn a_flush_empties_a_cache_and_a_cut_takes_its_part_of_a_quota() {
    // One item, asked for ten times per second; it is lost every 10 s.
    let model = |faults: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o, keys: {{ population: 1 }} }} }}\nservices: {{ s: {{ operations:
        {{ o: [ {{ cache: c, on_miss: [ wait: 1ms ] }} ] }} }} }}\ncaches: {{ c: {{ items: 10 }} }}\nfaults: [ {faults} ]"
        )
    };
    near(ran(&model(""), plan(100)).value("c.hit_ratio"), 1.0 - 1.0 / 999.0);
    let flushed = ran(&model("{ at: 10050ms, every: 10s, flush: c }"), plan(100)).value("c.hit_ratio");
    assert!((flushed - (1.0 - 10.0 / 999.0)).abs() < 1e-4, "{flushed}");
    let model = "clients: { users: { arrivals: { constant: 100/s }, call: s.o } }
services: { s: { quota: 80/s, operations: { o: [ wait: 1ms ] } } }
faults: [ { at: 0s, quota: { target: s, left: 50% } }, { at: 0s, for: 50s, quota: { target: s, left: 0% } } ]";
    // Nothing for 50 s, then 40/s.
    let run = ran(model, plan(100));
    assert!((run.value("users.limited") - 0.8).abs() < 0.01, "{}", run.value("users.limited"));
    near(run.value("users.limited"), run.value("users.failures"));
}

#[test]
fn the_adaptive_rate_of_the_aws_sdks_follows_the_quota() {
    // 200 calls per second to a quota of 50: after the first refusals calls wait, and few more are refused.
    let model = |rate: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ users: 20, think: {{ exponential: 100ms }} }}, call: s.o, retry: {{ attempts: 3, budget: {{ aws: {{}}
        }}{rate} }} }} }}\nservices: {{ s: {{ quota: 50/s, operations: {{ o: [ wait: 1ms ] }} }} }}"
        )
    };
    let standard = ran(&model(""), plan(100));
    let adaptive = ran(&model(", rate: aws_adaptive"), plan(100));
    assert!(standard.value("users.failures") > 0.6, "{}", standard.value("users.failures"));
    assert!(adaptive.value("users.failures") < 0.05, "{}", adaptive.value("users.failures"));
    assert!(adaptive.value("users.goodput") > 40.0, "{}", adaptive.value("users.goodput"));
}

#[test]
fn the_attempts_over_the_requests_are_the_amplification_and_the_reasons_add_up() {
    let model = "clients: { users: { arrivals: { poisson: 300/s }, call: a.go, timeout: 60ms, retry: { attempts: 3, backoff: { exponential:
        5ms }, budget: 20% } } }\nservices: { a: { queue: { limit: 20 }, runtime: { workers: 4 }, operations: { go: [ wait: { exponential: 15ms
        }, fail: 10% ] } } }\nfaults: [ { at: 10s, for: 5s, crash: a }, { at: 20s, for: 5s, errors: { target: a, share: 50% } } ]";
    let run = ran(model, plan(100));
    let name = "users -> a.go";
    let [calls, attempts] = ["calls", "attempts"].map(|what| run.value(&format!("{name}.{what}")));
    near(run.value(&format!("{name}.amplification")), attempts / calls);
    let retries = run.value(&format!("{name}.retries"));
    // Those under way at the ends of the window are all that may differ.
    assert!((attempts - calls - retries).abs() < 0.5, "{attempts} {calls} {retries}");
    let reasons = ["errors", "rejected", "timed_out", "limited", "shed", "broken", "unreachable", "crashed"];
    near(reasons.iter().map(|reason| run.value(&format!("users.{reason}"))).sum(), run.value("users.failures"));
    assert!(reasons.iter().filter(|reason| run.value(&format!("users.{reason}")) > 0.0).count() >= 3);
}
