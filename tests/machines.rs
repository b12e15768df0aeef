//! What machines and runtimes mean: CPU, memory, pools and sizes, each with a model small enough to be worked out by hand.

use scalelab::experiment::design::Options;
use scalelab::model::{Blueprint, Plan, System};

use crate::support::{Memory, Ran, SECOND, blueprint, plan, ran, same, study, try_design};

/// One service `s` with one operation `o`.
fn single(arrivals: &str, service: &str, steps: &str) -> String {
    format!(
        "clients:\n  users: {{ arrivals: {arrivals}, call: s.o }}\nservices: {{ s: {{ {service} operations: {{ o: {steps} }} }} }}\n"
    )
}

/// What is wrong with a model.
#[track_caller]
fn refused(model: &str) -> String {
    match try_design(&Memory::of("m.yaml", model), "m.yaml", &Options::default()) {
        Ok(_) => panic!("it is not refused"),
        Err(text) => text,
    }
}

/// Memory of 1000 MiB for requests that hold 400 MiB for 10 s each.
fn large_requests(arrivals: &str, at_limit: &str) -> String {
    let service = format!(
        "machine: {{ cores: 1, memory: 1000MiB }}, memory: {{ base: 100MiB, per_request: 400MiB, at_limit: {at_limit} }},"
    );
    single(arrivals, &service, "[ cpu: 1s, wait: 9s ]")
}

/// A window of ten seconds after one of warm-up.
fn warm() -> Plan {
    Plan { warm_up: SECOND, ..plan(10) }
}

fn value(ran: &Ran, metric: &str) -> f64 {
    ran.value(metric)
}

// CPU.

#[test]
fn fast_cores_take_less_time_and_nobody_waits_for_them() {
    let ran = ran(&single("{ constant: 1/s }", "machine: { cores: 1, speed: 2 },", "[ cpu: 10ms ]"), warm());
    same(ran.value("users.latency.mean"), 0.005);
    same(ran.value("s.cpu.utilization"), 0.005);
    assert_eq!(ran.split(0).keys().collect::<Vec<_>>(), ["s.cpu service"]);
}

#[test]
fn a_burst_beyond_the_quota_waits_for_the_next_period() {
    // 200 ms of work at once; 100 ms are done in 25 ms, the rest from 100 ms on.
    let steps = "[ parallel: [ cpu: 50ms, cpu: 50ms, cpu: 50ms, cpu: 50ms ] ]";
    let ran = ran(&single("{ at: [1s] }", "machine: { cores: 4, quota: 1 },", steps), plan(10));
    same(ran.value("users.latency.mean"), 0.125);
    same(ran.value("s.cpu.stopped"), 0.075 / 10.0);
    same(ran.value("s.cpu.utilization"), 0.2 / 10.0);
}

#[test]
fn an_event_loop_does_one_thing_after_the_other_on_one_core() {
    let model = |runtime: &str| {
        single(
            "{ at: [0s, 0s, 0s] }",
            &format!("machine: {{ cores: 4 }}, runtime: {runtime},"),
            "[ cpu: 10ms, wait: 50ms ]",
        )
    };
    let on_loop = ran(&model("event_loop"), plan(10));
    same(on_loop.value("users.latency.max"), 0.080);
    same(on_loop.value("users.latency.mean"), 0.070);
    same(ran(&model("{ goroutines: {} }"), plan(10)).value("users.latency.max"), 0.060);
    same(ran(&model("{ goroutines: { max_procs: 1 } }"), plan(10)).value("users.latency.mean"), 0.080);
}

#[test]
fn instances_that_coordinate_do_less_each() {
    let service = "instances: 3, machine: { cores: 1 }, coordination: { alpha: 10%, beta: 1% },";
    let ran = ran(&single("{ constant: 1/s }", service, "[ cpu: 10ms ]"), plan(9));
    // 1 + 0.1 × 2 + 0.01 × 3 × 2
    same(ran.value("users.latency.mean"), 0.010 * 1.26);
}

