//! A column of the time series over simulated time, with what was done to fleets meanwhile.

use super::super::chart::{Chart, Layer, Line};
use super::super::names::words;
use super::{Numbers, ReportError, Sketch, axis};
use crate::quantity::Unit;
use crate::quantity::unit::axis_scale;
use crate::study::{FaultMark, MetricName, Point, Study};

/// Intervals after the window's end that may go unmarked.
const SLACK: f64 = 1.5;

pub(super) fn chart(sketch: &Sketch<'_>) -> Result<Chart, ReportError> {
    let study = sketch.study;
    let (column, unit) = sketch.find("column of the time series", &study.columns)?;
    let (groups, mut held) = sketch.single_points()?;
    let points: Vec<&Point> = groups.iter().flat_map(|group| group.points.iter().copied()).collect();
    let value = |row: &[Option<f64>]| row.get(column).copied().flatten().unwrap_or(f64::NAN);
    let means: Vec<f64> = points.iter().flat_map(|point| point.series.iter().map(|row| value(row))).collect();
    let steps = points.iter().map(|point| point.series.len()).max().unwrap_or(0);
    let end = steps as f64 * study.run.interval;
    let (x_factor, symbol) = axis_scale(end, Unit::Seconds);
    let (y, y_factor) = sketch.y_axis(words(&sketch.plot.y), &means, unit)?;
    let mut layers = regions(sketch, end, x_factor);
    let mut notes = Vec::new();
    for group in &groups {
        for point in &group.points {
            let time = |step: usize| (step + 1) as f64 * study.run.interval * x_factor;
            let rows = || point.series.iter().enumerate();
            let events = scaling(study, point, column);
            if !events.is_empty() && notes.is_empty() {
                notes.push("Triangles: more instances were wanted (up), or fewer (down).".to_owned());
            }
            let at = |(step, up): (usize, bool)| Some((time(step), value(point.series.get(step)?) * y_factor, up));
            let half = |step: usize| point.series_half_widths.get(step).map_or(f64::NAN, |row| value(row));
            layers.push(Layer::Line(Line {
                name: group.name.clone(),
                points: rows().map(|(step, row)| (time(step), value(row) * y_factor)).collect(),
                band: rows()
                    .map(|(step, row)| (time(step), value(row), half(step)))
                    .map(|(x, mean, half)| (x, (mean - half) * y_factor, (mean + half) * y_factor))
                    .collect(),
                stroke: group.stroke,
                events: events.into_iter().filter_map(at).collect(),
                markers: false,
                step: false,
                color: Some(group.role),
            }));
        }
    }
    layers.extend(sketch.slo(unit, y_factor)?);
    held.insert(0, format!("{} over simulated time{}", words(&sketch.plot.y), sketch.by_words(groups.len())?));
    let mut chart = sketch.frame(&held.join(", "), Numbers::Means, &points, notes);
    chart.x = axis("simulated time".to_owned(), symbol);
    if end > 0.0 {
        chart.x = chart.x.with_range(0.0, end * x_factor);
    }
    (chart.y, chart.layers) = (y, layers);
    Ok(chart)
}

/// The most scaling events that are marked on a line: more than that would hide it.
const MOST_EVENTS: usize = 12;

/// In which intervals the number of wanted instances of any fleet changed, and whether it grew: by half an instance or more in the mean over the
/// replications. None where instances are what is drawn.
fn scaling(study: &Study, point: &Point, column: usize) -> Vec<(usize, bool)> {
    let drawn = &study.columns[column].name;
    if drawn.contains(".instances.") {
        return Vec::new();
    }
    let columns = study.columns.iter().enumerate();
    let wanted: Vec<usize> =
        columns.filter(|(_, column)| column.name.ends_with(".instances.wanted")).map(|(number, _)| number).collect();
    let total = |row: &Vec<Option<f64>>| -> f64 { wanted.iter().filter_map(|number| *row.get(*number)?).sum() };
    let mut events = Vec::new();
    for (step, pair) in point.series.windows(2).enumerate() {
        let change = total(&pair[1]) - total(&pair[0]);
        if change.abs() >= 0.5 {
            events.push((step + 1, change > 0.0));
        }
    }
    if events.len() > MOST_EVENTS { Vec::new() } else { events }
}

/// When faults were at work, and what is not measured: the warm-up and what comes after the window.
fn regions(sketch: &Sketch<'_>, end: f64, factor: f64) -> Vec<Layer> {
    let run = &sketch.study.run;
    let region = |from: f64, to: f64, label: &str| Layer::Region {
        x0: from * factor,
        x1: to.min(end) * factor,
        label: label.to_owned(),
    };
    let faults = sketch.study.marks.iter().filter(|mark| mark.from < end);
    let mark = |mark: &FaultMark| match mark.until {
        Some(until) if until <= mark.from => Layer::VerticalRule { x: mark.from * factor, label: mark.label.clone() },
        until => region(mark.from, until.unwrap_or(end), &mark.label),
    };
    let mut regions: Vec<Layer> = faults.map(mark).collect();
    if run.warm_up > 0.0 && end > 0.0 {
        regions.push(region(0.0, run.warm_up, "warm-up"));
    }
    let closed = run.warm_up + run.window;
    if end > closed + SLACK * run.interval {
        regions.push(region(closed, end, "drain"));
    }
    regions
}

/// Whether a column is in the results, for the choice of charts.
pub(super) fn has_column(columns: &[MetricName], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}
