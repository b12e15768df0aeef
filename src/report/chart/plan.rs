//! A chart checked and completed: ranges chosen, colors given, notes on what cannot be shown.

use super::error::ChartError;
use super::model::{Axis, Chart, Layer, Scale, Series, Stroke};
use super::palette::{self, Marker, Rgb};
use super::scale::{Range, extent, showable};
use super::ticks::short;

/// Most values in one layer.
const POINT_LIMIT: usize = 2_000_000;
/// Most parts of a stack that are drawn by themselves; the others are added up.
pub(super) const PART_LIMIT: usize = 8;
/// Most bars side by side.
const BAR_LIMIT: usize = 12;

/// The look of one line or point series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub color: Rgb,
    pub text: Rgb,
    pub stroke: Stroke,
    pub marker: Marker,
    pub width: f64,
    /// Whether this is one of many that recede without a label.
    pub faded: bool,
}

/// A chart ready to be laid out.
pub(super) struct Plan<'a> {
    pub chart: &'a Chart,
    pub x: Range,
    pub y: Range,
    /// The look of each layer that is a line or points.
    pub looks: Vec<Option<Look>>,
    /// How many series recede.
    pub faded: usize,
    /// Sentences for the caption: values that are off scale or cannot be shown.
    pub notes: Vec<String>,
    /// Whether nothing at all can be shown.
    pub empty: bool,
}

impl<'a> Plan<'a> {
    /// Checks `chart` and completes it.
    pub fn new(chart: &'a Chart) -> Result<Self, ChartError> {
        check(chart)?;
        let x = x_range(chart);
        let y = y_range(chart);
        let (looks, faded) = looks(chart);
        let mut plan = Self {
            chart,
            x,
            y,
            looks,
            faded,
            notes: Vec::new(),
            empty: extent(layer_ys(chart, true), chart.y.scale).is_none(),
        };
        plan.note();
        Ok(plan)
    }

    fn note(&mut self) {
        self.notes.clear();
        let unit = |axis: &Axis| match axis.unit.as_str() {
            "" => String::new(),
            unit => format!(" {unit}"),
        };
        for (axis, scale, values) in [
            ("x", self.chart.x.scale, layer_xs(self.chart).collect::<Vec<_>>()),
            ("y", self.chart.y.scale, layer_ys(self.chart, true).collect()),
        ] {
            let lost = values.iter().filter(|v| v.is_finite() && !showable(**v, scale)).count();
            if lost > 0 {
                let (noun, verb) = if lost == 1 { ("value", "is") } else { ("values", "are") };
                let why = match scale {
                    Scale::Log => "at or below zero on the log scale",
                    Scale::Linear => "too large",
                };
                self.notes.push(format!("{lost} {noun} {why} of {axis} {verb} not shown."));
            }
        }
        let beyond = |out: fn(&f64, &Range) -> bool| {
            let outside = layer_ys(self.chart, true).filter(|v| out(v, &self.y));
            extent(outside, self.chart.y.scale)
        };
        let above = beyond(|v, y| *v > y.hi && !y.holds(*v));
        let below = beyond(|v, y| *v < y.lo && !y.holds(*v));
        let unit = unit(&self.chart.y);
        if let Some((_, most)) = above {
            self.notes.push(format!("▲ off scale, up to {}{unit}.", short(most)));
        }
        if let Some((least, _)) = below {
            self.notes.push(format!("▼ off scale, down to {}{unit}.", short(least)));
        }
    }

    /// Number of categories of the x axis, or 0.
    pub fn categories(&self) -> usize {
        self.chart.x.categories.as_ref().map_or(0, Vec::len)
    }
}

/// The parts of a stack, negative and missing values as zero, those beyond the limit added up.
pub(super) fn parts(series: &[Series]) -> Vec<Series> {
    let clean = |s: &Series| {
        let values = s.values.iter().map(|&v| if showable(v, Scale::Linear) { v.max(0.0) } else { 0.0 });
        Series { values: values.collect(), ..s.clone() }
    };
    if series.len() <= PART_LIMIT {
        return series.iter().map(clean).collect();
    }
    let (own, rest) = series.split_at(PART_LIMIT - 1);
    let mut out: Vec<Series> = own.iter().map(clean).collect();
    let mut other = clean(&rest[0]);
    other.name = format!("{} others", rest.len());
    other.color = Some(super::model::Role::Reference);
    for more in rest[1..].iter().map(clean) {
        for (sum, value) in other.values.iter_mut().zip(&more.values) {
            *sum += value;
        }
    }
    out.push(other);
    out
}

fn invalid<T>(what: impl Into<String>) -> Result<T, ChartError> {
    Err(ChartError::Invalid(what.into()))
}

