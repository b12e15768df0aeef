//! Traffic and balancing in whole systems: hand-counted traces of queues, limits and balancers.

use scalelab::model::system::metrics;
use scalelab::model::{Blueprint, Plan, System};
use scalelab::spec::load::{Disk, Loader};

use crate::support::{Folder, SECOND, plan, ran_with};

/// Runs a model, perhaps with an instance of its first service that dies; returns the values of some metrics.
fn measured(model: &str, crash: Option<(u32, u64, u64)>, plan: Plan, wanted: &[&str]) -> Vec<f64> {
    let crashes: Vec<_> = crash.into_iter().map(|(instance, at, lasting)| (instance, at, Some(lasting))).collect();
    ran_with(model, &crashes, plan).values(wanted)
}

/// Runs a system; returns the values of some metrics.
fn values(blueprint: &Blueprint, plan: Plan, wanted: &[&str]) -> Vec<f64> {
    let record = System::new(blueprint, plan).run(&|| false).expect("all laws hold");
    let names = metrics::names(blueprint);
    let values = metrics::values(&record);
    let of = |wanted: &&str| {
        let place = names.iter().position(|name| name.name == *wanted).unwrap_or_else(|| panic!("no metric {wanted}"));
        values[place].unwrap_or(f64::NAN)
    };
    wanted.iter().map(of).collect()
}

/// One worker that needs 10 s per request, asked at 1, 2, 3 and 4 s; returns mean response time [s] and share rejected.
fn queued(queue: &str) -> Vec<f64> {
    let model = format!(
        "clients: {{ users: {{ arrivals: {{ at: [1s, 2s, 3s, 4s] }}, call: s.o }} }}\nservices: {{ s: {{ runtime: {{ workers: 1 }},
        queue: {queue}, operations: {{ o: [ wait: 10s ] }} }} }}"
    );
    measured(&model, None, plan(50), &["users.latency.mean", "users.rejected", "users.latency.max"])
}

#[test]
fn orders_and_full_queues_do_what_they_say() {
    // In order: answered after 10, 19, 28 and 37 s. The last first: 10, 17 (of 4 s), 28 (of 3 s), 39 (of 2 s).
    assert_eq!(queued("{}"), [23.5, 0.0, 37.0]);
    assert_eq!(queued("{ discipline: lifo }"), [23.5, 0.0, 39.0]);
    // Room for two: those of 2 and 3 s wait, that of 4 s is rejected; or that of 2 s is dropped when it comes.
    assert_eq!(queued("{ limit: 2 }"), [19.0, 0.25, 28.0]);
    assert_eq!(queued("{ limit: 2, when_full: drop_oldest }"), [(10.0 + 18.0 + 27.0) / 3.0, 0.25, 27.0]);
    assert_eq!(queued("{ limit: 2, when_full: block }"), [23.5, 0.0, 37.0]);
    // Whoever has waited for 8.5 s goes: that of 2 s at 10.5 s; those of 3 and 4 s are gone before 21 s too, but that of 3 s
    // has waited 8 s when the worker is free at 11 s.
    assert_eq!(queued("{ wait: 8.5s }"), [14.0, 0.5, 18.0]);
}

#[test]
fn a_more_important_request_interrupts_a_less_important_one_which_goes_on_later() {
    // Batch at 1 s with 10 s of work; a customer at 4 s with 2 s of work.
    for step in ["wait", "cpu"] {
        let model = |discipline: &str| {
            format!(
                "clients: {{ batch: {{ arrivals: {{ at: [1s] }}, call: s.long, priority: 5 }}, customers: {{ arrivals: {{ at: [4s] }},
                call: s.short }} }}\nservices: {{ s: {{ machine: {{ cores: 1 }}, runtime: {{ workers: 1 }}, queue: {{
                discipline: {discipline} }}, operations: {{ long: [ {step}: 10s ], short: [ {step}: 2s ] }} }} }}"
            )
        };
        let wanted = ["batch.latency.mean", "customers.latency.mean"];
        let found = |discipline: &str| measured(&model(discipline), None, plan(10), &wanted);
        assert_eq!(found("fifo"), [10.0, 9.0], "{step}");
        assert_eq!(found("{ priority: {} }"), [10.0, 9.0], "{step}");
        assert_eq!(found("{ priority: { preemptive: true } }"), [12.0, 2.0], "{step}");
        assert_eq!(found("shortest_remaining"), [12.0, 2.0], "{step}");
    }
}

