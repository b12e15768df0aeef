//! Why: the verdict in sentences, what each intervention does, and the operational laws.

use comfy_table::{CellAlignment, Table};

use super::{Page, Style};
use crate::quantity::Unit;
use crate::quantity::unit::{display, display_with_interval};
use crate::report::names::{MISSING, clean, shorten};
use crate::study::Estimate;
use crate::study::Study;
use crate::study::comparison::Comparison;
use crate::study::insight::{Change, Effect, Insight, Judgement, StationFacts, Topic};

/// Most levers and stations of a table.
const ROWS: usize = 16;
/// Longest name in a cell, characters.
const NAME: usize = 40;

/// What was found out about every explained point, for a terminal.
pub fn explanations(study: &Study, width: usize, color: bool) -> String {
    let mut page = Page { text: String::new(), width: width.max(super::NARROWEST), color };
    page.paragraph(&study.question, Style::Bold, 0);
    if let Some(prediction) = &study.prediction {
        page.paragraph(&format!("Prediction: {prediction}"), Style::Faint, 0);
    }
    for insight in &study.insights {
        write(&mut page, insight);
        theory(&mut page, study, insight);
    }
    super::notes(&mut page, study);
    page.text
}

fn write(page: &mut Page, insight: &Insight) {
    if !insight.place.is_empty() {
        page.heading(&insight.place);
    }
    let verdict = &insight.verdict;
    let class = verdict.class.map_or("not bound by anything that was turned", |class| class.word());
    let what = verdict.bottleneck.as_ref().map_or(String::new(), |bottleneck| format!(": {bottleneck}"));
    page.line("");
    page.paragraph(&format!("{class}{what}"), Style::Bold, 0);
    let widest = Topic::ALL.iter().map(|topic| topic.word().chars().count()).max().unwrap_or(0);
    let mut last = None;
    for sentence in &verdict.sentences {
        let word = if last == Some(sentence.topic) { "" } else { sentence.topic.word() };
        last = Some(sentence.topic);
        let style = match sentence.topic {
            Topic::Bottleneck => Style::Red,
            Topic::Helps => Style::Green,
            Topic::Undecided => Style::Yellow,
            _ => Style::Plain,
        };
        page.item(&format!("{word:widest$} "), style, &sentence.text, 1);
    }
    effects(page, insight);
    stations(page, &insight.stations);
    if let Some(bounds) = &insight.bounds {
        let text = format!(
            "Bounds: {} allows {} answers at most (X ≤ 1/Dmax); without waiting a request takes {}, so {} in flight saturate it (N*).",
            bounds.station,
            display(bounds.most, Unit::PerSecond),
            display(bounds.unloaded, Unit::Seconds),
            display(bounds.saturation.round(), Unit::Count),
        );
        page.paragraph(&text, Style::Faint, 1);
    }
    if !insight.not_varied.is_empty() {
        let more = insight.not_varied.len().saturating_sub(6);
        let mut names = insight.not_varied.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        page.paragraph(&format!("Not turned: {names}."), Style::Faint, 1);
    }
}

