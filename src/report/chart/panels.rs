//! Small multiples: charts in a grid with the same margins and ranges, so that they can be compared by eye.

use super::canvas::{Anchor, Canvas, TextStyle};
use super::describe;
use super::draw::{self, Margins};
use super::error::ChartError;
use super::font::{self, Weight};
use super::frame::{self, PADDING, Theme, style};
use super::geometry::Rect;
use super::model::Panels;
use super::palette;
use super::plan::Plan;
use super::scale::Range;

/// Most panels in one figure.
const PANEL_LIMIT: usize = 48;
/// Space between neighbors, CSS pixels.
const GAP: (f64, f64) = (20.0, 18.0);

/// The panels as one SVG document, on white, text as outlines.
///
/// # Errors
/// As [`super::to_svg`]; also if there are no panels, more than 48, or no column.
pub fn panels_to_svg(panels: &Panels) -> Result<String, ChartError> {
    super::check_size("width", panels.width, 240, 4000)?;
    super::check_size("panel_height", panels.panel_height, 120, 2000)?;
    if panels.columns == 0 || panels.charts.is_empty() || panels.charts.len() > PANEL_LIMIT {
        return Err(ChartError::Invalid(format!(
            "{} panels in {} columns; 1 to {PANEL_LIMIT} panels in at least one column can be drawn",
            panels.charts.len(),
            panels.columns
        )));
    }
    let plans = shared_plans(panels)?;
    let columns = panels.columns.min(plans.len());
    let rows = plans.len().div_ceil(columns);
    let mut notes: Vec<String> = Vec::new();
    for (plan, note) in plans.iter().flat_map(|p| p.notes.iter().map(move |n| (p, n))) {
        notes.push(format!("{}: {note}", plan.chart.title));
    }
    // Texts are measured on a draft before the height is known.
    let mut draft = Canvas::new(panels.width, 100);
    let width = f64::from(panels.width);
    let page = Rect::new(PADDING, PADDING - 4.0, width - PADDING, 1e4);
    let top = frame::header(&mut draft, &page, &panels.title, &panels.subtitle);
    let foot = page.y1 - frame::footer(&mut draft, &page, &panels.caption, &notes);
    let cell = ((page.width() - GAP.0 * (columns as f64 - 1.0)) / columns as f64, f64::from(panels.panel_height));
    let grid = rows as f64 * (cell.1 + GAP.1) - GAP.1;
    let height = (top + grid + foot + 14.0).ceil();
    let mut canvas = Canvas::new(panels.width, height as u32);
    let page = Rect { y1: height - 12.0, ..page };
    frame::header(&mut canvas, &page, &panels.title, &panels.subtitle);
    frame::footer(&mut canvas, &page, &panels.caption, &notes);
    let theme = Theme::PANEL;
    let first = Rect::new(page.x0, top, page.x0 + cell.0, top + cell.1);
    let margins = plans.iter().map(|plan| Margins::of(plan, &first, theme)).fold(Margins::default(), Margins::union);
    for (index, plan) in plans.iter().enumerate() {
        let x = page.x0 + (index % columns) as f64 * (cell.0 + GAP.0);
        let y = top + (index / columns) as f64 * (cell.1 + GAP.1);
        let bold = TextStyle { weight: Weight::SemiBold, ..style(12.5, palette::INK, Anchor::Start) };
        let heading = font::drawable(&plan.chart.title);
        let heading = font::ellipsize(&heading, 12.5, Weight::SemiBold, cell.0);
        canvas.text((x, y + 12.0), &heading, bold);
        let area = Rect::new(x, y + 20.0, x + cell.0, y + cell.1);
        draw::chart(&mut canvas, plan, &area, theme, Some(margins));
    }
    let described: Vec<String> =
        plans.iter().map(|plan| format!("{}: {}", plan.chart.title, describe::chart(plan))).collect();
    canvas.finish(&panels.title, &described.join(" "))
}

/// One plan for each panel, with the union of the ranges of those on the same scale.
fn shared_plans(panels: &Panels) -> Result<Vec<Plan<'_>>, ChartError> {
    let plans: Vec<Plan<'_>> = panels.charts.iter().map(Plan::new).collect::<Result<_, _>>()?;
    let union = |of: fn(&Plan<'_>) -> Range| {
        let first = of(&plans[0]);
        let same = plans.iter().all(|plan| of(plan).scale == first.scale);
        let filled = plans.iter().filter(|plan| !plan.empty).map(of);
        let range = filled.reduce(|a, b| Range { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi), ..a });
        range.filter(|_| same)
    };
    let categorical = plans.iter().any(|plan| plan.categories() > 0);
    let x = union(|plan| plan.x).filter(|_| !categorical);
    let y = union(|plan| plan.y).filter(|_| panels.share_y);
    Ok(plans.into_iter().map(|plan| plan.with_ranges(x, y)).collect())
}