#[test]
fn one_that_was_interrupted_can_die_and_nothing_is_left_held() {
    // Batch from 1 s, interrupted at 4 s; all die at 5 s; a customer at 8 s finds a free worker.
    let model = "clients: { batch: { arrivals: { at: [1s] }, call: s.long, priority: 5 }, customers: { arrivals: { at: [4s, 8s] }, call:
        s.short } }\nservices: { s: { runtime: { workers: 1 }, queue: { discipline: { priority: { preemptive: true } } },
        operations: { long: [ wait: 10s ], short: [ wait: 2s ] } } }";
    let wanted = ["batch.crashed", "customers.crashed", "customers.latency.mean"];
    assert_eq!(measured(model, Some((0, 5 * SECOND, SECOND)), plan(10), &wanted), [1.0, 0.5, 2.0]);
}

#[test]
fn limits_count_for_everyone_or_for_each_and_refusing_takes_its_time() {
    // Two clients with ten requests within a second each; five per minute are allowed.
    let model = |per: &str| {
        format!(
            "clients: {{ a: {{ arrivals: {{ constant: 10/s }}, call: s.o }}, b: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}\nservices: {{ s: {{ limits: [ {{ allow: {{ fixed_window: {{ requests: 5, per: 1min }} }}, per: {per}, refusal: 3ms }} ],
            operations: {{ o: [ wait: 1ms ] }} }} }}"
        )
    };
    let wanted = ["a.requests", "a.limited", "b.limited", "s.o.throughput"];
    let all = measured(&model("all"), None, plan(2), &wanted);
    assert_eq!((all[0], ((all[1] + all[2]) * all[0]).round()), (19.0, 33.0));
    let each = measured(&model("client"), None, plan(2), &wanted);
    assert_eq!([each[1], each[2]].map(|share| (share * 19.0).round()), [14.0, 14.0]);
}

#[test]
fn health_checks_leave_a_gap_in_which_calls_find_nobody() {
    // 100/s to four instances in turn; one is gone from 2.5 to 7.5 s. Checks every second, two must fail: known at 4 s; one must
    // succeed: back at 8 s. In between a quarter of the calls of 1.5 s is lost.
    let model = |balancing: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 100/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 4, balancing:
            {balancing}, operations: {{ o: [ wait: 1ms ] }} }} }}"
        )
    };
    let crash = Some((1, 2 * SECOND + SECOND / 2, 5 * SECOND));
    let wanted = ["users.requests", "users.unreachable"];
    let lost = |balancing: &str| {
        let found = measured(&model(balancing), crash, plan(10), &wanted);
        found[0] * found[1]
    };
    assert_eq!(lost("{}"), 0.0, "without checks it is known at once");
    let gap = lost("{ health: { interval: 1s, down_after: 2, up_after: 1 } }");
    assert!((37.0..=38.0).contains(&gap), "{gap}");
    // Five failures in a row eject it at once, for longer than it is gone.
    let ejected = lost("{ health: { interval: 1s, down_after: 2 }, outliers: { failures: 5, most: 50% } }");
    assert!((4.9..=5.1).contains(&ejected), "{ejected}");
}

#[test]
fn users_stay_with_their_instance_until_it_is_gone() {
    let model = "clients: { users: { arrivals: { users: 40, think: { exponential: 100ms } }, call: s.o } }\nservices: { s: { instances: 4,
        balancer: { sticky: { first: round_robin } }, balancing: { follow: session }, operations: { o: [ wait: 1ms ] } } }";
    let wanted = ["s.calls.moved"];
    assert_eq!(measured(model, None, plan(20), &wanted), [0.0]);
    assert_eq!(measured(model, Some((2, 5 * SECOND, SECOND)), plan(20), &wanted), [10.0], "one in four lives there");
}

