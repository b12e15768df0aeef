//! Studies made by hand.

use crate::measure::Kind;
use crate::model::system::record::Ending;
use crate::quantity::Unit;
use crate::report::names::compact;
use crate::spec::experiment_file::{Mark, PlotSpec, Scalar, Spacing};
use crate::study::Study;
use crate::study::finding::{Finding, Verdict};
use crate::study::system::{Calls, Part, PartKind, Room, SystemMap};
use crate::study::*;

pub(super) const KEY: &str = "clients.shoppers.arrivals.poisson";

/// A study without points.
pub(super) fn empty(experiment: &str, replications: u64) -> Study {
    let client = [
        ("offered", Unit::PerSecond),
        ("goodput", Unit::PerSecond),
        ("latency.mean", Unit::Seconds),
        ("latency.p50", Unit::Seconds),
        ("latency.p95", Unit::Seconds),
        ("latency.p99", Unit::Seconds),
        ("failures", Unit::Share),
    ];
    let metrics = client.iter().map(|(name, unit)| (format!("shoppers.{name}"), *unit));
    let stations = ["shop.workers", "shop.cpu"].map(|name| (format!("{name}.utilization"), Unit::Share));
    let columns = [("goodput", Unit::PerSecond), ("latency.p95", Unit::Seconds), ("in_flight", Unit::Count)];
    let named = |(name, unit): (String, Unit)| MetricName { name, unit };
    Study {
        layout: LAYOUT,
        experiment: experiment.to_owned(),
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            command: format!("scalelab run experiments/{experiment}.yaml"),
            files: vec![FileHash { name: format!("{experiment}.yaml"), hash: "00000000000000ff".to_owned() }],
        },
        question: "At twice the traffic, is it better to double the machine or the number of machines?".to_owned(),
        prediction: Some("The shop waits for its workers, so bigger machines change nothing.".to_owned()),
        analysis: None,
        run: RunPlan {
            warm_up: 10.0,
            window: 60.0,
            drain: 60.0,
            interval: 1.0,
            replications,
            seed: 1,
            confidence: 0.95,
            quick: false,
        },
        factors: Vec::new(),
        metrics: metrics.chain(stations).map(named).collect(),
        columns: columns.map(|(name, unit)| named((format!("shoppers.{name}"), unit))).to_vec(),
        points: Vec::new(),
        expectations: Vec::new(),
        assumptions: Vec::new(),
        warnings: Vec::new(),
        systems: vec![system()],
        plots: Vec::new(),
        interrupted: false,
        marks: Vec::new(),
        selections: Vec::new(),
        scalings: Vec::new(),
        theories: Vec::new(),
        insights: Vec::new(),
    }
}

/// A client, a shop of three instances, and a database.
pub(in crate::report) fn system() -> SystemMap {
    let room = |name: &str, capacity: f64| Room { name: name.to_owned(), capacity };
    let part = |name: &str, kind: PartKind, instances: u32, stations: Vec<Room>, about: &str| Part {
        name: name.to_owned(),
        kind,
        instances,
        scaled: None,
        balancer: (instances > 1).then(|| "round robin".to_owned()),
        stations,
        about: about.to_owned(),
    };
    let calls = |from: usize, to: usize, operation: &str| Calls { from, to, operations: vec![operation.to_owned()] };
    let shop = vec![room("workers", 64.0), room("cpu", 4.0)];
    SystemMap {
        parts: vec![
            part("shoppers", PartKind::Client, 0, Vec::new(), "poisson 400/s"),
            part("shop", PartKind::Service, 3, shop, "browse, checkout"),
            part("orders", PartKind::Database, 1, vec![room("db", 50.0)], "read, write"),
        ],
        calls: vec![calls(0, 1, "browse"), calls(1, 2, "read")],
    }
}

fn share(resource: &str, kind: Kind, all: f64) -> Share {
    let slowest = if kind == Kind::Waiting { 4.0 * all } else { 1.1 * all };
    Share { part: "shop".to_owned(), resource: resource.to_owned(), kind, all, slowest, slowest_one: slowest }
}

