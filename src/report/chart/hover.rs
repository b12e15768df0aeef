//! What a chart says where a reader points: strips over the plot, each with the values of all series there.
//!
//! Where the series have few places in common or altogether, there is a strip per place; of many places, strips of equal width
//! with values read off between the neighbors.

use super::canvas::Canvas;
use super::describe::axis_title;
use super::frame::Frame;
use super::geometry::Rect;
use super::model::{Axis, Layer, Line, Series};
use super::plan::{Plan, parts};
use super::ticks::short;

/// Most places with a strip of their own.
const PLACES: usize = 130;
/// Strips where there are more places.
const STRIPS: usize = 100;
/// Most series that are listed.
const LISTED: usize = 12;

/// Lays strips over the plot.
pub(super) fn strips(canvas: &mut Canvas, plan: &Plan<'_>, frame: &Frame) {
    if plan.empty {
        return;
    }
    match &plan.chart.x.categories {
        Some(names) => of_categories(canvas, plan, frame, names),
        None => of_numbers(canvas, plan, frame),
    }
}

fn of_categories(canvas: &mut Canvas, plan: &Plan<'_>, frame: &Frame, names: &[String]) {
    let plot = frame.plot;
    let place = plot.width() / names.len().max(1) as f64;
    for (index, name) in names.iter().enumerate() {
        let mut lines = vec![name.clone()];
        for layer in &plan.chart.layers {
            match layer {
                Layer::Bars(series) => lines.extend(series.iter().filter_map(|row| {
                    let interval = row.intervals.get(index).copied();
                    entry(&row.name, *row.values.get(index)?, interval, &plan.chart.y)
                })),
                Layer::StackedBars(series) => stack(&mut lines, series, index, &plan.chart.y),
                Layer::Points(points) => {
                    let near = points.points.iter().position(|point| (point.0 - index as f64).abs() < 0.5);
                    let own = near.map(|at| (points.points[at].1, points.intervals.get(at).copied()));
                    lines.extend(own.and_then(|(y, interval)| entry(&points.name, y, interval, &plan.chart.y)));
                }
                Layer::Cells { texts, .. } => {
                    let names = plan.chart.y.categories.as_deref().unwrap_or_default();
                    let rows = names.iter().zip(texts).rev();
                    lines.extend(rows.filter_map(|(row, texts)| Some(format!("{row}: {}", texts.get(index)?))));
                }
                _ => {}
            }
        }
        let left = plot.x0 + index as f64 * place;
        hit(canvas, Rect::new(left, plot.y0, left + place, plot.y1), lines);
    }
}

fn of_numbers(canvas: &mut Canvas, plan: &Plan<'_>, frame: &Frame) {
    let plot = frame.plot;
    let mut xs: Vec<f64> = Vec::new();
    for layer in &plan.chart.layers {
        match layer {
            Layer::Line(line) => xs.extend(line.points.iter().filter(|point| point.1.is_finite()).map(|point| point.0)),
            Layer::Points(points) => xs.extend(points.points.iter().map(|point| point.0)),
            Layer::StackedArea { xs: own, .. } => xs.extend(own),
            _ => {}
        }
    }
    let mut places: Vec<(f64, f64)> = xs.iter().filter_map(|x| Some((*x, frame.px(*x)?))).collect();
    places.retain(|(_, px)| *px >= plot.x0 - 0.5 && *px <= plot.x1 + 0.5);
    places.sort_by(|one, other| one.1.total_cmp(&other.1));
    places.dedup_by(|one, other| one.0 == other.0);
    if places.is_empty() {
        return;
    }
    let exact = places.len() <= PLACES;
    if !exact {
        // The middles of strips of equal width, as values: between the neighbors among the places.
        let middles = (0..STRIPS).map(|strip| plot.x0 + (strip as f64 + 0.5) / STRIPS as f64 * plot.width());
        places = middles.filter_map(|px| Some((between(&places, px, |x| x)?, px))).collect();
    }
    for (index, &(x, px)) in places.iter().enumerate() {
        let middle = |other: usize| places.get(other).map(|other| (other.1 + px) / 2.0);
        let left = index.checked_sub(1).and_then(middle).unwrap_or(plot.x0);
        let right = middle(index + 1).unwrap_or(plot.x1);
        let mut lines = vec![format!("{} = {}", plain_title(&plan.chart.x), with_unit(x, &plan.chart.x))];
        for layer in &plan.chart.layers {
            match layer {
                Layer::Line(line) if exact => lines.extend(at(line, x, &plan.chart.y)),
                Layer::Line(line) => {
                    let near: Vec<(f64, f64)> =
                        line.points.iter().filter_map(|point| Some((point.1, frame.px(point.0)?))).collect();
                    let value = between(&near, px, |y| y).and_then(|y| entry(&line.name, y, None, &plan.chart.y));
                    lines.extend(value);
                }
                Layer::Points(points) => {
                    let found = points.points.iter().position(|point| point.0 == x);
                    let own = found.map(|at| (points.points[at].1, points.intervals.get(at).copied()));
                    lines.extend(own.and_then(|(y, interval)| entry(&points.name, y, interval, &plan.chart.y)));
                }
                Layer::StackedArea { xs, series } => {
                    if let Some(index) = xs.iter().position(|own| *own == x) {
                        stack(&mut lines, series, index, &plan.chart.y);
                    }
                }
                _ => {}
            }
        }
        if lines.len() > 1 {
            hit(canvas, Rect::new(left.max(plot.x0), plot.y0, right.min(plot.x1), plot.y1), lines);
        }
    }
}

