//! Plane geometry in CSS pixels: rectangles, clipping, dashes. y grows downward.

/// A point (x, y).
pub(super) type Point = (f64, f64);

/// An axis-parallel rectangle with `x0 <= x1` and `y0 <= y1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub x0: f64,
    pub y0: f64,
    pub x1: f64,
    pub y1: f64,
}

impl Rect {
    pub fn new(x0: f64, y0: f64, x1: f64, y1: f64) -> Self {
        Self { x0, y0, x1, y1 }
    }

    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    pub fn contains(&self, p: Point) -> bool {
        p.0 >= self.x0 && p.0 <= self.x1 && p.1 >= self.y0 && p.1 <= self.y1
    }

    /// Area shared with `other`.
    pub fn overlap(&self, other: &Rect) -> f64 {
        let width = self.x1.min(other.x1) - self.x0.max(other.x0);
        let height = self.y1.min(other.y1) - self.y0.max(other.y0);
        width.max(0.0) * height.max(0.0)
    }

    pub fn corners(&self) -> Vec<Point> {
        vec![(self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1)]
    }
}

/// The part of the segment inside the rectangle (Liang and Barsky 1984).
fn clip_segment(a: Point, b: Point, r: &Rect) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut t0, mut t1) = (0.0_f64, 1.0_f64);
    for (p, q) in [(-dx, a.0 - r.x0), (dx, r.x1 - a.0), (-dy, a.1 - r.y0), (dy, r.y1 - a.1)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            t0 = t0.max(q / p);
        } else {
            t1 = t1.min(q / p);
        }
    }
    // The ends are returned exactly, so that joined segments can be told from cut ones.
    let at = |t: f64| match t {
        0.0 => a,
        1.0 => b,
        _ => (a.0 + t * dx, a.1 + t * dy),
    };
    (t0 <= t1).then(|| (at(t0), at(t1)))
}

/// The parts of a polyline inside the rectangle, in order. A single point inside stays as a run of one.
pub(super) fn clip_polyline(points: &[Point], r: &Rect) -> Vec<Vec<Point>> {
    if let [only] = points {
        return if r.contains(*only) { vec![vec![*only]] } else { Vec::new() };
    }
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        match clip_segment(pair[0], pair[1], r) {
            None => open = false,
            Some((a, b)) => {
                match runs.last_mut() {
                    Some(run) if open => run.push(b),
                    _ => runs.push(vec![a, b]),
                }
                open = b == pair[1];
            }
        }
    }
    runs
}

/// The polygon cut to the rectangle (Sutherland and Hodgman 1974).
pub(super) fn clip_polygon(polygon: &[Point], r: &Rect) -> Vec<Point> {
    let edges: [(bool, f64, f64); 4] = [(true, r.x0, 1.0), (true, r.x1, -1.0), (false, r.y0, 1.0), (false, r.y1, -1.0)];
    edges.iter().fold(polygon.to_vec(), |input, &(vertical, bound, sign)| {
        let depth = |p: Point| sign * (if vertical { p.0 } else { p.1 } - bound);
        let mut out = Vec::with_capacity(input.len() + 4);
        for (index, &b) in input.iter().enumerate() {
            let a = input[(index + input.len() - 1) % input.len()];
            let (da, db) = (depth(a), depth(b));
            if (da < 0.0) != (db < 0.0) {
                let t = da / (da - db);
                out.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
            if db >= 0.0 {
                out.push(b);
            }
        }
        out
    })
}

/// The dashes of a polyline, for a pattern of (dash, gap) lengths.
pub(super) fn dash(points: &[Point], pattern: (f64, f64)) -> Vec<Vec<Point>> {
    let mut out = Vec::new();
    let mut drawing = true;
    let mut left = pattern.0;
    let mut current: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let length = (dx * dx + dy * dy).sqrt();
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let p = (pair[0].0 + dx * done / length, pair[0].1 + dy * done / length);
            if drawing {
                current.push(p);
                out.push(std::mem::take(&mut current));
            } else {
                current = vec![p];
            }
            drawing = !drawing;
            left = if drawing { pattern.0 } else { pattern.1 };
        }
        left -= length - done;
        if drawing {
            current.push(pair[1]);
        }
    }
    if current.len() > 1 {
        out.push(current);
    }
    out
}

/// At most four points in each half-pixel column (first, lowest, highest, last): looks the same, in bounded size.
pub(super) fn thin(points: &[Point]) -> Vec<Point> {
    const DENSE: usize = 1500;
    if points.len() <= DENSE {
        return points.to_vec();
    }
    let column = |p: &Point| (p.0 * 2.0).floor();
    let mut out = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let lowest = (0..group.len()).min_by(|&i, &j| group[i].1.total_cmp(&group[j].1));
        let highest = (0..group.len()).max_by(|&i, &j| group[i].1.total_cmp(&group[j].1));
        let mut kept = vec![0, group.len() - 1];
        kept.extend(lowest.into_iter().chain(highest));
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept.into_iter().map(|index| group[index]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Rect = Rect { x0: 0.0, y0: 0.0, x1: 10.0, y1: 10.0 };

    #[test]
    fn a_line_that_leaves_and_returns_becomes_two_runs() {
        let runs = clip_polyline(&[(0.0, 5.0), (5.0, 15.0), (10.0, 5.0)], &UNIT);
        assert_eq!(runs, [vec![(0.0, 5.0), (2.5, 10.0)], vec![(7.5, 10.0), (10.0, 5.0)]]);
    }

    #[test]
    fn a_clipped_polygon_stays_inside_and_an_outside_one_vanishes() {
        let cut = clip_polygon(&[(-5.0, -5.0), (20.0, 2.0), (3.0, 30.0)], &UNIT);
        assert!(cut.len() >= 3 && cut.iter().all(|&p| UNIT.contains(p)));
        assert!(clip_polygon(&[(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)], &UNIT).is_empty());
    }

    #[test]
    fn dashes_cover_the_share_of_the_length_that_the_pattern_says() {
        let dashes = dash(&[(0.0, 0.0), (0.0, 47.0), (53.0, 47.0)], (6.0, 4.0));
        let length = |run: &Vec<Point>| -> f64 {
            run.windows(2).map(|p| (p[1].0 - p[0].0).abs() + (p[1].1 - p[0].1).abs()).sum()
        };
        let total: f64 = dashes.iter().map(length).sum();
        // 100 pixels of line hold ten whole patterns; rounding only.
        assert!((total - 60.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let dense: Vec<Point> =
            (0..20_000).map(|i| (f64::from(i) / 200.0, if i == 7_777 { 99.0 } else { f64::from(i % 7) })).collect();
        let thinned = thin(&dense);
        assert!(thinned.len() <= 4 * 201);
        assert!(thinned.iter().any(|p| p.1 == 99.0));
    }
}
