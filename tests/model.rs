//! What models mean: single rules of the engine, each with a model small enough to be worked out by hand.
//!
//! Unless a tolerance is stated, values are exact but for the rounding of the last division ([`same`]). Theory beyond
//! arithmetic is compared in experiment files.

use scalelab::model::{Ending, Plan};

use crate::support::{Ran, SECOND, plan, ran, same};

/// A client and services.
fn model(arrivals: &str, call: &str, services: &str) -> String {
    format!("clients:\n  users: {{ arrivals: {arrivals}, {call} }}\nservices: {services}\n")
}

/// One service `s` with one operation `o`.
fn single(arrivals: &str, service: &str, steps: &str) -> String {
    model(arrivals, "call: s.o", &format!("{{ s: {{ {service} operations: {{ o: {steps} }} }} }}"))
}

/// The metrics of all reasons for failures.
const REASONS: [&str; 8] = ["errors", "rejected", "timed_out", "limited", "shed", "broken", "unreachable", "crashed"];

const ONE_WORKER: &str = "runtime: { workers: 1 },";

/// A window of ten seconds after one of warm-up: with regular arrivals, those of its beginning are in it and those of its
/// end are not, so it holds the full number.
fn warm() -> Plan {
    Plan { warm_up: SECOND, ..plan(10) }
}

/// Asserts where the mean response time of the first client's requests went.
#[track_caller]
fn split_is(ran: &Ran, expected: &[(&str, f64)]) {
    let split = ran.split(0);
    assert_eq!(split.keys().collect::<Vec<_>>(), expected.iter().map(|(name, _)| name).collect::<Vec<_>>());
    split.values().zip(expected).for_each(|(seconds, (_, expected))| same(*seconds, *expected));
}

/// Asserts that the reasons for failures add up, and that the split of the mean response time does.
#[track_caller]
fn adds_up(ran: &Ran) {
    for (number, client) in ran.blueprint.clients.iter().enumerate() {
        let of = |metric: &str| ran.get(&format!("{}.{metric}", client.name));
        if let Some(failures) = of("failures") {
            let reasons: f64 = REASONS.into_iter().filter_map(of).sum();
            assert!((reasons - failures).abs() < 1e-12, "{reasons} {failures}");
        }
        if let Some(mean) = of("latency.mean") {
            same(ran.split(number).values().sum(), mean);
        }
    }
}

// How requests end.

#[test]
fn a_client_that_gives_up_counts_as_timed_out_and_the_service_works_on_for_nobody() {
    // A request every second, 300 ms of work, 100 ms of patience; the last of ten begins at the window's very end.
    let model = model(
        "{ constant: 1/s }",
        "call: s.o, timeout: 100ms",
        "{ s: { runtime: { workers: 1 }, operations: { o: [ wait: 300ms ] } } }",
    );
    let ran = ran(&model, Plan { warm_up: 5 * SECOND, ..plan(10) });
    assert_eq!(
        [ran.value("users.timed_out"), ran.value("users.failures"), ran.value("users.goodput")],
        [1.0, 1.0, 0.0]
    );
    assert_eq!([ran.value("s.o.unheard"), ran.value("s.o.failures")], [1.0, 0.0]);
    same(ran.value("s.o.throughput"), 1.0);
    same(ran.value("s.o.latency.mean"), 0.3);
    same(ran.value("s.workers.utilization"), 0.3);
    same(ran.value("users.in_flight"), 0.1);
    assert_eq!(ran.get("users.latency.mean"), None);
}

#[test]
fn an_answer_at_the_very_moment_of_the_timeout_comes_in_the_order_of_scheduling() {
    // The timeout is scheduled with the call, before the work begins: it is first.
    let model =
        model("{ constant: 1/s }", "call: s.o, timeout: 100ms", "{ s: { operations: { o: [ wait: 100ms ] } } }");
    assert_eq!(ran(&model, plan(10)).value("users.timed_out"), 1.0);
}

