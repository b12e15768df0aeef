//! Systems with a known, planted bottleneck: `explain` must name it, and call useless what is useless.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use scalelab::experiment::conduct;
use scalelab::experiment::design::{Options, design};
use scalelab::experiment::runner::Unobserved;
use scalelab::insight::compare::compare;
use scalelab::insight::explain;
use scalelab::insight::find::find;
use scalelab::model::system::Plan;
use scalelab::report::json::{read_summary, summary_json};
use scalelab::spec::load::Loader;
use scalelab::spec::text::diagnostic::render;
use scalelab::study::insight::{Change, Class, Effect, Insight, Judgement, LeverKind, Topic};
use scalelab::study::search::Search;

use crate::support::{Folder, Memory, plan, ran, study};

/// Explains the only point of a model that runs for a few seconds.
pub(crate) fn explained(model: &str) -> Insight {
    explained_for("warm_up: 1s, window: 20s", model)
}

/// The same with other times.
pub(crate) fn explained_for(times: &str, model: &str) -> Insight {
    let indented = model.replace('\n', "\n  ");
    let text = format!("question: What binds?\nrun: {{ {times}, drain: 2s, replications: 4 }}\nmodel:\n  {indented}\n");
    let memory = Memory::of("e.yaml", text);
    let mut loader = Loader::new(&memory);
    let designed = loader.load(Path::new("e.yaml")).and_then(|document| {
        let design = design(&loader, &document, &Options::default())?;
        Ok((document, design))
    });
    let (document, design) = match designed {
        Ok(designed) => designed,
        Err(found) => panic!("{}", render(&found, &loader.sources, false)),
    };
    let stop = AtomicBool::new(false);
    let study = conduct(&document, &design, "test", 2, &Unobserved, &stop).expect("all laws hold");
    let insight = explain(&loader, &document, &design, &study, 0, None, 2, &Unobserved, &stop);
    insight.expect("all laws hold").expect("there is a client")
}

pub(crate) fn doubled<'a>(insight: &'a Insight, key: &str) -> &'a Effect {
    let found = insight.effects.iter().find(|effect| effect.lever.key == key && effect.change == Change::Double);
    found.unwrap_or_else(|| panic!("{key} was not doubled: {:?}", keys(insight)))
}

fn keys(insight: &Insight) -> Vec<&str> {
    insight.effects.iter().map(|effect| effect.lever.key.as_str()).collect()
}

#[track_caller]
pub(crate) fn diagnosed(insight: &Insight, class: Class, bottleneck: &str) {
    let told: Vec<&str> = insight.verdict.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    assert_eq!(insight.verdict.class, Some(class), "{}", told.join("\n"));
    assert_eq!(insight.verdict.bottleneck.as_deref(), Some(bottleneck), "{}", told.join("\n"));
    assert!(insight.verdict.confidence.is_some_and(|sure| sure > 0.95), "{:?}", insight.verdict);
    let figures = insight.verdict.sentences.iter().filter(|sentence| sentence.topic != Topic::Certainty);
    for sentence in figures {
        assert!(!sentence.figures.is_empty(), "without a figure: {}", sentence.text);
    }
}

/// 2 cores / 10 ms = 200 per second, and 300 are asked.
const CPU: &str = "clients: { users: { arrivals: { poisson: 300/s }, call: web.page } }
services:
  web:
    machine: { cores: 2 }
    runtime: { workers: 40 }
    queue: { limit: 40 }
    operations: { page: [ cpu: { exponential: 10ms } ] }";

#[test]
fn a_service_that_computes_is_cpu_bound_and_more_workers_are_useless() {
    let insight = explained(CPU);
    diagnosed(&insight, Class::Cpu, "web.cpu");
    assert_eq!(insight.metric, "users.goodput");
    assert_eq!(doubled(&insight, "services.web.runtime.workers").judgement, Judgement::NoDifference);
    let gain = doubled(&insight, "services.web.machine.cores").gain;
    assert!((gain - 0.5).abs() < 0.05, "{gain}");
    let facts = insight.stations.iter().find(|facts| facts.station == "cpu").expect("it has cores");
    assert!((facts.most.expect("it was busy") - 200.0).abs() < 10.0, "{facts:?}");
    assert!(facts.utilization > 0.98, "{facts:?}");
}