/// A point that behaves like an M/M/1 queue with this capacity [1/s], cut off at a response time of 2 s.
fn point(study: &Study, variant: &str, levels: Vec<usize>, rate: f64, capacity: f64) -> Point {
    let service = 1.0 / capacity;
    let load = rate / capacity;
    let stable = load < 0.999;
    let mean = if stable { (0.02 + 20.0 * service / (1.0 - load)).min(2.0) } else { 2.0 };
    let tail = |p: f64| 0.01 + (mean - 0.01) * -libm::log(1.0 - p);
    let goodput = rate.min(capacity);
    let failures = (1.0 - capacity / rate).max(0.0);
    let values = [rate, goodput, mean, tail(0.5), tail(0.95), tail(0.99), failures, load.min(1.0), 0.6 * load.min(1.0)];
    let replications = study.run.replications;
    let estimate = |(index, value): (usize, &f64)| {
        let noise = if index == 6 { 0.05 } else { 0.004 + 0.02 * load.min(1.0) * load.min(1.0) };
        let half_width = (replications > 1).then_some(value * noise);
        Some(Estimate { mean: *value, half_width, n: replications })
    };
    let run = |replication: u64| Run {
        replication,
        fingerprint: format!("{:016x}", 0xaa + replication),
        ending: if stable { Ending::Completed } else { Ending::TooManyInFlight },
        events: 1000 + replication,
        values: values.iter().map(|value| Some(*value)).collect(),
    };
    // A start from an empty system that settles, with a ripple.
    let settled = |step: u32| 1.0 - libm::exp(-f64::from(step + 1) / 4.0);
    let ripple = |step: u32| 1.0 + 0.04 * libm::sin(f64::from(step * step % 17));
    let row = |step: u32| -> Vec<Option<f64>> {
        [goodput, tail(0.95), rate * mean].iter().map(|v| Some(v * settled(step) * ripple(step))).collect()
    };
    let quantiles = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];
    let waiting = (mean - 0.02).max(0.0);
    Point {
        variant: variant.to_owned(),
        levels,
        system: 0,
        runs: (0..replications).map(run).collect(),
        estimates: values.iter().enumerate().map(estimate).collect(),
        operations: Vec::new(),
        courses: Vec::new(),
        attributions: vec![Attribution {
            client: "shoppers".to_owned(),
            entries: vec![
                share("workers", Kind::Waiting, 0.7 * waiting),
                share("db", Kind::Waiting, 0.2 * waiting),
                share("cpu", Kind::Waiting, 0.1 * waiting),
                share("cpu", Kind::Service, 0.012),
                share("wait", Kind::Service, 0.008),
            ],
        }],
        distributions: vec![Distribution {
            client: "shoppers".to_owned(),
            quantiles: quantiles.iter().map(|p| (*p, tail(*p))).collect(),
        }],
        series: (0..70).map(row).collect(),
        series_half_widths: (0..if replications > 1 { 70 } else { 0 })
            .map(|step| row(step).iter().map(|v| v.map(|v| v * 0.06)).collect())
            .collect(),
        overload: (!stable).then(|| Overload { client: "shoppers".to_owned(), growth: rate - capacity }),
    }
}

fn finding(expectation: &str, place: &str, measured: &str, verdict: Verdict) -> Finding {
    Finding {
        expectation: expectation.to_owned(),
        place: place.to_owned(),
        measured: measured.to_owned(),
        mean: None,
        half_width: None,
        expected: None,
        because: None,
        verdict,
    }
}

pub(super) const CAPACITIES: [(&str, f64); 3] = [("as is", 900.0), ("vertical", 1080.0), ("horizontal", 1800.0)];

/// Three variants at eight arrival rates; two of them are overloaded at the highest.
pub(in crate::report) fn sweep() -> Study {
    let mut study = empty("scaling", 5);
    let rates: Vec<f64> = (1..=8).map(|step| 200.0 * f64::from(step)).collect();
    let levels = rates.iter().map(|rate| Level { text: format!("{rate}/s"), value: Some(*rate) }).collect();
    study.factors.push(Factor { key: KEY.to_owned(), unit: Some(Unit::PerSecond), levels });
    for (variant, capacity) in CAPACITIES {
        for (index, rate) in rates.iter().enumerate() {
            let point = point(&study, variant, vec![index], *rate, capacity);
            let mean = point.estimates[4].map_or(0.0, |estimate| estimate.mean);
            let verdict = match mean {
                below if below < 0.2 => Verdict::Held,
                near if near < 0.21 => Verdict::Undecided,
                _ => Verdict::Failed,
            };
            let measured = compact(point.estimates[4], Unit::Seconds);
            let place = study.label(&point);
            study.expectations.push(finding("shoppers.latency.p95 below 200 ms", &place, &measured, verdict));
            study.points.push(point);
        }
    }
    study
}

/// Three variants, nothing swept.
pub(in crate::report) fn variants() -> Study {
    let mut study = empty("variants", 10);
    for (variant, capacity) in CAPACITIES {
        let point = point(&study, variant, Vec::new(), 800.0, capacity);
        study.points.push(point);
    }
    let text = "shoppers.goodput of horizontal at least 1.8 times vertical";
    study.expectations.push(Finding {
        mean: Some(1.0),
        half_width: Some(0.02),
        ..finding(text, "", "1.00 ± 0.02", Verdict::Failed)
    });
    study.warnings.push("horizontal: the warm-up looks too short for shoppers.latency.p95".to_owned());
    study.assumptions = vec!["shop: unlimited memory".to_owned(), "shop: no network latency".to_owned()];
    study
}

