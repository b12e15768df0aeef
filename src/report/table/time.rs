//! Where the time goes: the greatest parts of the mean response time and of the slowest requests.

use super::{Page, Style};
use crate::report::names::{clean, clients, factor_names, level_text, shorten};
use crate::study::Study;
use crate::study::{Attribution, Point, Share};

/// Parts that are named.
const PARTS: usize = 4;
/// Most variants and clients that are shown.
const LIMIT: usize = 8;
/// Smallest part that is named.
const NEGLIGIBLE: f64 = 0.005;

pub(super) fn write(page: &mut Page, study: &Study) {
    let points = at_last_levels(study);
    for client in clients(study).into_iter().take(LIMIT) {
        let found: Vec<(&Point, &Attribution)> = points
            .iter()
            .filter_map(|point| Some((*point, point.attributions.iter().find(|a| a.client == client)?)))
            .filter(|(_, attribution)| attribution.entries.iter().any(|entry| entry.all > 0.0))
            .take(LIMIT)
            .collect();
        let Some((first, _)) = found.first() else { continue };
        let whose = if clients(study).len() > 1 { format!(" for {client}") } else { String::new() };
        page.heading(&format!("Where the time of successful requests goes{whose}{}", place(study, first)));
        let name = |point: &Point| shorten(&clean(&point.variant), 20);
        let widest = found.iter().map(|(point, _)| name(point).chars().count()).max().unwrap_or(0);
        let gap = if widest > 0 { "  " } else { "" };
        for (point, attribution) in &found {
            let name = name(point);
            let mean = parts(&attribution.entries, |entry| entry.all);
            page.pieces(&format!("{name:widest$}{gap}mean       "), Style::Plain, &mean, 1);
            let slowest = parts(&attribution.entries, |entry| entry.slowest);
            page.pieces(&format!("{:widest$}{gap}slowest 5 %", ""), Style::Plain, &slowest, 1);
        }
    }
}

/// The variants at the last level of every factor; where that point is missing, a variant's last point.
fn at_last_levels(study: &Study) -> Vec<&Point> {
    let variants = study.variants();
    let of = |variant: &&str| {
        let mut own = study.points.iter().filter(|point| point.variant == **variant);
        let is_last = |point: &&Point| {
            point.levels.iter().zip(&study.factors).all(|(level, factor)| level + 1 == factor.levels.len())
        };
        own.clone().find(is_last).or_else(|| own.next_back())
    };
    variants.iter().filter_map(of).collect()
}

/// The levels of a point: `, at poisson = 400/s`.
fn place(study: &Study, point: &Point) -> String {
    let levels = study.factors.iter().zip(factor_names(study)).zip(&point.levels);
    let words: Vec<String> =
        levels.map(|((factor, name), level)| format!("{name} = {}", level_text(factor, *level))).collect();
    if words.is_empty() { String::new() } else { format!(", at {}", words.join(", ")) }
}

/// The greatest parts in percent: `shop.workers waiting 61 %, orders.db waiting 30 %`.
fn parts(entries: &[Share], time: fn(&Share) -> f64) -> Vec<String> {
    let total: f64 = entries.iter().map(time).sum();
    if total <= 0.0 || !total.is_finite() {
        return vec!["not known".to_owned()];
    }
    let mut sorted: Vec<(f64, &Share)> = entries.iter().map(|entry| (time(entry) / total, entry)).collect();
    // A stable sort: of equal parts, the one recorded first wins.
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut words: Vec<String> = sorted
        .iter()
        .take(PARTS)
        .filter(|(share, _)| *share >= NEGLIGIBLE)
        .map(|(share, entry)| {
            let name = shorten(&clean(&format!("{}.{}", entry.part, entry.resource)), 40);
            format!("{name} {} {:.0} %,", entry.kind.word(), share * 100.0)
        })
        .collect();
    if let Some(last) = words.last_mut() {
        last.pop();
    }
    words
}