fn check(chart: &Chart) -> Result<(), ChartError> {
    for (name, axis) in [("x", &chart.x), ("y", &chart.y)] {
        let Some((lo, hi)) = axis.range else { continue };
        let fits = showable(lo, axis.scale) && showable(hi, axis.scale);
        if !fits || hi - lo <= 1e-9 * lo.abs().max(hi.abs()) {
            return invalid(format!(
                "{name}.range is ({lo}, {hi}): it must be finite, increasing and, on a log scale, above zero"
            ));
        }
    }
    let categories = chart.x.categories.as_ref().map(Vec::len);
    if categories.is_some() && chart.x.scale == Scale::Log {
        return invalid("x.categories are set on a log scale; use the linear one");
    }
    for layer in &chart.layers {
        check_layer(layer, categories, chart.y.scale)?;
    }
    Ok(())
}

fn check_layer(layer: &Layer, categories: Option<usize>, y: Scale) -> Result<(), ChartError> {
    let rows = |series: &[Series], length: usize, stacked: bool| {
        for s in series {
            if s.values.len() != length {
                let got = s.values.len();
                return invalid(format!("series \"{}\" has {got} values where {length} are needed", s.name));
            }
            if !s.intervals.is_empty() && (stacked || s.intervals.len() != length) {
                return invalid(format!(
                    "series \"{}\": intervals need grouped bars and one pair for each value",
                    s.name
                ));
            }
        }
        if y == Scale::Log {
            return invalid(
                "bars and stacks need a linear y axis: their length means the value; use points on a log one",
            );
        }
        Ok(())
    };
    let points = match layer {
        Layer::Line(line) => line.points.len().max(line.band.len()),
        Layer::Points(points) => points.points.len(),
        Layer::StackedArea { xs, .. } => xs.len(),
        _ => 0,
    };
    if points > POINT_LIMIT {
        return invalid(format!("a layer has {points} points; at most {POINT_LIMIT} are drawn"));
    }
    match layer {
        Layer::Cells { values, texts, most } => {
            let fits = values.iter().all(|row| Some(row.len()) == categories) && texts.len() == values.len();
            if !fits || texts.iter().any(|row| Some(row.len()) != categories) {
                return invalid("cells need a value and a text for each pair of categories");
            }
            if !(*most > 0.0 && most.is_finite()) {
                return invalid(format!("the darkest value of cells is {most}; it must be above 0"));
            }
            Ok(())
        }
        Layer::Points(p) if !p.intervals.is_empty() && p.intervals.len() != p.points.len() => {
            invalid(format!("points \"{}\" need one interval for each point or none", p.name))
        }
        Layer::Bars(series) | Layer::StackedBars(series) => {
            let Some(length) = categories else {
                return invalid("bars need x.categories");
            };
            let stacked = matches!(layer, Layer::StackedBars(_));
            if !stacked && series.len() > BAR_LIMIT {
                return invalid(format!("{} bars side by side; at most {BAR_LIMIT} can be told apart", series.len()));
            }
            rows(series, length, stacked)
        }
        Layer::StackedArea { xs, series } => {
            if xs.windows(2).any(|w| w[0] >= w[1]) || xs.iter().any(|x| !x.is_finite()) {
                return invalid("the xs of a stacked area must be finite and increasing");
            }
            rows(series, xs.len(), true)
        }
        _ => Ok(()),
    }
}

fn layer_xs(chart: &Chart) -> impl Iterator<Item = f64> + '_ {
    chart.layers.iter().flat_map(|layer| -> Box<dyn Iterator<Item = f64> + '_> {
        match layer {
            Layer::Line(line) => Box::new(line.points.iter().map(|p| p.0)),
            Layer::Points(points) => Box::new(points.points.iter().map(|p| p.0)),
            Layer::StackedArea { xs, .. } => Box::new(xs.iter().copied()),
            _ => Box::new(std::iter::empty()),
        }
    })
}

/// All y values drawn; with `data` only measured ones, else also bands and rules.
fn layer_ys(chart: &Chart, data: bool) -> impl Iterator<Item = f64> + '_ {
    chart.layers.iter().flat_map(move |layer| -> Box<dyn Iterator<Item = f64> + '_> {
        match layer {
            Layer::Line(line) => {
                let bands = line.band.iter().filter(move |_| !data);
                Box::new(line.points.iter().map(|p| p.1).chain(bands.flat_map(|b| [b.1, b.2])))
            }
            Layer::Points(p) => {
                let bars = p.intervals.iter().filter(move |_| !data);
                Box::new(p.points.iter().map(|p| p.1).chain(bars.flat_map(|b| [b.0, b.1])))
            }
            Layer::Bars(series) => Box::new(series.iter().flat_map(move |s| {
                let bars = s.intervals.iter().filter(move |_| !data);
                s.values.iter().copied().chain(bars.flat_map(|b| [b.0, b.1]))
            })),
            Layer::StackedBars(series) | Layer::StackedArea { series, .. } => {
                let parts = parts(series);
                let count = parts.first().map_or(0, |s| s.values.len());
                Box::new((0..count).map(move |i| parts.iter().map(|s| s.values[i]).sum()))
            }
            Layer::Cells { values, .. } => {
                let known = values.iter().enumerate().filter(|(_, row)| row.iter().any(|value| value.is_finite()));
                Box::new(known.map(|(row, _)| row as f64))
            }
            Layer::HorizontalRule { y, .. } if !data => Box::new(std::iter::once(*y)),
            _ => Box::new(std::iter::empty()),
        }
    })
}

