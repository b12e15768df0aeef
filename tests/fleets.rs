//! Instances that come and go.

use crate::support::{Memory, Ran, plan, ran, try_design};
use scalelab::experiment::design::Options;

/// A model with one service of so many instances, and more keys for it.
fn model(rate: &str, keys: &str) -> String {
    format!(
        "clients: {{ c: {{ arrivals: {{ constant: {rate} }}, call: s.go }} }}\n\
         services:\n  s:\n    machine: {{ cores: 1, price: 1/h }}\n    operations: {{ go: [ wait: 1s ] }}\n{keys}"
    )
}

/// The value of a column of the series at the end of every interval.
fn column(ran: &Ran, name: &str) -> Vec<f64> {
    let series = &ran.record.series;
    let column = series.columns.iter().position(|column| column.name == name).expect("the column");
    series.rows.iter().map(|row| row[column]).collect()
}

const SCHEDULE: &str = "    autoscaler: { min: 1, max: 4, policy: { schedule: { check: 1s, times: [ { from: 20s, instances: 4 }, { from: 60s, instances: 1 } ] } } }\n";

#[test]
fn an_instance_is_paid_for_from_its_order_and_used_from_its_readiness() {
    let life = "    life: { provisioning: 4s, pull: 3s, start: 3s }\n";
    let ran = ran(&model("10/s", &format!("{life}{SCHEDULE}")), plan(100));
    // 1 to 20 s, 4 ordered at 20 s and there at 30 s, 1 from 60 s on; those that leave take a second to end what they have.
    assert_eq!(column(&ran, "s.instances.wanted"), [1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(column(&ran, "s.instances.ready"), [1.0, 1.0, 1.0, 4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0]);
    assert!((ran.value("s.instances.ready") - (30.0 + 4.0 * 30.0 + 40.0) / 100.0).abs() < 0.02);
    let paid = (20.0 + 4.0 * 40.0 + 40.0 + 3.0) / 100.0;
    assert!((ran.value("s.instances.mean") - paid).abs() < 0.04, "{}", ran.value("s.instances.mean"));
    assert!((ran.value("s.cost") - ran.value("s.instances.mean")).abs() < 1e-9, "1 per hour each");
    assert_eq!(ran.value("s.instances.most"), 4.0);
    assert_eq!([ran.value("s.scale_ups"), ran.value("s.scale_downs"), ran.value("s.flaps")], [1.0, 1.0, 1.0]);
    assert_eq!(ran.value("c.failures"), 0.0);
}

#[test]
fn what_an_instance_has_when_its_grace_is_over_is_lost() {
    let grace = |grace: &str| format!("    instances: 4\n    life: {{ grace: {grace} }}\n{SCHEDULE}");
    let kept = ran(&model("10/s", &grace("5s")), plan(100));
    assert_eq!(kept.value("c.crashed"), 0.0);
    let lost = ran(&model("10/s", &grace("0s")), plan(100));
    // Three of four instances go at 60 s with what came to them within the last second.
    let count = lost.value("c.crashed") * lost.value("c.requests");
    assert!((6.5..=8.5).contains(&count), "{count}");
}

#[test]
fn a_warm_up_is_a_slope_of_the_speed_of_the_cores() {
    let text = "clients: { c: { arrivals: { constant: 1/s }, call: s.go } }\n\
                services: { s: { machine: { cores: 1 }, balancer: least_in_flight, operations: { go: [ cpu: 100ms ] },\n  \
                life: { start: 1s, warm_up: { from: 25%, over: 20s } }, instances: 1,\n  \
                autoscaler: { min: 0, max: 1, policy: { schedule: { check: 1s, times: [ { from: 10s, instances: 0 }, { from: 20s, instances: 1 } ] } } } } }\n";
    let ran = ran(text, plan(100));
    // The first call after the start finds a core at a quarter of its speed: 400 ms; the slope takes 20 s.
    let most = ran.value("c.latency.max");
    assert!((0.3..=0.4).contains(&most), "{most}");
    assert!((ran.value("c.latency.p50") - 0.1).abs() < 0.002);
    assert!((ran.value("c.unreachable") - 0.11).abs() < 0.011, "eleven seconds without an instance");
}

#[test]
fn a_spot_machine_is_replaced_and_a_crashed_process_is_not() {
    let life = "    instances: 2\n    life: { provisioning: 10s }\n";
    let fault = |kind: &str| {
        format!(
            "{life}faults: [ {{ at: 20s, {kind}: s/0, for: 60s{} }} ]\n",
            if kind == "spot" { ", notice: 5s" } else { "" }
        )
    };
    let spot = ran(&model("10/s", &fault("spot")), plan(100));
    // Away from its death at 25 s to 35 s; its replacement takes another place.
    assert!((spot.value("s.instances.ready") - 1.9).abs() < 0.01, "{}", spot.value("s.instances.ready"));
    assert_eq!(spot.value("c.crashed"), 0.0);
    let crash = ran(&model("10/s", &fault("crash")), plan(100));
    assert_eq!(crash.value("s.instances.mean"), 2.0);
    assert!(crash.value("c.crashed") > 0.0);
}

#[test]
fn an_autoscaler_sees_metrics_that_are_as_old_as_it_is_told() {
    let scaler = |lag: &str| {
        format!(
            "    life: {{ start: 1s }}\n    autoscaler: {{ min: 1, max: 4, scrape: 5s, lag: {lag}, policy: {{ threshold: {{ every: 5s, \
             up: [ {{ metric: requests, above: 5/s }} ] }} }} }}\n"
        )
    };
    let wanted = |lag: &str| column(&ran(&model("100/s", &scaler(lag)), plan(100)), "s.instances.wanted");
    // Scrapes every 5 s, the first rate at 10 s, one more at every look; a point of the series comes before what happens then.
    assert_eq!(wanted("0s")[..3], [1.0, 3.0, 4.0]);
    assert_eq!(wanted("10s")[..3], [1.0, 1.0, 3.0], "what is seen at 20 s is that of 10 s");
}

/// Twenty instances that get 200 calls per second, and a new version that comes at 10 s.
fn rollout(strategy: &str, more: &str) -> Ran {
    let keys = format!(
        "    instances: 20\n    balancer: round_robin\n    life: {{ start: 5s }}\n    rollout: {{ at: 10s, strategy: {strategy}, version: {{ errors: 20% }}{more} }}\n"
    );
    ran(&model("200/s", &keys).replace("wait: 1s", "wait: 10ms"), plan(200))
}

#[test]
fn a_rolling_update_replaces_all_instances_and_keeps_as_many_ready_as_are_wanted() {
    let ran = rollout("{ rolling: { surge: 2 } }", "");
    assert_eq!(ran.value("s.instances.most"), 22.0);
    let took = ran.value("s.rollout.took");
    assert!((50.0..=80.0).contains(&took), "ten rounds of 5 s to start and a look each: {took}");
    let ready = column(&ran, "s.instances.ready");
    assert!(ready.iter().all(|ready| (20.0..=22.0).contains(ready)), "{ready:?}");
    // From the end of the rollout on every fifth call fails.
    assert!(
        (ran.value("c.errors") - 0.2 * (1.0 - (10.0 + took / 2.0) / 200.0)).abs() < 0.02,
        "{}",
        ran.value("c.errors")
    );
}

#[test]
fn blue_and_green_change_places_at_once() {
    let ran = rollout("blue_green", "");
    assert_eq!(ran.value("s.instances.most"), 40.0);
    assert!((5.0..=8.0).contains(&ran.value("s.rollout.took")), "{}", ran.value("s.rollout.took"));
    assert!(ran.value("s.rollout.exposed") > 0.99);
    let watched = rollout("blue_green", ", abort: { failures: 5%, every: 10s }");
    assert!((5.0..=20.0).contains(&watched.value("s.rollout.detected")), "the old version stays for two looks");
    assert_eq!(column(&watched, "s.instances.ready").last(), Some(&20.0));
    assert!(watched.value("c.errors") < 0.025, "{}", watched.value("c.errors"));
}

/// Scenario D34.
#[test]
fn a_canary_gets_its_share_and_a_bad_one_is_taken_back() {
    let steps = "{ canary: { steps: [5%], pause: 1000s } }";
    let kept = rollout(steps, "");
    assert!((kept.value("s.rollout.exposed") - 0.05).abs() < 0.005, "{}", kept.value("s.rollout.exposed"));
    assert_eq!(kept.value("s.instances.most"), 21.0);
    assert!((kept.value("c.errors") - 0.2 * 0.05 * 0.92).abs() < 0.002, "{}", kept.value("c.errors"));
    let taken = rollout(steps, ", abort: { failures: 5%, every: 10s }");
    let detected = taken.value("s.rollout.detected");
    assert!((5.0..=15.0).contains(&detected), "{detected}");
    assert_eq!(column(&taken, "s.instances.ready").last(), Some(&20.0));
    assert!(taken.value("c.errors") < 0.002, "{}", taken.value("c.errors"));
}

#[test]
fn a_canary_that_is_slow_is_taken_back_by_its_percentile() {
    let slow = |abort: &str| {
        let keys = format!(
            "    instances: 20\n    balancer: round_robin\n    life: {{ start: 5s }}\n    rollout: {{ at: 10s, strategy: {{ canary: {{ steps: [5%], pause: \
             1000s }} }}, version: {{ delay: 50ms }}, abort: {{ {abort}, every: 10s }} }}\n"
        );
        ran(&model("200/s", &keys).replace("wait: 1s", "wait: 10ms"), plan(200))
    };
    // Ten calls per second of 60 ms instead of 10: one or two looks of 10 s.
    let detected = slow("p95: 50ms").value("s.rollout.detected");
    assert!((5.0..=20.0).contains(&detected), "{detected}");
    let kept = slow("p95: 70ms, failures: 5%");
    assert!(kept.get("s.rollout.detected").is_none(), "it is slow, and not as slow as that");
}

#[test]
fn a_spot_machine_can_be_replaced_at_its_notice() {
    let keys = |replace: bool| {
        format!(
            "    instances: 2\n    life: {{ provisioning: 10s, replace_at_notice: {replace} }}\nfaults: [ {{ at: 20s, spot: s/0, for: 60s, notice: 30s }} ]\n"
        )
    };
    // Told at 20 s; the other one is ready at 30 s, or at 60 s if it is begun when the machine is gone. Who was told ends what it has.
    let [at_notice, when_gone] = [true, false].map(|replace| ran(&model("10/s", &keys(replace)), plan(100)));
    let first =
        |ran: &Ran| column(ran, "s.instances.ready").iter().position(|ready| *ready < 2.0).expect("one is missing");
    assert_eq!([first(&at_notice), first(&when_gone)], [2, 5], "points every 10 s");
    assert!((at_notice.value("s.instances.ready") - 1.9).abs() < 0.01, "{}", at_notice.value("s.instances.ready"));
    assert!((at_notice.value("s.instances.mean") - 2.0).abs() < 0.03, "{}", at_notice.value("s.instances.mean"));
    assert_eq!(at_notice.value("c.crashed"), 0.0);
}

#[test]
fn the_same_fleet_has_the_same_history() {
    let text = model("40/s", &format!("    life: {{ provisioning: {{ exponential: 3s }} }}\n{SCHEDULE}"));
    assert_eq!(ran(&text, plan(100)).record.fingerprint, ran(&text, plan(100)).record.fingerprint);
}

/// Two instances of a size for calls that keep a core of each busy, and who changes that size.
fn resized(cores: &str, vertical: &str) -> Ran {
    let text = format!(
        "clients: {{ c: {{ arrivals: {{ constant: 20/s }}, call: s.go }} }}\n\
         services: {{ s: {{ instances: 2, machine: {{ cores: {cores}, price: 1/h }}, balancer: round_robin,\n  \
         operations: {{ go: [ cpu: 100ms ] }}, vertical: {{ max: 8, every: 10s, confidence: 1min{vertical} }} }} }}\n"
    );
    ran(&text, plan(200))
}

#[test]
fn instances_that_are_too_large_are_replaced_one_after_the_other_by_smaller_ones() {
    let ran = resized("4", "");
    let size = column(&ran, "s.vertical.size");
    // A core and 15 % more, and no more than a bucket of the histogram beyond that.
    let target = ran.value("s.vertical.target");
    assert!((1.15..=1.15 * 1.06).contains(&target), "{target}");
    assert_eq!(ran.value("s.vertical.changes"), 2.0);
    assert_eq!((size[0], *size.last().expect("rows")), (4.0, target));
    assert_eq!(ran.value("s.instances.most"), 3.0, "one at a time: no more than half of them may be missing");
    // Half as much again as the size costs, from the restarts on.
    let price = ran.value("s.vertical.size") / 4.0 * ran.value("s.instances.mean");
    assert!((ran.value("s.cost") - price).abs() < 1e-9, "{}", ran.value("s.cost"));
    let utilization = *column(&ran, "s.cpu.utilization").last().expect("rows");
    assert!((utilization - 1.0 / target).abs() < 0.01, "{utilization}");
    assert!((ran.value("s.cost.unused") - (ran.value("s.cost") - 2.0 / 4.0)).abs() < 0.02);
    assert_eq!(ran.value("c.failures"), 0.0);
}

#[test]
fn in_place_nobody_is_replaced() {
    let ran = resized("4", ", mode: in_place");
    assert_eq!(column(&ran, "s.instances.ready"), [2.0; 10]);
    assert_eq!(ran.value("s.vertical.changes"), 2.0);
    assert!((ran.value("c.latency.mean") - 0.1).abs() < 1e-6, "nobody waits for a core");
}

#[test]
fn an_instance_that_is_starved_grows_by_its_margin_at_a_time() {
    let slow = resized("0.5", ", mode: in_place");
    let size = column(&slow, "s.vertical.size");
    // It never uses more than it has: each step is 15 % and a bucket (5 % and 0.01 cores) more than the one before.
    let steps: Vec<f64> = size.windows(2).map(|pair| pair[1] / pair[0]).filter(|step| *step > 1.0).collect();
    assert!(steps.len() > 3 && steps.iter().all(|step| *step < 1.233), "{size:?}");
    let fast = column(&resized("1", ", mode: in_place, limit: 2"), "s.vertical.size");
    assert_eq!(fast[0], 0.5, "a limit of twice the request");
    let until = |size: &[f64]| size.iter().position(|size| *size > 1.0).unwrap_or(size.len());
    assert!(until(&fast) < until(&size), "who may use more than it requested shows what it needs: {fast:?} {size:?}");
}

#[test]
fn those_that_come_anyway_have_the_size_of_the_day() {
    let ran = resized("4", ", mode: initial");
    assert_eq!(column(&ran, "s.vertical.size"), [4.0; 10]);
    assert_eq!(ran.value("s.vertical.changes"), 0.0);
    assert!(ran.value("s.vertical.target") < 1.3);
}

/// A service of so many cores per instance, whose number follows a schedule, on nodes of four cores.
fn on_nodes(cores: &str, times: &str, pool: &str) -> String {
    format!(
        "clients: {{ c: {{ arrivals: {{ constant: 10/s }}, call: s.go }} }}\n\
         nodes: {{ n: {{ cores: 4, price: 1/h, max: 5, provisioning: 33s{pool} }} }}\n\
         services: {{ s: {{ instances: 2, machine: {{ cores: {cores} }}, life: {{ nodes: n, pull: 2s, start: 5s }}, balancer: round_robin,\n  \
         autoscaler: {{ min: 1, max: 12, policy: {{ schedule: {{ check: 1s, times: [ {times} ] }} }} }},\n  \
         operations: {{ go: [ cpu: 10ms ] }} }} }}\n"
    )
}

#[test]
fn pods_wait_until_a_node_is_there_and_nodes_are_what_costs() {
    // At 15 s four more of two cores: the node of the start is full. The scaler sees them at 20 s, two nodes are there at 53 s.
    let text = on_nodes("2", "{ from: 15s, instances: 6 }", "");
    let ran = ran(&text, plan(100));
    assert_eq!(column(&ran, "n.nodes"), [1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]);
    assert_eq!(column(&ran, "n.pending"), [0.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(column(&ran, "s.instances.ready"), [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 6.0, 6.0, 6.0, 6.0]);
    let nodes = (20.0 + 3.0 * 80.0) / 100.0;
    assert!((ran.value("n.nodes.mean") - nodes).abs() < 1e-9);
    assert!((ran.value("n.pending.mean") - 4.0 * 38.0 / 100.0).abs() < 1e-9);
    assert!((ran.value("n.nodes.cost") - nodes).abs() < 1e-9 && (ran.value("c.cost") - nodes).abs() < 1e-9);
    let requested = (4.0 * 53.0 + 12.0 * 47.0) / 100.0;
    assert!((ran.value("n.nodes.requested") - requested / nodes / 4.0).abs() < 1e-9);
    assert!((ran.value("n.cost.unrequested") - (nodes - requested / 4.0)).abs() < 1e-9);
    assert!((ran.value("n.nodes.busy") - 0.1 / nodes / 4.0).abs() < 1e-4, "10 calls of 10 ms per second");
}

#[test]
fn nodes_that_are_not_needed_are_drained_and_given_back() {
    // Six pods on three nodes; from 60 s on one is left. Two nodes are unneeded from the scan at 60 s on, for a minute.
    let times = "{ from: 0s, instances: 6 }, { from: 60s, instances: 2 }";
    let pool = ", provisioning: 0s, after_add: 0s, unneeded: 60s";
    let text = on_nodes("2", times, "").replace(", provisioning: 33s", "").replace("max: 5", &format!("max: 5{pool}"));
    let ran = ran(&text, plan(200));
    let nodes = column(&ran, "n.nodes");
    assert_eq!((nodes[1], *nodes.last().expect("rows")), (3.0, 1.0), "{nodes:?}");
    assert_eq!(ran.value("c.failures"), 0.0);
    assert_eq!(*column(&ran, "n.pending").last().expect("rows"), 0.0);
}

#[test]
fn a_pod_that_leaves_a_node_ends_what_it_has_though_the_node_goes_too() {
    // Three nodes; from 50 s on one pod is alone on the second. It leaves at 105 s and has calls until 117 s; its node goes at the scan of 110 s.
    let times = "{ from: 0s, instances: 10 }, { from: 30s, instances: 3 }, { from: 50s, instances: 4 }, { from: 105s, instances: 3 }";
    let text = on_nodes("1", times, ", after_add: 0s, unneeded: 60s").replace("provisioning: 33s", "provisioning: 1s");
    let ran = ran(&text.replace("cpu: 10ms", "wait: 12s"), plan(200));
    assert_eq!(ran.value("n.nodes.most"), 3.0);
    assert_eq!(*column(&ran, "n.nodes").last().expect("rows"), 1.0);
    assert_eq!(ran.value("c.crashed"), 0.0);
}

#[test]
fn a_full_pool_lets_pods_wait_for_each_other() {
    let text =
        on_nodes("2", "{ from: 15s, instances: 12 }, { from: 60s, instances: 2 }, { from: 70s, instances: 4 }", "")
            .replace("max: 5", "max: 2");
    let ran = ran(&text, plan(100));
    assert_eq!(ran.value("n.nodes.most"), 2.0);
    // Four fit on two nodes; those that are no longer wanted stop waiting, and two that are wanted again find room at once.
    assert_eq!(column(&ran, "n.pending")[4..], [10.0, 8.0, 0.0, 0.0, 0.0, 0.0][..]);
    assert_eq!(*column(&ran, "s.instances.ready").last().expect("rows"), 4.0);
}

#[test]
fn filling_nodes_up_needs_fewer_of_them_than_spreading() {
    let mean = |placement: &str| {
        let times = "{ from: 0s, instances: 10 }, { from: 60s, instances: 3 }, { from: 90s, instances: 5 }, { from: 120s, instances: 2 }";
        let text = on_nodes("1", times, &format!(", placement: {placement}, after_add: 0s, unneeded: 20s, min: 3"));
        ran(&text, plan(300)).value("n.nodes.mean")
    };
    assert!(mean("most_allocated") <= mean("least_allocated"));
}

#[test]
fn what_a_fleet_cannot_be_is_refused_with_its_line() {
    let refused = |keys: &str| {
        let text = model("1/s", keys);
        match try_design(&Memory::of("m.yaml", text), "m.yaml", &Options::default()) {
            Ok(_) => panic!("accepted: {keys}"),
            Err(told) => told,
        }
    };
    let with = |policy: &str| format!("    autoscaler: {{ min: 1, max: 2, policy: {{ {policy} }} }}\n");
    for (keys, message) in [
        (
            "    autoscaler: { min: 3, max: 2, policy: { schedule: { times: [ { from: 0s, instances: 1 } ] } } }\n"
                .to_owned(),
            "must not be more than the most",
        ),
        (with("keda: { trigger: { lag: orders.workers }, target: 5 }"), "orders.workers"),
        (with("hpa: { metrics: [ { pods: p95, average_value: 200ms } ] }"), "no Kubernetes quantity"),
        (with("hpa: { metrics: [ { resource: cpu, pods: p95, utilization: 50% } ] }"), "exactly one source"),
        (with("hpa: { metrics: [ { resource: p95, utilization: 50% } ] }"), "only `cpu` is known"),
        (with("target_tracking: { metric: cpu, target: 0% }"), "above 0"),
        (with("target_tracking: { metric: cpu, target: 5ms }"), "5ms"),
        (with("step: { metric: cpu, up: [ { from: 80%, add: 1 }, { from: 60%, add: 1 } ] }"), "ascending"),
        ("    life: { warm_up: { from: 0%, over: 5s } }\n".to_owned(), "more than 0%"),
        (
            "    rollout: { at: 5s, strategy: blue_green, abort: { every: 5s } }\n".to_owned(),
            "Give `failures`, `p95` or both",
        ),
        ("    vertical: { max: 8, min: 9 }\n".to_owned(), "must not be larger"),
        ("    vertical: { max: 8, every: 0s }\n".to_owned(), "longer than 0"),
        ("    vertical: { max: 8, percentile: 99% }\n".to_owned(), "between `lower` and `upper`"),
        ("    vertical: { max: 8, limit: 0.5 }\n".to_owned(), "limit"),
        ("    vertical: { max: 8, mode: sideways }\n".to_owned(), "in_place"),
        (
            with("hpa: { metrics: [ { resource: cpu, utilization: 50% } ] }") + "    vertical: { max: 8 }\n",
            "would work against this",
        ),
    ] {
        let told = refused(&keys);
        assert!(told.contains(message) && told.contains("m.yaml:"), "{message}: {told}");
    }

    let on = |pool: &str, more: &str| {
        format!(
            "clients: {{ c: {{ arrivals: {{ constant: 1/s }}, call: s.go }} }}\nnodes: {{ n: {{ cores: 4, max: 2{pool} }} }}\n\
             services:\n  s:\n    machine: {{ cores: 2 }}\n    operations: {{ go: [ wait: 1s ] }}\n{more}"
        )
    };
    for (text, message) in [
        (on("", "    life: { nodes: m }\n"), "`n`"),
        (on("", "    life: { nodes: n, provisioning: 5s }\n"), "waits for the node"),
        (on("", "    life: { nodes: n }\n    instances: 9\n"), "take 5 nodes"),
        (on(", reserved: { cores: 3 }", "    life: { nodes: n }\n"), "has room for 1 cores"),
        (on(", reserved: { cores: 4 }", ""), "no cores are left"),
        (on(", min: 3", ""), "must not be more than the most"),
        (on(", placement: tetris", ""), "most_allocated"),
        (on("", "    life: { nodes: n }\n    vertical: { max: 4, mode: in_place }\n"), "cannot grow on a node"),
        (on("", "    life: { nodes: n }\n    vertical: { max: 5 }\n"), "larger nodes"),
    ] {
        let told = match try_design(&Memory::of("m.yaml", text.clone()), "m.yaml", &Options::default()) {
            Ok(_) => panic!("accepted: {text}"),
            Err(told) => told,
        };
        assert!(told.contains(message) && told.contains("m.yaml:"), "{message}: {told}");
    }
}
