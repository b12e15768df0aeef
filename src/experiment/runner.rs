//! Running a design: all replications of all points on all cores.
//!
//! A simulation is single-threaded and shares nothing, so the runs are independent jobs. Results are put together in the
//! order of the design, whatever the order in which they were finished: the same on any number of threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::design::Design;
use super::estimate::{Finished, summarize};
use crate::model::system::{Plan, System, Violation, metrics};
use crate::study::{Point, Run};

/// Sees how far a run is.
pub trait Observer: Sync {
    /// One simulation was finished, with so many events.
    fn finished(&self, events: u64);
}

/// Nobody looks.
pub struct Unobserved;

impl Observer for Unobserved {
    fn finished(&self, _events: u64) {}
}

/// Why a design could not be run.
#[derive(Debug)]
pub enum RunError {
    /// A law of the simulation did not hold.
    Violation {
        /// The point, in words.
        place: String,
        /// The replication.
        replication: u64,
        /// What is wrong.
        violation: Violation,
    },
    /// The threads could not be started.
    Threads(String),
}

impl RunError {
    /// Whether the model is at fault, rather than scalelab or the machine.
    pub fn is_of_model(&self) -> bool {
        matches!(self, RunError::Violation { violation, .. } if violation.of_model)
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunError::Violation { place, replication, violation } => {
                write!(formatter, "{place}, replication {replication}: {violation}")
            }
            RunError::Threads(message) => write!(formatter, "the threads could not be started: {message}"),
        }
    }
}

impl std::error::Error for RunError {}

/// The runs of one point on their way.
struct Cell {
    left: AtomicUsize,
    finished: Mutex<Vec<Option<Finished>>>,
    point: Mutex<Option<Point>>,
}

/// Runs a design on `jobs` threads (0 for all cores). When `stop` becomes true, runs under way are given up and what is
/// finished is returned.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn run(design: &Design, jobs: usize, observer: &dyn Observer, stop: &AtomicBool) -> Result<Vec<Point>, RunError> {
    let all: Vec<usize> = (0..design.points.len()).collect();
    run_points(design, &all, design.run.replications, jobs, observer, stop)
}

/// Runs some points of a design, with another number of replications.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn run_points(
    design: &Design,
    numbers: &[usize],
    replications: u64,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<Point>, RunError> {
    let replications = replications as usize;
    let cell = |_: &usize| Cell {
        left: AtomicUsize::new(replications),
        finished: Mutex::new((0..replications).map(|_| None).collect()),
        point: Mutex::new(None),
    };
    let cells: Vec<Cell> = numbers.iter().map(cell).collect();
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let threads = threads.map_err(|error| RunError::Threads(error.to_string()))?;
    let total = numbers.len() * replications;
    threads.install(|| {
        (0..total).into_par_iter().with_max_len(1).try_for_each(|job| {
            let (cell, replication) = (job / replications, job % replications);
            one(design, numbers[cell], replication as u64, &cells[cell], observer, stop)
        })
    })?;
    let points = numbers.iter().map(|number| &design.points[*number]).zip(cells).map(|(point, cell)| {
        let complete = cell.point.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let finished = cell.finished.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        complete.unwrap_or_else(|| summarize(design, point, finished.into_iter().flatten().collect()))
    });
    Ok(points.collect())
}

/// Runs some of a design's runs, each a point and a replication, and hands every result to `keep` as soon as it is there, in
/// any order. What `keep` returns as an error ends it.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws, or what `keep` says.
pub fn run_some<E: From<RunError> + Send>(
    design: &Design,
    wanted: &[(usize, u64)],
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
    keep: &(dyn Fn(usize, Finished) -> Result<(), E> + Sync),
) -> Result<(), E> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let threads = threads.map_err(|error| RunError::Threads(error.to_string()))?;
    threads.install(|| {
        wanted.into_par_iter().with_max_len(1).try_for_each(|(number, replication)| {
            let Some(finished) = simulate(design, *number, *replication, stop)? else { return Ok(()) };
            let events = finished.events();
            keep(*number, finished)?;
            observer.finished(events);
            Ok(())
        })
    })
}

/// Runs one replication of one point; `None` if it was stopped.
fn simulate(design: &Design, number: usize, replication: u64, stop: &AtomicBool) -> Result<Option<Finished>, RunError> {
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let point = &design.points[number];
    let plan = Plan { replication, ..design.plan };
    let record = System::new(&point.blueprint, plan).run(&|| stop.load(Ordering::Relaxed)).map_err(|violation| {
        let place = if point.variant.is_empty() { "the model".to_owned() } else { point.variant.clone() };
        RunError::Violation { place, replication, violation }
    })?;
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let mut values = vec![None; design.metrics.len()];
    for (place, value) in point.metrics.iter().zip(metrics::values(&record)) {
        values[*place] = value;
    }
    design.derived.read(design, point, &record, &mut values);
    let run = Run {
        replication,
        fingerprint: format!("{:016x}", record.fingerprint),
        ending: record.ending,
        events: record.events,
        values,
    };
    Ok(Some(Finished::new(run, record, design.series)))
}

/// Runs one replication of one point; the last one of a point puts the point together.
fn one(
    design: &Design,
    number: usize,
    replication: u64,
    cell: &Cell,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let Some(finished) = simulate(design, number, replication, stop)? else { return Ok(()) };
    let events = finished.events();
    cell.finished.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[replication as usize] = Some(finished);
    if cell.left.fetch_sub(1, Ordering::AcqRel) == 1 {
        let all = std::mem::take(&mut *cell.finished.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        let summary = summarize(design, &design.points[number], all.into_iter().flatten().collect());
        *cell.point.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(summary);
    }
    observer.finished(events);
    Ok(())
}