#[test]
fn a_pool_that_is_too_small_is_named_and_a_bigger_cpu_is_called_useless() {
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 300/s }, call: web.page } }
services:
  web:
    machine: { cores: 2 }
    runtime: { workers: 10 }
    queue: { limit: 20 }
    operations: { page: [ cpu: { exponential: 1ms }, call: db.read ] }
  db: { operations: { read: [ wait: { lognormal: { mean: 49ms, cv: 0.5 } } ] } }",
    );
    diagnosed(&insight, Class::Pool, "web.workers");
    let cores = doubled(&insight, "services.web.machine.cores");
    assert_eq!(cores.judgement, Judgement::NoDifference, "{cores:?}");
    let useless = insight.verdict.sentences.iter().find(|sentence| sentence.topic == Topic::Useless);
    assert!(useless.expect("the CPU").text.contains("CPU cores of web"), "{:?}", insight.verdict);
    // 10 workers / 50 ms = 200 per second.
    let facts = insight.stations.iter().find(|facts| facts.station == "workers").expect("it has workers");
    assert!((facts.service.expect("it was used") - 0.05).abs() < 0.003, "{facts:?}");
    // Little's law holds but for what began before the window or ended after it.
    assert!(facts.residual.expect("some waited").abs() < 0.05, "{facts:?}");
    // A shorter wait would free workers too, and is listed.
    let wait = doubled(&insight, "services.db.operations.read[0].wait");
    assert_eq!((wait.judgement, wait.lever.kind), (Judgement::Better, LeverKind::Demand));
}

#[test]
fn a_saturated_service_behind_another_is_found_through_it() {
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 300/s }, call: web.page } }
services:
  web:
    machine: { cores: 4 }
    runtime: { workers: 60 }
    queue: { limit: 20 }
    operations: { page: [ cpu: { exponential: 2ms }, call: db.read ] }
  db: { machine: { cores: 1 }, operations: { read: [ cpu: { exponential: 5ms } ] } }",
    );
    diagnosed(&insight, Class::Cpu, "db.cpu");
    // All workers of the service in front are busy, waiting for the one behind; more of them change nothing.
    let front = insight.stations.iter().find(|facts| facts.station == "workers").expect("it has workers");
    assert!(front.utilization > 0.9, "{front:?}");
    assert_eq!(doubled(&insight, "services.web.runtime.workers").judgement, Judgement::NoDifference);
    assert_eq!(doubled(&insight, "services.web.machine.cores").judgement, Judgement::NoDifference);
}

#[test]
fn a_slow_dependency_is_named_when_nothing_queues() {
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 100/s }, call: web.page } }
services:
  web:
    machine: { cores: 4 }
    operations: { page: [ cpu: { exponential: 2ms }, call: api.ask, call: db.read ] }
  api: { operations: { ask: [ wait: { lognormal: { mean: 200ms, cv: 0.3 } } ] } }
  db: { operations: { read: [ wait: { lognormal: { mean: 20ms, cv: 0.3 } } ] } }",
    );
    diagnosed(&insight, Class::Dependency, "api.wait");
    assert_eq!(insight.metric, "users.latency.p95");
    assert_eq!(doubled(&insight, "services.web.machine.cores").judgement, Judgement::NoDifference);
}

#[test]
fn a_blocked_event_loop_gains_by_a_faster_core_and_not_by_more_cores() {
    // One loop / 8 ms = 125 per second, whatever the cores.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 200/s }, call: web.page, timeout: 1s } }
services:
  web:
    machine: { cores: 4 }
    runtime: event_loop
    operations: { page: [ cpu: 8ms, wait: 5ms ] }",
    );
    diagnosed(&insight, Class::Cpu, "web.cpu");
    assert_eq!(doubled(&insight, "services.web.machine.speed").judgement, Judgement::Better);
    assert_eq!(doubled(&insight, "services.web.machine.cores").judgement, Judgement::NoDifference);
}

