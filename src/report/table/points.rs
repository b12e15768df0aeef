//! The table of the points: few as columns of one table, many as rows.

use comfy_table::{CellAlignment, Table};

use super::{Page, Style};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::{
    MISSING, clean, clients, compact, counted, estimate, factor_names, is_numeric, level_text, shorten, words,
};
use crate::study::Point;
use crate::study::Study;

/// Up to this many points stand side by side, one column each.
const SIDE_BY_SIDE: usize = 4;
/// Most rows of a table; of more points, some are left out.
const ROW_LIMIT: usize = 24;
/// Most clients with a table of their own.
const CLIENT_LIMIT: usize = 4;
/// Longest name in a cell, characters.
const NAME_LIMIT: usize = 28;
/// Most overloaded points that are described one by one.
const OVERLOAD_LIMIT: usize = 6;

/// What is shown of a client: metric and how soon its column is dropped for lack of room (the greatest first).
const CLIENT: [(&str, u8); 7] = [
    ("offered", 5),
    ("goodput", 1),
    ("latency.mean", 6),
    ("latency.p50", 4),
    ("latency.p95", 1),
    ("latency.p99", 3),
    ("failures", 2),
];
/// The rank of the busiest station, and of further metrics that expectations or plots use.
const BUSIEST: u8 = 2;
const FURTHER: u8 = 7;
/// Columns up to this rank stay if their intervals can be left out instead.
const LAST_KEPT: u8 = 2;

/// A column of the table (or a row, where points stand side by side).
struct Column {
    name: String,
    cells: Vec<String>,
    /// The cells without their intervals, for narrow terminals; `None` if the intervals always stay.
    brief: Option<Vec<String>>,
    /// Whether the intervals are left out.
    is_brief: bool,
    /// 0 is never dropped.
    rank: u8,
    is_text: bool,
}

impl Column {
    fn shown(&self) -> &[String] {
        self.brief.as_deref().filter(|_| self.is_brief).unwrap_or(&self.cells)
    }
}

pub(super) fn write(page: &mut Page, study: &Study) {
    if study.points.is_empty() {
        page.line("");
        page.line("There are no results: no run was finished.");
        return;
    }
    let names = clients(study);
    let (shown, hidden) = names.split_at(names.len().min(CLIENT_LIMIT));
    let shown: Vec<Option<&str>> =
        if shown.is_empty() { vec![None] } else { shown.iter().map(|name| Some(*name)).collect() };
    if !(study.points.len() <= SIDE_BY_SIDE && side_by_side(page, study, &shown)) {
        in_rows(page, study, &shown);
    }
    if !hidden.is_empty() {
        page.paragraph(
            &format!("{} not shown; all are in points.csv.", counted(hidden.len(), "further client")),
            Style::Faint,
            1,
        );
    }
    overloads(page, study);
    legend(page, study);
}

/// How the numbers were made.
fn legend(page: &mut Page, study: &Study) {
    let run = &study.run;
    let confidence = display(run.confidence, Unit::Share);
    let numbers = if run.replications > 1 {
        format!("Means of {} replications with {confidence} intervals", run.replications)
    } else {
        "One replication, so there are no intervals".to_owned()
    };
    let window = display(run.window, Unit::Seconds);
    page.paragraph(&format!("{numbers}; {window} measured, seed {}.", run.seed), Style::Faint, 1);
}

/// A table with a row per metric and a column per point; false if that is too wide.
fn side_by_side(page: &mut Page, study: &Study, clients: &[Option<&str>]) -> bool {
    let points: Vec<&Point> = study.points.iter().collect();
    let mut rows: Vec<Column> = Vec::new();
    for client in clients {
        let mut own = client_columns(study, &points, *client);
        if let (Some(client), true) = (client, clients.len() > 1) {
            own.iter_mut().for_each(|row| row.name = format!("{} {}", shorten(&clean(client), NAME_LIMIT), row.name));
        }
        rows.extend(own);
    }
    rows.extend(busiest_column(study, &points));
    rows.extend(further_columns(study, &points));
    let heads = points.iter().map(|point| {
        let label = shorten(&clean(&study.label(point)), NAME_LIMIT);
        if point.overload.is_some() && !label.is_empty() { format!("{label} ▲") } else { label }
    });
    let mut columns = vec![Column {
        name: String::new(),
        cells: rows.iter().map(|row| row.name.clone()).collect(),
        brief: None,
        is_brief: false,
        rank: 0,
        is_text: true,
    }];
    for (index, name) in heads.enumerate() {
        let cells = rows.iter().map(|row| row.cells[index].clone()).collect();
        columns.push(Column { name, cells, brief: None, is_brief: false, rank: 0, is_text: false });
    }
    let (lines, width) = draw(&columns);
    if width > page.width {
        return false;
    }
    page.line("");
    table(page, &lines, columns.iter().any(|column| !column.name.is_empty()));
    true
}