#[test]
fn a_timeout_or_rejection_further_inside_is_an_error_to_the_client() {
    let inner = "inner: { runtime: { workers: 1 }, queue: { limit: 0 }, operations: { slow: [ wait: 2s ] } }";
    let timeout = format!("{{ s: {{ operations: {{ o: [ {{ call: inner.slow, timeout: 100ms }} ] }} }}, {inner} }}");
    let timed_out = ran(&model("{ constant: 0.1/s }", "call: s.o", &timeout), plan(100));
    assert_eq!([timed_out.value("users.errors"), timed_out.value("users.timed_out")], [1.0, 0.0]);
    assert_eq!([timed_out.value("s.o.failures"), timed_out.value("inner.slow.unheard")], [1.0, 1.0]);
    adds_up(&timed_out);

    // One a second, two seconds of work, no queue: every other one is turned away.
    let refused = format!("{{ s: {{ operations: {{ o: [ call: inner.slow ] }} }}, {inner} }}");
    let refused = ran(&model("{ constant: 1/s }", "call: s.o", &refused), warm());
    assert_eq!(refused.value("users.rejected"), 0.0);
    same(refused.value("users.errors"), 0.5);
    same(refused.value("inner.workers.refused"), 0.5);
    adds_up(&refused);
}

#[test]
fn a_full_queue_rejects_whom_it_has_no_place_for() {
    // Three at once: one is served, one waits, one is turned away. A queue of 0 still lets the worker be used.
    for (limit, rejected) in [(0, 2.0 / 3.0), (1, 1.0 / 3.0), (2, 0.0)] {
        let service = format!("{ONE_WORKER} queue: {{ limit: {limit} }},");
        let ran = ran(&single("{ at: [1s, 1s, 1s] }", &service, "[ wait: 1s ]"), plan(10));
        same(ran.value("users.rejected"), rejected);
        assert_eq!(ran.value("users.errors"), 0.0);
        adds_up(&ran);
    }
}

#[test]
fn a_step_that_always_fails_fails_every_request_and_gives_its_worker_back() {
    let ran = ran(&single("{ constant: 10/s }", ONE_WORKER, "[ wait: 10ms, fail: 100%, wait: 1h ]"), warm());
    assert_eq!([ran.value("users.errors"), ran.value("s.o.failures"), ran.value("users.goodput")], [1.0, 1.0, 0.0]);
    same(ran.value("s.workers.utilization"), 0.1);
    same(ran.value("users.throughput"), 10.0);
}

#[test]
fn a_failure_ends_the_operations_around_it_but_not_what_runs_beside_it() {
    let services = "{ s: { operations: { o: [ call: a.fails, call: b.never ] } },
        a: { operations: { fails: [ fail: 100% ] } }, b: { operations: { never: [ wait: 1s ] } } }";
    let alone = ran(&model("{ constant: 1/s }", "call: s.o", services), plan(10));
    assert_eq!(alone.value("b.never.throughput"), 0.0);
    let services =
        services.replace("[ call: a.fails, call: b.never ]", "[ parallel: [ call: a.fails, call: b.never ] ]");
    let beside = ran(&model("{ at: [1s, 4s] }", "call: s.o", &services), plan(10));
    same(beside.value("b.never.throughput"), 0.2);
    assert_eq!(beside.value("users.errors"), 1.0);
    // The parallel step fails once its last branch has ended.
    same(beside.value("users.in_flight"), 0.2);
}

#[test]
fn reasons_for_failures_add_up_when_all_occur() {
    let model = "
clients:
  users: { arrivals: { poisson: 200/s }, call: s.o, timeout: 30ms }
services:
  s:
    runtime: { workers: 4 }
    queue: { limit: 6 }
    operations:
      o: [ wait: { exponential: 20ms }, fail: 5%, { call: t.p, timeout: 25ms } ]
  t: { machine: { cores: 1 }, operations: { p: [ cpu: { exponential: 4ms } ] } }
";
    let ran = ran(model, plan(100));
    adds_up(&ran);
    for reason in ["errors", "rejected", "timed_out"] {
        assert!(ran.value(&format!("users.{reason}")) > 0.01, "{reason}");
    }
    assert!(ran.value("t.p.unheard") > 0.0 && ran.value("s.o.unheard") > 0.0);
}