#[test]
fn a_cpu_quota_is_named_and_not_the_cores_that_it_forbids_to_use() {
    // A quota of 1 core / 10 ms = 100 per second, on a machine with 4 cores.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 160/s }, call: web.page } }
services:
  web:
    machine: { cores: 4, quota: 1 }
    runtime: { workers: 50 }
    queue: { limit: 50 }
    operations: { page: [ cpu: { exponential: 10ms } ] }",
    );
    diagnosed(&insight, Class::Cpu, "web.quota");
    assert_eq!(doubled(&insight, "services.web.machine.cores").judgement, Judgement::NoDifference);
}

#[test]
fn pauses_of_a_garbage_collector_are_named_and_a_bigger_cpu_is_called_useless() {
    // 10 MiB × 100/s fill 250 MiB four times a second: the world stands still for 20 % of the time.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 100/s }, call: web.page } }
services:
  web:
    machine: { cores: 4, memory: 4GiB }
    memory: { garbage_collector: { allocated: 10MiB, heap: 250MiB, pause: 50ms } }
    operations: { page: [ cpu: 2ms ] }",
    );
    diagnosed(&insight, Class::Memory, "web.garbage");
    assert_eq!(doubled(&insight, "services.web.machine.cores").judgement, Judgement::NoDifference);
}

#[test]
fn a_closed_population_that_waits_is_judged_by_its_throughput() {
    let insight = explained(
        "clients: { users: { arrivals: { users: 40, think: { exponential: 50ms } }, call: web.page } }
services:
  web: { machine: { cores: 1 }, operations: { page: [ cpu: { exponential: 5ms }, wait: 1ms ] } }",
    );
    diagnosed(&insight, Class::Cpu, "web.cpu");
    assert_eq!(insight.metric, "users.goodput");
    let bounds = insight.bounds.expect("it was busy");
    assert!((bounds.most - 200.0).abs() < 10.0, "{bounds:?}");
    // N* = (5 ms + 1 ms + 50 ms) / 5 ms.
    assert!((bounds.saturation - 11.2).abs() < 1.0, "{bounds:?}");
}

#[test]
fn behind_the_bottleneck_is_the_next_one() {
    // 10 workers / 20 ms = 500 per second; behind them 1 core / 1.6 ms = 625 per second.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 900/s }, call: web.page } }
services:
  web:
    machine: { cores: 1 }
    runtime: { workers: 10 }
    queue: { limit: 20 }
    operations: { page: [ cpu: { exponential: 1.6ms }, wait: 15ms ] }",
    );
    diagnosed(&insight, Class::Pool, "web.workers");
    let next =
        insight.verdict.sentences.iter().find(|sentence| sentence.topic == Topic::Next).expect("it was relieved");
    assert!(next.text.contains("the next bottleneck is CPU cores of web"), "{}", next.text);
}

#[test]
fn explaining_is_deterministic_and_survives_the_summary() {
    let (one, other) = (explained(CPU), explained(CPU));
    assert_eq!(one, other);
    let mut study =
        study(&format!("question: q\nrun: {{ window: 1s, replications: 2 }}\nmodel:\n  {}", CPU.replace('\n', "\n  ")));
    study.insights.push(one.clone());
    let read = read_summary(&summary_json(&study)).expect("it is whole");
    assert_eq!(read.insights, [one]);
}

