//! The table of all points.

use std::fmt::Write as _;

use super::page::{Page, text};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::{clients, compact, counted, estimate, factor_names, level_text};
use crate::study::Point;
use crate::study::Study;

/// Most rows.
const ROW_LIMIT: usize = 400;
/// Most clients with a table.
const CLIENT_LIMIT: usize = 12;
/// What is shown of a client.
const COLUMNS: [&str; 7] =
    ["offered", "goodput", "latency.mean", "latency.p50", "latency.p95", "latency.p99", "failures"];

pub(super) fn write(page: &mut Page, study: &Study) {
    if study.points.is_empty() {
        return;
    }
    page.section("results", "Results in numbers");
    for client in clients(study).into_iter().take(CLIENT_LIMIT) {
        table(page, study, client);
    }
    let run = &study.run;
    let intervals = match run.replications {
        0 | 1 => "One replication, so there are no intervals.".to_owned(),
        count => format!("Means of {count} replications with {} intervals.", display(run.confidence, Unit::Share)),
    };
    let more = study.points.len().saturating_sub(ROW_LIMIT);
    let more = if more > 0 { format!(" {} more in points.csv.", counted(more, "point")) } else { String::new() };
    page.raw(&format!(
        "<p class=\"note\">{intervals} ▲ marks overload. – marks what too few requests stand behind.{more} All metrics are in \
         <code>points.csv</code>.</p>\n"
    ));
    page.end_section();
}

fn table(page: &mut Page, study: &Study, client: &str) {
    let mut out = String::new();
    let variants = study.variants().len() > 1;
    let _ = writeln!(
        out,
        "<h3>{}</h3>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"points\">\n<thead><tr>",
        text(client)
    );
    if variants {
        out.push_str("<th scope=\"col\">variant</th>");
    }
    for name in factor_names(study) {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", text(&name));
    }
    let known: Vec<(&str, Unit)> = COLUMNS
        .iter()
        .filter_map(|column| {
            let index = study.metric(&format!("{client}.{column}"))?;
            Some((*column, study.metrics[index].unit))
        })
        .collect();
    for (column, _) in &known {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", column.replace('.', " "));
    }
    out.push_str("<th scope=\"col\" class=\"num\">busiest</th></tr></thead>\n<tbody>\n");
    for point in study.points.iter().take(ROW_LIMIT) {
        out.push_str("<tr>");
        let flag = if point.overload.is_some() { " ▲" } else { "" };
        if variants {
            let _ = write!(out, "<th scope=\"row\">{}</th>", text(&point.variant));
        }
        for (factor, level) in study.factors.iter().zip(&point.levels) {
            let _ = write!(out, "<td class=\"num\">{}</td>", text(level_text(factor, *level)));
        }
        for (number, (column, unit)) in known.iter().enumerate() {
            let value = compact(estimate(study, point, &format!("{client}.{column}")), *unit);
            let _ = write!(out, "<td class=\"num\">{value}{}</td>", if number == 0 { flag } else { "" });
        }
        let _ = writeln!(out, "<td class=\"num\">{}</td></tr>", busiest(study, point));
    }
    out.push_str("</tbody></table></div>\n");
    page.raw(&out);
}

/// The station with the greatest utilization; of equals the first.
fn busiest(study: &Study, point: &Point) -> String {
    let mut best: Option<(&str, f64)> = None;
    for metric in &study.metrics {
        let Some(station) = metric.name.strip_suffix(".utilization") else { continue };
        let Some(value) = estimate(study, point, &metric.name) else { continue };
        if best.is_none_or(|best| value.mean > best.1) {
            best = Some((station, value.mean));
        }
    }
    best.map_or(String::new(), |(station, load)| format!("{} {}", text(station), display(load, Unit::Share)))
}