// Where the time goes.

#[test]
fn the_split_sums_to_the_mean_response_time_whatever_the_steps() {
    let front = |steps: &str| {
        format!(
            "
clients:
  users: {{ arrivals: {{ poisson: 100/s }}, mix: {{ front.page: 70%, front.other: 30% }}, timeout: 3s }}
services:
  front:
    instances: 2
    machine: {{ cores: 1.5 }}
    runtime: {{ workers: 8 }}
    operations: {{ page: {steps}, other: [ cpu: 1ms ] }}
  back:
    machine: {{ cores: 1 }}
    runtime: {{ workers: 3 }}
    operations: {{ read: [ cpu: {{ exponential: 3ms }}, wait: {{ exponential: 5ms }} ], log: [ wait: 1ms ] }}
"
        )
    };
    for steps in [
        "[ cpu: { exponential: 10ms } ]",
        "[ cpu: 2ms, call: back.read, wait: 1ms, call: back.read ]",
        "[ parallel: [ call: back.read, [ cpu: 3ms, call: back.log ], wait: { exponential: 9ms } ] ]",
        "[ parallel: [ [ parallel: [ call: back.read, cpu: 1ms ] ], [ wait: 2ms, parallel: [ cpu: 1ms, call: back.log ] ] ] ]",
        "[ repeat: { times: { uniform: { from: 0, to: 3 } }, steps: [ call: back.log, cpu: { exponential: 1ms } ] } ]",
        "[ repeat: { times: 60, steps: [ wait: 10us, cpu: 20us ] } ]",
        "[ choose: [ { share: 40%, steps: [ call: back.read ] }, { share: 20%, steps: [ wait: 40ms, fail: 50% ] } ] ]",
        "[ cpu: 1ms, reply: 2kB, cpu: 2ms, call: back.log ]",
        "[ { call: back.read, timeout: 12ms }, cpu: 1ms ]",
        "[ parallel: [ { call: back.read, timeout: 9ms }, { call: back.read, timeout: 30ms } ] ]",
    ] {
        let ran = ran(&front(steps), plan(50));
        assert!(ran.value("users.goodput") > 50.0, "{steps}");
        adds_up(&ran);
    }
}

#[test]
fn waiting_and_service_are_told_apart() {
    // Two at once for one worker of 10 ms: the second waits 10 ms.
    let queue = ran(&single("{ at: [1s, 1s] }", ONE_WORKER, "[ wait: 10ms ]"), plan(10));
    split_is(&queue, &[("s.wait service", 0.010), ("s.workers waiting", 0.005)]);
    same(queue.value("s.workers.wait.mean"), 0.005);
    same(queue.value("s.workers.wait.share"), 0.5);
    same(queue.value("users.latency.max"), 0.020);

    // Three jobs of 10 ms on two cores: each gets two thirds of a core.
    let cpu = ran(&single("{ at: [1s, 1s, 1s] }", "machine: { cores: 2 },", "[ cpu: 10ms ]"), plan(10));
    same(cpu.split(0)["s.cpu service"], 0.010);
    same(cpu.split(0)["s.cpu waiting"], 0.005);
    same(cpu.value("s.cpu.utilization"), 0.030 / 10.0 / 2.0);
    adds_up(&cpu);
}

#[test]
fn a_job_gets_at_most_one_core_and_at_least_its_share_of_a_part_of_one() {
    let alone = |cores: &str| {
        ran(&single("{ at: [1s] }", &format!("machine: {{ cores: {cores} }},"), "[ cpu: 10ms ]"), plan(10))
            .value("users.latency.mean")
    };
    same(alone("8"), 0.010);
    same(alone("0.5"), 0.020);
}

