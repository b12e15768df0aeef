//! Where texts go: labels spread along the right edge, annotations at the freest spot.

use super::geometry::{Point, Rect};

/// Centers for labels of these heights, each as near to its wanted center as possible, in the same order from top to
/// bottom, not overlapping and within `top..bottom` where they fit at all.
///
/// Minimizes the sum of squared displacements: with the heights above a label subtracted, this is isotonic regression,
/// solved by pooling adjacent violators (Barlow et al. 1972). Equal wishes keep the given order.
pub(super) fn spread(wanted: &[f64], heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    let mut offsets = Vec::with_capacity(order.len());
    let mut above = 0.0;
    for &index in &order {
        offsets.push(above + heights[index] / 2.0);
        above += heights[index];
    }
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (&index, offset) in order.iter().zip(&offsets) {
        let mut pool = (wanted[index] - offset, 1);
        while let Some(&(sum, count)) = pools.last()
            && sum / count as f64 > pool.0 / pool.1 as f64
        {
            pools.pop();
            pool = (pool.0 + sum, pool.1 + count);
        }
        pools.push(pool);
    }
    let highest = (bottom - above).max(top);
    let mut out = vec![0.0; wanted.len()];
    let starts = pools.iter().flat_map(|&(sum, count)| std::iter::repeat_n(sum / count as f64, count));
    for ((&index, offset), start) in order.iter().zip(&offsets).zip(starts) {
        out[index] = start.clamp(top, highest) + offset;
    }
    out
}

/// What annotations must keep off.
#[derive(Default)]
pub(super) struct Obstacles {
    points: Vec<Point>,
    boxes: Vec<Rect>,
}

impl Obstacles {
    /// Adds a drawn polyline, sampled every three CSS pixels.
    pub fn add_path(&mut self, path: &[Point]) {
        for pair in path.windows(2) {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            let steps = ((dx * dx + dy * dy).sqrt() / 3.0).ceil().clamp(1.0, 2000.0);
            let count = steps as usize;
            self.points.extend((0..=count).map(|step| {
                let t = step as f64 / steps;
                (pair[0].0 + t * dx, pair[0].1 + t * dy)
            }));
        }
        self.points.extend(path.first());
    }

    /// Adds a box that later texts must not touch.
    pub fn add_box(&mut self, taken: Rect) {
        self.boxes.push(taken);
    }

    /// The first of the candidates with the least drawn under it.
    pub fn freest(&self, candidates: &[Rect]) -> Option<Rect> {
        let cost = |c: &Rect| {
            let near = Rect::new(c.x0 - 2.0, c.y0 - 2.0, c.x1 + 2.0, c.y1 + 2.0);
            let points = self.points.iter().filter(|p| near.contains(**p)).count();
            let boxes: f64 = self.boxes.iter().map(|b| b.overlap(&near)).sum();
            points as f64 + 10.0 * boxes
        };
        let costs: Vec<f64> = candidates.iter().map(cost).collect();
        (0..candidates.len())
            .min_by(|&a, &b| costs[a].total_cmp(&costs[b]).then(a.cmp(&b)))
            .map(|index| candidates[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_labels_do_not_overlap_keep_their_order_and_stay_inside() {
        let wanted = [50.0, 51.0, 50.0, 300.0, 2.0, 299.0, 120.0];
        let heights = [14.0, 28.0, 14.0, 14.0, 14.0, 28.0, 14.0];
        let centers = spread(&wanted, &heights, 0.0, 300.0);
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by(|&a, &b| centers[a].total_cmp(&centers[b]));
        for pair in order.windows(2) {
            let room = (heights[pair[0]] + heights[pair[1]]) / 2.0;
            // 1e-9 px: rounding of sums.
            assert!(centers[pair[1]] - centers[pair[0]] >= room - 1e-9, "{centers:?}");
            assert!(wanted[pair[0]] <= wanted[pair[1]]);
        }
        for (center, height) in centers.iter().zip(&heights) {
            assert!(center - height / 2.0 >= -1e-9 && center + height / 2.0 <= 300.0 + 1e-9);
        }
        assert_eq!(centers[6], 120.0, "a label with room stays where it is wanted");
    }

    #[test]
    fn annotations_avoid_lines_and_each_other() {
        let mut obstacles = Obstacles::default();
        obstacles.add_path(&[(0.0, 5.0), (100.0, 5.0)]);
        let spots = [0.0, 20.0, 40.0].map(|y| Rect::new(10.0, y, 60.0, y + 12.0));
        let first = obstacles.freest(&spots).unwrap();
        assert_eq!(first, spots[1]);
        obstacles.add_box(first);
        assert_eq!(obstacles.freest(&spots), Some(spots[2]));
    }
}