/// What a closed form says, beside what was measured.
fn theory(page: &mut Page, study: &Study, insight: &Insight) {
    let same = |variant: &String, levels: &Vec<usize>| *variant == insight.variant && *levels == insight.levels;
    let point = study.points.iter().find(|point| same(&point.variant, &point.levels));
    let theory = study.theories.iter().find(|theory| same(&theory.variant, &theory.levels));
    let (Some(point), Some(theory)) = (point, theory) else { return };
    let words = theory.values.iter().filter_map(|(metric, value)| {
        let index = study.metric(metric)?;
        let unit = study.metrics[index].unit;
        let measured = point.estimates.get(index).copied().flatten()?;
        let half = measured.half_width.unwrap_or(f64::INFINITY);
        let measured = display_with_interval(measured.mean, half, unit);
        Some(format!("{metric} {} (measured {measured})", display(*value, unit)))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    page.paragraph(&format!("Closed form, {}: {words}.", theory.formula), Style::Faint, 1);
}

/// A row per lever, a column per change.
fn effects(page: &mut Page, insight: &Insight) {
    let mut levers: Vec<&str> = Vec::new();
    for effect in &insight.effects {
        if !levers.contains(&effect.lever.key.as_str()) {
            levers.push(&effect.lever.key);
        }
    }
    if levers.is_empty() {
        return;
    }
    let metric = insight.metric.split_once('.').map_or("", |(_, rest)| rest);
    page.heading(&format!("What each change does to {metric}"));
    let mut table = plain(&["", "a tenth less", "a tenth more", "twice, or another", "verdict"]);
    for key in levers.iter().take(ROWS) {
        let of = |changes: &[Change]| {
            insight.effects.iter().find(|effect| effect.lever.key == **key && changes.contains(&effect.change))
        };
        let whole = of(&[Change::Double, Change::Fourfold, Change::Other]);
        let name =
            insight.effects.iter().find(|effect| effect.lever.key == **key).map_or("", |e| e.lever.name.as_str());
        let verdict = whole.map_or(MISSING, |effect| effect.judgement.word());
        let setting = whole.map_or(String::new(), |effect| format!("{} → {}", effect.from, effect.to));
        let cells = [
            format!("{} {}", shorten(&clean(name), NAME), clean(&setting)),
            of(&[Change::Less]).map_or(MISSING.to_owned(), change),
            of(&[Change::More]).map_or(MISSING.to_owned(), change),
            whole.map_or(MISSING.to_owned(), change),
            verdict.to_owned(),
        ];
        table.add_row(cells);
    }
    print(page, &table);
    let hidden = levers.len().saturating_sub(ROWS);
    let hidden = if hidden > 0 { format!("; {hidden} more in summary.json") } else { String::new() };
    let run = &insight.run;
    let undecided = insight.effects.iter().filter(|effect| effect.judgement == Judgement::Undecided).count();
    page.paragraph(
        &format!(
            "{} changes, each in {} runs of {} with the same requests; verdicts corrected for their number (Holm), \
             no difference: within 2 %; {undecided} undecided{hidden}.",
            insight.effects.len(),
            run.replications,
            display(run.window, Unit::Seconds)
        ),
        Style::Faint,
        1,
    );
}

/// The change of the metric in percent.
fn change(effect: &Effect) -> String {
    effect.ratio.map_or(MISSING.to_owned(), |ratio| percent(ratio.mean, ratio.low, ratio.high))
}

/// A ratio as a change in percent.
fn percent(mean: f64, low: f64, high: f64) -> String {
    let (mean, half) = ((mean - 1.0) * 100.0, (high - low) * 50.0);
    let digits = usize::from(mean.abs() < 9.95);
    let text = format!("{mean:+.digits$}");
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.' | '+' | '-'));
    let text = if is_nothing { "0".to_owned() } else { text.replace('-', "−") };
    if half < 0.05 { format!("{text} %") } else { format!("{text} ± {half:.digits$} %") }
}

fn stations(page: &mut Page, stations: &[StationFacts]) {
    if stations.is_empty() {
        return;
    }
    page.heading("Operational laws");
    let heads = ["", "busy", "worst", "waiting", "wait", "service", "demand", "at most"];
    let mut table = plain(&heads);
    for facts in stations.iter().take(ROWS) {
        let show = |value: Option<f64>, unit| value.map_or(MISSING.to_owned(), |value| display(value, unit));
        table.add_row([
            shorten(&clean(&format!("{}.{}", facts.part, facts.station)), NAME),
            display(facts.utilization, Unit::Share),
            display(facts.utilization_worst, Unit::Share),
            display(facts.queue, Unit::Count),
            show(facts.wait, Unit::Seconds),
            show(facts.service, Unit::Seconds),
            show(facts.demand, Unit::Seconds),
            show(facts.most, Unit::PerSecond),
        ]);
    }
    print(page, &table);
    page.paragraph(
        "busy: utilization, and of the busiest instance; waiting and wait: mean number and time; service: per attempt; demand: \
         per answered request; at most: answers per second (capacity ÷ demand).",
        Style::Faint,
        1,
    );
}

/// An empty table without borders, all columns but the first to the right.
pub(super) fn plain(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(heads.iter().copied());
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_cell_alignment(if index == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}

pub(super) fn print(page: &mut Page, table: &Table) {
    for line in table.lines() {
        page.line(&line);
    }
}

/// Two studies side by side, for a terminal.
pub fn comparison(comparison: &Comparison, width: usize, color: bool) -> String {
    let mut page = Page { text: String::new(), width: width.max(super::NARROWEST), color };
    let count = |judgement| comparison.rows.iter().filter(|row| row.judgement == judgement).count();
    let all =
        [Judgement::Better, Judgement::Worse, Judgement::Different, Judgement::NoDifference, Judgement::Undecided];
    let words = all.iter().filter(|judgement| count(**judgement) > 0);
    let tally: Vec<String> = words.map(|judgement| format!("{} {}", count(*judgement), judgement.word())).collect();
    let (first, second) = (&comparison.first, &comparison.second);
    page.paragraph(&format!("{second} against {first}: {}", tally.join(", ")), Style::Bold, 0);
    let mut place = None;
    let mut table = None;
    for row in &comparison.rows {
        if place != Some(&row.place) {
            if let Some(table) = table.take() {
                print(&mut page, &table);
            }
            page.heading(&row.place);
            place = Some(&row.place);
            table = Some(plain(&["", "first", "second", "change", "verdict"]));
        }
        let show = |estimate: Estimate| {
            let half = estimate.half_width.unwrap_or(f64::INFINITY);
            display_with_interval(estimate.mean, half, row.unit)
        };
        let ratio = row.ratio.map_or(MISSING.to_owned(), |ratio| percent(ratio.mean, ratio.low, ratio.high));
        let cells = [
            shorten(&clean(&row.metric), NAME),
            show(row.first),
            show(row.second),
            ratio,
            row.judgement.word().to_owned(),
        ];
        table.iter_mut().for_each(|table| {
            table.add_row(&cells);
        });
    }
    if let Some(table) = table {
        print(&mut page, &table);
    }
    let pairs = comparison.rows.iter().filter_map(|row| row.variance_reduction);
    let median = {
        let mut factors: Vec<f64> = pairs.collect();
        factors.sort_by(f64::total_cmp);
        factors.get(factors.len() / 2).copied()
    };
    let how = if comparison.paired {
        let worth = median.map_or(String::new(), |factor| {
            format!(", which was worth {} times as many replications (median)", display(factor, Unit::Count))
        });
        format!("Both met the same requests{worth}")
    } else {
        "Their seeds, times or replications differ, so they are compared as independent samples".to_owned()
    };
    let within = display(comparison.within, Unit::Share);
    let text = format!("{how}. No difference: within {within}; verdicts are corrected for their number (Holm).");
    page.paragraph(&text, Style::Faint, 1);
    if !comparison.alone.is_empty() {
        page.paragraph(&format!("Not compared: {}.", comparison.alone.join("; ")), Style::Faint, 1);
    }
    page.text
}