#[test]
fn a_parallel_step_is_attributed_to_the_branch_that_ended_last() {
    let services =
        "{ s: { operations: { o: [ parallel: [ call: fast.x, [ wait: 1ms, call: slow.x ], call: fast.x ] ] } },
        fast: { operations: { x: [ wait: 2ms ] } }, slow: { operations: { x: [ wait: 30ms ] } } }";
    let ran = ran(&model("{ constant: 10/s }", "call: s.o", services), plan(10));
    same(ran.value("users.latency.mean"), 0.031);
    split_is(&ran, &[("s.wait service", 0.001), ("slow.wait service", 0.030)]);
}

// Steps.

#[test]
fn a_reply_in_the_middle_frees_the_worker_and_what_follows_delays_nobody() {
    let ran = ran(&single("{ constant: 10/s }", ONE_WORKER, "[ wait: 10ms, reply: 1kB, wait: 5s ]"), warm());
    same(ran.value("users.latency.mean"), 0.010);
    same(ran.value("users.latency.max"), 0.010);
    same(ran.value("s.workers.utilization"), 0.1);
    same(ran.value("s.o.sent"), 10.0 * 1000.0);
    same(ran.value("s.o.latency.mean"), 0.010);
    assert_eq!(ran.value("users.failures"), 0.0);
}

#[test]
fn a_failure_in_the_background_is_not_the_callers() {
    let ran = ran(&single("{ constant: 10/s }", ONE_WORKER, "[ reply: 1B, fail: 100% ]"), plan(10));
    assert_eq!([ran.value("users.failures"), ran.value("s.o.failures")], [0.0, 0.0]);
}

#[test]
fn ways_are_chosen_in_proportion_to_their_shares() {
    let services = "{ s: { operations: { o: [ choose: [ { share: 30%, steps: [ call: t.a ] },
        { share: 50%, steps: [ call: t.b ] } ] ] } }, t: { operations: { a: [], b: [] } } }";
    let ran = ran(&model("{ constant: 1000/s }", "call: s.o", services), plan(100));
    // 100 000 choices: the standard error of a share is at most 0.16 %; bounds at five.
    for (operation, share) in [("a", 0.3), ("b", 0.5)] {
        let found = ran.value(&format!("t.{operation}.throughput")) / 1000.0;
        assert!((found - share).abs() < 0.008, "{operation} {found}");
    }
}

#[test]
fn a_mix_calls_in_proportion_and_failures_come_as_often_as_they_say() {
    let services = "{ s: { operations: { often: [], seldom: [ fail: 25% ] } } }";
    let ran = ran(&model("{ constant: 1000/s }", "mix: { s.often: 80%, s.seldom: 20% }", services), plan(100));
    // Standard errors: 0.13 % of the share; 0.31 % of failures among 20 000; bounds at five.
    assert!((ran.value("s.seldom.throughput") / 1000.0 - 0.2).abs() < 0.0065);
    assert!((ran.value("s.seldom.failures") - 0.25).abs() < 0.0155);
    assert!((ran.value("users.errors") - 0.05).abs() < 0.0035);
}

#[test]
fn rounds_are_counted_exactly_also_in_loops_within_loops() {
    for (times, inner, calls) in [(0, 5, 0.0), (1, 1, 1.0), (3, 2, 6.0), (2, 0, 0.0)] {
        let services = format!(
            "{{ s: {{ operations: {{ o: [ repeat: {{ times: {times}, steps: [ repeat: {{ times: {inner}, steps: [
            call: t.p ] }} ] }} ] }} }}, t: {{ operations: {{ p: [ wait: 1ms ] }} }} }}"
        );
        let ran = ran(&model("{ at: [1s, 2s, 3s, 4s] }", "call: s.o", &services), plan(10));
        same(ran.value("t.p.throughput"), calls * 0.4);
        same(ran.value("users.latency.mean"), calls * 0.001);
    }
}

