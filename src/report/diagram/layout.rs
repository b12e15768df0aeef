//! Where the boxes of a diagram stand: layers from left to right, few crossings, short lines.
//!
//! The method is that of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures"
//! (1981): lines that would run backwards are turned, every box gets the layer of its longest way from a source, long lines
//! pass through empty places in the layers between, the order within a layer follows the mean of the neighbors, and so do the
//! heights at last.

/// A box to be placed: its size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub width: f64,
    pub height: f64,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Per box: its left upper corner.
    pub corners: Vec<(f64, f64)>,
    /// Per line: the points it passes, from the right side of one box to the left side of the other; from the left side to
    /// the right one for a line that runs backwards.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// Of the whole picture.
    pub width: f64,
    /// Of the whole picture.
    pub height: f64,
}

/// Between layers.
const GAP_X: f64 = 58.0;
/// Between boxes of a layer.
const GAP_Y: f64 = 26.0;
/// The height of an empty place that a long line passes.
const LANE: f64 = 14.0;
/// How often the layers are ordered and their heights settled.
const SWEEPS: usize = 12;

/// A place in a layer: a box, or an empty place of a long line.
#[derive(Debug, Clone)]
struct Slot {
    layer: usize,
    height: f64,
    /// The places it is tied to in the layer before and behind.
    before: Vec<usize>,
    behind: Vec<usize>,
    /// The middle.
    y: f64,
}

/// Places boxes that are tied by lines (from, to).
pub(super) fn place(sizes: &[Size], lines: &[(usize, usize)]) -> Layout {
    let turned = back_lines(sizes.len(), lines);
    let forward: Vec<(usize, usize)> =
        lines.iter().zip(&turned).map(|(&(from, to), turn)| if *turn { (to, from) } else { (from, to) }).collect();
    let layers = layers(sizes.len(), &forward);
    let slot = |(index, size): (usize, &Size)| Slot {
        layer: layers[index],
        height: size.height,
        before: Vec::new(),
        behind: Vec::new(),
        y: 0.0,
    };
    let mut slots: Vec<Slot> = sizes.iter().enumerate().map(slot).collect();
    let chains: Vec<Vec<usize>> = forward.iter().map(|line| chain(&mut slots, *line)).collect();
    let count = slots.iter().map(|slot| slot.layer + 1).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, slot) in slots.iter().enumerate() {
        rows[slot.layer].push(index);
    }
    order(&mut rows, &slots);
    settle(&rows, &mut slots);
    finish(sizes, &rows, &slots, &chains, &turned)
}

/// Which lines close a circle, found by walking from the first box on; they are drawn backwards. A line from a box to itself
/// is one of them.
fn back_lines(count: usize, lines: &[(usize, usize)]) -> Vec<bool> {
    let mut turned = vec![false; lines.len()];
    // 0 unseen, 1 on the way, 2 done.
    let mut state = vec![0u8; count];
    let from = |index: usize| lines.iter().enumerate().filter(move |(_, line)| line.0 == index).map(|(line, _)| line);
    for start in 0..count {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut way = vec![(start, from(start).collect::<Vec<_>>())];
        while let Some((index, rest)) = way.last_mut() {
            let Some(line) = rest.pop() else {
                state[*index] = 2;
                way.pop();
                continue;
            };
            let next = lines[line].1;
            match state[next] {
                0 => {
                    state[next] = 1;
                    way.push((next, from(next).collect()));
                }
                1 => turned[line] = true,
                _ => {}
            }
        }
    }
    turned
}

