//! Drawing a laid-out system.

use std::fmt::Write as _;

use super::layout::{Layout, Size, place};
use super::{Overlay, STATION_LIMIT, description};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::chart::{Weight, drawable, ellipsize, escape, text_width};
use crate::report::names::clean;
use crate::study::system::{Part, PartKind, SystemMap};

/// Width of a box, and of a client's.
const WIDTH: f64 = 196.0;
const CLIENT_WIDTH: f64 = 140.0;
/// Space around text in a box.
const PAD: f64 = 12.0;
/// Height of a station's row.
const ROW: f64 = 21.0;
/// Around the whole picture.
const MARGIN: f64 = 14.0;
/// Over the boxes, where one of them is pointed at.
const FLAG: f64 = 20.0;
/// The size of a flag's letters.
const FLAG_TEXT: f64 = 12.0;
/// By how much the boxes of a stack are apart.
const STACK: f64 = 4.0;

/// Colors and type; those of the dark theme only on screens.
pub(in crate::report) const STYLE: &str = include_str!("style.css");

/// A part with the rows that are drawn of it.
struct Drawn<'m> {
    part: &'m Part,
    number: usize,
    about: String,
    /// Indices of the stations that are shown.
    stations: Vec<usize>,
    size: Size,
}

impl<'m> Drawn<'m> {
    fn new(number: usize, part: &'m Part, overlay: &Overlay) -> Self {
        let load = |station: usize| overlay.utilization.get(number).and_then(|row| row.get(station)).copied().flatten();
        let mut stations: Vec<usize> = (0..part.stations.len()).collect();
        if stations.len() > STATION_LIMIT {
            let busy = |station: &usize| load(*station).unwrap_or(0.0);
            stations.sort_by(|one, other| busy(other).total_cmp(&busy(one)));
            stations.truncate(STATION_LIMIT);
            stations.sort_unstable();
        }
        let words = overlay.words.get(number).cloned().flatten();
        let about = match (&part.balancer, words) {
            (_, Some(words)) => words,
            (Some(balancer), None) if part.scaled.is_some() => balancer.clone(),
            (Some(balancer), None) => format!("{balancer} over {} instances", part.count()),
            (None, None) => part.about.clone(),
        };
        let more = usize::from(part.stations.len() > stations.len());
        let lines = 22.0 + if about.is_empty() { 0.0 } else { 17.0 };
        let size = match part.kind {
            PartKind::Client => Size { width: CLIENT_WIDTH, height: 24.0 + lines },
            _ => {
                let rows = (stations.len() + more) as f64 * ROW;
                let cap = if part.kind.is_store() { 8.0 } else { 0.0 };
                let stack = if part.is_several() { 2.0 * STACK } else { 0.0 };
                Size { width: WIDTH + stack, height: 18.0 + lines + rows + 2.0 * cap + stack }
            }
        };
        Drawn { part, number, about, stations, size }
    }
}

impl PartKind {
    fn is_store(self) -> bool {
        matches!(self, PartKind::Cache | PartKind::Database)
    }
}

