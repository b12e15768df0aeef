//! Simulations against theory: every file of `experiments/validation/` is run in full, and what it expects must hold.
//!
//! Beyond what the files can say, time-dependent systems are compared with their exact trajectories, a trace with its
//! exact times, and all steady states with Little's law and the interactive response time law. The table of all findings
//! in `docs/validation.md` must be the one that these runs give; `SCALELAB_BLESS=1 cargo test validation` writes it anew.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use scalelab::experiment::conduct;
use scalelab::experiment::design::{Options, design};
use scalelab::experiment::runner::Unobserved;
use scalelab::model::distribution::NoFiles;
use scalelab::model::system::{Plan, System};
use scalelab::report::markdown::validation_table;
use scalelab::spec::load::{Disk, Loader};
use scalelab::spec::resolve::resolve;
use scalelab::study::Point;
use scalelab::study::Study;
use scalelab::study::finding::Verdict;

const FOLDER: &str = "experiments/validation";
const DOCUMENT: &str = "docs/validation.md";
const BEGIN: &str = "<!-- generated from here -->\n";
const END: &str = "<!-- to here -->\n";

/// All studies, in alphabetical order of their files.
static STUDIES: LazyLock<Vec<Study>> = LazyLock::new(|| {
    let mut files: Vec<_> = std::fs::read_dir(FOLDER)
        .expect("the folder can be read")
        .map(|entry| entry.expect("its entries too").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files.iter().map(|file| study(file)).collect()
});

fn study(file: &Path) -> Study {
    let mut loader = Loader::new(&Disk);
    let document = loader.load(file).unwrap_or_else(|found| panic!("{}: {found:?}", file.display()));
    let design =
        design(&loader, &document, &Options::default()).unwrap_or_else(|found| panic!("{}: {found:?}", file.display()));
    conduct(&document, &design, "", 0, &Unobserved, &AtomicBool::new(false)).expect("no law is broken")
}

fn named(name: &str) -> &'static Study {
    STUDIES.iter().find(|study| study.experiment == name).expect("there is such a file")
}

fn mean(study: &Study, point: &Point, metric: &str) -> f64 {
    let index = study.metric(metric).unwrap_or_else(|| panic!("{} has no {metric}", study.experiment));
    point.estimates[index].expect("it was measured").mean
}

/// A column of the time series of a point: time at the end of the interval [s], mean, and half width of its interval.
fn series(study: &Study, point: &Point, name: &str) -> Vec<(f64, f64, f64)> {
    let column = study.columns.iter().position(|column| column.name == name).expect("there is such a column");
    let rows = point.series.iter().zip(&point.series_half_widths).enumerate();
    let value = |row: &[Option<f64>]| row[column].expect("a level always has a value");
    rows.map(|(number, (row, half))| ((number + 1) as f64 * study.run.interval, value(row), value(half))).collect()
}

#[test]
fn whatever_theory_says_holds() {
    let mut findings = 0;
    let mut broken = Vec::new();
    for study in STUDIES.iter() {
        assert!(study.warnings.is_empty(), "{}: {:?}", study.experiment, study.warnings);
        assert!(!study.expectations.is_empty(), "{} expects nothing", study.experiment);
        findings += study.expectations.len();
        let not_held = study.expectations.iter().filter(|finding| finding.verdict != Verdict::Held);
        broken.extend(not_held.map(|finding| {
            format!("{} ({}): {}, measured {}", study.experiment, finding.place, finding.expectation, finding.measured)
        }));
    }
    assert!(findings > 200, "only {findings} findings: are files missing?");
    assert!(broken.is_empty(), "not held:\n{}", broken.join("\n"));
}

#[test]
fn the_documented_table_is_what_the_runs_give() {
    let findings: usize = STUDIES.iter().map(|study| study.expectations.len()).sum();
    let held = STUDIES.iter().flat_map(|study| &study.expectations).filter(|finding| finding.verdict == Verdict::Held);
    let first = &STUDIES[0];
    assert!(STUDIES.iter().all(|study| study.run.seed == first.run.seed), "one seed for all files");
    let generated = format!(
        "scalelab {}, seed {}: {} of {findings} expectations in {} files held.\n\n{}",
        first.provenance.version,
        first.run.seed,
        held.count(),
        STUDIES.len(),
        validation_table(&STUDIES)
    );
    let document = std::fs::read_to_string(DOCUMENT).expect("the document can be read");
    let (head, rest) = document.split_once(BEGIN).expect("the document has the place where the table begins");
    let (written, tail) = rest.split_once(END).expect("the document has the place where the table ends");
    if std::env::var_os("SCALELAB_BLESS").is_some() {
        std::fs::write(DOCUMENT, format!("{head}{BEGIN}{generated}{END}{tail}")).expect("the document can be written");
    } else if written != generated {
        let different = written.lines().zip(generated.lines()).find(|(old, new)| old != new);
        panic!(
            "{DOCUMENT} is out of date; run `SCALELAB_BLESS=1 cargo test validation`\nfirst difference: {different:?}"
        );
    }
}