#[test]
fn what_is_said_about_a_cpu_without_cores_is_refused() {
    let text =
        refused(&single("{ constant: 1/s }", "machine: { speed: 2, quota: 1 }, runtime: event_loop,", "[ cpu: 1ms ]"));
    assert_eq!(text.matches("its cores are not limited").count(), 3, "{text}");
}

#[test]
fn a_neighbor_takes_its_share_of_the_time_it_is_busy() {
    let neighbor = "{ share: 80%, busy: 1s, quiet: 1s }";
    let service = format!("machine: {{ cores: 1, neighbor: {neighbor} }},");
    // Quiet until 1 s, busy until 2 s: 100 ms of the work are done before, 100 ms in half a second after.
    let ran = ran(&single("{ at: [900ms] }", &service, "[ cpu: 200ms ]"), plan(10));
    same(ran.value("users.latency.mean"), 0.1 + 0.5);
}

// Pools.

#[test]
fn pools_are_held_for_their_steps_only() {
    let service = "runtime: { pools: { compute: 1, other: { size: 1, limit: 0 } } },";
    let steps = "[ { pool: compute, steps: [ wait: 100ms ] }, wait: 1s ]";
    let ran = ran(&single("{ at: [0s, 0s, 0s] }", service, steps), plan(10));
    same(ran.value("users.latency.max"), 1.3);
    same(ran.value("s.compute.wait.mean"), 0.1);
    same(ran.value("s.compute.utilization"), 0.03);
}

#[test]
fn a_pool_that_is_full_rejects_and_one_that_is_unknown_is_refused() {
    let service = "runtime: { pools: { compute: { size: 1, limit: 0 } } },";
    let model = single("{ at: [0s, 0s, 0s, 1s] }", service, "[ { pool: compute, steps: [ wait: 100ms ] } ]");
    same(ran(&model, plan(10)).value("users.rejected"), 0.5);
    let text = refused(&single("{ constant: 1/s }", service, "[ { pool: computer, steps: [] } ]"));
    assert!(text.contains("there is no pool `computer`") && text.contains("did you mean `compute`?"), "{text}");
}

// Memory.

#[test]
fn a_process_without_memory_is_killed_and_all_in_flight_is_lost() {
    // The third finds 100 + 800 of 1000 MiB in use: all three fail. The fourth comes while nothing runs.
    let ran = ran(&large_requests("{ at: [0s, 1s, 2s, 6s, 8s] }", "{ kill: { restart: 5s } }"), plan(30));
    same(ran.value("users.crashed"), 0.6);
    same(ran.value("users.unreachable"), 0.2);
    same(ran.value("users.goodput"), 1.0 / 30.0);
    assert_eq!([value(&ran, "s.memory.kills"), value(&ran, "s.memory.first_kill")], [1.0, 2.0]);
    same(ran.value("s.memory.peak"), f64::from(900 << 20));
    // 100 MiB but for 5 s; 400 MiB for 2, 1 and 10 s.
    same(ran.value("s.memory.used"), (100.0 * 25.0 + 400.0 * 13.0) / 30.0 * f64::from(1 << 20));
}

#[test]
fn without_memory_requests_can_be_refused() {
    let ran = ran(&large_requests("{ at: [0s, 1s, 2s, 3s] }", "refuse"), plan(30));
    same(ran.value("users.rejected"), 0.5);
    same(ran.value("s.memory.refused"), 2.0 / 30.0);
    assert_eq!(ran.value("s.memory.kills"), 0.0);
}