#[test]
fn a_comparison_tells_better_from_worse_and_from_no_difference() {
    let of = |cores: u32, replications: u32| {
        study(&format!(
            "question: q
run: {{ warm_up: 1s, window: 5s, replications: {replications} }}
model:
  clients: {{ users: {{ arrivals: {{ poisson: 100/s }}, call: web.page }} }}
  services: {{ web: {{ machine: {{ cores: {cores} }}, operations: {{ page: [ cpu: {{ exponential: 8ms }} ] }} }} }}"
        ))
    };
    let (one, two) = (of(1, 6), of(2, 6));
    let judged = |comparison: &scalelab::study::comparison::Comparison, metric: &str| {
        let row = comparison.rows.iter().find(|row| row.metric == metric);
        row.unwrap_or_else(|| panic!("{metric} was not compared")).judgement
    };
    let faster = compare(&one, &two, 0.01, false);
    assert!(faster.paired);
    assert_eq!(judged(&faster, "users.latency.mean"), Judgement::Better);
    assert_eq!(judged(&compare(&two, &one, 0.01, false), "users.latency.mean"), Judgement::Worse);
    assert!(compare(&one, &one, 0.01, true).rows.iter().all(|row| row.judgement == Judgement::NoDifference));
    // With other replications there are no pairs, and more doubt.
    let apart = compare(&one, &of(2, 5), 0.01, false);
    assert!(!apart.paired);
    assert_eq!(judged(&apart, "users.latency.mean"), Judgement::Better);
}

#[test]
fn time_is_split_by_operation_and_over_time_to_the_last_nanosecond() {
    let plan = Plan { detailed: true, ..plan(5) };
    let ran = ran(
        "clients: { users: { arrivals: { poisson: 100/s }, mix: { web.page: 60%, web.list: 40% } } }
services:
  web:
    machine: { cores: 2 }
    operations: { page: [ cpu: { exponential: 9ms }, call: db.read ], list: [ cpu: 2ms ] }
  db: { runtime: { workers: 3 }, operations: { read: [ wait: 20ms ] } }",
        plan,
    );
    let detail = ran.record.detail.as_ref().expect("it was asked for");
    for (number, operation) in ["web.page", "web.list", "db.read"].into_iter().enumerate() {
        let split = detail.operations[number].slowest(1.0).expect("it was called");
        let sum: f64 = split.seconds.iter().sum();
        let mean = ran.value(&format!("{operation}.latency.mean"));
        assert!((sum / mean - 1.0).abs() < 1e-9, "{operation}: {sum} is not {mean}");
    }
    let rows = &detail.intervals[0];
    let (count, time) =
        rows.iter().fold((0, 0), |(count, time), row| (count + row[0], time + row[1..].iter().sum::<u64>()));
    let book = &ran.record.clients[0];
    assert_eq!(count, book.ended[0]);
    assert_eq!(u128::from(time), book.time_in_flight);
}

#[test]
fn closed_forms_stand_beside_the_models_that_have_one_and_no_others() {
    let of = |client: &str, service: &str| {
        let study = study(&format!(
            "question: q
run: {{ warm_up: 1s, window: 60s, replications: 5 }}
model:
  clients: {{ users: {{ {client}, call: web.page }} }}
  services: {{ web: {{ {service} }} }}"
        ));
        let theory = study.theories.first()?;
        let (metric, value) = &theory.values[0];
        let measured =
            study.points[0].estimates[study.metric(metric).expect("it is a metric")].expect("it has a value");
        assert!((measured.mean / value - 1.0).abs() < 0.1, "{}: {} is not {value}", theory.formula, measured.mean);
        Some(theory.formula.clone())
    };
    let poisson = "arrivals: { poisson: 100/s }";
    let found = |client: &str, service: &str| of(client, service).unwrap_or_default();
    let wait = "operations: { page: [ wait: { exponential: 20ms } ] }";
    assert_eq!(found(poisson, &format!("runtime: {{ workers: 3 }}, {wait}")), "M/M/3");
    assert_eq!(found(poisson, &format!("runtime: {{ workers: 2 }}, queue: {{ limit: 4 }}, {wait}")), "M/M/2/6");
    assert_eq!(found(poisson, "runtime: { workers: 1 }, operations: { page: [ wait: 6ms ] }"), "M/D/1");
    let cpu = "operations: { page: [ cpu: { exponential: 15ms } ] }";
    assert_eq!(found(poisson, &format!("machine: {{ cores: 2 }}, {cpu}")), "M/M/2, processor sharing");
    assert_eq!(
        found("arrivals: { users: 20, think: { exponential: 100ms } }", &format!("machine: {{ cores: 1 }}, {cpu}")),
        "M/M/1//20"
    );
    // Unstable, two steps, two instances, a timeout: no formula.
    for (client, service) in [
        (poisson, format!("runtime: {{ workers: 2 }}, {wait}")),
        (poisson, "runtime: { workers: 9 }, operations: { page: [ wait: 2ms, wait: 2ms ] }".to_owned()),
        (poisson, format!("instances: 2, runtime: {{ workers: 3 }}, {wait}")),
        ("arrivals: { poisson: 100/s }, timeout: 1s", format!("runtime: {{ workers: 3 }}, {wait}")),
    ] {
        assert_eq!(of(client, &service), None, "{client} {service}");
    }
}