#[test]
fn a_report_that_is_old_sends_everybody_to_the_same_instance() {
    // Work of 950 ms, ten calls per second, a report every second. Those of a second all go to one of the instances that were
    // emptiest at its beginning, unless the balancer counts its own calls.
    let model = |load: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 5, balancer:
            least_in_flight, balancing: {{ load: {load} }}, runtime: {{ workers: 100 }}, operations: {{ o: [ wait: 950ms ] }} }} }}"
        )
    };
    let wanted = ["s.calls.imbalance"];
    let own = measured(&model("own"), None, plan(100), &wanted)[0];
    let shared = measured(&model("shared"), None, plan(100), &wanted)[0];
    assert_eq!(own, shared, "one balancer knows all calls anyway");
    assert!(own < 1.1, "{own}");
}

#[test]
fn weights_and_slow_starts_share_calls_out() {
    let model = |balancing: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 400/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 4, balancer:
            weighted_round_robin, balancing: {balancing}, operations: {{ o: [ wait: 1ms ] }} }} }}"
        )
    };
    let most = measured(&model("{ weights: [1, 2, 3, 4] }"), None, plan(100), &["s.calls.most", "s.calls.least"]);
    assert!((most[0] - 0.4).abs() < 1e-3 && (most[1] - 0.1).abs() < 1e-3, "{most:?}");
    // Away from 0 to 1 s, then ten seconds with 10 % at least and a tenth more every second: 5.05 + 89 s' worth of calls.
    let crash = Some((3, SECOND / 1000, SECOND));
    let slow = measured(&model("{ slow_start: { window: 10s } }"), crash, plan(100), &["s.calls.least"]);
    let at_once = measured(&model("{}"), crash, plan(100), &["s.calls.least"]);
    assert!(at_once[0] > 0.247 && slow[0] < at_once[0] - 0.008 && slow[0] > 0.232, "{slow:?} {at_once:?}");
}

#[test]
fn foreseen_work_is_the_work_that_is_done() {
    // Steps of every kind that can be foreseen: with one worker per instance the least work left is one queue for all.
    let steps =
        "[ { wait: { exponential: 4ms } }, { choose: [ { share: 30%, steps: [ { wait: { exponential: 10ms } } ] } ] },
        { repeat: { times: 3, steps: [ { wait: 1ms } ] } } ]";
    let model = |service: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ poisson: 300/s }}, call: s.o }} }}\nservices: {{ s: {{ {service}, operations: {{ o: {steps} }} }} }}"
        )
    };
    let wanted = ["users.latency.mean"];
    let oracle =
        measured(&model("instances: 4, balancer: least_work_left, runtime: { workers: 1 }"), None, plan(60), &wanted);
    let one = measured(&model("runtime: { workers: 4 }"), None, plan(60), &wanted);
    assert!((oracle[0] / one[0] - 1.0).abs() < 1e-6, "{oracle:?} {one:?}");
}

#[test]
fn visitors_ask_one_after_the_other_and_go() {
    // They come at 1, 2 and 40 s; each asks three times for 1 s, with 2 s in between; the third comes to an empty place.
    let model = |arrivals: &str| {
        format!(
            "clients: {{ visitors: {{ arrivals: {arrivals}, visit: {{ requests: 3, think: 2s }}, call: s.o }} }}\nservices: {{ s: {{
            instances: 3, balancer: {{ sticky: {{}} }}, balancing: {{ follow: session }}, operations: {{ o: [ wait: 1s ] }} }} }}"
        )
    };
    let wanted = ["visitors.requests", "visitors.latency.mean", "s.calls.elsewhere", "s.calls.most"];
    let found = measured(&model("{ at: [1s, 2s, 40s] }"), None, plan(60), &wanted);
    // The sessions are placed in turn, so the visitor who takes over a place is somebody else.
    assert_eq!(found, [9.0, 1.0, 0.0, 1.0 / 3.0]);
}