#[test]
fn memory_that_does_not_fit_is_paged_to_the_disk() {
    // When the third has done its second of work, 100 + 3 × 400 of 1000 MiB are in use: 3/13 of the 130 pages that it touched are
    // on disk, and each is a write and a read of 10 ms.
    let model = large_requests("{ at: [0s, 2s, 4s] }", "{ swap: { touches: 130/s } }");
    let model = model.replace("memory: 1000MiB", "memory: 1000MiB, disk: { iops: 100 }");
    let ran = ran(&model, plan(40));
    same(ran.value("users.latency.max"), 1.0 + 30.0 * 2.0 * 0.010 + 9.0);
    same(ran.value("s.memory.page_faults"), 30.0 / 40.0);
    same(ran.value("s.disk.utilization"), 0.6 / 40.0);
    assert_eq!(ran.value("users.failures"), 0.0);
}

#[test]
fn paging_needs_a_disk() {
    let text = refused(&large_requests("{ constant: 1/s }", "{ swap: {} }"));
    assert!(text.contains("paged to the machine's disk, and it has none") && text.contains("add `disk:"), "{text}");
}

#[test]
fn a_read_finds_its_page_as_often_as_memory_is_left_over() {
    // 1000 MiB, of which a request holds 100 MiB for a second; then 60 reads of 10 ms out of 1800 MiB.
    let service = "machine: { memory: 1000MiB, disk: { iops: 100 } }, memory: { per_request: 100MiB },";
    let read = "disk: { reads: 6000, working_set: 1800MiB }";
    let hits = |service: &str| {
        let ran = ran(&single("{ at: [0s] }", service, &format!("[ {read} ]")), plan(120));
        1.0 - ran.value("users.latency.max") / 60.0
    };
    // 900 of 1800 MiB; four standard deviations of 6,000 tosses are 2.6 %.
    assert!((hits(service) - 0.5).abs() < 0.026, "{}", hits(service));
    assert_eq!(hits(&service.replace("per_request: 100MiB", "per_request: 1000MiB")), 0.0);
    let said = service.replace("iops: 100", "iops: 100, cache: 1350MiB");
    assert!((hits(&said) - 0.75).abs() < 0.022, "{}", hits(&said));
}

#[test]
fn a_leak_kills_when_it_has_used_up_what_is_left() {
    let memory = "memory: { base: 100MiB, leak: { per_second: 90MiB }, at_limit: { kill: { restart: 1s } } },";
    let service = format!("machine: {{ memory: 1000MiB }}, {memory}");
    let ran = ran(&single("{ constant: 1/s }", &service, "[ wait: 100ms ]"), plan(30));
    assert!((ran.value("s.memory.first_kill") - 10.0).abs() < 1e-5);
    assert_eq!(ran.value("s.memory.kills"), 2.0);
}

#[test]
fn requests_leak_at_their_end() {
    let service = "machine: { memory: 1000KiB }, runtime: { goroutines: {} }, memory: { leak: { per_request: 2KiB } },";
    let ran = ran(&single("{ constant: 10/s }", service, "[ wait: 1ms ]"), plan(60));
    // Each takes 4 KiB and leaves 2: the 499th finds 996 KiB and has room, the 500th does not.
    assert_eq!(ran.value("s.memory.first_kill"), 49.9 + 0.1);
}

#[test]
fn threads_have_stacks_once_they_run() {
    let service = "runtime: { threads: { limit: 2 } }, memory: { per_request: 1MiB },";
    let ran = ran(&single("{ at: [0s, 0s, 0s] }", service, "[ wait: 1s ]"), plan(10));
    same(ran.value("s.memory.peak"), f64::from((3 + 2 * 8) << 20));
    same(ran.value("s.threads.utilization"), 0.15);
}

#[test]
fn a_collection_stops_the_cpu_for_its_pause() {
    let collector = "{ allocated: 1MiB, heap: 2MiB, pause: 50ms }";
    let service = format!("machine: {{ cores: 1 }}, memory: {{ garbage_collector: {collector} }},");
    // The second of each pair begins a collection; the first is done 10 ms before, the second waits.
    let ran = ran(&single("{ constant: 10/s }", &service, "[ cpu: 10ms ]"), warm());
    same(ran.value("users.latency.max"), 0.060);
    same(ran.value("users.latency.mean"), 0.035);
    same(ran.value("s.memory.collections"), 5.0);
    same(ran.value("s.cpu.stopped"), 0.25);
}

