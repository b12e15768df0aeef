//! `warm_up: auto`: how long the systems of an experiment take to settle, found by pilot runs.
//!
//! Every point is run from its start for as long as the experiment's warm-up and window together, three times. MSER-5 (see
//! [`crate::maths::statistics::warm_up`]) says of every client's requests in flight, averaged over the three, where its
//! settled part begins. The latest of all points and clients is the warm-up of all, so that variants stay comparable.
//!
//! Limits: what settles more slowly than the pilot lasts is not seen; then a tenth of the window is used, with a warning.

use std::sync::atomic::AtomicBool;

use super::design::Design;
use super::runner::{self, Observer, RunError};
use crate::maths::statistics::warm_up::mser5;
use crate::model::system::Plan;
use crate::study::Point;

/// Pilot runs of every point.
const PILOTS: u64 = 3;

/// Points of a pilot's time series.
const ROWS: u64 = 500;

/// The design with the warm-up that was found, and warnings about points that did not settle.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn find(
    design: &Design,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(Design, Vec<String>), RunError> {
    let window = design.plan.warm_up.saturating_add(design.plan.window);
    let interval = window.div_ceil(ROWS).max(1);
    let plan = Plan { warm_up: 0, window, drain: 0, interval, ..design.plan };
    let pilot = Design { plan, series: true, ..design.clone() };
    let all: Vec<usize> = (0..pilot.points.len()).collect();
    let points = runner::run_points(&pilot, &all, PILOTS, jobs, observer, stop)?;
    let mut rows = 0;
    let mut unsettled = 0;
    for (point, plan) in points.iter().zip(&pilot.points) {
        let levels = plan.columns.iter().filter(|column| pilot.columns[**column].name.ends_with(".in_flight"));
        let cuts: Vec<Option<usize>> = levels.map(|column| settled(point, *column)).collect();
        if cuts.iter().any(Option::is_none) {
            unsettled += 1;
        }
        rows = cuts.into_iter().flatten().max().unwrap_or(0).max(rows);
    }
    let mut warm_up = rows as u64 * interval;
    let mut warnings = Vec::new();
    if unsettled > 0 {
        warm_up = warm_up.max(design.plan.window / 10);
        let of = if points.len() > 1 { format!(" at {unsettled} of {} points", points.len()) } else { String::new() };
        warnings.push(format!("the pilot runs did not settle{of} (MSER-5): overloaded, or the window is too short"));
    }
    let mut found = design.clone();
    found.plan.warm_up = warm_up;
    found.run.warm_up = warm_up as f64 / 1e9;
    found.finds_warm_up = false;
    Ok((found, warnings))
}

/// The rows that a column takes to settle; `None` if it does not.
fn settled(point: &Point, column: usize) -> Option<usize> {
    let values: Vec<f64> = point.series.iter().map(|row| row.get(column).copied().flatten().unwrap_or(0.0)).collect();
    // Too few rows to tell: the run ended early.
    mser5(&values).ok().flatten()
}