/// The whole document.
pub(super) fn document(map: &SystemMap, overlay: &Overlay, style: &str) -> String {
    let drawn: Vec<Drawn<'_>> =
        map.parts.iter().enumerate().map(|(number, part)| Drawn::new(number, part, overlay)).collect();
    let sizes: Vec<Size> = drawn.iter().map(|part| part.size).collect();
    let lines: Vec<(usize, usize)> = map.calls.iter().map(|calls| (calls.from, calls.to)).collect();
    let layout = place(&sizes, &lines);
    let top = MARGIN + if overlay.marked.is_some() { FLAG } else { 0.0 };
    // A flag may be wider than its box, and than all of the picture.
    let flag = overlay.marked.as_ref().map_or(0.0, |(part, _, why)| {
        layout.corners[*part].0 + text_width(&format!("▼ {why}"), FLAG_TEXT, Weight::SemiBold)
    });
    let (width, height) = (layout.width.max(flag) + 2.0 * MARGIN + 24.0, layout.height + top + MARGIN);
    let mut out = String::new();
    // On a page the picture gets narrower with its column, as far as it stays readable.
    let size = match style {
        "" => format!("style=\"width:100%;height:auto;max-width:{width:.0}px;min-width:{:.0}px\"", 0.78 * width),
        _ => format!("width=\"{width:.0}\" height=\"{height:.0}\""),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sd\" {size} \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>The system</title>\n<desc>{}</desc>\n\
         {style}<defs><marker id=\"sd-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto-start-reverse\"><path class=\"sd-tip\" d=\"M0 0.6 8 4 0 7.4Z\"/></marker></defs>\n\
         <rect class=\"sd-paper\" width=\"100%\" height=\"100%\"/>\n\
         <g transform=\"translate({MARGIN} {top})\">",
        escape(&description(map, overlay)),
    );
    for (calls, points) in map.calls.iter().zip(&layout.lines) {
        let names = format!(
            "{} calls {}: {}",
            map.parts[calls.from].name,
            map.parts[calls.to].name,
            calls.operations.join(", ")
        );
        let _ = writeln!(
            out,
            "<path class=\"sd-line\" marker-end=\"url(#sd-tip)\" d=\"{}\"><title>{}</title></path>",
            curve(points, calls.from == calls.to, &layout, calls.from, &sizes),
            escape(&names)
        );
    }
    for part in &drawn {
        let (x, y) = layout.corners[part.number];
        let _ = writeln!(out, "<g transform=\"translate({x:.1} {y:.1})\">");
        draw(&mut out, part, overlay);
        out.push_str("</g>\n");
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// A smooth line through points that leave and enter boxes level.
fn curve(points: &[(f64, f64)], own: bool, layout: &Layout, from: usize, sizes: &[Size]) -> String {
    if own {
        let ((x, y), size) = (layout.corners[from], sizes[from]);
        let (right, bottom) = (x + size.width, y + size.height);
        return format!(
            "M{:.1} {bottom:.1}c0 22 46 22 46 -4c0 -14 -14 -18 {:.1} -18",
            right - 60.0,
            right - (right - 60.0) - 46.0 + 1.0
        );
    }
    let Some((x, y)) = points.first() else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    for (number, pair) in points.windows(2).enumerate() {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if number % 2 == 1 {
            let _ = write!(path, "L{x1:.1} {y1:.1}");
            continue;
        }
        let bend = (x1 - x0) * 0.5;
        let _ = write!(path, "C{:.1} {y0:.1} {:.1} {y1:.1} {x1:.1} {y1:.1}", x0 + bend, x1 - bend);
    }
    path
}

fn draw(out: &mut String, drawn: &Drawn<'_>, overlay: &Overlay) {
    let Drawn { part, number, size, .. } = drawn;
    let number = *number;
    let stack = if part.is_several() { 2.0 * STACK } else { 0.0 };
    let (width, height) = (size.width - stack, size.height - stack);
    let kind = part.kind.word();
    let _ = writeln!(out, "<title>{}</title>", escape(&format!("{} ({kind}): {}", part.name, part.about)));
    let marked = overlay.marked.as_ref().filter(|marked| marked.0 == number);
    let class = if marked.is_some() { "sd-box sd-marked" } else { "sd-box" };
    if part.is_several() {
        for shift in [2.0 * STACK, STACK] {
            outline(out, part.kind, "sd-box", shift, width, height);
        }
    }
    outline(out, part.kind, class, 0.0, width, height);
    let cap = if part.kind.is_store() { 12.0 } else { 0.0 };
    let mut y = 20.0 + cap;
    if part.kind == PartKind::Client {
        y = 26.0;
        let (name, about) =
            (fitting(&part.name, 14.0, width - 24.0, true), fitting(&drawn.about, 11.5, width - 20.0, false));
        let _ = writeln!(
            out,
            "<text class=\"sd-name\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{y}\">{name}</text>",
            width / 2.0
        );
        let _ = writeln!(
            out,
            "<text class=\"sd-about\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{}\" data-client=\"{}\">{about}</text>",
            width / 2.0,
            y + 18.0,
            escape(&clean(&part.name)).replace('"', "&quot;")
        );
        return;
    }
    let tag = match part.is_several() {
        false if part.kind == PartKind::Service => String::new(),
        false => kind.to_owned(),
        true if part.kind == PartKind::Service => format!("×{}", part.count()),
        true => format!("{kind} ×{}", part.count()),
    };
    let room = width - 2.0 * PAD - text_width(&tag, 12.0, Weight::SemiBold) - 8.0;
    let name = fitting(&part.name, 14.0, room, true);
    let _ = writeln!(out, "<text class=\"sd-name\" x=\"{PAD}\" y=\"{y}\">{name}</text>");
    if !tag.is_empty() {
        let x = width - PAD;
        let _ =
            writeln!(out, "<text class=\"sd-tag\" text-anchor=\"end\" x=\"{x:.1}\" y=\"{y}\">{}</text>", escape(&tag));
    }
    if !drawn.about.is_empty() {
        y += 17.0;
        let about = fitting(&drawn.about, 11.5, width - 2.0 * PAD, false);
        let _ = writeln!(out, "<text class=\"sd-about\" x=\"{PAD}\" y=\"{y}\">{about}</text>");
    }
    y += 8.0;
    for station in &drawn.stations {
        row(out, drawn, overlay, *station, y, width);
        y += ROW;
    }
    let more = part.stations.len() - drawn.stations.len();
    if more > 0 {
        let _ = writeln!(out, "<text class=\"sd-about\" x=\"{PAD}\" y=\"{}\">and {more} more</text>", y + 13.0);
    }
    if let Some((_, _, why)) = marked {
        let why = escape(&drawable(why));
        let _ = writeln!(out, "<text class=\"sd-flag\" x=\"0\" y=\"-8\">▼ {why}</text>");
    }
}

/// A station's bar with its name, and how full it is.
fn row(out: &mut String, drawn: &Drawn<'_>, overlay: &Overlay, station: usize, y: f64, width: f64) {
    let Drawn { part, number, .. } = drawn;
    let room = &part.stations[station];
    let load = overlay.utilization.get(*number).and_then(|row| row.get(station)).copied().flatten();
    let marked = overlay.marked.as_ref().is_some_and(|marked| (marked.0, marked.1) == (*number, station));
    let (x, full, height) = (PAD - 4.0, width - 2.0 * PAD + 8.0, ROW - 4.0);
    let name = format!("{}.{}", part.name, room.name);
    let _ = writeln!(out, "<g data-station=\"{}\">", escape(&clean(&name)).replace('"', "&quot;"));
    let value = load.map_or(String::new(), |load| display(load, Unit::Share));
    let tip = if value.is_empty() { room.words() } else { format!("{name}: {} busy of {}", value, room.words()) };
    let _ = writeln!(out, "<title>{}</title>", escape(&tip));
    let class = if marked { "sd-track sd-marked" } else { "sd-track" };
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{full:.1}\" height=\"{height}\" rx=\"3\"/>\
         <rect class=\"sd-fill {}\" x=\"{x}\" y=\"{y}\" width=\"{:.1}\" height=\"{height}\" rx=\"3\"/>",
        level(load.unwrap_or(0.0)),
        full * load.unwrap_or(0.0).clamp(0.0, 1.0),
    );
    let taken = text_width(&value, 11.5, Weight::SemiBold) + 8.0;
    let words = fitting(&room.words(), 11.5, width - 2.0 * PAD - taken, false);
    let _ = writeln!(
        out,
        "<text class=\"sd-room\" x=\"{PAD}\" y=\"{base}\">{words}</text>\
         <text class=\"sd-value\" text-anchor=\"end\" x=\"{:.1}\" y=\"{base}\">{}</text></g>",
        width - PAD,
        escape(&value),
        base = y + 13.0,
    );
}

/// The class of a utilization: calm, filling, full.
fn level(load: f64) -> &'static str {
    match load {
        load if load >= 0.85 => "sd-full",
        load if load >= 0.6 => "sd-filling",
        _ => "sd-calm",
    }
}

