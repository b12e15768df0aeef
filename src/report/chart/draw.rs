//! One chart in its area: margins from measured texts, then layers, axes, labels and annotations.

use super::canvas::{Anchor, Canvas, TextStyle};
use super::describe::axis_title;
use super::font::{self, Weight};
use super::frame::{self, Frame, LINE, Theme, style};
use super::geometry::{Point, Rect, clip_polygon};
use super::hover;
use super::labels::{Obstacles, spread};
use super::layers::{self, EndLabel, Pen};
use super::model::{Layer, Series};
use super::palette::{self, Rgb};
use super::plan::{Plan, parts};

/// Space left and right of the plot, CSS pixels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Margins {
    pub left: f64,
    pub right: f64,
}

impl Margins {
    /// What this chart's texts need.
    pub fn of(plan: &Plan<'_>, area: &Rect, theme: Theme) -> Self {
        let ticks = frame::y_ticks(&plan.chart.y, &plan.y, (area.height() - 60.0).max(40.0));
        let room = label_room(area);
        let widest = end_names(plan)
            .iter()
            .flat_map(|name| font::wrap(name, theme.label, Weight::Regular, room, 2))
            .map(|line| font::width(&line, theme.label, Weight::Regular))
            .fold(0.0, f64::max);
        Self { left: frame::y_tick_width(&ticks, theme) + 8.0, right: if widest > 0.0 { widest + 16.0 } else { 10.0 } }
    }
}

/// Width that a label at the right edge may take.
fn label_room(area: &Rect) -> f64 {
    (0.27 * area.width()).min(190.0)
}

fn end_names(plan: &Plan<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (layer, look) in plan.chart.layers.iter().zip(&plan.looks) {
        match layer {
            Layer::Line(line) if look.is_some_and(|l| !l.faded) => names.push(line.name.clone()),
            Layer::Points(p) if !has_key(plan) && look.is_some_and(|l| !l.faded) => names.push(p.name.clone()),
            Layer::StackedBars(series) | Layer::StackedArea { series, .. } => {
                names.extend(parts(series).into_iter().map(|s| s.name));
            }
            _ => {}
        }
    }
    if plan.faded > 0 {
        names.push(format!("+{} more", plan.faded));
    }
    names
}

/// Draws the chart into `area`.
pub(super) fn chart(canvas: &mut Canvas, plan: &Plan<'_>, area: &Rect, theme: Theme) {
    let margins = Margins::of(plan, area, theme);
    let mut top = area.y0;
    for layer in &plan.chart.layers {
        if let Layer::Bars(series) = layer {
            top = bar_key(canvas, series, area, top, theme);
        }
    }
    if has_key(plan) {
        top = point_key(canvas, plan, area, top, theme);
    }
    let titled = !axis_title(&plan.chart.y, None).is_empty();
    top += if titled { theme.axis + 14.0 } else { 8.0 };
    let x0 = area.x0 + margins.left;
    let x1 = (area.x1 - margins.right).max(x0 + 20.0);
    let y1 = (area.y1 - frame::x_height(plan, x1 - x0, theme)).max(top + 20.0);
    let plot = Rect::new(x0, top, x1, y1);
    let frame = Frame { plot, x: plan.x, y: plan.y, y_ticks: frame::y_ticks(&plan.chart.y, &plan.y, plot.height()) };
    regions(canvas, plan, &frame);
    frame::draw_y_axis(canvas, &frame, plan, area.x0, theme);
    let mut pen = Pen { canvas, frame: &frame, obstacles: Obstacles::default(), ends: Vec::new(), drawn: Vec::new() };
    marks(&mut pen, plan);
    let Pen { mut obstacles, mut ends, .. } = pen;
    if has_key(plan) {
        ends.clear();
    }
    frame::draw_x_axis(canvas, &frame, plan, theme);
    let room = (area.x1 - x1 - 16.0).max(0.0);
    end_labels(canvas, plan, &plot, ends, room, theme);
    annotations(canvas, plan, &frame, &mut obstacles, theme);
    if canvas.is_live() {
        hover::strips(canvas, plan, &frame);
    }
    if plan.empty {
        let at = ((x0 + x1) / 2.0, (top + y1) / 2.0);
        canvas.text(at, "no data to show", style(13.0, palette::MUTED, Anchor::Middle));
    }
}

