//! Everything around the data: title, axes, grid, caption.

use super::canvas::{Anchor, Canvas, TextStyle};
use super::describe::axis_title;
use super::font::{self, Weight};
use super::geometry::{Point, Rect};
use super::model::{Axis, Scale};
use super::palette::{self, Rgb};
use super::plan::{self, Plan};
use super::scale::Range;
use super::ticks::{self, Ticks};

/// White space around the figure, CSS pixels.
pub(super) const PADDING: f64 = 22.0;
/// Height of a tick label's line relative to its size.
pub(super) const LINE: f64 = 1.25;

/// Text sizes in CSS pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    pub tick: f64,
    pub axis: f64,
    pub label: f64,
    pub note: f64,
}

impl Theme {
    pub const FULL: Self = Self { tick: 11.5, axis: 12.0, label: 12.0, note: 11.0 };
}

pub(super) fn style(size: f64, color: Rgb, anchor: Anchor) -> TextStyle {
    TextStyle { size, weight: Weight::Regular, color, anchor, halo: false }
}

/// Draws title and subtitle; returns where the rest may start.
pub(super) fn header(canvas: &mut Canvas, page: &Rect, title: &str, subtitle: &str) -> f64 {
    let mut y = page.y0;
    let bold = TextStyle { weight: Weight::SemiBold, ..style(17.0, palette::INK, Anchor::Start) };
    for line in font::wrap_evenly(title, 17.0, Weight::SemiBold, page.width(), 2) {
        y += 22.0;
        canvas.text((page.x0, y - 5.0), &line, bold);
    }
    for line in font::wrap(subtitle, 12.5, Weight::Regular, page.width(), 2) {
        y += 18.0;
        canvas.text((page.x0, y - 3.0), &line, style(12.5, palette::MUTED, Anchor::Start));
    }
    if y > page.y0 { y + 12.0 } else { y }
}

/// Draws caption and notes at the bottom; returns where the rest must end.
pub(super) fn footer(canvas: &mut Canvas, page: &Rect, caption: &str, notes: &[String]) -> f64 {
    let mut parts: Vec<&str> = notes.iter().map(String::as_str).collect();
    if !caption.is_empty() {
        parts.push(caption);
    }
    let lines = font::wrap(&parts.join(" "), 10.5, Weight::Regular, page.width(), 3);
    let height = 14.0 * lines.len() as f64;
    for (index, line) in lines.iter().enumerate() {
        let y = page.y1 - height + 14.0 * (index as f64 + 1.0) - 3.0;
        canvas.text((page.x0, y), line, style(10.5, palette::MUTED, Anchor::Start));
    }
    if lines.is_empty() { page.y1 } else { page.y1 - height - 8.0 }
}

/// The plot's place and its axes.
pub(super) struct Frame {
    pub plot: Rect,
    pub x: Range,
    pub y: Range,
    pub y_ticks: Ticks,
}

impl Frame {
    /// Horizontal pixel of a value.
    pub fn px(&self, value: f64) -> Option<f64> {
        self.x.position(value).map(|p| self.plot.x0 + p * self.plot.width())
    }

    /// Vertical pixel of a value.
    pub fn py(&self, value: f64) -> Option<f64> {
        self.y.position(value).map(|p| self.plot.y1 - p * self.plot.height())
    }

    /// Pixel of a pair of values.
    pub fn point(&self, p: Point) -> Option<Point> {
        Some((self.px(p.0)?, self.py(p.1)?))
    }
}

/// Ticks of the y axis for a plot of this height; its categories if it has any.
pub(super) fn y_ticks(axis: &Axis, range: &Range, height: f64) -> Ticks {
    if let Some(names) = &axis.categories {
        let major = names.iter().enumerate().map(|(place, name)| (place as f64, font::drawable(name))).collect();
        return Ticks { major, minor: Vec::new(), factor: None };
    }
    let target = ((height / 48.0) as usize).clamp(2, 8);
    match range.scale {
        Scale::Linear => ticks::linear(range.lo, range.hi, target),
        Scale::Log => ticks::log(range.lo, range.hi, ((height / 30.0) as usize).clamp(3, 12)),
    }
}

/// Width of the widest y tick label.
pub(super) fn y_tick_width(ticks: &Ticks, theme: Theme) -> f64 {
    let widths = ticks.major.iter().map(|t| font::width(&t.1, theme.tick, Weight::Regular));
    widths.fold(0.0, f64::max)
}

/// As many x ticks as fit side by side.
fn x_ticks(range: &Range, width: f64, theme: Theme) -> Ticks {
    let mut target = ((width / 70.0) as usize).clamp(2, 10);
    loop {
        let ticks = match range.scale {
            Scale::Linear => ticks::linear(range.lo, range.hi, target),
            Scale::Log => ticks::log(range.lo, range.hi, target),
        };
        let spans: Vec<(f64, f64)> = ticks
            .major
            .iter()
            .filter_map(|(value, label)| {
                let center = range.position(*value)? * width;
                let half = font::width(label, theme.tick, Weight::Regular) / 2.0;
                Some((center - half, center + half))
            })
            .collect();
        if target == 1 || spans.windows(2).all(|w| w[0].1 + 8.0 <= w[1].0) {
            return ticks;
        }
        target -= 1;
    }
}

