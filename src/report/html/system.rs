//! The system's diagram, with a choice of the point whose utilization it shows.

use std::fmt::Write as _;

use super::page::{Page, attribute, text};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::diagram::{self, Overlay};
use crate::report::names::{clean, counted};
use crate::study::Point;
use crate::study::Study;

/// Larger systems are not drawn here: nobody could read them.
const PART_LIMIT: usize = 80;
/// Most points that can be chosen.
const POINT_LIMIT: usize = 400;

pub(super) fn write(page: &mut Page, study: &Study) {
    let Some(point) = super::shown(study) else { return };
    let Some(map) = study.systems.get(point.system).filter(|map| !map.is_empty()) else { return };
    page.section("system", "The system");
    if map.parts.len() > PART_LIMIT {
        let parts = counted(map.parts.len(), "part");
        page.raw(&format!(
            "<p>It has {parts}, too many for a picture here; <code>scalelab diagram</code> draws it.</p>\n"
        ));
        page.end_section();
        return;
    }
    let overlay = Overlay::of(study, point, map);
    let label = clean(&study.label(point));
    let at = if label.is_empty() { String::new() } else { format!(" ({})", text(&label)) };
    page.raw("<figure>\n<div class=\"scroll\" tabindex=\"0\">\n");
    page.raw(&diagram::element(map, &overlay));
    page.raw("</div>\n");
    let mut caption = format!(
        "<figcaption>Bars show how busy workers, cores and pools are<span id=\"shown-point\">{at}</span>, averaged over the \
         window and all instances."
    );
    if overlay.marked.is_some() {
        caption.push_str(match study.insights.is_empty() {
            true => " A red frame marks the queue in which requests lose most time.",
            false => " A red frame marks the bottleneck; at points without a verdict, the queue in which requests lose most time.",
        });
    }
    let _ = writeln!(caption, "</figcaption>");
    page.raw(&caption);
    if study.points.len() > 1 && study.points.len() <= POINT_LIMIT {
        choice(page, study, point);
    }
    page.raw("</figure>\n");
    page.end_section();
}

/// A list of all points for the script, which shows it; each with the utilization of every station.
fn choice(page: &mut Page, study: &Study, shown: &Point) {
    let mut out = String::from("<p class=\"choice\" hidden><label>Show <select id=\"point\">");
    for point in &study.points {
        let Some(map) = study.systems.get(point.system) else { continue };
        let overlay = Overlay::of(study, point, map);
        let mut loads: Vec<String> = Vec::new();
        for (number, part) in map.parts.iter().enumerate() {
            for (station, room) in part.stations.iter().enumerate() {
                let Some(load) = overlay.utilization[number][station] else { continue };
                let is_marked = overlay.marked.as_ref().is_some_and(|m| (m.0, m.1) == (number, station));
                loads.push(format!(
                    "{}|{:.4}|{}|{}",
                    clean(&format!("{}.{}", part.name, room.name)),
                    load.clamp(0.0, 1.0),
                    display(load, Unit::Share),
                    u8::from(is_marked)
                ));
            }
        }
        for (part, words) in map.parts.iter().zip(&overlay.words) {
            let words = words.as_ref().map(|words| format!("{}|-|{words}|0", clean(&part.name)));
            loads.extend(words);
        }
        let label = clean(&study.label(point));
        let selected = if std::ptr::eq(point, shown) { " selected" } else { "" };
        let _ = write!(
            out,
            "<option value=\"{}\"{selected}>{}</option>",
            attribute(&loads.join(";")).replace('\n', " "),
            text(if label.is_empty() { "the only point" } else { &label })
        );
    }
    out.push_str("</select></label></p>\n");
    page.raw(&out);
}
