//! A metric over a swept quantity: a line with its band per variant.

use super::super::chart::{Axis, Chart, Layer, Line, Scale};
use super::super::names::{clean, factor_words, words};
use super::groups::Group;
use super::{Dimension, Numbers, ReportError, Sketch, axis, scale_of};
use crate::spec::experiment_file::Mark;
use crate::study::Theory;
use crate::study::{Factor, Point};

/// Levels whose ratios differ by no more than this factor count as spaced by ratio (written values are rounded).
const SAME_RATIO: f64 = 1.35;
/// The least span (greatest ÷ least level) for which a log axis is worth it.
const LOG_SPAN: f64 = 50.0;
/// Most knees that get a line in the chart.
const KNEE_LIMIT: usize = 3;

/// The rule that defines a knee, for captions.
const KNEE_RULE: &str = "Knee: the last x at which y is at most twice its least value.";

/// One line's values: x and the point's estimate, in base units, by ascending x.
struct Curve<'g> {
    group: &'g Group<'g>,
    /// (x, mean, half width); missing means are NaN.
    values: Vec<(f64, f64, Option<f64>)>,
}

pub(super) fn chart(sketch: &Sketch<'_>, index: usize) -> Result<Chart, ReportError> {
    let study = sketch.study;
    let (metric, unit) = sketch.find("metric", &study.metrics)?;
    let factor = &study.factors[index];
    let points: Vec<&Point> = study.points.iter().collect();
    let groups = sketch.groups(&points, Some(Dimension::Factor(index)))?;
    let curves: Vec<Curve<'_>> = groups.iter().map(|group| curve(group, factor, index, metric)).collect();
    let means: Vec<f64> = curves.iter().flat_map(|curve| curve.values.iter().map(|value| value.1)).collect();
    let (y, y_factor) = sketch.y_axis(words(&sketch.plot.y), &means, unit)?;
    let (x, x_factor) = x_axis(factor);
    let mut layers: Vec<Layer> = curves.iter().map(|curve| Layer::Line(line(curve, x_factor, y_factor))).collect();
    layers.extend(curves.iter().filter_map(|curve| closed_form(sketch, curve, index, x_factor, y_factor)));
    layers.extend(sketch.slo(unit, y_factor)?);
    let mut notes = Vec::new();
    if sketch.plot.mark == Some(Mark::Knee) {
        layers.extend(knees(&curves, factor, x_factor, &mut notes));
    }
    let by = sketch.by_words(groups.len())?;
    let what = format!("{} over {}{by}", words(&sketch.plot.y), factor_words(factor));
    let mut chart = sketch.frame(&what, Numbers::Means, &points, notes);
    (chart.x, chart.y, chart.layers) = (x, y, layers);
    Ok(chart)
}

/// The axis of a factor, and what to multiply its levels' values by.
pub(super) fn x_axis(factor: &Factor) -> (Axis, f64) {
    let values: Vec<f64> = factor.levels.iter().filter_map(|level| level.value).collect();
    let most = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let (scale, symbol) = factor.unit.map_or((1.0, ""), |unit| scale_of(most, unit));
    let kind = if is_log_spaced(&values) { Scale::Log } else { Scale::Linear };
    (Axis { scale: kind, ..axis(factor_words(factor), symbol) }, scale)
}

/// Whether at least three levels are spaced by a ratio rather than by a distance.
fn is_log_spaced(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let (Some(least), Some(greatest)) = (sorted.first(), sorted.last()) else { return false };
    if sorted.len() < 3 || *least <= 0.0 || greatest / least < LOG_SPAN {
        return false;
    }
    let ratios = || sorted.windows(2).map(|pair| pair[1] / pair[0]);
    let (low, high) = ratios().fold((f64::INFINITY, 0.0_f64), |(low, high), r| (low.min(r), high.max(r)));
    high / low <= SAME_RATIO
}

fn curve<'g>(group: &'g Group<'g>, factor: &Factor, index: usize, metric: usize) -> Curve<'g> {
    let value = |point: &&Point| {
        let x = factor.levels.get(*point.levels.get(index)?)?.value?;
        let estimate = point.estimates.get(metric).copied().flatten();
        Some((x, estimate.map_or(f64::NAN, |e| e.mean), estimate.and_then(|e| e.half_width)))
    };
    let mut values: Vec<(f64, f64, Option<f64>)> = group.points.iter().filter_map(value).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    Curve { group, values }
}

fn line(curve: &Curve<'_>, x: f64, y: f64) -> Line {
    let half = |half: &Option<f64>| half.unwrap_or(f64::NAN);
    Line {
        events: Vec::new(),
        name: curve.group.name.clone(),
        points: curve.values.iter().map(|value| (value.0 * x, value.1 * y)).collect(),
        band: curve
            .values
            .iter()
            .map(|(at, mean, width)| (at * x, (mean - half(width)) * y, (mean + half(width)) * y))
            .collect(),
        stroke: curve.group.stroke,
        markers: true,
        step: false,
        color: Some(curve.group.role),
    }
}

