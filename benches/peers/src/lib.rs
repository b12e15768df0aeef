//! What the binaries of this package share: the three workloads, their random draws, and the command line.
//!
//! Every Rust engine meets the same customers (same generators, same ziggurat) and records into the same histogram, both
//! from the hand-written yardsticks next door, so that what differs between two binaries is the engine. An engine that
//! draws in the order of the hand-written loop reproduces its outcome up to the rounding of its clock.
#![deny(missing_docs)]

#[path = "../../handwritten/mod.rs"]
pub mod handwritten;

use std::time::Instant;

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use handwritten::random::{Exponential, streams};
use handwritten::{NANOS_PER_SECOND, Outcome, mm1, mmc, web};

/// The standard workloads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Workload {
    /// M/M/1 FIFO at utilization 0.8.
    A,
    /// M/M/16 FIFO at utilization 0.9.
    B,
    /// Balancer (round robin), 8 × 4 app servers, 30 % of the requests on to 16 database servers.
    C,
}

impl Workload {
    /// The workload as a model: each is a special case of the web stack.
    #[must_use]
    pub fn stack(self) -> Stack {
        let queue = |arrival_rate, servers, service_rate: f64| Stack {
            arrival_rate,
            instances: 1,
            servers,
            service_seconds: 1.0 / service_rate,
            miss_probability: 0.0,
            database_servers: 1,
            database_seconds: 1.0,
        };
        match self {
            Workload::A => queue(mm1::ARRIVAL_RATE, 1, mm1::SERVICE_RATE),
            Workload::B => queue(mmc::ARRIVAL_RATE, mmc::SERVERS, mmc::SERVICE_RATE),
            Workload::C => Stack {
                arrival_rate: web::ARRIVAL_RATE,
                instances: web::APPS,
                servers: web::APP_SERVERS,
                service_seconds: web::APP_SECONDS,
                miss_probability: web::MISS_PROBABILITY,
                database_servers: web::DATABASE_SERVERS,
                database_seconds: web::DATABASE_SECONDS,
            },
        }
    }
}

/// Poisson arrivals, dealt in turn to `instances` stations; some customers go on to a database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stack {
    /// Customers per second.
    pub arrival_rate: f64,
    /// Stations behind the balancer.
    pub instances: usize,
    /// Servers of one station.
    pub servers: usize,
    /// Mean of the exponential service time \[s\].
    pub service_seconds: f64,
    /// Probability that a customer needs the database after its service, when its server is free again.
    pub miss_probability: f64,
    /// Servers of the database.
    pub database_servers: usize,
    /// Mean of the exponential service time of the database \[s\].
    pub database_seconds: f64,
}

/// The random draws of one run, a generator per use.
pub struct Draws {
    /// Interarrival times \[ns\].
    pub interarrival: Exponential,
    /// Service times \[ns\].
    pub service: Exponential,
    /// Service times of the database \[ns\].
    pub database: Exponential,
    misses: Xoshiro256PlusPlus,
    miss_probability: f64,
}

impl Draws {
    /// The draws of `stack` for `seed`: those of the hand-written loops.
    #[must_use]
    pub fn new(stack: &Stack, seed: u64) -> Self {
        let [arrivals, services, misses, database] = streams(seed);
        let exponential = |generator, seconds: f64| Exponential::new(generator, NANOS_PER_SECOND * seconds);
        Self {
            // Divided, not multiplied by 1/λ: bit for bit the mean of the hand-written loops.
            interarrival: Exponential::new(arrivals, NANOS_PER_SECOND / stack.arrival_rate),
            service: exponential(services, stack.service_seconds),
            database: exponential(database, stack.database_seconds),
            misses,
            miss_probability: stack.miss_probability,
        }
    }

    /// Whether this customer needs the database.
    #[inline]
    pub fn miss(&mut self) -> bool {
        self.miss_probability > 0.0 && self.misses.random_bool(self.miss_probability)
    }
}

/// Nanoseconds as seconds, for engines whose clock is a float.
#[inline]
#[must_use]
pub fn seconds(nanos: u64) -> f64 {
    nanos as f64 / NANOS_PER_SECOND
}

/// Seconds as nanoseconds, to the nearest one.
#[inline]
#[must_use]
pub fn nanos(seconds: f64) -> u64 {
    (seconds * NANOS_PER_SECOND).round() as u64
}

/// Runs `simulate` as the command line asks and prints one line of JSON.
///
/// `package` is the engine's name in `Cargo.lock`, where its version is read; `None` for no published engine. The seconds
/// are of `simulate` alone: building the model, running it until the last customer has left, and reading the histogram.
pub fn run(engine: &str, package: Option<&str>, simulate: impl FnOnce(Workload, u64, u64) -> Outcome) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (workload, customers, seed) = parse(&arguments).unwrap_or_else(|message| {
        eprintln!("{message}\nusage: {engine} --workload A|B|C --customers N --seed S");
        std::process::exit(2);
    });
    let start = Instant::now();
    let outcome = simulate(workload, customers, seed);
    let seconds = start.elapsed().as_secs_f64();
    if outcome.customers != customers {
        eprintln!("{engine}: {} of {customers} customers left", outcome.customers);
        std::process::exit(1);
    }
    println!(
        "{{\"engine\": \"{engine}\", \"version\": \"{}\", \"workload\": \"{workload:?}\", \"customers\": {customers}, \
         \"seconds\": {seconds}, \"mean\": {}, \"p99\": {}}}",
        package.map_or("", locked_version),
        outcome.mean_seconds,
        outcome.p99
    );
}

fn parse(arguments: &[String]) -> Result<(Workload, u64, u64), String> {
    let (mut workload, mut customers, mut seed) = (None, None, None);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("{} has no value", pair[0]));
        };
        let number = || value.parse().map_err(|error| format!("{name}: {error}"));
        match (name.as_str(), value.as_str()) {
            ("--workload", "A") => workload = Some(Workload::A),
            ("--workload", "B") => workload = Some(Workload::B),
            ("--workload", "C") => workload = Some(Workload::C),
            ("--customers", _) => customers = Some(number()?),
            ("--seed", _) => seed = Some(number()?),
            _ => return Err(format!("unknown: {name} {value}")),
        }
    }
    match (workload, customers, seed) {
        (Some(workload), Some(customers), Some(seed)) => Ok((workload, customers, seed)),
        _ => Err("all three options are needed".into()),
    }
}

/// The version of `package` that this binary was built with.
fn locked_version(package: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    lock.split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{package}\"\n")))
        .and_then(|entry| entry.split("version = \"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown")
}
