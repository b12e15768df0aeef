//! Where the time goes: charts over what was varied, and for single points rows of blocks, like a flame graph: the whole response
//! time, the parts it was spent at, and what it was spent on there.

use std::fmt::Write as _;

use super::figures::Figure;
use super::page::{Page, attribute, text};
use crate::measure::Kind;
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::clean;
use crate::study::Study;
use crate::study::{Attribution, Share};

/// Most points and clients with blocks of their own.
const FLAME_LIMIT: usize = 12;
/// Blocks smaller than this part of the whole are put together.
const SMALL: f64 = 0.004;

pub(super) fn write(page: &mut Page, study: &Study, figures: &[Figure]) {
    let points = super::lasts(study);
    let known = |attribution: &&Attribution| attribution.entries.iter().any(|entry| entry.all > 0.0);
    if !points.iter().any(|point| point.attributions.iter().any(|attribution| known(&attribution))) {
        return;
    }
    page.section("time", "Where the time goes");
    page.raw(
        "<p>The mean response time of successful requests, split on the path that decided when they were answered. The parts add \
         up to the whole.</p>\n",
    );
    figures.iter().filter(|figure| figure.is_attribution()).for_each(|figure| figure.write(page));
    let mut drawn = 0;
    for point in points {
        for attribution in point.attributions.iter().filter(known) {
            if drawn == FLAME_LIMIT {
                continue;
            }
            drawn += 1;
            let label = clean(&study.label(point));
            let at = if label.is_empty() { String::new() } else { format!(", {}", text(&label)) };
            page.raw(&format!("<h3>{}{at}</h3>\n", text(&attribution.client)));
            flames(page, "All requests", &attribution.entries);
            table(page, &attribution.entries);
        }
        operations(page, &point.operations);
    }
    page.end_section();
}

/// The whole, and the slow tails.
fn flames(page: &mut Page, all: &str, entries: &[Share]) {
    flame(page, all, entries, |entry| entry.all);
    flame(page, "The slowest 5 %", entries, |entry| entry.slowest);
    flame(page, "The slowest 1 %", entries, |entry| entry.slowest_one);
}

/// The same of every operation's attempts, folded away: each is part of what stands above.
fn operations(page: &mut Page, operations: &[Attribution]) {
    let known: Vec<&Attribution> =
        operations.iter().filter(|operation| operation.entries.iter().any(|entry| entry.all > 0.0)).collect();
    if known.is_empty() {
        return;
    }
    page.raw("<details><summary>By operation</summary>\n");
    for operation in known.iter().take(FLAME_LIMIT) {
        page.raw(&format!("<h3>{}</h3>\n", text(&operation.client)));
        flames(page, "All attempts", &operation.entries);
    }
    if known.len() > FLAME_LIMIT {
        page.raw(&format!("<p class=\"note\">and {} more in summary.json</p>\n", known.len() - FLAME_LIMIT));
    }
    page.raw("</details>\n");
}

/// A word for the class of an account's color.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Waiting => "waiting",
        Kind::Backoff => "backoff",
        Kind::Network => "network",
        Kind::Delay => "delay",
        Kind::Service => "service",
    }
}

