//! Words for readers who cannot see the picture.

use super::model::{Axis, Layer};
use super::plan::Plan;
use super::scale::extent;
use super::ticks::short;

/// "response time [ms]".
pub(super) fn axis_title(axis: &Axis, factor: Option<&str>) -> String {
    let unit = match (factor, axis.unit.as_str()) {
        (None, unit) => unit.to_string(),
        (Some(factor), "") => factor.to_string(),
        (Some(factor), unit) => format!("{factor} {unit}"),
    };
    match (axis.label.as_str(), unit.as_str()) {
        (label, "") => label.to_string(),
        ("", unit) => format!("[{unit}]"),
        (label, unit) => format!("{label} [{unit}]"),
    }
}

/// Subtitle, axes, and each layer with its extent.
pub(super) fn chart(plan: &Plan<'_>) -> String {
    let chart = plan.chart;
    let mut out = Vec::new();
    if !chart.subtitle.is_empty() {
        out.push(chart.subtitle.clone());
    }
    let (y, x) = (axis_title(&chart.y, None), axis_title(&chart.x, None));
    if !(x.is_empty() || y.is_empty()) {
        out.push(format!("{y} over {x}"));
    }
    let span = |values: &mut dyn Iterator<Item = f64>| match extent(values, chart.y.scale) {
        None => "no data".to_string(),
        Some((lo, hi)) if lo == hi => short(lo),
        Some((lo, hi)) => format!("{} to {}", short(lo), short(hi)),
    };
    for layer in &chart.layers {
        match layer {
            Layer::Line(line) => out.push(named(&line.name, &span(&mut line.points.iter().map(|p| p.1)))),
            Layer::Points(p) => out.push(named(&p.name, &span(&mut p.points.iter().map(|p| p.1)))),
            Layer::Bars(series) | Layer::StackedBars(series) | Layer::StackedArea { series, .. } => {
                for s in series {
                    out.push(named(&s.name, &span(&mut s.values.iter().copied())));
                }
            }
            Layer::Cells { texts, .. } => {
                let names = |axis: &Axis| axis.categories.clone().unwrap_or_default();
                for (row, texts) in names(&chart.y).iter().zip(texts) {
                    let cells =
                        names(&chart.x).iter().zip(texts).map(|(x, text)| format!("{x} {text}")).collect::<Vec<_>>();
                    out.push(named(row, &cells.join(", ")));
                }
            }
            Layer::HorizontalRule { y, label } => out.push(named(label, &format!("line at {}", short(*y)))),
            Layer::VerticalRule { x, label } => out.push(named(label, &format!("line at {}", short(*x)))),
            Layer::Region { x0, x1, label } => {
                out.push(named(label, &format!("from {} to {}", short(*x0), short(*x1))));
            }
        }
    }
    out.extend(plan.notes.iter().map(|note| note.trim_end_matches('.').to_string()));
    if out.is_empty() { String::new() } else { out.join(". ") + "." }
}

fn named(name: &str, what: &str) -> String {
    if name.is_empty() { what.to_string() } else { format!("{name}: {what}") }
}
