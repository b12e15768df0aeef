//! A metric over two swept keys: a map with a cell for each pair of levels, one for each variant.

use super::super::chart::{Axis, Chart, Layer};
use super::super::names::{clean, factor_words, level_text, words};
use super::{Numbers, ReportError, Sketch};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::study::Point;

/// Height of a row and of all around the rows, CSS pixels.
const HEIGHTS: (usize, usize) = (38, 190);

/// The charts, each with the name of its variant.
pub(super) fn charts(sketch: &Sketch<'_>, x: usize, y: usize) -> Result<Vec<(String, Chart)>, ReportError> {
    let study = sketch.study;
    let (metric, unit) = sketch.find("metric", &study.metrics)?;
    let value = |point: &Point| point.estimates.get(metric).copied().flatten().map(|estimate| estimate.mean);
    // Other swept keys are held at their last levels, as in charts over variants.
    let held = |point: &&Point| {
        let free = |index: usize| index == x || index == y;
        let last = |index: usize| study.factors[index].levels.len().saturating_sub(1);
        (0..study.factors.len()).all(|index| free(index) || point.levels.get(index) == Some(&last(index)))
    };
    let greatest = study.points.iter().filter_map(value).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let most = if unit == Unit::Share { 1.0 } else { greatest };
    let most = if most > 0.0 { most } else { 1.0 };
    let variants = study.variants();
    let mut charts = Vec::new();
    for variant in &variants {
        let points: Vec<&Point> = study.points.iter().filter(|point| point.variant == *variant).filter(held).collect();
        let at = |row: usize, column: usize| {
            let own = |point: &&&Point| point.levels.get(x) == Some(&column) && point.levels.get(y) == Some(&row);
            points.iter().find(own).and_then(|point| value(point)).unwrap_or(f64::NAN)
        };
        let rows = 0..study.factors[y].levels.len();
        let columns = || 0..study.factors[x].levels.len();
        let values: Vec<Vec<f64>> = rows.map(|row| columns().map(|column| at(row, column)).collect()).collect();
        let text = |value: &f64| if value.is_finite() { shown(*value, unit) } else { "–".to_owned() };
        let texts = values.iter().map(|row| row.iter().map(text).collect()).collect();
        let height = HEIGHTS.1 + HEIGHTS.0 * values.len();
        let what = format!("{} over {} and {}", words(&sketch.plot.y), axis_words(sketch, x), axis_words(sketch, y));
        let mut chart = sketch.frame(&what, Numbers::PlainMeans, &points, Vec::new());
        if variants.len() > 1 {
            chart.title = format!("{}: {}", clean(variant), chart.title);
        }
        let axis = |index: usize| {
            let factor = &study.factors[index];
            let names = (0..factor.levels.len()).map(|level| clean(level_text(factor, level)));
            Axis::categories(axis_words(sketch, index), names)
        };
        (chart.x, chart.y) = (axis(x), axis(y));
        chart.layers = vec![Layer::Cells { values, texts, most }];
        chart.height = u32::try_from(height).unwrap_or(u32::MAX).min(2000);
        charts.push((format!("{} map {variant}", sketch.plot.y), chart));
    }
    Ok(charts)
}

/// A swept key in words.
fn axis_words(sketch: &Sketch<'_>, index: usize) -> String {
    let factor = &sketch.study.factors[index];
    factor_words(factor)
}

/// A value in the few letters that fit a cell.
fn shown(value: f64, unit: Unit) -> String {
    let rounded = match unit {
        Unit::Share => (value * 100.0).round() / 100.0,
        _ if value == 0.0 => 0.0,
        _ => {
            let power = libm::pow(10.0, 1.0 - libm::floor(libm::log10(value.abs())));
            (value * power).round() / power
        }
    };
    display(rounded, unit)
}