/// The outline of a part of a kind.
fn outline(out: &mut String, kind: PartKind, class: &str, shift: f64, width: f64, height: f64) {
    let _ = match kind {
        PartKind::Cache | PartKind::Database => {
            let (w, h, r) = (width, height, 9.0);
            writeln!(
                out,
                "<path class=\"{class}\" transform=\"translate({shift} {shift})\" d=\"M0 {r}A{a} {r} 0 0 1 {w} {r}V{b}A{a} {r} 0 0 1 \
                 0 {b}Z\"/><path class=\"{class} sd-open\" transform=\"translate({shift} {shift})\" d=\"M0 {r}A{a} {r} 0 0 0 {w} {r}\"/>",
                a = w / 2.0,
                b = h - r,
            )
        }
        _ => {
            let radius = match kind {
                PartKind::Client => height / 2.0,
                PartKind::Queue => 16.0,
                _ => 6.0,
            };
            let dashed = if kind == PartKind::Dependency { " sd-foreign" } else { "" };
            writeln!(
                out,
                "<rect class=\"{class}{dashed}\" x=\"{shift}\" y=\"{shift}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 rx=\"{radius}\"/>"
            )
        }
    };
}

/// The text, cut to fit and fit for markup.
fn fitting(text: &str, size: f64, room: f64, bold: bool) -> String {
    let weight = if bold { Weight::SemiBold } else { Weight::Regular };
    escape(&ellipsize(&drawable(text), size, weight, room))
}