/// What a formula says of the points of a line, if one is known for two of them or more: drawn dashed beside it.
fn closed_form(sketch: &Sketch<'_>, curve: &Curve<'_>, index: usize, x: f64, y: f64) -> Option<Layer> {
    let study = sketch.study;
    let mut formulas: Vec<&str> = Vec::new();
    let mut points: Vec<(f64, f64)> = Vec::new();
    for point in &curve.group.points {
        let own = |theory: &&Theory| (&theory.variant, &theory.levels) == (&point.variant, &point.levels);
        let Some(theory) = study.theories.iter().find(own) else { continue };
        let value = theory.values.iter().find(|(metric, _)| *metric == sketch.plot.y).map(|(_, value)| *value);
        let at = study.factors[index].levels.get(*point.levels.get(index)?)?.value;
        if let (Some(at), Some(value)) = (at, value.filter(|value| value.is_finite())) {
            points.push((at * x, value * y));
            if !formulas.contains(&theory.formula.as_str()) {
                formulas.push(&theory.formula);
            }
        }
    }
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let name = if let [only] = formulas.as_slice() { clean(only) } else { "closed form".to_owned() };
    (points.len() > 1).then(|| Layer::Line(Line::reference(name, points)))
}

/// The knee of a line, by the rule of [`KNEE_RULE`]; `None` if the line never bends within its levels.
fn knee(values: &[(f64, f64, Option<f64>)]) -> Option<f64> {
    let known: Vec<(f64, f64)> = values.iter().filter(|v| v.1.is_finite()).map(|v| (v.0, v.1)).collect();
    let least = known.iter().map(|value| value.1).fold(f64::INFINITY, f64::min);
    let at = known.iter().rposition(|value| value.1 <= 2.0 * least)?;
    (least > 0.0 && at + 1 < known.len()).then(|| known[at].0)
}

/// A vertical line per knee; of many, only words in the notes.
fn knees(curves: &[Curve<'_>], factor: &Factor, scale: f64, notes: &mut Vec<String>) -> Vec<Layer> {
    let mut found: Vec<(f64, Vec<&str>)> = Vec::new();
    for curve in curves {
        let Some(x) = knee(&curve.values) else { continue };
        match found.iter_mut().find(|(at, _)| *at == x) {
            Some((_, names)) => names.push(&curve.group.name),
            None => found.push((x, vec![&curve.group.name])),
        }
    }
    notes.push(KNEE_RULE.to_owned());
    let place = |x: f64| {
        let level = factor.levels.iter().find(|level| level.value == Some(x));
        level.map_or(String::new(), |level| clean(&level.text))
    };
    if found.is_empty() {
        notes.push("No line has one within these levels.".to_owned());
    }
    let label = |x: f64, names: &[&str]| match names.join(", ") {
        names if names.is_empty() => format!("knee {}", place(x)),
        names => format!("knee of {names}: {}", place(x)),
    };
    if found.len() > KNEE_LIMIT {
        notes.extend(found.iter().map(|(x, names)| format!("{}.", label(*x, names))));
        return Vec::new();
    }
    found.iter().map(|(x, names)| Layer::VerticalRule { x: x * scale, label: label(*x, names) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_at_equal_ratios_get_a_log_axis() {
        for (levels, log) in [
            (vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0], true),
            (vec![10.0, 46.4, 215.0, 1000.0], true),
            (vec![1.0, 10.0, 100.0], true),
            (vec![1.0, 2.0, 4.0, 8.0, 16.0], false),
            (vec![100.0, 200.0, 300.0, 400.0, 1600.0], false),
            (vec![1.0, 2.0, 4.0], false),
            (vec![0.0, 1.0, 10.0, 100.0], false),
            (vec![5.0], false),
            (vec![], false),
        ] {
            assert_eq!(is_log_spaced(&levels), log, "{levels:?}");
        }
    }

    #[test]
    fn the_knee_is_the_last_level_within_twice_the_least_value() {
        let line = |ys: &[f64]| -> Vec<(f64, f64, Option<f64>)> {
            ys.iter().enumerate().map(|(x, y)| (x as f64, *y, None)).collect()
        };
        assert_eq!(knee(&line(&[1.0, 1.2, 2.0, 2.1, 9.0])), Some(2.0));
        assert_eq!(knee(&line(&[1.0, f64::NAN, 1.5, 3.0])), Some(2.0));
        assert_eq!(knee(&line(&[1.0, 1.2, 1.9])), None);
        assert_eq!(knee(&line(&[0.0, 5.0])), None);
        assert_eq!(knee(&line(&[])), None);
    }
}
