//! A metric over things without a scale: variants, or the levels of a factor that are names.

use super::super::chart::{Axis, Chart, Layer, Points, Role, Scale, Series};
use super::super::names::{clean, factor_words, level_text, shorten, words};
use super::groups::Group;
use super::{Dimension, Numbers, ReportError, Sketch};
use crate::study::Point;

/// More bars than this side by side cannot be told apart; dots are drawn instead.
const BAR_LIMIT: usize = 8;
/// Most characters of a place's name.
const NAME_LIMIT: usize = 40;
/// How far dots of one place are apart together, in places.
const SPREAD: f64 = 0.5;

pub(super) fn chart(sketch: &Sketch<'_>, x: Dimension) -> Result<Chart, ReportError> {
    let study = sketch.study;
    let (metric, unit) = sketch.find("metric", &study.metrics)?;
    let points: Vec<&Point> = study.points.iter().collect();
    let groups = sketch.groups(&points, Some(x))?;
    let (names, label) = match x {
        Dimension::Variant => {
            let name = |variant: &&str| if variant.is_empty() { study.experiment.clone() } else { clean(variant) };
            (study.variants().iter().map(name).collect::<Vec<_>>(), String::new())
        }
        Dimension::Factor(index) => {
            let factor = &study.factors[index];
            let levels = 0..factor.levels.len();
            (levels.map(|level| clean(level_text(factor, level))).collect(), factor_words(factor))
        }
    };
    let means = points.iter().filter_map(|point| point.estimates.get(metric).copied().flatten());
    let (y, factor) = sketch.y_axis(words(&sketch.plot.y), &means.map(|e| e.mean).collect::<Vec<_>>(), unit)?;
    let rows: Vec<Series> = groups.iter().map(|group| row(sketch, group, x, names.len(), metric, factor)).collect();
    let mut layers = if y.scale == Scale::Log || rows.len() > BAR_LIMIT {
        dots(rows)
    } else if rows.len() == 1 && x == Dimension::Variant {
        one_color_each(rows)
    } else {
        vec![Layer::Bars(rows)]
    };
    layers.extend(sketch.slo(unit, factor)?);
    let over = if label.is_empty() { "variant" } else { label.as_str() };
    let by = match x {
        Dimension::Variant => String::new(),
        Dimension::Factor(_) => sketch.by_words(groups.len())?,
    };
    let mut chart =
        sketch.frame(&format!("{} by {over}{by}", words(&sketch.plot.y)), Numbers::Means, &points, Vec::new());
    chart.x = Axis::categories(label, names.iter().map(|name| shorten(name, NAME_LIMIT)));
    (chart.y, chart.layers) = (y, layers);
    Ok(chart)
}

/// The values of a group at every place.
fn row(sketch: &Sketch<'_>, group: &Group<'_>, x: Dimension, places: usize, metric: usize, factor: f64) -> Series {
    let mut values = vec![f64::NAN; places];
    let mut intervals = vec![(f64::NAN, f64::NAN); places];
    for point in &group.points {
        let place = sketch.value(point, x);
        if let Some(estimate) = point.estimates.get(metric).copied().flatten()
            && place < places
        {
            values[place] = estimate.mean * factor;
            if let Some(half) = estimate.half_width {
                intervals[place] = ((estimate.mean - half) * factor, (estimate.mean + half) * factor);
            }
        }
    }
    Series { name: group.name.clone(), values, intervals, color: Some(group.role) }
}

/// A row of bars in the colors that the variants have in every chart: a layer for each.
fn one_color_each(rows: Vec<Series>) -> Vec<Layer> {
    let bar = |row: &Series, place: usize| {
        let only = |at: usize, value: f64| if at == place { value } else { f64::NAN };
        Layer::Bars(vec![Series {
            name: String::new(),
            values: row.values.iter().enumerate().map(|(at, value)| only(at, *value)).collect(),
            intervals: row.intervals.iter().enumerate().map(|(at, i)| (only(at, i.0), only(at, i.1))).collect(),
            color: Some(Role::Series(place)),
        }])
    };
    rows.iter().flat_map(|row| (0..row.values.len()).map(move |place| bar(row, place))).collect()
}

/// Dots with whiskers, those of one place beside each other.
fn dots(rows: Vec<Series>) -> Vec<Layer> {
    let count = rows.len();
    let shift = |row: usize| (row as f64 - (count as f64 - 1.0) / 2.0) * SPREAD / count.max(2) as f64;
    let layer = |(number, row): (usize, Series)| {
        let points = row.values.iter().enumerate().map(|(place, value)| (place as f64 + shift(number), *value));
        Layer::Points(Points { name: row.name, points: points.collect(), intervals: row.intervals, color: row.color })
    };
    rows.into_iter().enumerate().map(layer).collect()
}
