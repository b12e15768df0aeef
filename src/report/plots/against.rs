//! One metric against another: a dot per point of the study, and the front of those that nothing beats in both.
//!
//! Less is taken to be better of both, as of cost and response time.

use super::super::chart::{Chart, Layer, Line, Points, Scale};
use super::super::names::words;
use super::{Numbers, ReportError, Sketch, axis, scale_of};
use crate::study::Point;

pub(super) fn chart(sketch: &Sketch<'_>, x: usize) -> Result<Chart, ReportError> {
    let study = sketch.study;
    let (y, unit) = sketch.find("metric", &study.metrics)?;
    let across = &study.metrics[x];
    let points: Vec<&Point> = study.points.iter().collect();
    let groups = sketch.groups(&points, None)?;
    let value = |point: &Point, metric: usize| point.estimates.get(metric).copied().flatten();
    let means: Vec<f64> = points.iter().filter_map(|point| Some(value(point, y)?.mean)).collect();
    let most = points.iter().filter_map(|point| Some(value(point, x)?.mean)).fold(0.0, f64::max);
    let (y_axis, y_factor) = sketch.y_axis(words(&sketch.plot.y), &means, unit)?;
    let (x_factor, symbol) = scale_of(most, across.unit);
    let mut layers = Vec::new();
    let mut all: Vec<(f64, f64)> = Vec::new();
    for group in &groups {
        let mut dots = Points { name: group.name.clone(), color: Some(group.role), ..Points::default() };
        for point in &group.points {
            let (Some(across), Some(estimate)) = (value(point, x), value(point, y)) else { continue };
            let half = estimate.half_width.unwrap_or(0.0);
            dots.points.push((across.mean * x_factor, estimate.mean * y_factor));
            dots.intervals.push(((estimate.mean - half) * y_factor, (estimate.mean + half) * y_factor));
        }
        all.extend(&dots.points);
        layers.push(Layer::Points(dots));
    }
    let front = front(all);
    if front.len() > 1 {
        layers.insert(0, Layer::Line(Line::reference("", front)));
    }
    layers.extend(sketch.slo(unit, y_factor)?);
    let what = format!("{} against {}", words(&sketch.plot.y), words(&across.name));
    let notes = vec!["Dashed: what nothing beats in both (Pareto front).".to_owned()];
    let mut chart = sketch.frame(&what, Numbers::Means, &points, notes);
    chart.x = axis(words(&across.name), symbol).with_range(0.0, most * x_factor * 1.25);
    let top = |point: &&Point| value(point, y).map(|estimate| estimate.mean + estimate.half_width.unwrap_or(0.0));
    // Room for the whiskers too, unless one is so long that it would press everything else together.
    let mean = means.iter().fold(0.0, |most: f64, mean| most.max(*mean));
    let highest = points.iter().filter_map(top).fold(mean, f64::max).min(2.0 * mean) * y_factor;
    chart.y = if y_axis.range.is_none() && y_axis.scale == Scale::Linear && highest > 0.0 {
        y_axis.with_range(0.0, highest * 1.2)
    } else {
        y_axis
    };
    chart.layers = layers;
    Ok(chart)
}

/// The points that no other is at least as good as in both coordinates, by the first one.
fn front(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let mut best = f64::INFINITY;
    points.retain(|(_, y)| {
        let better = *y < best;
        best = best.min(*y);
        better
    });
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_what_nothing_beats_in_both() {
        let points = vec![(3.0, 1.0), (1.0, 5.0), (2.0, 6.0), (2.0, 2.0), (4.0, 1.0), (1.0, 7.0)];
        assert_eq!(front(points), [(1.0, 5.0), (2.0, 2.0), (3.0, 1.0)]);
    }
}
