//! The distribution of response times: the share of requests that take longer than t.

use super::super::chart::{Axis, Chart, Layer, Line, Scale};
use super::{Numbers, ReportError, Sketch, axis};
use crate::quantity::Unit;
use crate::quantity::unit::{axis_scale, display, parse_as};
use crate::spec::experiment_file::Scalar;
use crate::study::Point;

/// From this ratio of the greatest to the least time on, the time axis is logarithmic.
const LOG_SPAN: f64 = 50.0;

pub(super) fn chart(sketch: &Sketch<'_>) -> Result<Chart, ReportError> {
    let client = sketch.client()?;
    let (groups, mut held) = sketch.single_points()?;
    let points: Vec<&Point> = groups.iter().flat_map(|group| group.points.iter().copied()).collect();
    let of = |point: &Point| -> Vec<(f64, f64)> {
        let own = point.distributions.iter().find(|distribution| distribution.client == client);
        let quantiles = own.map_or(&[][..], |own| &own.quantiles);
        // The greatest quantile, which nothing exceeds, has no place on a log scale.
        quantiles.iter().copied().filter(|(p, time)| *p < 1.0 && time.is_finite()).collect()
    };
    let times: Vec<f64> = points.iter().flat_map(|point| of(point)).map(|(_, time)| time).collect();
    let most = times.iter().copied().fold(0.0, f64::max);
    let least = times.iter().copied().filter(|time| *time > 0.0).fold(f64::INFINITY, f64::min);
    let (factor, symbol) = axis_scale(most, Unit::Seconds);
    let mut layers: Vec<Layer> = Vec::new();
    for group in &groups {
        for point in &group.points {
            let curve = of(point).into_iter().map(|(p, time)| (time * factor, (1.0 - p) * 100.0)).collect();
            layers.push(Layer::Line(Line {
                events: Vec::new(),
                name: group.name.clone(),
                points: curve,
                stroke: group.stroke,
                color: Some(group.role),
                ..Line::default()
            }));
        }
    }
    if let Some(slo) = &sketch.plot.slo {
        layers.push(rule(sketch, slo, factor)?);
    }
    let by = sketch.by_words(groups.len())?;
    held.insert(0, format!("share of successful requests of {client} slower than t{by}"));
    let note = "Shown as far as at least ten requests lie beyond.".to_owned();
    let mut chart = sketch.frame(&held.join(", "), Numbers::Pooled, &points, vec![note]);
    chart.x = axis("response time t".to_owned(), symbol);
    if least.is_finite() && most / least >= LOG_SPAN {
        chart.x.scale = Scale::Log;
    }
    chart.y = Axis::log("slower than t", "%");
    if let Some(up_to) = &sketch.plot.up_to {
        limit(sketch, &mut chart, up_to, factor, least * factor)?;
    }
    chart.layers = layers;
    Ok(chart)
}

/// An SLO on this chart is a response time, or a share of requests.
fn rule(sketch: &Sketch<'_>, slo: &Scalar, factor: f64) -> Result<Layer, ReportError> {
    if is_share(slo) {
        let share = sketch.read("slo", slo, Unit::Share)?;
        return Ok(Layer::HorizontalRule { y: share * 100.0, label: format!("SLO {}", display(share, Unit::Share)) });
    }
    let time = sketch.read("slo", slo, Unit::Seconds)?;
    Ok(Layer::VerticalRule { x: time * factor, label: format!("SLO {}", display(time, Unit::Seconds)) })
}

/// `up_to` on this chart is the greatest response time, or the greatest share.
fn limit(sketch: &Sketch<'_>, chart: &mut Chart, up_to: &Scalar, factor: f64, least: f64) -> Result<(), ReportError> {
    if is_share(up_to) {
        let share = sketch.read("up_to", up_to, Unit::Share)? * 100.0;
        let lowest = chart_least(&chart.layers).min(share / 10.0);
        chart.y.range = (lowest > 0.0).then_some((lowest, share));
        return Ok(());
    }
    let time = sketch.read("up_to", up_to, Unit::Seconds)? * factor;
    let lowest = if chart.x.scale == Scale::Log { least } else { 0.0 };
    chart.x.range = (lowest < time).then_some((lowest, time));
    Ok(())
}

fn chart_least(layers: &[Layer]) -> f64 {
    let ys = layers.iter().flat_map(|layer| match layer {
        Layer::Line(line) => line.points.as_slice(),
        _ => &[],
    });
    ys.map(|point| point.1).filter(|y| *y > 0.0).fold(100.0, f64::min)
}

fn is_share(value: &Scalar) -> bool {
    matches!(value, Scalar::Text(text) if parse_as(text, Unit::Share).is_ok())
}