/// One point.
pub(in crate::report) fn single() -> Study {
    let mut study = empty("single", 5);
    let only = point(&study, "", Vec::new(), 450.0, 900.0);
    study.points.push(only);
    study.expectations = vec![
        Finding {
            mean: Some(0.081),
            half_width: Some(0.0009),
            expected: Some(0.08),
            because: Some("M/M/1: 1/(µ−λ)".to_owned()),
            ..finding("shoppers.latency.mean equals 80 ms within 5 %", "", "81.0 ms ± 0.9 ms", Verdict::Held)
        },
        Finding {
            mean: Some(0.243),
            half_width: Some(0.003),
            ..finding("shoppers.latency.p95 below 200 ms", "", "243 ms ± 3 ms", Verdict::Failed)
        },
    ];
    study
}

/// One point that cannot keep up, without replications.
pub(in crate::report) fn overloaded() -> Study {
    let mut study = empty("overloaded", 1);
    let only = point(&study, "", Vec::new(), 980.0, 900.0);
    study.points.push(only);
    study.points[0].estimates[5] = None;
    study.points[0].distributions[0].quantiles.clear();
    study.interrupted = true;
    study.run.quick = true;
    study
}

/// Names that try to break out of files, tables and terminals.
pub(in crate::report) fn hostile() -> Study {
    let mut study = empty("<b>a | b</b>\n\"x\", 'y'", 3);
    study.question = "\u{1b}[31m<script>alert(1)</script>\n| & ".repeat(8);
    study.factors.push(Factor {
        key: "services.\"a.b,\n|\".x".to_owned(),
        unit: None,
        levels: ["=1+1", "\"quoted\", with\nlines", ""]
            .map(|text| Level { text: text.to_owned(), value: None })
            .to_vec(),
    });
    for variant in ["=cmd|' /C calc'!A0", "../../etc/passwd", "\u{202e}\u{1b}]0;title\u{7}"] {
        for level in 0..3 {
            let point = point(&study, variant, vec![level], 300.0, 400.0 + 100.0 * level as f64);
            study.points.push(point);
        }
    }
    study.points[4].estimates.fill(None);
    study.points[5].attributions.clear();
    study.expectations.push(finding("a | b\n<b>", "\u{1b}[2J", "", Verdict::Undecided));
    study
}

pub(super) fn plot(y: &str, x: Option<&str>) -> PlotSpec {
    PlotSpec {
        y: y.to_owned(),
        x: x.map(str::to_owned),
        map: None,
        by: None,
        title: None,
        slo: None,
        mark: None,
        scale: Spacing::Linear,
        up_to: None,
    }
}

/// Every kind of chart that a sweep can have.
pub(in crate::report) fn sweep_with_plots() -> Study {
    let mut study = sweep();
    let text = |text: &str| Some(Scalar::Text(text.to_owned()));
    study.plots = vec![
        PlotSpec {
            mark: Some(Mark::Knee),
            slo: text("200ms"),
            up_to: text("600ms"),
            title: Some("Twice the machines carry twice the traffic; a bigger machine hardly helps".to_owned()),
            ..plot("shoppers.latency.p95", None)
        },
        PlotSpec { scale: Spacing::Log, ..plot("shoppers.latency.p95", Some(KEY)) },
        plot("shoppers.goodput", Some(KEY)),
        PlotSpec { slo: text("1s"), ..plot("shoppers", Some("distribution")) },
        plot("shoppers.latency.p95", Some("time")),
        plot("shoppers", Some("attribution")),
        plot("shoppers.latency.p95", Some("variant")),
        PlotSpec { by: Some(KEY.to_owned()), ..plot("shoppers", Some("attribution")) },
    ];
    study
}

/// A log-spaced sweep of a plain number and a factor of names.
pub(in crate::report) fn two_factors() -> Study {
    let mut study = empty("two factors", 5);
    study.question = "How many workers does the shop need, and does the balancing policy matter?".to_owned();
    let plain = |value: f64| Level { text: value.to_string(), value: Some(value) };
    let workers = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0].map(plain).to_vec();
    let policies = ["round_robin", "random", "least_in_flight"];
    let policy_levels = policies.map(|text| Level { text: text.to_owned(), value: None }).to_vec();
    study.factors = vec![
        Factor { key: "services.shop.workers".to_owned(), unit: None, levels: workers.clone() },
        Factor { key: "services.shop.balancer.policy".to_owned(), unit: None, levels: policy_levels },
    ];
    for (variant, boost) in [("plain", 1.0), ("cached", 2.0)] {
        for (level, workers) in workers.iter().enumerate() {
            for policy in 0..policies.len() {
                let capacity = 300.0 + boost * 120.0 * workers.value.unwrap_or(1.0) * (1.0 + 0.2 * policy as f64);
                let point = point(&study, variant, vec![level, policy], 400.0, capacity);
                study.points.push(point);
            }
        }
    }
    study.plots = vec![
        plot("shoppers.latency.p95", None),
        PlotSpec { by: Some("services.shop.balancer.policy".to_owned()), ..plot("shoppers.latency.mean", None) },
        plot("shoppers.latency.p95", Some("services.shop.balancer.policy")),
        plot("shoppers", Some("attribution")),
    ];
    study
}