/// Height below the plot for tick labels and the axis title.
pub(super) fn x_height(plan: &Plan<'_>, width: f64, theme: Theme) -> f64 {
    let lines = category_lines(plan, width, theme).iter().map(Vec::len).max().unwrap_or(1).max(1);
    let title = if axis_title(&plan.chart.x, None).is_empty() { 0.0 } else { theme.axis + 10.0 };
    10.0 + lines as f64 * theme.tick * LINE + title
}

/// The wrapped names of the categories; empty where places are too narrow for every name.
fn category_lines(plan: &Plan<'_>, width: f64, theme: Theme) -> Vec<Vec<String>> {
    let Some(names) = &plan.chart.x.categories else {
        return Vec::new();
    };
    let place = width / names.len().max(1) as f64;
    let every = (30.0 / place).ceil().max(1.0) as usize;
    let room = place * every as f64 - 6.0;
    names
        .iter()
        .enumerate()
        .map(
            |(index, name)| {
                if index % every == 0 { font::wrap(name, theme.tick, Weight::Regular, room, 2) } else { Vec::new() }
            },
        )
        .collect()
}

/// Grid lines, labels and title of the y axis.
pub(super) fn draw_y_axis(canvas: &mut Canvas, frame: &Frame, plan: &Plan<'_>, left: f64, theme: Theme) {
    let plot = &frame.plot;
    for (value, label) in &frame.y_ticks.major {
        let Some(y) = frame.py(*value) else { continue };
        canvas.path(&[(plot.x0, y), (plot.x1, y)], palette::GRID, 0.8);
        let at = (plot.x0 - 8.0, y + 0.36 * theme.tick);
        canvas.text(at, label, style(theme.tick, palette::TEXT, Anchor::End));
    }
    for y in frame.y_ticks.minor.iter().filter_map(|v| frame.py(*v)) {
        canvas.path(&[(plot.x0 - 3.0, y), (plot.x0, y)], palette::FADED, 0.7);
    }
    let title = axis_title(&plan.chart.y, frame.y_ticks.factor.as_deref());
    let room = plot.x1 - left;
    let title = font::ellipsize(&font::drawable(&title), theme.axis, Weight::Regular, room);
    let at = (left, plot.y0 - 0.36 * theme.axis - 9.0);
    canvas.text(at, &title, style(theme.axis, palette::TEXT, Anchor::Start));
}

/// Base line, ticks, labels and title of the x axis.
pub(super) fn draw_x_axis(canvas: &mut Canvas, frame: &Frame, plan: &Plan<'_>, theme: Theme) {
    let plot = &frame.plot;
    canvas.path(&[(plot.x0, plot.y1), (plot.x1, plot.y1)], palette::AXIS, 1.0);
    let is_zero = |y: &f64| plan.chart.y.categories.is_none() && *y < plot.y1 - 0.5 && *y > plot.y0;
    if let Some(zero) = frame.py(0.0).filter(is_zero) {
        canvas.path(&[(plot.x0, zero), (plot.x1, zero)], palette::AXIS, 1.0);
    }
    let text = style(theme.tick, palette::TEXT, Anchor::Middle);
    let first = plot.y1 + 7.0 + theme.tick;
    let mut factor = None;
    let mut lines = 1;
    if plan.chart.x.categories.is_some() {
        let names = category_lines(plan, plot.width(), theme);
        lines = names.iter().map(Vec::len).max().unwrap_or(1).max(1);
        for (index, name) in names.iter().enumerate() {
            let Some(x) = frame.px(index as f64) else {
                continue;
            };
            for (row, line) in name.iter().enumerate() {
                canvas.text((x, first + row as f64 * theme.tick * LINE), line, text);
            }
        }
    } else {
        let mut ticks = x_ticks(&frame.x, plot.width(), theme);
        if plan::counts(plan.chart) {
            ticks::whole(&mut ticks);
        }
        for (value, label) in &ticks.major {
            let Some(x) = frame.px(*value) else { continue };
            canvas.path(&[(x, plot.y1), (x, plot.y1 + 4.5)], palette::AXIS, 1.0);
            canvas.text((x, first), label, text);
        }
        for x in ticks.minor.iter().filter_map(|v| frame.px(*v)) {
            canvas.path(&[(x, plot.y1), (x, plot.y1 + 2.5)], palette::FADED, 0.8);
        }
        factor = ticks.factor;
    }
    let title = axis_title(&plan.chart.x, factor.as_deref());
    let title = font::ellipsize(&font::drawable(&title), theme.axis, Weight::Regular, plot.width());
    let y = first + (lines as f64 - 1.0) * theme.tick * LINE + theme.axis + 7.0;
    let at = ((plot.x0 + plot.x1) / 2.0, y);
    canvas.text(at, &title, style(theme.axis, palette::TEXT, Anchor::Middle));
}