#[test]
fn calls_stay_in_their_zone_as_far_as_the_machines_there_are_their_share() {
    let model = |balancer: &str| {
        format!(
            "clients: {{ a: {{ arrivals: {{ constant: 600/s }}, call: s.o, zone: eu/a }}, b: {{ arrivals: {{ constant: 400/s }}, call: s.o,
            zone: eu/b }} }}\nservices: {{ s: {{ instances: 4, zones: [eu/a, eu/b, eu/b, eu/b], balancer: {balancer}, operations: {{ o: [
            wait: 1ms ] }} }} }}\nlinks: {{ default: {{ latency: 0ms }}, eu/a -> eu/b: {{ latency: 10ms }}, eu/b -> eu/a: {{ latency: 10ms }} }}"
        )
    };
    let wanted = ["a.latency.mean", "b.latency.mean", "s.calls.most"];
    let found = measured(&model("{ zone_aware: {} }"), None, plan(30), &wanted);
    // Zone a has a quarter of the machines and 60 % of the calls: 25/60 of its calls stay; binomial over 18,000 calls,
    // standard error 0.4 % of 20 ms; bound at five.
    assert!((found[0] - (0.001 + 0.02 * 35.0 / 60.0)).abs() < 0.0004, "{found:?}");
    assert_eq!(found[1], 0.001, "zone b has room for all of its own");
    assert!(found[2] < 0.26, "and nobody gets more than a fair share: {found:?}");
    let blind = measured(&model("round_robin"), None, plan(30), &wanted);
    assert!((blind[0] - 0.016).abs() < 0.0004, "three of four machines are elsewhere: {blind:?}");
}

#[test]
fn a_queue_can_be_full_of_bytes() {
    // One worker that needs 10 s. Three of 10 KB at 1, 2 and 3 s; a large one at 4 s.
    let model = |queue: &str, large: &str, calls: &str| {
        format!(
            "clients: {{ small: {{ arrivals: {{ at: [1s, 2s, 3s] }}, call: {calls}, request: 10KB }}, large: {{ arrivals: {{ at: [4s] }},
            call: {calls}, request: {large} }} }}\nservices: {{ s: {{ runtime: {{ workers: 1 }}, queue: {queue}, operations: {{ o: [ wait:
            10s ] }} }}, front: {{ operations: {{ pass: [ {{ call: s.o, request: 10KB }} ] }} }} }}"
        )
    };
    let wanted = ["small.latency.max", "large.latency.max", "small.failures", "large.failures"];
    let of = |queue: &str, large: &str| measured(&model(queue, large, "s.o"), None, plan(60), &wanted);
    let never = f64::NAN;
    let same = |found: Vec<f64>, expected: [f64; 4]| {
        let alike =
            |(found, expected): (&f64, &f64)| (found.is_nan() && expected.is_nan()) || (found - expected).abs() < 1e-9;
        assert!(found.iter().zip(&expected).all(alike), "{found:?} {expected:?}");
    };
    // 20 KB wait; 10 KB more are too many for 29 KB, and just fit into 30 KB.
    same(of("{ bytes: 29KB }", "10KB"), [28.0, never, 0.0, 1.0]);
    same(of("{ bytes: 30KB }", "10KB"), [28.0, 37.0, 0.0, 0.0]);
    // 20 KB more fit into 40 KB; otherwise as many of the oldest go as must.
    same(of("{ bytes: 40KB, when_full: drop_oldest }", "20KB"), [28.0, 37.0, 0.0, 0.0]);
    same(of("{ bytes: 30KB, when_full: drop_oldest }", "20KB"), [18.0, 27.0, 1.0 / 3.0, 0.0]);
    same(of("{ bytes: 20KB, when_full: drop_oldest }", "20KB"), [10.0, 17.0, 2.0 / 3.0, 0.0]);
    // Nobody goes for one that would not fit anyway.
    same(of("{ bytes: 20KB, when_full: drop_oldest }", "21KB"), [28.0, never, 0.0, 1.0]);
    // Both limits count, in any order; the last first: that of 2 s is answered last.
    same(of("{ bytes: 1MB, limit: 2, discipline: lifo }", "10KB"), [29.0, never, 0.0, 1.0]);
    same(of("{ bytes: 29KB, limit: 9, discipline: { priority: {} } }", "10KB"), [28.0, never, 0.0, 1.0]);
    // What a service sends counts as what a client sends.
    let through = model("{ bytes: 29KB }", "1B", "front.pass");
    same(measured(&through, None, plan(60), &wanted), [28.0, never, 0.0, 1.0]);
}