#[test]
fn a_concurrent_collection_takes_a_share_of_the_cores() {
    // Every second request begins a collection that marks for 25 ms on one of four cores.
    let collector = "{ allocated: 1MiB, heap: 2MiB, pause: 0ms, concurrent: { work: 25ms } }";
    let service = format!("machine: {{ cores: 4 }}, memory: {{ garbage_collector: {collector} }},");
    let ran_with = |arrivals: &str| ran(&single(arrivals, &service, "[ cpu: 10ms ]"), warm());
    let alone = ran_with("{ constant: 10/s }");
    same(alone.value("users.latency.max"), 0.010);
    same(alone.value("s.cpu.utilization"), (10.0 * 0.010 + 5.0 * 0.025) / 4.0);
    same(alone.value("s.memory.collections"), 5.0);
    // Four at once have three cores: 40 ms of work in 40/3 ms.
    let four = ran(&single("{ at: [5s, 5s, 5s, 5s] }", &service, "[ cpu: 10ms ]"), plan(10));
    assert!((four.value("users.latency.max") - 0.040 / 3.0).abs() < 1e-9);
    let text = refused(&single(
        "{ constant: 1/s }",
        &service.replace("work: 25ms", "work: 25ms, share: 100%"),
        "[ cpu: 1ms ]",
    ));
    assert!(text.contains("from 0.1% to 99.9% of the cores"), "{text}");
}

#[test]
fn memory_is_conserved_through_kills_timeouts_branches_and_loops() {
    let model = "
clients:
  users: { arrivals: { poisson: 300/s }, call: front.page, timeout: 150ms }
services:
  front:
    instances: 3
    machine: { cores: 1, memory: 70MiB }
    runtime: { threads: { limit: 20, stack: 1MiB } }
    memory:
      base: 20MiB
      per_request: { exponential: 2MiB }
      leak: { per_request: 20KiB, per_second: 500KiB }
      at_limit: { kill: { restart: 700ms } }
      garbage_collector: { allocated: { exponential: 1MiB }, heap: 50MiB, pause: { exponential: 5ms }, concurrent: { work: 20ms } }
    operations:
      page:
        - cpu: { exponential: 2ms }
        - parallel: [ { call: back.get, timeout: 20ms }, [ wait: 5ms, cpu: 1ms ] ]
        - repeat: { times: 3, steps: [ fail: 1%, call: back.get ] }
        - reply: 1kB
        - cpu: 1ms
  back:
    machine: { cores: 2, memory: 14MiB }
    runtime: { goroutines: {} }
    memory: { per_request: { exponential: 1MiB }, at_limit: { kill: { restart: 100ms } } }
    operations: { get: [ cpu: { exponential: 1ms }, wait: { exponential: 10ms } ] }
";
    let blueprint: Blueprint = blueprint(model);
    for seed in 0..5 {
        let plan = Plan { seed, drain: 0, ..plan(20) };
        // The laws are checked at the end of the run, those of memory too.
        let record = System::new(&blueprint, plan).run(&|| false).unwrap_or_else(|violation| panic!("{violation}"));
        let kills: f64 = record.memories.iter().map(|memory| memory.kills).sum();
        assert!(kills > 3.0, "seed {seed}: {kills}");
    }
}

// What always takes memory.

#[test]
fn open_connections_take_memory_at_whom_they_are_open_to() {
    let model = "
clients:
  users: { arrivals: { users: 99, think: 1s }, call: front.o }
services:
  front:
    instances: 2
    memory: { base: 1MiB, per_connection: 1MiB }
    pools: { back: { size: 10 }, unused: { size: 1000 } }
    operations: { o: [ repeat: { times: 2, steps: [ { call: back.o, through: back } ] } ] }
  back: { memory: { per_connection: 2MiB }, operations: { o: [ wait: 1ms ] } }
";
    let ran = ran(model, plan(10));
    // 99 users on two instances: 50 at most; the pools of two instances.
    same(ran.value("front.memory.used"), f64::from(51 << 20));
    same(ran.value("back.memory.used"), f64::from(40 << 20));
}