#[test]
fn every_round_of_a_loop_draws_anew() {
    let steps = "[ repeat: { times: 400, steps: [ wait: { exponential: 1ms } ] } ]";
    let ran = ran(&single("{ constant: 10/s }", "", steps), plan(100));
    // The sum of 400 draws has a standard deviation of 20 ms; one draw used 400 times would have 400 ms.
    let deviation = ran.value("users.latency.sd");
    assert!((deviation - 0.020).abs() < 0.003, "{deviation}");
}

// Clients.

#[test]
fn closed_clients_never_have_more_in_flight_than_they_have_users() {
    let busy = ran(&single("{ users: 5, think: 0s }", "", "[ wait: 10ms ]"), plan(10));
    same(busy.value("users.in_flight"), 5.0);
    // Request and attempt are a frame each.
    assert_eq!(busy.record.peak_in_flight, 10);
    // Of the last thousandth of a second's five answers none is within the window.
    same(busy.value("users.goodput"), 499.5);

    let random = single("{ users: 7, think: { exponential: 20ms } }", ONE_WORKER, "[ wait: { exponential: 5ms } ]");
    let random = ran(&random, plan(100));
    let column = random.record.series.in_flight_column(0);
    assert!(random.record.series.rows.iter().all(|row| row[column] <= 7.0));
    assert!(random.record.peak_in_flight <= 14);
    // The interactive response time law, X = N / (R + Z): a tenth of a percent of 18 000 requests are at the edges.
    let law = 7.0 / (random.value("users.latency.mean") + 0.020);
    assert!((random.value("users.goodput") / law - 1.0).abs() < 0.02, "{law}");
}

#[test]
fn littles_law_holds_between_the_metrics() {
    let model = single("{ poisson: 80/s }", ONE_WORKER, "[ wait: { exponential: 10ms } ]");
    let ran = ran(&model, Plan { warm_up: 100 * SECOND, ..plan(2000) });
    let product = ran.value("users.goodput") * ran.value("users.latency.mean");
    // Only requests at the two ends of the window make a difference: four of 160 000.
    assert!((ran.value("users.in_flight") / product - 1.0).abs() < 0.01);
    // The same for the queue: waiting of all attempts.
    let queue = ran.value("s.o.throughput") * ran.value("s.workers.wait.mean");
    assert!((ran.value("s.workers.queue") / queue - 1.0).abs() < 0.01);
}

#[test]
fn a_single_queue_meets_the_closed_form() {
    let model = single("{ poisson: 80/s }", ONE_WORKER, "[ wait: { exponential: 10ms } ]");
    let ran = ran(&model, Plan { warm_up: 100 * SECOND, ..plan(20_000) });
    // M/M/1: 1/(100 − 80) s. 1.6 million customers: the standard error of the mean is 0.9 %; bound at three.
    let mean = ran.value("users.latency.mean");
    assert!((mean - 0.050).abs() < 0.0015, "{mean}");
    assert_eq!(ran.record.ending, Ending::Completed);
}

#[test]
fn a_given_trace_is_played_to_the_nanosecond() {
    let ran = ran(&single("{ at: [0ns, 3ns, 3ns, 40ns] }", ONE_WORKER, "[ wait: 10ns ]"), plan(1));
    // 0 to 10; 3 to 20; 3 to 30; 40 to 50.
    let latency = ran.record.clients[0].latency;
    assert_eq!(latency.count, 4);
    same(ran.value("users.latency.mean"), (10.0 + 17.0 + 27.0 + 10.0) / 4.0 * 1e-9);
    same(ran.value("users.latency.max"), 27e-9);
    same(ran.value("s.workers.busy"), 40e-9);
}

