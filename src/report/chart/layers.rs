//! The data marks of each kind of layer.

use super::canvas::{Anchor, Canvas};
use super::font::{self, Weight};
use super::frame::{Frame, style};
use super::geometry::{Point, Rect, clip_polygon, clip_polyline, thin};
use super::labels::Obstacles;
use super::model::{Line, Points, Series};
use super::palette::{self, Marker, Rgb, WHITE};
use super::plan::{Look, parts};

/// A name to be written beside the end of its mark.
pub(super) struct EndLabel {
    pub name: String,
    pub color: Rgb,
    pub anchor: Point,
}

/// Where layers draw, and what they tell the texts that come after them.
pub(super) struct Pen<'a> {
    pub canvas: &'a mut Canvas,
    pub frame: &'a Frame,
    pub obstacles: Obstacles,
    pub ends: Vec<EndLabel>,
    /// The points of the lines so far, in pixels: a line that runs along one of them must not hide it.
    pub drawn: Vec<Vec<Point>>,
}

/// How near two lines are that look like one, in pixels.
const TOGETHER: f64 = 1.5;

/// How many of the lines so far run along these points for half of their way or more.
fn along(drawn: &[Vec<Point>], points: &[Point]) -> usize {
    let near = |line: &Vec<Point>| {
        let mut rest = line.iter().peekable();
        let mut shared = 0;
        for point in points {
            while rest.next_if(|other| other.0 < point.0 - 0.5).is_some() {}
            let twin = rest.peek().filter(|other| (other.0 - point.0).abs() <= 0.5);
            shared += usize::from(twin.is_some_and(|other| (other.1 - point.1).abs() <= TOGETHER));
        }
        shared * 2 >= points.len() && !points.is_empty()
    };
    drawn.iter().filter(|line| near(line)).count()
}