/// Whether the names of series stand above the chart: several series of single points in categories have no ends to stand at.
fn has_key(plan: &Plan<'_>) -> bool {
    let is_line = |layer: &Layer| matches!(layer, Layer::Line(_));
    let of_points = plan.chart.layers.iter().filter(|layer| matches!(layer, Layer::Points(_))).count();
    plan.categories() > 0 && of_points > 1 && plan.faded == 0 && !plan.chart.layers.iter().any(is_line)
}

/// The names of bars side by side, each after a patch of its color; returns where the rest may start.
fn bar_key(canvas: &mut Canvas, series: &[Series], area: &Rect, top: f64, theme: Theme) -> f64 {
    let named = series.iter().filter(|s| !s.name.is_empty()).count();
    if series.len() < 2 || named == 0 {
        return top;
    }
    let colors: Vec<(Rgb, Rgb)> =
        series.iter().enumerate().map(|(number, row)| palette::colors(row.color, number)).collect();
    let entries = series.iter().zip(&colors).map(|(row, (_, text))| (row.name.as_str(), *text)).collect::<Vec<_>>();
    key(canvas, &entries, area, top, theme, |canvas, number, (x, y)| {
        let patch = Rect::new(x, y - 9.0, x + 10.0, y + 1.0);
        canvas.polygon(&patch.corners(), colors[number].0, 1.0);
    })
}

/// The names of series of points, each after its marker; returns where the rest may start.
fn point_key(canvas: &mut Canvas, plan: &Plan<'_>, area: &Rect, top: f64, theme: Theme) -> f64 {
    let (mut entries, mut looks) = (Vec::new(), Vec::new());
    for (layer, look) in plan.chart.layers.iter().zip(&plan.looks) {
        if let (Layer::Points(points), Some(look)) = (layer, look) {
            entries.push((points.name.as_str(), look.text));
            looks.push(*look);
        }
    }
    key(canvas, &entries, area, top, theme, |canvas, number, (x, y)| {
        layers::marker(canvas, (x + 5.0, y - 4.0), looks[number]);
    })
}

/// Names in their colors, each after what `sign` draws at its number and place; returns where the rest may start.
fn key(
    canvas: &mut Canvas,
    entries: &[(&str, Rgb)],
    area: &Rect,
    top: f64,
    theme: Theme,
    sign: impl Fn(&mut Canvas, usize, Point),
) -> f64 {
    let (mut x, mut y) = (area.x0, top + 12.0);
    for (number, (name, text)) in entries.iter().enumerate() {
        let name = font::ellipsize(&font::drawable(name), theme.label, Weight::Regular, area.width() / 2.0);
        let width = 15.0 + font::width(&name, theme.label, Weight::Regular);
        if x > area.x0 && x + width > area.x1 {
            (x, y) = (area.x0, y + 18.0);
        }
        sign(canvas, number, (x, y));
        canvas.text((x + 15.0, y), &name, style(theme.label, *text, Anchor::Start));
        x += width + 18.0;
    }
    y + 10.0
}

fn regions(canvas: &mut Canvas, plan: &Plan<'_>, frame: &Frame) {
    let plot = frame.plot;
    for layer in &plan.chart.layers {
        if let Layer::Region { x0, x1, .. } = layer
            && let (Some(a), Some(b)) = (frame.px(*x0), frame.px(*x1))
        {
            let span = Rect::new(a.min(b), plot.y0, a.max(b), plot.y1);
            canvas.polygon(&clip_polygon(&span.corners(), &plot), palette::SHADE, 0.13);
        }
    }
}