#[test]
fn who_arrives_as_a_server_becomes_free_is_served_at_once() {
    let ran = ran(&single("{ constant: 100/s }", ONE_WORKER, "[ wait: 10ms ]"), plan(100));
    same(ran.value("users.latency.max"), 0.010);
    assert_eq!(ran.value("s.workers.wait.share"), 0.0);
    assert_eq!(ran.value("s.workers.queue"), 0.0);
}

#[test]
fn round_robin_gives_every_instance_the_same_number() {
    let service = "instances: 4, balancer: round_robin,";
    let steps = "[ wait: 1ms ]";
    let model = single("{ constant: 400/s }", &format!("{service} runtime: {{ workers: 2 }},"), steps);
    let ran = ran(&model, Plan { warm_up: SECOND, ..plan(10) });
    same(ran.value("s.workers.utilization"), 0.05);
    same(ran.value("s.workers.utilization.worst"), 0.05);
}

// Measuring.

#[test]
fn slow_requests_are_not_cut_off_by_the_window() {
    let slow =
        |drain| ran(&single("{ constant: 10/s }", "", "[ wait: 5s ]"), Plan { drain: drain * SECOND, ..plan(2) });
    let drained = slow(10);
    same(drained.value("users.latency.max"), 5.0);
    assert_eq!([drained.value("users.unfinished"), drained.value("users.goodput")], [0.0, 0.0]);
    assert_eq!(drained.value("users.requests"), 19.0);
    let cut = slow(3);
    assert_eq!(cut.get("users.latency.mean"), None);
    assert_eq!([cut.value("users.unfinished"), cut.value("users.requests")], [19.0, 19.0]);
}

#[test]
fn only_requests_that_begin_within_the_window_are_measured() {
    // The window is [10 s, 20 s).
    let model = single("{ at: [1s, 9999ms, 10s, 15s, 19999ms, 20s, 21s] }", "", "[ wait: 500ms ]");
    let ran = ran(&model, Plan { warm_up: 10 * SECOND, ..plan(10) });
    assert_eq!(ran.value("users.requests"), 3.0);
    assert_eq!(ran.record.clients[0].latency.count, 3);
    // Rates are those of what ends within it: of the requests from 9.999 s, 10 s and 15 s.
    same(ran.value("users.goodput"), 0.3);
    same(ran.value("users.in_flight"), (0.499 + 0.5 + 0.5 + 0.001) / 10.0);
}

#[test]
fn a_percentile_without_ten_observations_beyond_it_is_missing() {
    // 199 requests begin before the end of the window.
    let ran = ran(&single("{ constant: 20/s }", "", "[ wait: { exponential: 1ms } ]"), plan(10));
    assert_eq!(ran.value("users.requests"), 199.0);
    let given = |p: &str| ran.get(&format!("users.latency.{p}")).is_some();
    assert_eq!(["p50", "p90", "p95", "p99", "p99.9"].map(given), [true, true, false, false, false]);
}

#[test]
fn nothing_measured_is_missing_and_not_zero() {
    let ran = ran(&single("{ at: [] }", "", "[]"), plan(10));
    assert_eq!([ran.value("users.requests"), ran.value("users.goodput")], [0.0, 0.0]);
    for metric in ["users.latency.mean", "users.latency.max", "users.failures", "s.o.failures", "s.o.unheard"] {
        assert_eq!(ran.get(metric), None, "{metric}");
    }
}

#[test]
fn limits_end_a_run_early_with_what_it_has() {
    let overloaded = single("{ poisson: 200/s }", ONE_WORKER, "[ wait: { exponential: 10ms } ]");
    let full = ran(&overloaded, Plan { in_flight_limit: 500, ..plan(1000) });
    assert_eq!(full.record.ending, Ending::TooManyInFlight);
    assert!(full.record.window_seconds() < 10.0 && full.value("users.goodput") > 50.0);
    let counted = ran(&overloaded, Plan { event_limit: 100_000, ..plan(10_000) });
    assert_eq!(counted.record.ending, Ending::EventLimit);
    assert_eq!(counted.record.events, 100_000);
}