impl Pen<'_> {
    fn end(&mut self, name: &str, color: Rgb, anchor: Point) {
        if !name.is_empty() {
            self.ends.push(EndLabel { name: name.to_string(), color, anchor });
        }
    }

    /// The translucent band of a line.
    pub fn band(&mut self, line: &Line, look: Look) {
        for run in line.band.split(|b| !(b.1.is_finite() && b.2.is_finite())) {
            let edge = |value: fn(&(f64, f64, f64)) -> f64| {
                let pairs: Vec<Point> = run.iter().map(|b| (b.0, value(b))).collect();
                let lowest = self.frame.y.lo;
                let shown = pairs.iter().map(|p| {
                    // On a log axis a lower bound at or below zero reaches the axis.
                    let y = if self.frame.py(p.1).is_none() && p.1 <= 0.0 { lowest } else { p.1 };
                    (p.0, y)
                });
                let shown: Vec<Point> = if line.step { staircase(shown) } else { shown.collect() };
                thin(&shown.into_iter().filter_map(|p| self.frame.point(p)).collect::<Vec<_>>())
            };
            let mut polygon = edge(|b| b.2);
            polygon.extend(edge(|b| b.1).into_iter().rev());
            let clipped = clip_polygon(&polygon, &self.frame.plot);
            self.canvas.polygon(&clipped, look.color, if look.faded { 0.08 } else { 0.16 });
        }
    }

    /// A curve, its marks, its off-scale marks and its end.
    pub fn line(&mut self, line: &Line, look: Look) {
        let plot = self.frame.plot;
        let mapped: Vec<Option<Point>> = line.points.iter().map(|p| self.frame.point(*p)).collect();
        let known: Vec<Point> = mapped.iter().copied().flatten().collect();
        let below = along(&self.drawn, &known);
        // What lies below shows through the gaps of what lies above.
        let dashes = palette::dashes(look.stroke).or((below > 0).then_some((7.0, 7.0 * below as f64)));
        let mut last = None;
        for run in mapped.split(Option::is_none) {
            let points: Vec<Point> = run.iter().copied().flatten().collect();
            let points = if line.step { staircase(points.into_iter()) } else { points };
            for piece in clip_polyline(&thin(&points), &plot) {
                if let [only] = piece[..] {
                    self.canvas.disk(only, 2.4, look.color);
                }
                self.canvas.dashed(&piece, look.color, look.width, dashes);
                self.obstacles.add_path(&piece);
                last = piece.last().copied().or(last);
            }
        }
        if line.markers {
            let own = known.iter().enumerate().filter(|(number, _)| number % (below + 1) == below);
            for (_, point) in own.filter(|(_, point)| plot.contains(**point)) {
                self.marker(*point, look);
            }
        }
        self.off_scale(&known, look.color);
        self.drawn.push(known);
        for (x, y, up) in &line.events {
            let at = self.frame.point((*x, *y)).filter(|at| plot.contains(*at));
            if let Some(at) = at {
                let marker = if *up { Marker::Triangle } else { Marker::TriangleDown };
                self.marker(at, Look { marker, ..look });
            }
        }
        if let (Some(anchor), false) = (last, look.faded) {
            self.end(&line.name, look.text, anchor);
        }
    }

    /// Unconnected points with their intervals.
    pub fn points(&mut self, layer: &Points, look: Look) {
        let plot = self.frame.plot;
        let mut last = None;
        for (index, point) in layer.points.iter().enumerate() {
            let Some(at) = self.frame.point(*point) else {
                continue;
            };
            if let Some(&(lo, hi)) = layer.intervals.get(index)
                && at.0 >= plot.x0
                && at.0 <= plot.x1
            {
                self.whisker(at.0, lo, hi, look.color, 3.0);
            }
            if plot.contains(at) {
                self.marker(at, look);
                self.obstacles.add_box(Rect::new(at.0 - 3.0, at.1 - 3.0, at.0 + 3.0, at.1 + 3.0));
                last = Some(at);
            }
        }
        let mapped: Vec<Point> = layer.points.iter().filter_map(|p| self.frame.point(*p)).collect();
        self.off_scale(&mapped, look.color);
        if let (Some(anchor), false) = (last, look.faded) {
            self.end(&layer.name, look.text, anchor);
        }
    }

    /// Bars side by side in each category.
    pub fn bars(&mut self, series: &[Series], categories: usize) {
        let plot = self.frame.plot;
        let place = plot.width() / categories.max(1) as f64;
        let count = series.len().max(1) as f64;
        let width = (0.74 * place / count).min(46.0);
        let gap = if width > 6.0 { 1.0 } else { 0.0 };
        for (number, row) in series.iter().enumerate() {
            let (color, _) = palette::colors(row.color, number);
            for (index, &value) in row.values.iter().enumerate() {
                let center = plot.x0 + (index as f64 + 0.5) * place;
                let left = center + (number as f64 - count / 2.0) * width;
                let bar = (left + gap / 2.0, left + width - gap / 2.0);
                self.bar(bar, 0.0, value, color);
                if let Some(&(lo, hi)) = row.intervals.get(index) {
                    self.whisker(left + width / 2.0, lo, hi, palette::TEXT, (width / 4.0).min(4.0));
                }
            }
        }
    }

    /// Parts of a whole in each category.
    pub fn stacked_bars(&mut self, series: &[Series], categories: usize) {
        let plot = self.frame.plot;
        let place = plot.width() / categories.max(1) as f64;
        let half = (0.36 * place).min(40.0);
        let parts = parts(series);
        let mut base = vec![0.0; categories];
        for (number, row) in parts.iter().enumerate() {
            let (color, text) = palette::colors(row.color, number);
            for (index, &value) in row.values.iter().enumerate() {
                let center = plot.x0 + (index as f64 + 0.5) * place;
                let top = base[index] + value;
                self.bar((center - half, center + half), base[index], top, color);
                if index + 1 == categories
                    && let (Some(a), Some(b)) = (self.frame.py(base[index]), self.frame.py(top))
                {
                    let y = ((a + b) / 2.0).clamp(plot.y0, plot.y1);
                    self.end(&row.name, text, (center + half, y));
                }
                base[index] = top;
            }
        }
    }

    /// Parts of a whole over a numeric x.
    pub fn stacked_area(&mut self, xs: &[f64], series: &[Series]) {
        let plot = self.frame.plot;
        let mut base = vec![0.0; xs.len()];
        for (number, row) in parts(series).iter().enumerate() {
            let (color, text) = palette::colors(row.color, number);
            let top: Vec<f64> = base.iter().zip(&row.values).map(|(b, v)| b + v).collect();
            let edge = |ys: &[f64]| -> Vec<Point> {
                let pairs = xs.iter().copied().zip(ys.iter().copied());
                thin(&pairs.filter_map(|p| self.frame.point(p)).collect::<Vec<_>>())
            };
            let (upper, lower) = (edge(&top), edge(&base));
            let mut polygon = upper.clone();
            polygon.extend(lower.iter().rev());
            self.canvas.polygon(&clip_polygon(&polygon, &plot), color, 0.85);
            for piece in clip_polyline(&upper, &plot) {
                self.canvas.path(&piece, WHITE, 0.8);
                self.obstacles.add_path(&piece);
            }
            let right = upper.iter().zip(&lower).rfind(|(a, _)| a.0 <= plot.x1 + 0.5);
            if let Some((a, b)) = right {
                self.end(&row.name, text, (a.0, ((a.1 + b.1) / 2.0).clamp(plot.y0, plot.y1)));
            }
            base = top;
        }
    }

    /// A cell for each pair of categories, darker for more.
    pub fn cells(&mut self, values: &[Vec<f64>], texts: &[Vec<String>], most: f64) {
        for (row, (values, texts)) in values.iter().zip(texts).enumerate() {
            for (column, (&value, text)) in values.iter().zip(texts).enumerate() {
                let corner = |x: f64, y: f64| self.frame.point((column as f64 + x, row as f64 + y));
                let (Some(a), Some(b)) = (corner(-0.5, 0.5), corner(0.5, -0.5)) else { continue };
                let cell = Rect::new(a.0 + 0.75, a.1 + 0.75, b.0 - 0.75, b.1 - 0.75);
                let shade = if value.is_finite() { (value / most).clamp(0.0, 1.0) } else { 0.0 };
                let ground = if value.is_finite() { palette::heat(shade) } else { palette::GRID };
                self.canvas.polygon(&cell.corners(), ground, 1.0);
                let ink = if shade > 0.45 { palette::WHITE } else { palette::INK };
                let size = (0.42 * cell.width() / font::width("00 %", 1.0, Weight::Regular)).clamp(7.0, 12.0);
                if font::width(text, size, Weight::Regular) < cell.width() && size < cell.height() {
                    let at = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0 + 0.36 * size);
                    self.canvas.text(at, text, style(size, ink, Anchor::Middle));
                }
            }
        }
    }

    /// One bar between two values, with a mark where it leaves the plot.
    fn bar(&mut self, x: (f64, f64), from: f64, to: f64, color: Rgb) {
        let (Some(a), Some(b)) = (self.frame.py(from), self.frame.py(to)) else {
            return;
        };
        let bar = Rect::new(x.0, a.min(b), x.1, a.max(b));
        let clipped = clip_polygon(&bar.corners(), &self.frame.plot);
        self.canvas.polygon(&clipped, color, 1.0);
        if from != 0.0 && clipped.len() > 2 {
            self.canvas.path(&[(x.0, a), (x.1, a)], WHITE, 1.0);
        }
        self.obstacles.add_box(bar);
        self.off_scale(&[((x.0 + x.1) / 2.0, b)], WHITE);
    }

    fn whisker(&mut self, x: f64, lo: f64, hi: f64, color: Rgb, cap: f64) {
        let plot = self.frame.plot;
        let (Some(top), bottom) = (self.frame.py(hi), self.frame.py(lo).unwrap_or(plot.y1)) else {
            return;
        };
        let stem = [(x, bottom), (x, top)];
        let caps = [bottom, top].map(|y| vec![(x - cap, y), (x + cap, y)]);
        for path in [stem.to_vec()].iter().chain(&caps) {
            for piece in clip_polyline(path, &plot) {
                self.canvas.path(&piece, color, 1.1);
                self.obstacles.add_path(&piece);
            }
        }
    }

    fn marker(&mut self, at: Point, look: Look) {
        marker(self.canvas, at, look);
    }

    /// Small triangles at the edge where points lie above or below the plot, at least 14 CSS pixels apart.
    fn off_scale(&mut self, points: &[Point], color: Rgb) {
        let plot = self.frame.plot;
        let mut previous = f64::NEG_INFINITY;
        for &(x, y) in points {
            let above = y < plot.y0 - 0.5;
            if !(above || y > plot.y1 + 0.5) || x < plot.x0 - 0.5 || x > plot.x1 + 0.5 || (x - previous).abs() < 14.0 {
                continue;
            }
            previous = x;
            let (tip, base) = if above { (plot.y0 + 1.0, plot.y0 + 7.0) } else { (plot.y1 - 1.0, plot.y1 - 7.0) };
            self.canvas.polygon(&[(x, tip), (x + 4.0, base), (x - 4.0, base)], color, 1.0);
        }
    }
}

/// Corners of the staircase that holds each y until the next x (in pixels or values).
fn staircase(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    for point in points {
        if let Some(&(_, y)) = out.last() {
            out.push((point.0, y));
        }
        out.push(point);
    }
    out
}

/// A marker of a series, with a white edge.
pub(super) fn marker(canvas: &mut Canvas, at: Point, look: Look) {
    for (radius, color) in [(4.4, WHITE), (3.2, look.color)] {
        let shape = |corners: &[Point]| -> Vec<Point> {
            corners.iter().map(|c| (at.0 + c.0 * radius, at.1 + c.1 * radius)).collect()
        };
        let corners = match look.marker {
            Marker::Circle => {
                canvas.disk(at, radius, color);
                continue;
            }
            Marker::Square => shape(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Marker::Triangle => shape(&[(0.0, -1.25), (1.15, 0.85), (-1.15, 0.85)]),
            Marker::Diamond => shape(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
            Marker::TriangleDown => shape(&[(0.0, 1.25), (1.15, -0.85), (-1.15, -0.85)]),
        };
        canvas.polygon(&corners, color, 1.0);
    }
}