/// Areas and bars, then bands, then rules, then receding lines, then the others.
fn marks(pen: &mut Pen<'_>, plan: &Plan<'_>) {
    let layers = || plan.chart.layers.iter().zip(&plan.looks);
    for (layer, _) in layers() {
        match layer {
            Layer::Bars(series) => pen.bars(series, plan.categories()),
            Layer::StackedBars(series) => pen.stacked_bars(series, plan.categories()),
            Layer::StackedArea { xs, series } => pen.stacked_area(xs, series),
            Layer::Cells { values, texts, most } => pen.cells(values, texts, *most),
            _ => {}
        }
    }
    for (layer, look) in layers() {
        if let (Layer::Line(line), Some(look)) = (layer, look) {
            pen.band(line, *look);
        }
    }
    rules(pen, plan);
    for faded in [true, false] {
        for (layer, look) in layers() {
            match (layer, look) {
                (Layer::Line(line), Some(look)) if look.faded == faded => pen.line(line, *look),
                (Layer::Points(points), Some(look)) if look.faded == faded => pen.points(points, *look),
                _ => {}
            }
        }
    }
}

fn rules(pen: &mut Pen<'_>, plan: &Plan<'_>) {
    let plot = pen.frame.plot;
    for layer in &plan.chart.layers {
        let path = match layer {
            Layer::HorizontalRule { y, .. } if pen.frame.y.holds(*y) => {
                pen.frame.py(*y).map(|y| [(plot.x0, y), (plot.x1, y)])
            }
            Layer::VerticalRule { x, .. } if pen.frame.x.holds(*x) => {
                pen.frame.px(*x).map(|x| [(x, plot.y1), (x, plot.y0)])
            }
            _ => None,
        };
        if let Some(path) = path {
            let vertical = matches!(layer, Layer::VerticalRule { .. });
            let pattern = vertical.then_some((3.0, 3.0));
            pen.canvas.dashed(&path, palette::TEXT, 1.0, pattern);
            pen.obstacles.add_path(&path);
        }
    }
}

/// Names beside the ends of their marks, apart from each other, with thin leaders where they had to move.
fn end_labels(canvas: &mut Canvas, plan: &Plan<'_>, plot: &Rect, mut ends: Vec<EndLabel>, room: f64, theme: Theme) {
    let line = theme.label * LINE;
    let space = plot.height() + line;
    let most = ((space / line) as usize).max(1);
    let mut hidden = plan.faded;
    if ends.len() + usize::from(hidden > 0) > most {
        hidden += ends.len() - (most - 1);
        ends.truncate(most - 1);
    }
    if hidden > 0 {
        let anchor = (plot.x1, plot.y1);
        ends.push(EndLabel { name: format!("+{hidden} more"), color: palette::MUTED, anchor });
    }
    let wrapped = |limit: usize| -> Vec<Vec<String>> {
        ends.iter().map(|e| font::wrap(&e.name, theme.label, Weight::Regular, room, limit)).collect()
    };
    let mut lines = wrapped(2);
    if lines.iter().map(Vec::len).sum::<usize>() > most {
        lines = wrapped(1);
    }
    let heights: Vec<f64> = lines.iter().map(|l| l.len() as f64 * line).collect();
    let wanted: Vec<f64> = ends.iter().map(|e| e.anchor.1).collect();
    let centers = spread(&wanted, &heights, plot.y0 - line / 2.0, plot.y1 + line / 2.0);
    for (index, end) in ends.iter().enumerate() {
        let (center, (x, y)) = (centers[index], end.anchor);
        let counted = hidden > 0 && index + 1 == ends.len();
        let (moved, far) = ((center - y).abs() > 2.5, x < plot.x1 - 40.0);
        // A line that left through the top or bottom has marks there; a leader along that edge would only hide them.
        let left = far && (y <= plot.y0 + 0.5 || y >= plot.y1 - 0.5);
        if !counted && !left && (moved || far) {
            let start: Point = (x + 4.0, y);
            if x < plot.x1 - 4.0 {
                let pattern = far.then_some((1.2, 2.4));
                canvas.dashed(&[start, (plot.x1 + 2.0, y)], end.color, 0.7, pattern);
            }
            canvas.path(&[(plot.x1 + 2.0, y), (plot.x1 + 12.0, center)], end.color, 0.7);
        }
        let first = center - heights[index] / 2.0 + 0.5 * line + 0.36 * theme.label;
        for (row, text) in lines[index].iter().enumerate() {
            let at = (plot.x1 + 15.0, first + row as f64 * line);
            canvas.text(at, text, style(theme.label, end.color, Anchor::Start));
        }
    }
}