/// A table per client with a row per point.
fn in_rows(page: &mut Page, study: &Study, clients: &[Option<&str>]) {
    let kept = kept(study);
    let points: Vec<&Point> = kept.iter().map(|index| &study.points[*index]).collect();
    let mut dropped: Vec<String> = Vec::new();
    for (number, client) in clients.iter().enumerate() {
        let mut columns = label_columns(study, &points);
        columns.extend(client_columns(study, &points, *client));
        if number == 0 {
            columns.extend(busiest_column(study, &points));
            columns.extend(further_columns(study, &points));
        }
        let mut own = Vec::new();
        let lines = fit(&mut columns, page.width, &mut own);
        own.retain(|name| !dropped.contains(name));
        dropped.extend(own);
        match client {
            Some(client) if clients.len() > 1 => page.heading(&shorten(client, NAME_LIMIT)),
            _ => page.line(""),
        }
        table(page, &lines, true);
    }
    if kept.len() < study.points.len() {
        let rest = counted(study.points.len() - kept.len(), "point");
        page.paragraph(
            &format!("{rest} of {} left out here; all are in points.csv.", study.points.len()),
            Style::Faint,
            1,
        );
    }
    if !dropped.is_empty() {
        page.paragraph(
            &format!("Not shown for lack of room: {}; a wider terminal or points.csv has them.", dropped.join(", ")),
            Style::Faint,
            1,
        );
    }
}

/// Makes columns narrower until the table fits. Columns are dropped by rank; but before one of the most important is
/// dropped, the others try to do without their intervals. What is not shown is added to the list.
fn fit(columns: &mut Vec<Column>, width: usize, dropped: &mut Vec<String>) -> Vec<String> {
    loop {
        let (lines, needed) = draw(columns);
        let ranked = || columns.iter().enumerate().filter(|(_, column)| column.rank > 0);
        let last = ranked().max_by_key(|(at, column)| (column.rank, *at)).map(|(at, column)| (at, column.rank));
        let Some((last, rank)) = last.filter(|_| needed > width) else {
            let brief = columns.iter().filter(|column| column.is_brief);
            dropped.extend(brief.map(|column| format!("the interval of {}", column.name)));
            return lines;
        };
        let long = ranked().filter(|(_, column)| column.brief.is_some() && !column.is_brief);
        match long.max_by_key(|(_, column)| column.rank).map(|(at, _)| at) {
            Some(at) if rank <= LAST_KEPT => columns[at].is_brief = true,
            _ => {
                dropped.push(columns.remove(last).name);
                // There may be room for intervals again.
                columns.iter_mut().for_each(|column| column.is_brief = false);
            }
        }
    }
}

/// Which points are shown: all, or those at evenly spaced combinations of levels, the first and last among them.
fn kept(study: &Study) -> Vec<usize> {
    let count = study.points.len();
    if count <= ROW_LIMIT {
        return (0..count).collect();
    }
    let evenly = |length: usize, room: usize| -> Vec<usize> {
        let room = room.clamp(2, length.max(2));
        (0..room).map(|index| index * length.saturating_sub(1) / (room - 1)).collect()
    };
    let mut combinations: Vec<&[usize]> = Vec::new();
    for point in &study.points {
        if !combinations.contains(&point.levels.as_slice()) {
            combinations.push(&point.levels);
        }
    }
    let each = ROW_LIMIT / study.variants().len().max(1);
    if each < 2 || combinations.len() < 2 {
        return evenly(count, ROW_LIMIT);
    }
    let chosen: Vec<&[usize]> = evenly(combinations.len(), each).into_iter().map(|at| combinations[at]).collect();
    (0..count).filter(|index| chosen.contains(&study.points[*index].levels.as_slice())).collect()
}

/// The columns that tell the points apart.
fn label_columns(study: &Study, points: &[&Point]) -> Vec<Column> {
    let label = |name: &str, cells: Vec<String>, is_text| Column {
        name: name.to_owned(),
        cells,
        brief: None,
        is_brief: false,
        rank: 0,
        is_text,
    };
    let mut columns = Vec::new();
    if points.iter().any(|point| !point.variant.is_empty()) {
        let cells = points.iter().map(|point| shorten(&clean(&point.variant), NAME_LIMIT)).collect();
        columns.push(label("variant", cells, true));
    }
    for (index, (factor, name)) in study.factors.iter().zip(factor_names(study)).enumerate() {
        let is_text = !is_numeric(factor);
        let cell = |point: &&Point| {
            let level = point.levels.get(index).map_or(MISSING, |level| level_text(factor, *level));
            shorten(&clean(level), NAME_LIMIT)
        };
        columns.push(label(&shorten(&name, NAME_LIMIT), points.iter().map(cell).collect(), is_text));
    }
    if points.iter().any(|point| point.overload.is_some()) {
        let mark = |point: &&Point| if point.overload.is_some() { "▲".to_owned() } else { String::new() };
        columns.push(label("", points.iter().map(mark).collect(), true));
    }
    columns
}

fn metric_column(study: &Study, points: &[&Point], metric: &str, name: String, rank: u8) -> Option<Column> {
    let unit = study.metrics[study.metric(metric)?].unit;
    let cells = points.iter().map(|point| compact(estimate(study, point, metric), unit)).collect();
    let mean = |point: &&Point| estimate(study, point, metric).map_or(MISSING.to_owned(), |e| display(e.mean, unit));
    // The tail latency is what most questions are about: it keeps its interval.
    let brief = (!metric.ends_with(".latency.p95")).then(|| points.iter().map(mean).collect());
    Some(Column { name, cells, brief, is_brief: false, rank, is_text: false })
}