/// Rows of blocks as wide as their time: the whole, the parts, the accounts of each part.
fn flame(page: &mut Page, title: &str, entries: &[Share], time: fn(&Share) -> f64) {
    let whole: f64 = entries.iter().map(time).sum();
    if whole <= 0.0 || !whole.is_finite() {
        return;
    }
    let mut parts: Vec<(&str, f64, Vec<&Share>)> = Vec::new();
    for entry in entries.iter().filter(|entry| time(entry) > 0.0) {
        match parts.iter_mut().find(|part| part.0 == entry.part) {
            Some(part) => {
                part.1 += time(entry);
                part.2.push(entry);
            }
            None => parts.push((&entry.part, time(entry), vec![entry])),
        }
    }
    parts.sort_by(|one, other| other.1.total_cmp(&one.1));
    let seconds = |value: f64| display(value, Unit::Seconds);
    let words = |name: &str, value: f64| {
        format!("{name} {} ({})", seconds(value), display((value / whole * 1e3).round() / 1e3, Unit::Share))
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<div class=\"flame\" role=\"img\" aria-label=\"{}\">",
        attribute(&spoken(title, whole, entries, time))
    );
    let _ =
        writeln!(out, "<div class=\"row\"><span class=\"whole\">{title}: {} on average</span></div>", seconds(whole));
    let block = |out: &mut String, class: &str, name: &str, value: f64| {
        let (name, width) = (clean(name), value / whole * 100.0);
        let full = words(&name, value);
        let _ = write!(
            out,
            "<span class=\"{class}\" style=\"width:{width:.3}%\" title=\"{}\">{}</span>",
            attribute(&full),
            text(&full)
        );
    };
    out.push_str("<div class=\"row\">");
    parts.iter().for_each(|(name, sum, _)| block(&mut out, "part", name, *sum));
    out.push_str("</div>\n<div class=\"row\">");
    for (_, _, accounts) in &mut parts {
        accounts.sort_by(|one, other| time(other).total_cmp(&time(one)));
        let mut rest = 0.0;
        for entry in accounts.iter() {
            if time(entry) < SMALL * whole {
                rest += time(entry);
                continue;
            }
            let doubled = entry.resource == entry.kind.word();
            let kind = if doubled { String::new() } else { format!(" {}", entry.kind.word()) };
            block(&mut out, class(entry.kind), &format!("{}{kind}", entry.resource), time(entry));
        }
        if rest > 0.0 {
            block(&mut out, "rest", "others", rest);
        }
    }
    out.push_str("</div>\n</div>\n");
    page.raw(&out);
}

/// The same in words.
fn spoken(title: &str, whole: f64, entries: &[Share], time: fn(&Share) -> f64) -> String {
    let mut sorted: Vec<&Share> = entries.iter().filter(|entry| time(entry) >= SMALL * whole).collect();
    sorted.sort_by(|one, other| time(other).total_cmp(&time(one)));
    let share = |entry: &&Share| {
        format!("{}.{} {} {:.0} %", entry.part, entry.resource, entry.kind.word(), time(entry) / whole * 100.0)
    };
    let parts: Vec<String> = sorted.iter().map(share).collect();
    format!("{title}: {} on average; {}", display(whole, Unit::Seconds), parts.join(", "))
}

/// The same numbers as a table.
fn table(page: &mut Page, entries: &[Share]) {
    let whole = |time: fn(&Share) -> f64| entries.iter().map(time).sum::<f64>();
    let sums = [whole(|entry| entry.all), whole(|entry| entry.slowest), whole(|entry| entry.slowest_one)];
    let cells = |entry: &Share| -> String {
        let cell = |(time, sum): (f64, f64)| {
            let share = if sum > 0.0 { display((time / sum * 1e3).round() / 1e3, Unit::Share) } else { String::new() };
            format!("<td class=\"num\">{}</td><td class=\"num\">{share}</td>", display(time, Unit::Seconds))
        };
        [(entry.all, sums[0]), (entry.slowest, sums[1]), (entry.slowest_one, sums[2])].map(cell).concat()
    };
    let mut out = String::from(
        "<details><summary>The numbers</summary>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">part</th>\
         <th scope=\"col\">on what</th><th scope=\"col\">kind</th><th scope=\"col\" class=\"num\">all requests</th>\
         <th scope=\"col\" class=\"num\">share</th><th scope=\"col\" class=\"num\">slowest 5 %</th>\
         <th scope=\"col\" class=\"num\">share</th><th scope=\"col\" class=\"num\">slowest 1 %</th>\
         <th scope=\"col\" class=\"num\">share</th></tr></thead>\n<tbody>\n",
    );
    for entry in entries {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>{}</tr>",
            text(&entry.part),
            text(&entry.resource),
            entry.kind.word(),
            cells(entry)
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    page.raw(&out);
}