#[test]
fn caches_take_memory_where_they_are() {
    let model = "
clients:
  users: { arrivals: { constant: 10/s }, call: s.o, keys: { population: 100 } }
caches:
  near: { items: 1000, size: 2KiB, local: true, lower: far }
  far: { bytes: 64MiB, memory: { base: 8MiB } }
  other: { items: 1000, local: true }
services:
  s: { memory: { base: 1MiB }, operations: { o: [ cache: near ] } }
  t: { memory: { base: 1MiB }, operations: { o: [ cache: other ] } }
";
    let ran = ran(model, plan(10));
    same(ran.value("s.memory.used"), f64::from((1 << 20) + (2000 << 10)));
    same(ran.value("t.memory.used"), f64::from((1 << 20) + (1000 << 10)));
    same(ran.value("far.memory.used"), f64::from(72 << 20));
}

// Tasks on threads.

#[test]
fn tasks_cost_switches_only_where_threads_share_a_core() {
    let latency = |runtime: &str| {
        let service = format!("machine: {{ cores: 1, context_switch: {{ cost: 150us }} }}, runtime: {runtime},");
        ran(&single("{ at: [0s, 0s] }", &service, "[ cpu: 30ms ]"), plan(10)).value("users.latency.max")
    };
    same(latency("{ goroutines: {} }"), 0.060);
    // Two threads take turns of 3 ms.
    same(latency("{ goroutines: { max_procs: 2 } }"), 0.060 * 3.15 / 3.0);
    same(latency("{ workers: 2 }"), 0.060 * 3.15 / 3.0);
    same(latency("event_loop"), 0.060);
}

// Messages.

#[test]
fn a_format_takes_bytes_and_the_cpu_of_whoever_writes_and_reads() {
    let model = "
clients: { users: { arrivals: { at: [1s] }, call: front.o } }
services:
  front:
    machine: { cores: 1 }
    format: { size: 0.25, encode: 1ms, decode: 2ms }
    operations: { o: [ { call: back.o, request: 8KiB }, { decode: 16KiB } ] }
  back:
    machine: { cores: 1 }
    format: { size: 0.25, encode: 1ms, decode: 2ms }
    operations: { o: [ decode: 8KiB, cpu: 5ms, reply: 16KiB ] }
links: { front -> back: { bandwidth: 1MB/s } }
";
    let split = ran(model, plan(10)).split(0);
    same(split["front.cpu service"], 0.008 + 0.032);
    same(split["back.cpu service"], 0.016 + 0.005 + 0.016);
    same(split["front -> back.link service"], 0.002_048 + 0.004_096);
}

#[test]
fn what_is_written_is_as_long_as_what_is_sent() {
    let model = "
clients: { users: { arrivals: { at: [1s, 2s, 3s] }, call: front.o } }
services:
  front:
    machine: { cores: 1 }
    format: { encode: 1ms }
    operations: { o: [ { call: back.o, request: { exponential: 80KiB } } ] }
  back: { operations: { o: [ wait: 1ms ] } }
links: { front -> back: { latency: 1ms } }
";
    let ran = ran(model, plan(10));
    let sent = ran.value("front -> back.traffic");
    assert!(sent > 0.0 && (ran.value("front.cpu.busy") / (sent / 1024.0 * 1e-3) - 1.0).abs() < 1e-3);
}

#[test]
fn reading_needs_a_format() {
    let text = refused(&single("{ constant: 1/s }", "", "[ decode: 1KiB ]"));
    assert!(text.contains("how messages are written; add `format: json`"), "{text}");
}

// Sizes.