/// 1 core / 8 ms = 125 per second for 300 per second: three cores, which are 80 % busy, or instances of one core.
const SIZED: &str = "question: How small?
run: { warm_up: 2s, window: 20s, replications: 3 }
model:
  clients: { users: { arrivals: { poisson: 300/s }, call: web.page } }
  services: { web: { machine: { cores: 1 }, operations: { page: [ cpu: { exponential: 8ms } ] } } }
expect:
  - { metric: users.latency.mean, below: 30ms }
";

fn searched(text: &str) -> Search {
    let memory = Memory::of("e.yaml", text);
    let mut loader = Loader::new(&memory);
    let document = loader.load(Path::new("e.yaml")).unwrap_or_else(|found| panic!("{found:?}"));
    let stop = AtomicBool::new(false);
    match find(&loader, &document, &Options::default(), 2, &Unobserved, &stop) {
        Ok(search) => search,
        Err(_) => panic!("the search failed"),
    }
}

#[test]
fn the_cheapest_setting_is_found_and_all_cheaper_ones_are_ruled_out() {
    let search = searched(&format!(
        "{SIZED}find: {{ vary: {{ services.web.machine.cores: {{ from: 1, to: 16, points: 16 }} }} }}\n"
    ));
    let found = &search.path[search.found.expect("three cores do")];
    assert_eq!(found.setting, ["3"]);
    assert_eq!(search.lower_bound, Some(found.cost));
    // Halving 16 values takes no more than 5 trials.
    assert!(search.path.len() <= 5, "{:?}", search.path);
    // Two keys with prices of their own: cores cost 1, instances 1.2, and cores in one machine share better.
    let search = searched(&format!(
        "{SIZED}find:
  vary: {{ services.web.machine.cores: [1, 2, 3, 4], services.web.instances: [1, 2, 3, 4] }}
  cost: {{ services.web.machine.cores: 1, services.web.instances: 2 }}
"
    ));
    let found = &search.path[search.found.expect("one instance with three cores does")];
    assert_eq!((found.setting.as_slice(), found.cost), (["3".to_owned(), "1".to_owned()].as_slice(), 5.0));
    assert!(search.ruled_out > 0);
    let none = searched(&format!("{SIZED}find: {{ vary: {{ services.web.machine.cores: [1, 2] }} }}\n"));
    assert_eq!((none.found, none.lower_bound), (None, None));
}

#[test]
fn the_most_load_that_an_slo_allows_is_found() {
    // M/M/1: a mean of 24 ms at 8 ms of work means 83 per second.
    let search = searched(
        "question: How much?
run: { warm_up: 5s, window: 200s, replications: 6 }
model:
  clients: { users: { arrivals: { poisson: 10/s }, call: web.page } }
  services: { web: { machine: { cores: 1 }, operations: { page: [ cpu: { exponential: 8ms } ] } } }
expect: [ { metric: users.latency.mean, below: 24ms } ]
find:
  vary: { clients.users.arrivals.poisson: { from: 10/s, to: 120/s, points: 12 } }
  cost: { clients.users.arrivals.poisson: -1 }
",
    );
    let found = &search.path[search.found.expect("a small load is served")];
    assert_eq!(found.setting, ["80/s"], "{:?}", search.path);
}