#[test]
fn requests_in_flight_are_throughput_times_response_time() {
    let mut checked = 0;
    for study in STUDIES.iter() {
        // Little's law is about steady states, not about traces, single loads that rise and fall, and a server that freezes.
        let unsteady = ["overload_and_recovery", "coordinated_omission"];
        if study.experiment.starts_with("trace_") || unsteady.contains(&study.experiment.as_str()) {
            continue;
        }
        for point in &study.points {
            // Of requests that failed there is no response time.
            if mean(study, point, client(study, ".failures")) > 0.0 {
                continue;
            }
            let value = |metric| mean(study, point, client(study, metric));
            // Hits of a local cache cost nothing: nobody is in flight.
            if value(".latency.mean") == 0.0 {
                continue;
            }
            let ratio = value(".in_flight") / (value(".throughput") * value(".latency.mean"));
            // Requests in flight at both ends of the window are all that tells the two sides apart; in the sine load,
            // whose window is one period, they are the same but for chance: a thousand requests of 6 000, 200 times.
            // Under the scalability law all users of a round end together: a round more or less is in the window.
            let bound = match study.experiment.as_str() {
                "sine_load" | "universal_scalability" => 0.01,
                _ => 0.001,
            };
            assert!((ratio - 1.0).abs() < bound, "{}, {}: {ratio}", study.experiment, study.label(point));
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} points");
}

/// The name of a metric of the study's first client.
fn client<'s>(study: &'s Study, ending: &str) -> &'s str {
    let name = study.metrics.iter().map(|metric| metric.name.as_str()).find(|name| name.ends_with(ending));
    name.expect("metrics of clients come first")
}

#[test]
fn users_either_think_or_wait() {
    // Per study: its client, think time [s], and users per point.
    let closed: [(&str, &str, f64, &[f64]); 3] = [
        ("repairman", "users", 1.0, &[10.0, 10.0, 50.0, 50.0]),
        ("mean_value_analysis", "users", 15.0, &[200.0; 3]),
        ("sharded_lock", "threads", 90e-6, &[32.0; 5]),
    ];
    for (name, client, think, users) in closed {
        let study = named(name);
        assert_eq!(study.points.len(), users.len());
        for (point, users) in study.points.iter().zip(users) {
            let value = |metric: &str| mean(study, point, &format!("{client}.{metric}"));
            let ratio = value("throughput") * (value("latency.mean") + think) / users;
            // The mean of millions of think times is off by less than 0.1 % (lognormal with cv 2: 0.06 % per standard
            // error); bound at five.
            assert!((ratio - 1.0).abs() < 0.003, "{name}, {}: {ratio}", study.label(point));
        }
    }
}

/// Sine and cosine parts of the wave around the mean of a series, over whole periods.
fn wave(points: &[(f64, f64, f64)], pulsation: f64) -> (f64, f64) {
    let part = |f: fn(f64) -> f64| points.iter().map(|(time, value, _)| value * f(pulsation * time)).sum::<f64>();
    let share = 2.0 / points.len() as f64;
    (share * part(f64::sin), share * part(f64::cos))
}

#[test]
fn a_sine_of_load_makes_a_smaller_and_later_wave_of_requests_in_flight() {
    // Eick, Massey, Whitt 1993: the number in M_t/G/∞ is Poisson; its mean follows the load with amplitude and lag
    // 552.497 and 7.72012 s for exponential, 763.944 and 5 s for constant service of 10 s.
    let study = named("sine_load");
    let pulsation = std::f64::consts::TAU / 60.0;
    let cases = [("exponential", 552.497, 7.72012), ("constant", 763.944, 5.0)];
    for (point, (variant, amplitude, lag)) in study.points.iter().zip(cases) {
        assert_eq!(point.variant, variant);
        let all = series(study, point, "users.in_flight");
        let period: Vec<_> = all.into_iter().filter(|(time, ..)| *time > 120.0 && *time <= 180.0).collect();
        assert_eq!(period.len(), 120);
        let runs = study.run.replications as f64;
        let mut variance = 0.0;
        for (time, measured, half) in &period {
            let expected = 1000.0 + amplitude * libm::sin(pulsation * (time - lag));
            // The variance of a Poisson number is its mean; bound at four and a half standard errors.
            let bound = 4.5 * (expected / runs).sqrt();
            assert!((measured - expected).abs() < bound, "{variant}, t = {time}: {measured}, not {expected}");
            variance += (half / 1.972).powi(2) * runs / expected / period.len() as f64;
        }
        // 1.972 is Student's quantile for 200 replications. The variance is known to 10 % at each instant, and some six
        // of the instants are independent: 4 %; bound at four.
        assert!((variance - 1.0).abs() < 0.16, "{variant}: the variance is {variance} times the mean");
        let (sine, cosine) = wave(&period, pulsation);
        let measured = sine.hypot(cosine);
        let measured_lag = (-cosine).atan2(sine) / pulsation;
        // Standard errors: about 1.5 of the amplitude and 0.03 s of the lag.
        assert!((measured / amplitude - 1.0).abs() < 0.01, "{variant}: amplitude {measured}");
        assert!((measured_lag - lag).abs() < 0.15, "{variant}: lag {measured_lag} s");
    }
}