/// The labels of rules and regions, each at the freest of its possible places.
fn annotations(canvas: &mut Canvas, plan: &Plan<'_>, frame: &Frame, obstacles: &mut Obstacles, theme: Theme) {
    let plot = frame.plot;
    let height = theme.note * LINE;
    for layer in &plan.chart.layers {
        let label = match layer {
            Layer::HorizontalRule { y, label } if frame.y.holds(*y) => label.clone(),
            Layer::HorizontalRule { y, label } if *y > frame.y.hi => {
                format!("▲ {label} (off scale)")
            }
            Layer::HorizontalRule { y, label } if *y < frame.y.lo => {
                format!("▼ {label} (off scale)")
            }
            Layer::VerticalRule { x, label } if frame.x.holds(*x) => label.clone(),
            Layer::Region { label, .. } => label.clone(),
            _ => continue,
        };
        let most = 0.6 * plot.width();
        let text = font::ellipsize(&font::drawable(&label), theme.note, Weight::Regular, most);
        let width = font::width(&text, theme.note, Weight::Regular);
        let spots = spots(layer, frame, width, height);
        let Some(spot) = obstacles.freest(&spots).filter(|_| !text.is_empty()) else {
            continue;
        };
        let at = (spot.x0, spot.y0 + 0.5 * height + 0.36 * theme.note);
        let halo = !matches!(layer, Layer::Region { .. });
        canvas.text(at, &text, TextStyle { halo, ..style(theme.note, palette::TEXT, Anchor::Start) });
        obstacles.add_box(spot);
    }
}

/// Boxes where the label of a rule or region may stand, best first, all within the plot.
fn spots(layer: &Layer, frame: &Frame, width: f64, height: f64) -> Vec<Rect> {
    let plot = frame.plot;
    let inside = |x: f64, y: f64| {
        let fits = x >= plot.x0 - 0.5 && x + width <= plot.x1 + 0.5;
        let x = if fits { x } else { x.clamp(plot.x0, (plot.x1 - width).max(plot.x0)) };
        let y = y.clamp(plot.y0, (plot.y1 - height).max(plot.y0));
        (fits, Rect::new(x, y, x + width, y + height))
    };
    let rows = || (0..40).map(|row| plot.y0 + 3.0 + 8.0 * f64::from(row)).take_while(|y| y + height < plot.y1);
    let candidates: Vec<(bool, Rect)> = match layer {
        Layer::HorizontalRule { y, .. } => {
            let y = frame.py(*y).unwrap_or(plot.y0).clamp(plot.y0 - 3.0, plot.y1 + 3.0);
            let columns = (0..9).map(|c| plot.x0 + 6.0 + f64::from(c) / 8.0 * (plot.width() - width - 12.0));
            columns.flat_map(|x| [y - height - 3.0, y + 4.0].map(|y| inside(x, y))).collect()
        }
        Layer::VerticalRule { x, .. } => {
            let x = frame.px(*x).unwrap_or(plot.x0);
            rows().flat_map(|y| [x + 6.0, x - width - 6.0].map(|x| inside(x, y))).collect()
        }
        Layer::Region { x0, x1, .. } => {
            let (a, b) = (frame.px(*x0).unwrap_or(plot.x0), frame.px(*x1).unwrap_or(plot.x0));
            let (a, b) = (a.min(b).max(plot.x0), a.max(b).min(plot.x1));
            let columns = if b - a >= width + 8.0 {
                vec![(a + b - width) / 2.0, a + 4.0, b - width - 4.0]
            } else {
                vec![b + 4.0, a - width - 4.0]
            };
            rows()
                .flat_map(|y| columns.iter().map(move |x| (*x, y)).collect::<Vec<_>>())
                .map(|(x, y)| inside(x, y))
                .collect()
        }
        _ => Vec::new(),
    };
    let fitting: Vec<Rect> = candidates.iter().filter(|c| c.0).map(|c| c.1).collect();
    if fitting.is_empty() { candidates.into_iter().map(|c| c.1).collect() } else { fitting }
}