#[test]
fn replications_are_added_until_the_interval_is_narrow_enough() {
    let of = |precision: &str| {
        study(&format!(
            "question: q
run: {{ warm_up: 1s, window: 5s, replications: 3{precision} }}
model:
  clients: {{ users: {{ arrivals: {{ poisson: 100/s }}, call: web.page }} }}
  services: {{ web: {{ machine: {{ cores: 1 }}, operations: {{ page: [ cpu: {{ exponential: 7ms }} ] }} }} }}"
        ))
    };
    let width = |study: &scalelab::study::Study| {
        let metric = study.metric("users.latency.mean").expect("it is a metric");
        let estimate = study.points[0].estimates[metric].expect("requests were answered");
        (estimate.half_width.expect("there are several") / estimate.mean, study.points[0].runs.len())
    };
    let (plain, runs) = width(&of(""));
    assert!(plain > 0.1 && runs == 3, "{plain} {runs}");
    let (narrow, runs) = width(&of(", precision: { users.latency.mean: 10% }"));
    assert!(narrow <= 0.1 && runs > 3, "{narrow} {runs}");
    let capped = of(", precision: { users.latency.mean: 1% }, most_replications: 6");
    assert_eq!(capped.points[0].runs.len(), 6);
    assert!(capped.warnings.iter().any(|warning| warning.contains("is not known to ± 1 %")), "{:?}", capped.warnings);
    // The first replications are those that there would have been without.
    assert_eq!(of("").points[0].runs, capped.points[0].runs[..3]);
}

#[test]
fn a_warm_up_is_found_where_there_is_one() {
    let of = |arrivals: &str, steps: &str| {
        study(&format!(
            "question: q
run: {{ warm_up: auto, window: 60s, replications: 3 }}
model:
  clients: {{ users: {{ arrivals: {arrivals}, call: web.page }} }}
  services: {{ web: {{ operations: {{ page: [ {steps} ] }} }} }}"
        ))
    };
    // Requests that take 5 s: it takes 5 s until as many are there as will be.
    let slow = of("{ poisson: 100/s }", "wait: 5s");
    assert!((4.0..20.0).contains(&slow.run.warm_up), "{}", slow.run.warm_up);
    assert!(!slow.warnings.iter().any(|warning| warning.contains("settle")), "{:?}", slow.warnings);
    // A queue that only grows never settles.
    let growing = study(
        "question: q
run: { warm_up: auto, window: 20s, replications: 3 }
model:
  clients: { users: { arrivals: { poisson: 100/s }, call: web.page } }
  services: { web: { runtime: { workers: 1 }, operations: { page: [ wait: 20ms ] } } }",
    );
    assert!(growing.warnings.iter().any(|warning| warning.contains("did not settle")), "{:?}", growing.warnings);
}

#[test]
fn explain_and_compare_answer_on_the_command_line() {
    let folder = Folder::new("explain");
    let experiment = |workers: u32| {
        format!(
            "question: Why?
run: {{ warm_up: 1s, window: 2s, drain: 1s, replications: 3 }}
model:
  clients: {{ users: {{ arrivals: {{ poisson: 300/s }}, call: web.page }} }}
  services:
    web:
      runtime: {{ workers: {workers} }}
      queue: {{ limit: 20 }}
      operations: {{ page: [ wait: 50ms ] }}
"
        )
    };
    folder.write("a.yaml", experiment(10));
    folder.write("b.yaml", experiment(20));
    let explained = folder.scalelab(&["explain", "a.yaml"]).with(0);
    assert!(explained.out.contains("pool-bound: web.workers"), "{}", explained.out);
    assert!(explained.out.contains("Operational laws"), "{}", explained.out);
    let better = folder.scalelab(&["compare", "output/a", "b.yaml"]).with(0);
    assert!(better.out.contains("better"), "{}", better.out);
    let worse = folder.scalelab(&["compare", "b.yaml", "output/a"]).with(99);
    assert!(worse.out.contains("worse"), "{}", worse.out);
    folder.scalelab(&["compare", "a.yaml"]).with(2);
    folder.scalelab(&["compare", "nowhere", "a.yaml"]).with(2);
    folder.scalelab(&["explain", "a.yaml", "--metric", "nobody.goodput"]).with(2);
    folder.scalelab(&["explain", "a.yaml", "--variant", "none"]).with(2);
}