/// The length of the longest way to each box.
fn layers(count: usize, lines: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; count];
    // Without circles this ends after as many rounds as the longest way has lines.
    for _ in 0..count {
        let mut moved = false;
        for &(from, to) in lines.iter().filter(|(from, to)| from != to) {
            if layers[to] <= layers[from] {
                layers[to] = layers[from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    layers
}

/// Ties the ends of a line together, with an empty place in every layer between; returns all places from end to end.
fn chain(slots: &mut Vec<Slot>, (from, to): (usize, usize)) -> Vec<usize> {
    let mut chain = vec![from];
    for layer in slots[from].layer + 1..slots[to].layer {
        slots.push(Slot { layer, height: LANE, before: Vec::new(), behind: Vec::new(), y: 0.0 });
        chain.push(slots.len() - 1);
    }
    chain.push(to);
    for pair in chain.windows(2) {
        // A line from a box to itself ties nothing.
        if slots[pair[0]].layer < slots[pair[1]].layer {
            slots[pair[0]].behind.push(pair[1]);
            slots[pair[1]].before.push(pair[0]);
        }
    }
    chain
}

/// Orders every layer by the mean place of its neighbors, forwards and backwards in turns, and keeps the order with the fewest
/// crossings; of equals the first.
fn order(rows: &mut [Vec<usize>], slots: &[Slot]) {
    let mut best = (crossings(rows, slots), rows.to_vec());
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        let layers: Vec<usize> =
            if forwards { (1..rows.len()).collect() } else { (0..rows.len().max(1) - 1).rev().collect() };
        for layer in layers {
            let other = if forwards { &rows[layer - 1] } else { &rows[layer + 1] };
            let mut position = vec![0.0; slots.len()];
            other.iter().enumerate().for_each(|(place, slot)| position[*slot] = place as f64);
            let mut keyed: Vec<(f64, usize)> = Vec::new();
            for (place, slot) in rows[layer].iter().enumerate() {
                let near = if forwards { &slots[*slot].before } else { &slots[*slot].behind };
                let mean = near.iter().map(|slot| position[*slot]).sum::<f64>() / near.len() as f64;
                keyed.push((if near.is_empty() { place as f64 } else { mean }, *slot));
            }
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            rows[layer] = keyed.into_iter().map(|(_, slot)| slot).collect();
        }
        let now = crossings(rows, slots);
        if now < best.0 {
            best = (now, rows.to_vec());
        }
    }
    rows.clone_from_slice(&best.1);
}

/// How many pairs of lines cross.
fn crossings(rows: &[Vec<usize>], slots: &[Slot]) -> usize {
    let mut position = vec![0; slots.len()];
    rows.iter().for_each(|row| row.iter().enumerate().for_each(|(place, slot)| position[*slot] = place));
    let mut count = 0;
    for row in rows {
        let ends =
            |slot: &usize| slots[*slot].behind.iter().map(|to| (position[*slot], position[*to])).collect::<Vec<_>>();
        let mut lines: Vec<(usize, usize)> = row.iter().flat_map(ends).collect();
        lines.sort_unstable();
        // Inversions of the right ends: a sorted list of those seen so far.
        let mut seen: Vec<usize> = Vec::new();
        for (_, to) in lines {
            let at = seen.partition_point(|other| *other <= to);
            count += seen.len() - at;
            seen.insert(at, to);
        }
    }
    count
}

/// Gives every place a height near those of its neighbors.
fn settle(rows: &[Vec<usize>], slots: &mut [Slot]) {
    for row in rows {
        let mut y = 0.0;
        for slot in row {
            slots[*slot].y = y + slots[*slot].height / 2.0;
            y += slots[*slot].height + GAP_Y;
        }
    }
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 1;
        let layers: Vec<usize> = if forwards { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for layer in layers {
            let row = &rows[layer];
            let wanted = |slot: &usize| {
                let (before, behind) = (&slots[*slot].before, &slots[*slot].behind);
                let near = if (forwards && !before.is_empty()) || behind.is_empty() { before } else { behind };
                let mean = near.iter().map(|slot| slots[*slot].y).sum::<f64>() / near.len() as f64;
                if near.is_empty() { slots[*slot].y } else { mean }
            };
            let wanted: Vec<f64> = row.iter().map(wanted).collect();
            let heights: Vec<f64> = row.iter().map(|slot| slots[*slot].height).collect();
            for (slot, y) in row.iter().zip(apart(&wanted, &heights)) {
                slots[*slot].y = y;
            }
        }
    }
}

/// The middles nearest to those wanted (least squares) at which neighbors keep their distance: blocks of places that push each
/// other are merged, as in the pool-adjacent-violators algorithm.
fn apart(wanted: &[f64], heights: &[f64]) -> Vec<f64> {
    // Offset of each place from the first one's middle if all touch.
    let mut offsets = vec![0.0; wanted.len()];
    for index in 1..wanted.len() {
        offsets[index] = offsets[index - 1] + (heights[index - 1] + heights[index]) / 2.0 + GAP_Y;
    }
    // Blocks: sum of (wanted − offset), and how many.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (want, offset) in wanted.iter().zip(&offsets) {
        blocks.push((want - offset, 1));
        while let [.., one, two] = blocks.as_mut_slice()
            && one.0 / one.1 as f64 >= two.0 / two.1 as f64
        {
            (one.0, one.1) = (one.0 + two.0, one.1 + two.1);
            blocks.pop();
        }
    }
    let starts = blocks.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / *count as f64, *count));
    starts.zip(&offsets).map(|(start, offset)| start + offset).collect()
}