/// Whether the x axis counts something: whole numbers only, such as instances.
pub(super) fn counts(chart: &Chart) -> bool {
    let mut xs = layer_xs(chart).peekable();
    chart.x.scale == Scale::Linear && chart.x.unit.is_empty() && xs.peek().is_some() && xs.all(|x| x.fract() == 0.0)
}

fn x_range(chart: &Chart) -> Range {
    let scale = chart.x.scale;
    if let Some(names) = &chart.x.categories {
        let hi = names.len().max(1) as f64 - 0.5;
        return Range { lo: -0.5, hi, scale: Scale::Linear };
    }
    if let Some((lo, hi)) = chart.x.range {
        return Range { lo, hi, scale };
    }
    let rules = chart.layers.iter().flat_map(|layer| match layer {
        Layer::VerticalRule { x, .. } => vec![*x],
        Layer::Region { x0, x1, .. } => vec![*x0, *x1],
        _ => Vec::new(),
    });
    // Regions and rules alone also deserve an axis, but do not stretch that of the data by more than needed.
    let mut range = extent(layer_xs(chart).chain(rules), scale);
    if let (Some((lo, hi)), Scale::Linear) = (range.as_mut(), scale)
        && *lo > 0.0
        && *lo < 0.25 * *hi
    {
        *lo = 0.0;
    }
    Range::tight(range, scale)
}

fn y_range(chart: &Chart) -> Range {
    let scale = chart.y.scale;
    if let Some(names) = &chart.y.categories {
        return Range { lo: -0.5, hi: names.len().max(1) as f64 - 0.5, scale: Scale::Linear };
    }
    if let Some((lo, hi)) = chart.y.range {
        return Range { lo, hi, scale };
    }
    let zero = chart
        .layers
        .iter()
        .any(|layer| matches!(layer, Layer::Bars(_) | Layer::StackedBars(_) | Layer::StackedArea { .. }));
    let data = extent(layer_ys(chart, true), scale);
    let mut all = extent(layer_ys(chart, false), scale);
    // A band from very few replications can be many times the data; beyond four spans it is cut instead.
    if let (Some((lo, hi)), Some(all), Scale::Linear) = (data, all.as_mut(), scale) {
        let rules = chart.layers.iter().filter_map(|layer| match layer {
            Layer::HorizontalRule { y, .. } => Some(*y),
            _ => None,
        });
        let (lo, hi) = extent(rules.chain([lo, hi]), scale).unwrap_or((lo, hi));
        let room = 4.0 * (hi - lo).max(1e-3 * hi.abs());
        *all = (all.0.max(lo - room), all.1.min(hi + room));
        if lo >= 0.0 {
            all.0 = all.0.max(0.0);
        }
    }
    Range::rounded(all, scale, zero)
}

fn looks(chart: &Chart) -> (Vec<Option<Look>>, usize) {
    let drawn = |layer: &&Layer| match layer {
        Layer::Line(line) => line.color.is_none(),
        Layer::Points(points) => points.color.is_none(),
        _ => false,
    };
    let count = chart.layers.iter().filter(drawn).count();
    let fading = count > palette::COLORED_LIMIT;
    let (mut number, mut faded) = (0, 0);
    let looks = chart.layers.iter().map(|layer| {
        let (role, stroke) = match layer {
            Layer::Line(line) => (line.color, line.stroke),
            Layer::Points(points) => (points.color, None),
            _ => return None,
        };
        let own = match role {
            None => {
                number += 1;
                number - 1
            }
            Some(super::model::Role::Series(index)) => index,
            Some(_) => 0,
        };
        let recede = fading && role.is_none() && own >= palette::FOREGROUND;
        faded += usize::from(recede);
        let (color, text) = if recede { (palette::FADED, palette::MUTED) } else { palette::colors(role, own) };
        let quiet = recede || role == Some(super::model::Role::Reference);
        Some(Look {
            color,
            text,
            stroke: stroke.unwrap_or(if recede { Stroke::Solid } else { palette::stroke(own) }),
            marker: palette::marker(own),
            width: if recede {
                1.0
            } else if quiet {
                1.4
            } else {
                2.0
            },
            faded: recede,
        })
    });
    (looks.collect(), faded)
}
