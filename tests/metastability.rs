//! What is read off the time series of runs: SLOs per minute, probability of collapse, recovery, hysteresis, and their map.

use scalelab::experiment::design::Options;
use scalelab::report::write::files;
use scalelab::study::Study;
use scalelab::study::finding::Verdict;

use crate::support::{Memory, study, try_design};

fn value(study: &Study, metric: &str, point: usize) -> Option<f64> {
    let index = study.metric(metric).unwrap_or_else(|| panic!("there is no metric {metric}"));
    study.points[point].estimates[index].map(|estimate| estimate.mean)
}

/// A service that fails from 100 s to 220 s, and answers in 50 ms otherwise; the window is 60 s to 660 s.
fn failing(expect: &str) -> Study {
    study(&format!(
        "question: q
model:
  clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}
  services: {{ s: {{ operations: {{ o: [ wait: 50ms ] }} }} }}
run: {{ warm_up: 60s, window: 600s, replications: 2 }}
faults: [ {{ at: 100s, for: 120s, errors: {{ target: s, share: 100% }} }} ]
expect:
{expect}"
    ))
}

#[test]
fn bad_minutes_are_counted() {
    let study = failing(
        "  - { slo: { users.failures: 0.5% }, in: 70% of minutes }
  - { slo: { users.latency.p95: 40ms }, in: 20% of minutes }
  - { slo: { users.failures: 40%, users.latency.p95: 60ms }, in: 81% of minutes }",
    );
    // Of ten minutes 20 s of the first, all of the second and 40 s of the third fail.
    assert_eq!(value(&study, "slo.1", 0), Some(0.7));
    // A minute without successes has no p95, and nobody waits in it.
    assert_eq!(value(&study, "slo.2", 0), Some(0.1));
    // A third of failures is less than 40 %.
    assert_eq!(value(&study, "slo.3", 0), Some(0.8));
    let verdicts: Vec<Verdict> = study.expectations.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Held, Verdict::Failed, Verdict::Failed]);
    assert!(study.expectations[0].measured.contains("6 of 20 minutes were bad"), "{}", study.expectations[0].measured);
    assert_eq!(study.run.interval, 60.0);
}

#[test]
fn an_slo_that_cannot_be_judged_is_refused() {
    let wrong = [
        ("{ slo: { users.failures: 0.5% } }", "99% of minutes"),
        ("{ slo: { users.failure: 0.5% }, in: 99% of minutes }", "users.failures"),
        ("{ slo: { users.failures: 5ms }, in: 99% of minutes }", "5ms"),
        ("{ slo: { users.failures: 0.5% }, in: 99% of moons }", "moons"),
        ("{ slo: { users.failures: 0.5% }, metric: users.goodput, in: 99% of minutes }", "own bounds"),
    ];
    for (expectation, hint) in wrong {
        let text = format!(
            "question: q
model:
  clients: {{ users: {{ arrivals: {{ constant: 10/s }}, call: s.o }} }}
  services: {{ s: {{ operations: {{ o: [ wait: 50ms ] }} }} }}
run: {{ window: 120s }}
expect: [ {expectation} ]"
        );
        let error = try_design(&Memory::of("e.yaml", text), "e.yaml", &Options::default()).expect_err(expectation);
        assert!(error.contains(hint), "{expectation}: {error}");
    }
}

/// The system of Bronson et al.: 300 queries per second, a timeout of 1 s, one retry; evenly spaced arrivals.
fn metastable(run: &str, rest: &str) -> Study {
    study(&format!(
        "question: q
model:
  clients: {{ users: {{ arrivals: {{ constant: 200/s }}, call: db.query, timeout: 1s, retry: {{ attempts: 2 }} }} }}
  services: {{ db: {{ runtime: {{ workers: 3 }}, queue: {{ limit: 900 }}, operations: {{ query: [ wait: 10ms ] }} }} }}
metastability: {{ client: users }}
run: {run}
{rest}"
    ))
}

#[test]
fn a_system_collapses_or_recovers_by_load_and_trigger() {
    let study = metastable(
        "{ warm_up: 60s, window: 20s, interval: 1s, replications: 3 }",
        "faults: [ { at: 5s, for: 2s, hang: db } ]
sweep: { clients.users.arrivals.constant: [140/s, 200/s], \"faults[0].for\": [100ms, 4s] }
plots: [ { y: users.collapsed, x: \"faults[0].for\", map: clients.users.arrivals.constant, title: t } ]",
    );
    let collapsed: Vec<Option<f64>> = (0..4).map(|point| value(&study, "users.collapsed", point)).collect();
    assert_eq!(collapsed, [Some(0.0), Some(0.0), Some(0.0), Some(1.0)]);
    // With three runs the probability is hardly known: Clopper and Pearson's upper end of 0 of 3 is 70.8 %.
    let estimate = study.points[0].estimates[study.metric("users.collapsed").expect("there")].expect("known");
    assert!((estimate.half_width.expect("known") - 0.7076).abs() < 1e-4);
    assert_eq!(value(&study, "users.recovery", 0), Some(0.0), "never down");
    assert_eq!(value(&study, "users.recovery", 3), None, "still down at the end");
    // Nothing happens for 4 s and 280 attempts per second come: at most 1120 wait, of 900 allowed, and 20/s drain.
    let recovery = value(&study, "users.recovery", 1).expect("it recovers");
    assert!((10.0..50.0).contains(&recovery), "{recovery}");
    let written = files(&study).expect("charts can be drawn");
    assert!(
        written.iter().any(|file| file.0.contains("map")),
        "no map among {:?}",
        written.iter().map(|file| &file.0).collect::<Vec<_>>()
    );
}

#[test]
fn the_way_down_is_not_the_way_up() {
    let study = metastable(
        "{ warm_up: 0s, window: 200s, interval: 1s, replications: 2 }",
        "set: { clients.users.arrivals: { constant: { stages: [ { rate: 60/s, for: 1s }, { rate: 340/s, for: 99s, ramp: true },
    { rate: 60/s, for: 100s, ramp: true } ] } } }",
    );
    let (fell, rose) =
        (value(&study, "users.fell_at", 0).expect("it falls"), value(&study, "users.rose_at", 0).expect("it rises"));
    // Case G03. It falls when a second's work waits: 300 = 2.83/s² · t²/2, 14.6 s after the load was 300/s. It is stuck until the load is
    // below 150/s and the 600 that are more than a second's work are gone: 600 = 2 · 2.8/s² · t²/2, 14.6 s later.
    assert!((fell / 341.0 - 1.0).abs() < 0.03, "{fell}");
    assert!((rose / 109.0 - 1.0).abs() < 0.06, "{rose}");
}
