//! Precision: replications are added until intervals are narrow enough.
//!
//! Source: the sequential procedure of Law, *Simulation Modeling and Analysis*, ch. 9: from n replications with a half width h,
//! about n·(h ÷ wanted)² are needed. Points that are precise enough are not run again. Since it looks at the data
//! before it stops, an interval covers slightly less often than its confidence says; the first replications guard against
//! stopping by luck.

use std::sync::atomic::{AtomicBool, Ordering};

use super::design::Design;
use super::runner::{self, Observer, RunError};
use crate::study::Point;

/// What intervals are wanted, and what may be spent on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Precision {
    /// Metrics, and the widest half width wanted of each, as a share of the mean.
    pub wanted: Vec<(usize, f64)>,
    /// The most replications of a point.
    pub most: u64,
}

/// The most replications of a point unless the file says otherwise.
pub const MOST: u64 = 100;

/// The fewest replications that precision is judged by.
pub const LEAST: u64 = 4;

/// Adds replications to the points that need them; returns warnings about those that did not get there.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn refine(
    design: &Design,
    points: &mut [Point],
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<String>, RunError> {
    let Precision { most, .. } = design.precision;
    while !stop.load(Ordering::Relaxed) {
        let wide = |point: &Point| needed(design, point).filter(|_| (point.runs.len() as u64) < most);
        let numbers: Vec<usize> = (0..points.len()).filter(|number| wide(&points[*number]).is_some()).collect();
        let Some(next) = numbers.iter().filter_map(|number| wide(&points[*number])).max() else { break };
        for (number, point) in numbers.iter().zip(runner::run_points(design, &numbers, next, jobs, observer, stop)?) {
            // An interrupted run keeps what it had.
            if point.runs.len() >= points[*number].runs.len() {
                points[*number] = point;
            }
        }
    }
    let mut warnings = Vec::new();
    for (metric, share) in &design.precision.wanted {
        let missed = points.iter().filter(|point| width(point, *metric).is_none_or(|width| width > *share)).count();
        if missed > 0 {
            let name = &design.metrics[*metric].name;
            let share = share * 100.0;
            let place =
                if points.len() > 1 { format!(" at {missed} of {} points", points.len()) } else { String::new() };
            warnings
                .push(format!("{name} is not known to ± {share} %{place} after {most} replications, the most allowed"));
        }
    }
    Ok(warnings)
}

/// The half width of a metric's interval as a share of its mean; `None` without a value.
fn width(point: &Point, metric: usize) -> Option<f64> {
    let estimate = point.estimates.get(metric).copied().flatten()?;
    let half = estimate.half_width?;
    if half == 0.0 { Some(0.0) } else { Some(half / estimate.mean.abs()) }
}

/// How many replications a point probably needs; `None` if it has enough, or if more would not help.
fn needed(design: &Design, point: &Point) -> Option<u64> {
    let runs = point.runs.len() as u64;
    if runs == 0 {
        return None;
    }
    let needed = design.precision.wanted.iter().filter_map(|(metric, share)| {
        let width = width(point, *metric)?;
        (width > *share).then(|| {
            let ratio = (width / share).min(100.0);
            (runs as f64 * ratio * ratio).ceil() as u64
        })
    });
    let needed = needed.max()?;
    // At most four times as many at once: the first estimate of a spread is a poor one.
    Some(needed.clamp(runs + 1, runs * 4).max(LEAST).min(design.precision.most))
}