/// Mean and standard deviation of the number in M/M/1 after each second, beginning empty, with arrivals at 150/s for ten
/// seconds and 50/s for twenty more and service at 100/s: the forward Kolmogorov equations by the Runge–Kutta method.
fn overload() -> Vec<(f64, f64)> {
    const STATES: usize = 1000;
    const STEPS: usize = 1000;
    let change = |p: &[f64], rate: f64| -> Vec<f64> {
        let flow = |n: usize| if n < STATES { rate * p[n] - 100.0 * p[n + 1] } else { 0.0 };
        (0..=STATES).map(|n| if n > 0 { flow(n - 1) } else { 0.0 } - flow(n)).collect()
    };
    let add = |p: &[f64], by: &[f64], step: f64| -> Vec<f64> { p.iter().zip(by).map(|(p, d)| p + step * d).collect() };
    let mut p = vec![0.0; STATES + 1];
    p[0] = 1.0;
    let step = 1.0 / STEPS as f64;
    let mut moments = Vec::new();
    for second in 0..30 {
        let rate = if second < 10 { 150.0 } else { 50.0 };
        for _ in 0..STEPS {
            let first = change(&p, rate);
            let second = change(&add(&p, &first, step / 2.0), rate);
            let third = change(&add(&p, &second, step / 2.0), rate);
            let fourth = change(&add(&p, &third, step), rate);
            let change = |n: usize| first[n] + 2.0 * (second[n] + third[n]) + fourth[n];
            p = (0..=STATES).map(|n| p[n] + step / 6.0 * change(n)).collect();
        }
        let mean: f64 = p.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
        let square: f64 = p.iter().enumerate().map(|(n, p)| (n as f64 - mean).powi(2) * p).sum();
        moments.push((mean, square.sqrt()));
    }
    moments
}

#[test]
fn an_overload_and_its_recovery_follow_the_kolmogorov_equations() {
    let exact = overload();
    // The integration itself, against a published solution at 10, 15, 20, 25 and 30 s.
    for (second, expected) in [(10, 502.0), (15, 252.0), (20, 26.6581), (25, 1.00245), (30, 1.0)] {
        assert!((exact[second - 1].0 / expected - 1.0).abs() < 1e-4, "{second} s: {:?}", exact[second - 1]);
    }
    let study = named("overload_and_recovery");
    let measured = series(study, &study.points[0], "users.in_flight");
    for ((time, measured, _), (mean, deviation)) in measured.into_iter().zip(&exact) {
        // Bound at four and a half standard errors.
        let bound = 4.5 * deviation / (study.run.replications as f64).sqrt();
        assert!((measured - mean).abs() < bound, "{time} s: {measured}, not {mean} ± {bound}");
    }
}

#[test]
fn every_request_of_a_trace_takes_what_was_counted_by_hand() {
    // Ten requests every 5 ms at a server that takes 8 ms: the request number n waits 3n ms.
    let clients: serde_json::Map<String, serde_json::Value> = (0..10)
        .map(|n| {
            let arrivals = serde_json::json!({"at": [format!("{}ms", 5 * n)]});
            (format!("client{n}"), serde_json::json!({"arrivals": arrivals, "call": "server.serve"}))
        })
        .collect();
    let server = serde_json::json!({"runtime": {"workers": 1}, "operations": {"serve": [{"wait": "8ms"}]}});
    let model = serde_json::json!({"clients": clients, "services": {"server": server}});
    let model = serde_json::from_value(model).expect("the model decodes");
    let blueprint = resolve(&model, &NoFiles).expect("the model makes sense").blueprint;
    let plan = Plan {
        warm_up: 0,
        window: 1_000_000_000,
        drain: 1_000_000_000,
        interval: 1_000_000_000,
        seed: 1,
        replication: 0,
        in_flight_limit: 100,
        event_limit: 1000,
        detailed: false,
    };
    let record = System::new(&blueprint, plan).run(&|| false).expect("all laws hold");
    let times: Vec<f64> = record.clients.iter().map(|client| client.latency.mean().expect("it ended")).collect();
    let expected: Vec<f64> = (0..10).map(|n| f64::from(8 + 3 * n) / 1000.0).collect();
    assert_eq!(times, expected);
}