#[cfg(test)]
mod tests {
    use super::super::{Overlay, svg};
    use super::*;
    use crate::report::tests::{hostile, single, system};

    #[test]
    fn bars_are_as_long_as_their_stations_are_busy() {
        let study = single();
        let map = &study.systems[0];
        let overlay = Overlay::of(&study, &study.points[0], map);
        assert_eq!(overlay.utilization[1], [Some(0.5), Some(0.3)]);
        let text = svg(map, &overlay);
        let full = WIDTH - 2.0 * PAD + 8.0;
        assert!(text.contains(&format!("sd-fill sd-calm\" x=\"8\" y=\"45\" width=\"{:.1}\"", 0.5 * full)), "{text}");
        assert!(text.contains("shop.workers: 50 % busy of 64 workers"));
        assert!(text.contains("450/s offered"));
        assert!(text.contains("of the time is spent waiting here"));
    }

    #[test]
    fn without_results_the_picture_shows_what_there_is() {
        let text = svg(&system(), &Overlay::default());
        assert!(text.contains("poisson 400/s") && text.contains("round robin over 3 instances"), "{text}");
        assert!(!text.contains("sd-flag\" x") && !text.contains("busy of"));
    }

    #[test]
    fn every_picture_is_well_formed_whatever_the_names() {
        let mut map = system();
        for (number, part) in map.parts.iter_mut().enumerate() {
            part.name = hostile().question + &number.to_string();
            part.about = "\"'<&>\u{0}\u{202e}".to_owned();
            part.stations.iter_mut().for_each(|room| room.name = "a\"b<c>&".to_owned());
        }
        map.parts[1].stations = vec![map.parts[1].stations[0].clone(); 9];
        map.calls.push(crate::study::system::Calls { from: 1, to: 1, operations: vec!["<x>".to_owned()] });
        map.calls.push(crate::study::system::Calls { from: 2, to: 1, operations: Vec::new() });
        for kind in [PartKind::Queue, PartKind::Cache, PartKind::Dependency, PartKind::Service] {
            map.parts[1].kind = kind;
            let text = svg(&map, &Overlay::default());
            let tree = resvg::usvg::Tree::from_str(&text, &resvg::usvg::Options::default());
            assert!(tree.is_ok(), "{:?}\n{text}", tree.err());
            assert!(text.contains("and 3 more"));
        }
    }
}