const SIZES: &str =
    "catalogue: { small: { cores: 2, memory: 8GiB, price: 0.10/h }, large: { cores: 8, price: 0.50/h } }\n";

#[test]
fn a_size_fills_in_what_the_machine_does_not_say() {
    let sized = |machine: &str| {
        let model = single("{ constant: 10/s }", &format!("instances: 2, machine: {machine},"), "[ cpu: 10ms ]");
        ran(&format!("{SIZES}{model}"), warm())
    };
    let large = sized("{ size: large }");
    same(large.value("s.cpu.utilization"), 0.1 / 16.0);
    same(large.value("s.cost"), 1.0);
    // 1.00/h for 10 requests per second.
    same(large.value("users.cost_per_million"), 1.0 / 36000.0 * 1e6);
    same(sized("{ size: large, cores: 1 }").value("s.cpu.utilization"), 0.05);
    same(sized("{ size: { cores: 1 } }").value("s.cost"), 0.2);
    same(sized("{ size: { cores: 3 } }").value("s.cost"), 1.0);
}

#[test]
fn an_unknown_size_and_one_that_is_too_large_name_the_largest() {
    let model = |machine: &str| single("{ constant: 10/s }", &format!("machine: {machine},"), "[ cpu: 10ms ]");
    let unknown = refused(&format!("{SIZES}{}", model("{ size: huge }")));
    assert!(unknown.contains("there is no size `huge`") && unknown.contains("the largest is `large`"), "{unknown}");
    let beyond = refused(&format!("{SIZES}{}", model("{ size: { cores: 128 } }")));
    assert!(
        beyond.contains("no size as large as this") && beyond.contains("the largest is `large` (8 cores)"),
        "{beyond}"
    );
    let none = refused(&model("{ size: huge }"));
    assert!(none.contains("there is no catalogue of sizes"), "{none}");
}

#[test]
fn a_catalogue_can_be_a_file_of_its_own() {
    let sizes = "small: { cores: 2, price: 0.10/h }\n";
    let model = single("{ constant: 10/s }", "machine: { size: small },", "[ cpu: 10ms ]");
    let files = Memory::of("m.yaml", format!("catalogue: sizes.yaml\n{model}")).and("sizes.yaml", sizes);
    assert!(try_design(&files, "m.yaml", &Options::default()).is_ok());
    let text =
        try_design(&Memory::of("m.yaml", format!("catalogue: sizes.yaml\n{model}")), "m.yaml", &Options::default());
    assert!(text.err().is_some_and(|text| text.contains("`sizes.yaml` cannot be read")));
}

// Time series.

#[test]
fn time_series_of_variants_with_other_parts_stand_in_their_own_columns() {
    let study = study(
        "
question: q
model:
  clients: { users: { arrivals: { constant: 10/s }, call: s.o } }
  services:
    s: { machine: { cores: 1 }, operations: { o: [ cpu: 30ms, call: t.o ] } }
    t: { machine: { cores: 1 }, operations: { o: [ cpu: 60ms ] } }
run: { warm_up: 1s, window: 10s, interval: 1s, replications: 2 }
variants:
  plain: {}
  with workers and memory: { services.s.runtime: { workers: 5 }, services.s.memory: { base: 1MiB } }
",
    );
    let value = |point: usize, column: &str| {
        let place = study.columns.iter().position(|known| known.name == column).expect("it is a column");
        study.points[point].series[5][place]
    };
    for point in [0, 1] {
        same(value(point, "s.cpu.utilization").expect("there is a CPU"), 0.3);
        same(value(point, "t.cpu.utilization").expect("there is a CPU"), 0.6);
    }
    assert_eq!([value(0, "s.workers.utilization"), value(0, "s.memory.used")], [None, None]);
    same(value(1, "s.workers.utilization").expect("there are workers"), 10.0 * 0.09 / 5.0);
    same(value(1, "s.memory.used").expect("there is memory"), f64::from(1 << 20));
}