fn finish(sizes: &[Size], rows: &[Vec<usize>], slots: &[Slot], chains: &[Vec<usize>], turned: &[bool]) -> Layout {
    let widths: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().filter_map(|slot| sizes.get(*slot)).map(|size| size.width).fold(0.0, f64::max))
        .collect();
    let mut lefts = vec![0.0; rows.len()];
    for layer in 1..rows.len() {
        lefts[layer] = lefts[layer - 1] + widths[layer - 1] + GAP_X;
    }
    let top = slots.iter().map(|slot| slot.y - slot.height / 2.0).fold(f64::INFINITY, f64::min);
    let top = if top.is_finite() { top } else { 0.0 };
    let bottom = slots.iter().map(|slot| slot.y + slot.height / 2.0).fold(top, f64::max);
    let corner = |(index, size): (usize, &Size)| {
        let slot = &slots[index];
        (lefts[slot.layer], slot.y - size.height / 2.0 - top)
    };
    let corners: Vec<(f64, f64)> = sizes.iter().enumerate().map(corner).collect();
    let line = |(chain, turned): (&Vec<usize>, &bool)| {
        let last = chain.len() - 1;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (number, slot) in chain.iter().enumerate() {
            let (left, y) = (lefts[slots[*slot].layer], slots[*slot].y - top);
            let width = sizes.get(*slot).map_or(widths[slots[*slot].layer], |size| size.width);
            if number > 0 {
                points.push((left, y));
            }
            if number < last {
                points.push((left + width, y));
            }
        }
        if *turned {
            points.reverse();
        }
        points
    };
    let width = lefts.last().zip(widths.last()).map_or(0.0, |(left, width)| left + width);
    Layout { corners, lines: chains.iter().zip(turned).map(line).collect(), width, height: bottom - top }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxes(count: usize) -> Vec<Size> {
        (0..count).map(|index| Size { width: 100.0 + index as f64, height: 40.0 + 7.0 * (index % 5) as f64 }).collect()
    }

    #[test]
    fn a_chain_is_a_row_from_left_to_right() {
        let layout = place(&boxes(3), &[(0, 1), (1, 2)]);
        assert!(layout.corners.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let middles: Vec<f64> = layout.lines.iter().flatten().map(|point| point.1).collect();
        assert!(middles.iter().all(|y| (y - middles[0]).abs() < 1e-6), "{middles:?}");
    }

    #[test]
    fn lines_that_can_be_drawn_without_crossing_are() {
        // Two sources, each with its own target, written crosswise.
        let layout = place(&boxes(4), &[(0, 3), (1, 2)]);
        let above = |a: usize, b: usize| layout.corners[a].1 < layout.corners[b].1;
        assert_eq!(above(0, 1), above(3, 2));
    }

    #[test]
    fn circles_and_lines_to_oneself_are_drawn() {
        let layout = place(&boxes(3), &[(0, 1), (1, 2), (2, 1), (1, 1)]);
        assert_eq!(layout.lines.len(), 4);
        assert!(layout.corners[1].0 < layout.corners[2].0);
        assert!(layout.lines[2][0].0 > layout.lines[2][1].0, "{:?}", layout.lines[2]);
        assert_eq!(place(&[], &[]).lines.len(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn boxes_never_overlap_and_lie_within_the_picture(
            count in 1_usize..24,
            ties in proptest::collection::vec((0_usize..24, 0_usize..24), 0..60),
        ) {
            let sizes = boxes(count);
            let lines: Vec<(usize, usize)> = ties.into_iter().map(|(from, to)| (from % count, to % count)).collect();
            let layout = place(&sizes, &lines);
            prop_assert_eq!(layout.lines.len(), lines.len());
            for (one, (x, y)) in layout.corners.iter().enumerate() {
                prop_assert!(*x >= -1e-6 && *y >= -1e-6);
                prop_assert!(x + sizes[one].width <= layout.width + 1e-6);
                prop_assert!(y + sizes[one].height <= layout.height + 1e-6);
                for (two, (u, v)) in layout.corners.iter().enumerate().skip(one + 1) {
                    let apart = x + sizes[one].width <= *u || u + sizes[two].width <= *x
                        || y + sizes[one].height <= v + 1e-6 || v + sizes[two].height <= y + 1e-6;
                    prop_assert!(apart, "{} and {}", one, two);
                }
            }
            for line in &layout.lines {
                prop_assert!(line.len() >= 2 || lines.iter().any(|(from, to)| from == to));
            }
        }
    }
}
