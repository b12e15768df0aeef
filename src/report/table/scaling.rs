//! How throughput grows with the swept key: efficiency by level, and the fitted law.

use super::Page;
use super::Style;
use super::insight::{plain, print};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::{clean, shorten};
use crate::study::Study;
use crate::study::scaling::{Law, Scaling};

/// Most variants and levels that are shown.
const ROWS: usize = 8;
const COLUMNS: usize = 8;

pub(super) fn write(page: &mut Page, study: &Study) {
    // Where the load was the limit at almost all levels, efficiency says nothing.
    let limited = |scaling: &&Scaling| scaling.steps.iter().filter(|step| step.is_limit).count() >= 2;
    let shown: Vec<&Scaling> = study.scalings.iter().filter(limited).take(ROWS).collect();
    let Some(first) = shown.first() else { return };
    let what = first.key.rsplit('.').next().unwrap_or_default();
    page.heading(&format!("Efficiency: throughput per one of the {what}, as a share of that at the least"));
    let steps = |scaling: &Scaling| -> Vec<usize> {
        let last = scaling.steps.len().saturating_sub(1);
        let all = (0..scaling.steps.len()).filter(|step| last < COLUMNS || step * COLUMNS % (last + 1) < COLUMNS);
        all.collect()
    };
    let columns = steps(first);
    let mut heads = vec![String::new()];
    heads.extend(columns.iter().map(|step| display(first.steps[*step].n, Unit::Count)));
    heads.push("Universal Scalability Law".to_owned());
    let mut table = plain(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for scaling in &shown {
        let name = if scaling.variant.is_empty() { &scaling.metric } else { &scaling.variant };
        let mut cells = vec![shorten(&clean(name), 28)];
        cells.extend(columns.iter().map(|step| match scaling.steps.get(*step) {
            // What was not the limit did all that was asked.
            Some(step) if step.is_limit => display((step.efficiency * 1000.0).round() / 1000.0, Unit::Share),
            _ => "all done".to_owned(),
        }));
        cells.push(scaling.law.as_ref().map_or(String::new(), law));
        table.add_row(&cells);
    }
    print(page, &table);
    page.paragraph("α: contention, β: coherency, fitted where the system was the limit.", Style::Faint, 1);
}

fn law(law: &Law) -> String {
    let share = |value: f64| display(value, Unit::Share);
    let peak = law.peak.map_or(String::new(), |peak| format!(", peak at {}", display(peak.round(), Unit::Count)));
    let off = display((law.deviation * 1e3).round() / 1e3, Unit::Share);
    format!("α = {}, β = {}{peak}; off by {off} at most", share(law.alpha), share(law.beta))
}