#[test]
fn answers_of_a_replayed_log_are_as_large_as_it_says() {
    let line = |second: u32, bytes: &str| {
        format!("10.0.0.{second} - - [10/Oct/2000:13:55:0{second} -0700] \"GET /a HTTP/1.1\" 200 {bytes}\n")
    };
    let folder = Folder::new("recorded_sizes");
    folder.write("a.log", [line(0, "1000"), line(1, "-"), line(2, "5000"), line(3, "300")].concat());
    // The front hands its answer on; what lies behind knows the size as well.
    let model = "clients: { users: { arrivals: { replay: { file: a.log, format: access_log } }, call: front.get } }\nservices: { front: {
        operations: { get: [ { call: store.get }, { reply: recorded } ] } }, store: { operations: { get: [ { parallel: [ [ { call: store.half
        } ] ] }, { reply: recorded } ], half: [ { reply: 100B } ] } } }";
    let path = folder.write("m.yaml", model);
    let mut loader = Loader::new(&Disk);
    let built = loader.load(&path).and_then(|document| loader.build(&document, &[])).expect("the model is right");
    let found = values(&built.blueprint, plan(10), &["front.get.sent", "store.get.sent", "store.half.sent"]);
    assert_eq!(found, [630.0, 630.0, 40.0], "6,300 bytes in 10 s");
}

#[test]
fn a_balancer_without_a_connection_left_refuses_at_once() {
    // 10 calls per second of 950 ms would be 9 or 10 at once; with 4 connections 4 per 950 ms find one.
    let model = |balancing: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 2, balancing:
            {balancing}, operations: {{ o: [ wait: 950ms ] }} }} }}"
        )
    };
    let wanted = ["users.rejected", "users.latency.max", "users.in_flight"];
    let found = |balancing: &str| measured(&model(balancing), None, plan(100), &wanted);
    assert_eq!(found("{ connections: 10 }")[0], 0.0);
    let four = found("{ connections: 4 }");
    // Four in a row are taken on, six refused.
    assert!((four[0] - 0.6).abs() < 1e-3 && four[1] == 0.95 && (four[2] - 3.8).abs() < 0.05, "{four:?}");
    // Each of two balancers has its own.
    let two = found("{ connections: 4, count: 2 }");
    assert!(two[0] > 0.2 && two[0] < 0.4, "{two:?}");
}

#[test]
fn consumers_take_connections_and_give_them_back() {
    // 10 messages and 10 reads per second, 10 ms each: never more than two at once, so nobody is refused. The first come after 0.1 s: 99 in 10 s.
    let model = "clients: { writers: { arrivals: { constant: 10/s }, call: front.post }, readers: { arrivals: { constant: 10/s }, call: s.read } }
services: { front: { operations: { post: [ publish: q ] } }, s: { instances: 2, balancing: { connections: 4 }, operations: { work: [ wait: 10ms
        ], read: [ wait: 10ms ] } } }\nqueues: { q: { consumers: { w: { call: s.work } } } }";
    let found = measured(model, None, plan(10), &["readers.rejected", "readers.goodput", "q.w.delivered"]);
    assert_eq!(found, [0.0, 9.9, 9.9]);
}

#[test]
fn calls_go_on_to_the_next_level_as_far_as_the_first_is_not_healthy() {
    // Four instances of level 0, two of level 1. With one of the four gone 75 % × 1.4 > 100 %; with a factor of 1 a quarter goes on.
    let model = |balancing: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ constant: 1000/s }}, call: s.o }} }}\nservices: {{ s: {{ instances: 6, balancing: {{ levels:
            [0, 0, 0, 0, 1, 1], {balancing} }}, operations: {{ o: [ wait: 1ms ] }} }} }}"
        )
    };
    let crash = Some((1, 1, 100 * SECOND));
    let wanted = ["s.calls.spilled", "users.failures", "s.calls.most"];
    let whole = measured(&model(""), None, plan(30), &wanted);
    assert!(whole[..2] == [0.0, 0.0] && (whole[2] - 0.25).abs() < 1e-4, "four in turn: {whole:?}");
    let healthy = measured(&model(""), crash, plan(30), &wanted);
    assert_eq!(healthy[..2], [0.0, 0.0]);
    let spilled = measured(&model("overprovisioning: 1"), crash, plan(30), &wanted);
    // Binomial over 30,000 calls, standard error 0.25 %; bound at five.
    assert!((spilled[0] - 0.25).abs() < 0.0125 && spilled[1] == 0.0, "{spilled:?}");
}