/// The value of a line at one of its own points.
fn at(line: &Line, x: f64, axis: &Axis) -> Option<String> {
    let index = line.points.iter().position(|point| point.0 == x)?;
    let band = line.band.get(index).filter(|band| band.0 == x).map(|band| (band.1, band.2));
    entry(&line.name, line.points[index].1, band, axis)
}

/// A value at a pixel, read off between pairs (value, pixel) of ascending pixels.
fn between(pairs: &[(f64, f64)], px: f64, value: fn(f64) -> f64) -> Option<f64> {
    let (one, two) = pairs.windows(2).map(|pair| (pair[0], pair[1])).find(|(one, two)| one.1 <= px && px <= two.1)?;
    let part = if two.1 > one.1 { (px - one.1) / (two.1 - one.1) } else { 0.0 };
    let result = value(one.0) + part * (value(two.0) - value(one.0));
    result.is_finite().then_some(result)
}

/// The parts of a stack, greatest first, and their sum.
fn stack(lines: &mut Vec<String>, series: &[Series], index: usize, axis: &Axis) {
    let parts = parts(series);
    let mut values: Vec<(&str, f64)> =
        parts.iter().filter_map(|row| Some((row.name.as_str(), *row.values.get(index)?))).collect();
    values.retain(|(_, value)| value.is_finite() && *value > 0.0);
    values.sort_by(|one, other| other.1.total_cmp(&one.1));
    let sum: f64 = values.iter().map(|(_, value)| value).sum();
    lines.extend(entry("together", sum, None, axis));
    for (name, value) in values {
        lines.push(format!("{name}: {} ({:.0} %)", with_unit(value, axis), value / sum * 100.0));
    }
}

/// `name: 83.1 ms (82.7 to 83.5)`; nothing for a value that is missing.
fn entry(name: &str, value: f64, interval: Option<(f64, f64)>, axis: &Axis) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let name = if name.is_empty() { plain_title(axis) } else { name.to_owned() };
    let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
    let interval = interval.map_or(String::new(), |(low, high)| format!(" ({} to {})", short(low), short(high)));
    Some(format!("{name}: {}{interval}", with_unit(value, axis)))
}

fn plain_title(axis: &Axis) -> String {
    if axis.label.is_empty() { axis_title(axis, None) } else { axis.label.clone() }
}

fn with_unit(value: f64, axis: &Axis) -> String {
    match axis.unit.as_str() {
        "" => short(value),
        // `1/s` is written behind a number as `/s`.
        unit if unit.starts_with("1/") => format!("{}{}", short(value), &unit[1..]),
        unit => format!("{} {unit}", short(value)),
    }
}

fn hit(canvas: &mut Canvas, strip: Rect, mut lines: Vec<String>) {
    if lines.len() > LISTED + 1 {
        let more = lines.len() - LISTED - 1;
        lines.truncate(LISTED + 1);
        lines.push(format!("and {more} more"));
    }
    canvas.strip(strip, lines.join("\n"));
}
