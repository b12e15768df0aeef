//! A search: its path, the cheapest setting that holds, and what is proved.

use super::insight::{plain, print};
use super::{Page, Style};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::{clean, shorten};
use crate::study::finding::Verdict;
use crate::study::search::{Search, Trial};

/// A search for a terminal.
pub fn search(question: &str, search: &Search, width: usize, color: bool) -> String {
    let mut page = Page { text: String::new(), width: width.max(super::NARROWEST), color };
    page.paragraph(question, Style::Bold, 0);
    page.heading("Tried, in this order");
    let short = |key: &String| shorten(&clean(key.split_once('.').map_or(key, |(_, rest)| rest)), 40);
    let mut heads: Vec<String> = search.keys.iter().map(short).collect();
    heads.extend(["cost", "runs", "verdict", "worst expectation"].map(str::to_owned));
    let mut table = plain(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for trial in &search.path {
        let mut cells: Vec<String> = trial.setting.iter().map(|text| clean(text)).collect();
        cells.push(display(trial.cost, Unit::Count));
        cells.push(trial.replications.to_string());
        cells.push(trial.verdict.word().to_owned());
        cells.push(worst(trial));
        table.add_row(&cells);
    }
    print(&mut page, &table);
    let words = |trial: &Trial| {
        let pairs = search.keys.iter().zip(&trial.setting).map(|(key, text)| format!("{key}: {text}"));
        pairs.collect::<Vec<_>>().join(", ")
    };
    match search.found.and_then(|number| search.path.get(number)) {
        Some(trial) => {
            page.heading("Found");
            page.item("✓", Style::Green, &format!("{} (cost {})", words(trial), display(trial.cost, Unit::Count)), 1);
            let bound = search.lower_bound.unwrap_or(trial.cost);
            let text = if bound >= trial.cost {
                "No cheaper setting holds: each failed, or has no more of anything than one that failed.".to_owned()
            } else {
                let bound = display(bound, Unit::Count);
                format!("A cheaper one may hold: settings from a cost of {bound} are undecided; run longer to decide.")
            };
            page.paragraph(&text, Style::Plain, 3);
        }
        None => {
            page.heading("Not found");
            page.item("✗", Style::Red, "No setting that may be chosen meets all expectations.", 1);
        }
    }
    if search.front.len() > 1 {
        page.heading("What more money buys (none is both cheaper and better)");
        for trial in search.front.iter().filter_map(|number| search.path.get(*number)) {
            let measured = trial
                .findings
                .first()
                .map_or(String::new(), |finding| format!("{}: {}", finding.expectation, finding.measured));
            page.item(
                &format!("{:>8}", display(trial.cost, Unit::Count)),
                Style::Plain,
                &format!(
                    "{} — {measured}{}",
                    words(trial),
                    if trial.verdict == Verdict::Held { "" } else { " (not enough)" }
                ),
                1,
            );
        }
    }
    let left = if search.left_out > 0 {
        format!("; {} about variants or levels left out", search.left_out)
    } else {
        String::new()
    };
    page.line("");
    page.paragraph(
        &format!(
            "Cost: {}. Of {} settings {} were run and {} ruled out; {} would have cost more{left}.",
            search.cost,
            search.settings,
            search.path.len(),
            search.ruled_out,
            search.settings.saturating_sub(search.path.len() + search.ruled_out)
        ),
        Style::Faint,
        1,
    );
    page.text
}

/// The expectation that decides a trial.
fn worst(trial: &Trial) -> String {
    let rank = |verdict: Verdict| trial.findings.iter().find(|finding| finding.verdict == verdict);
    let finding = rank(Verdict::Failed).or_else(|| rank(Verdict::Undecided)).or(trial.findings.first());
    finding.map_or(String::new(), |finding| format!("{}: {}", clean(&finding.expectation), finding.measured))
}
