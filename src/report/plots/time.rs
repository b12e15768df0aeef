//! A column of the time series over simulated time.

use super::super::chart::{Chart, Layer, Line};
use super::super::names::words;
use super::{Numbers, ReportError, Sketch, axis};
use crate::quantity::Unit;
use crate::quantity::unit::axis_scale;
use crate::study::{MetricName, Point};

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
    for group in &groups {
        for point in &group.points {
            let time = |step: usize| (step + 1) as f64 * study.run.interval * x_factor;
            let rows = || point.series.iter().enumerate();
            let half = |step: usize| point.series_half_widths.get(step).map_or(f64::NAN, |row| value(row));
            layers.push(Layer::Line(Line {
                name: group.name.clone(),
                points: rows().map(|(step, row)| (time(step), value(row) * y_factor)).collect(),
                band: rows()
                    .map(|(step, row)| (time(step), value(row), half(step)))
                    .map(|(x, mean, half)| (x, (mean - half) * y_factor, (mean + half) * y_factor))
                    .collect(),
                stroke: group.stroke,
                markers: false,
                step: false,
                color: Some(group.role),
            }));
        }
    }
    layers.extend(sketch.slo(unit, y_factor)?);
    held.insert(0, format!("{} over simulated time{}", words(&sketch.plot.y), sketch.by_words(groups.len())?));
    let mut chart = sketch.frame(&held.join(", "), Numbers::Means, &points, Vec::new());
    chart.x = axis("simulated time".to_owned(), symbol);
    if end > 0.0 {
        chart.x = chart.x.with_range(0.0, end * x_factor);
    }
    (chart.y, chart.layers) = (y, layers);
    Ok(chart)
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
    let mut regions: Vec<Layer> =
        faults.map(|mark| region(mark.from, mark.until.unwrap_or(end), &mark.label)).collect();
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
