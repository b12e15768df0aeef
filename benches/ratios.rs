//! `cargo bench`: the engine against special-purpose hand-written loops.
//!
//! Pairs are run in turns, A B A B …, and the ratio is taken pair by pair: on a noisy machine a ratio of neighbors says
//! more than two means taken minutes apart. That is why this is a small program of its own and no benchmark framework.
//!
//! The engine runs from a YAML model with everything that it measures switched on; its time includes setting the system
//! up. Every pair also compares the mean response times, so that a fast wrong answer is noticed.

#[allow(dead_code, unused_imports, reason = "the loops' own tests run from the tests crate")]
mod handwritten;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use scalelab::model::{Blueprint, Plan, System};
use scalelab::spec::load::{Disk, Loader};

use handwritten::Outcome;

/// Customers per run.
const CUSTOMERS: u64 = 1_000_000;
/// Pairs per row.
const ROUNDS: usize = 9;

/// A workload: its model, its arrivals per second, and its hand-written twin.
struct Workload {
    name: &'static str,
    model: &'static str,
    rate: f64,
    twin: fn(u64, u64) -> Outcome,
}

const WORKLOADS: [Workload; 7] = [
    Workload { name: "M/M/1", model: "mm1", rate: 0.8, twin: handwritten::mm1::run::<false> },
    Workload { name: "M/M/16", model: "mm16", rate: 14.4, twin: handwritten::mmc::run::<false> },
    Workload { name: "web stack", model: "web", rate: 1000.0, twin: handwritten::web::run::<false, false> },
    Workload { name: "web stack, held", model: "web_held", rate: 1000.0, twin: handwritten::web::run::<true, false> },
    Workload { name: "M/M/1-PS", model: "ps", rate: 0.8, twin: handwritten::ps::utilization_80 },
    Workload { name: "M/M/1 (tuned twin)", model: "mm1", rate: 0.8, twin: handwritten::mm1::run::<true> },
    Workload { name: "web stack (tuned twin)", model: "web", rate: 1000.0, twin: handwritten::web::run::<false, true> },
];

fn blueprint(model: &str) -> Blueprint {
    let mut loader = Loader::new(&Disk);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/workloads/{model}.yaml"));
    let document = loader.load(&path).expect("the workload loads");
    loader.build(&document, &[]).expect("the workload is a model").blueprint
}

/// Runs the engine; returns nanoseconds per customer and the mean response time [s].
fn engine(blueprint: &Blueprint, rate: f64, seed: u64) -> (f64, f64) {
    let window = (CUSTOMERS as f64 / rate * 1e9) as u64;
    let plan = Plan { seed, ..Plan::measuring(window) };
    let start = Instant::now();
    let record = System::new(black_box(blueprint), plan).run(&|| false).expect("all laws hold");
    let nanos = start.elapsed().as_nanos() as f64;
    let book = &record.clients[0];
    (nanos / book.measured as f64, book.latency.mean().unwrap_or(f64::NAN))
}

fn twin(workload: &Workload, seed: u64) -> (f64, f64) {
    let start = Instant::now();
    let outcome = (workload.twin)(black_box(CUSTOMERS), seed);
    let nanos = start.elapsed().as_nanos() as f64;
    (nanos / outcome.customers as f64, outcome.mean_seconds)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!("| workload | engine [ns] | hand-written [ns] | ratio | least | most | means differ by |");
    println!("|---|---|---|---|---|---|---|");
    for workload in
        WORKLOADS.iter().filter(|workload| only.as_ref().is_none_or(|only| workload.name.contains(only.as_str())))
    {
        let blueprint = blueprint(workload.model);
        let (mut ours, mut theirs, mut ratios, mut means) = (Vec::new(), Vec::new(), Vec::new(), [0.0, 0.0]);
        for round in 0..=ROUNDS as u64 {
            let (engine, engine_mean) = engine(&blueprint, workload.rate, round);
            let (twin, twin_mean) = twin(workload, round);
            // The first pair warms up.
            if round > 0 {
                ours.push(engine);
                theirs.push(twin);
                ratios.push(engine / twin);
                means = [means[0] + engine_mean, means[1] + twin_mean];
            }
        }
        let (least, most) =
            (ratios.iter().copied().fold(f64::INFINITY, f64::min), ratios.iter().copied().fold(0.0, f64::max));
        println!(
            "| {} | {:.0} | {:.0} | {:.2} | {least:.2} | {most:.2} | {:.1} % |",
            workload.name,
            median(ours),
            median(theirs),
            median(ratios),
            (means[0] / means[1] - 1.0).abs() * 100.0,
        );
    }
}