fn client_columns(study: &Study, points: &[&Point], client: Option<&str>) -> Vec<Column> {
    let Some(client) = client else { return Vec::new() };
    let column = |(metric, rank): (&str, u8)| {
        let name = metric.strip_prefix("latency.").unwrap_or(metric);
        let name = if name == metric { name.to_owned() } else { format!("latency {name}") };
        metric_column(study, points, &format!("{client}.{metric}"), name, rank)
    };
    CLIENT.into_iter().filter_map(column).collect()
}

/// Stations this near to the greatest utilization count as equally busy.
const AS_BUSY: f64 = 0.985;

/// The station with the greatest mean utilization at each point. Of equally busy ones a CPU, and else the last: workers are
/// held while waiting for what is called, a core is not, so they are full because of what stands behind them.
fn busiest_column(study: &Study, points: &[&Point]) -> Option<Column> {
    let stations: Vec<(&str, &str)> = study
        .metrics
        .iter()
        .filter_map(|metric| Some((metric.name.strip_suffix(".utilization")?, metric.name.as_str())))
        .collect();
    let busiest = |point: &&Point| {
        let found =
            stations.iter().filter_map(|(station, metric)| Some((*station, estimate(study, point, metric)?.mean)));
        let found: Vec<(&str, f64)> = found.collect();
        let most = found.iter().map(|(_, mean)| *mean).fold(0.0, f64::max);
        let busy = || found.iter().filter(|(_, mean)| *mean >= AS_BUSY * most);
        let best = busy().rfind(|(station, _)| station.ends_with(".cpu")).or(busy().next_back()).copied();
        best.map_or(MISSING.to_owned(), |(station, mean)| {
            format!("{} {}", shorten(&clean(station), NAME_LIMIT), display(mean, Unit::Share))
        })
    };
    let cells: Vec<String> = points.iter().map(busiest).collect();
    (!stations.is_empty()).then(|| Column {
        name: "busiest".to_owned(),
        cells,
        brief: None,
        is_brief: false,
        rank: BUSIEST,
        is_text: false,
    })
}

/// Metrics that plots or expectations speak of and that are not shown anyway.
fn further_columns(study: &Study, points: &[&Point]) -> Vec<Column> {
    let usual = |name: &str| CLIENT.iter().any(|(metric, _)| name.ends_with(&format!(".{metric}")));
    let is_used = |name: &str| {
        let first = |text: &str| text.split(' ').next() == Some(name);
        study.plots.iter().any(|plot| plot.y == name)
            || study.expectations.iter().any(|finding| first(&finding.expectation))
    };
    let metrics = study.metrics.iter().filter(|metric| !usual(&metric.name) && is_used(&metric.name));
    let column = |name: &str| metric_column(study, points, name, shorten(&words(name), NAME_LIMIT), FURTHER);
    metrics.filter_map(|metric| column(&metric.name)).collect()
}

/// The table's lines (header first) and its width.
fn draw(columns: &[Column]) -> (Vec<String>, usize) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.name.as_str()));
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| column.shown()[row].as_str()));
    }
    for (column, drawn) in columns.iter().zip(table.column_iter_mut()) {
        drawn.set_cell_alignment(if column.is_text { CellAlignment::Left } else { CellAlignment::Right });
    }
    // A space on either side of every column; the last one is trimmed.
    let width = table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum::<usize>();
    (table.lines().collect(), width.saturating_sub(1))
}

/// Writes a drawn table, a rule under its header.
fn table(page: &mut Page, lines: &[String], with_header: bool) {
    let longest = lines.iter().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            page.line(line);
        } else if with_header {
            page.styled(line, Style::Bold);
            page.styled(&format!(" {}", "─".repeat(longest.saturating_sub(1))), Style::Faint);
        }
    }
}

/// The sentence about every overloaded point; of many, about the first of each variant.
fn overloads(page: &mut Page, study: &Study) {
    let all: Vec<&Point> = study.points.iter().filter(|point| point.overload.is_some()).collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut told = 0;
    for point in &all {
        let Some(overload) = &point.overload else { continue };
        let is_first = !seen.contains(&point.variant.as_str());
        seen.push(&point.variant);
        if told >= OVERLOAD_LIMIT || (all.len() > OVERLOAD_LIMIT && !is_first) {
            continue;
        }
        told += 1;
        let label = Some(study.label(point)).filter(|label| !label.is_empty());
        let place = label.map_or(String::new(), |label| format!("{label}: "));
        let growth = display(overload.growth, Unit::PerSecond);
        let sentence = format!("{place}overloaded: the backlog of {} grows at {growth}", overload.client);
        page.item("▲", Style::Yellow, &sentence, 1);
    }
    if told < all.len() {
        let rest = counted(all.len() - told, "further overloaded point");
        page.paragraph(&format!("and {rest}, marked ▲"), Style::Plain, 3);
    }
}
