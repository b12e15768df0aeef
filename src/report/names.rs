//! Names for people: clients, metrics, factors and points as tables and charts write them.

use crate::quantity::Unit;
use crate::quantity::unit::{display, display_with_interval};
use crate::study::Study;
use crate::study::{Estimate, Factor, Point};

/// What stands where a value is missing.
pub(super) const MISSING: &str = "–";

/// The clients, in order: the parts with a metric `offered`, which only clients have.
pub(super) fn clients(study: &Study) -> Vec<&str> {
    study.metrics.iter().filter_map(|metric| metric.name.strip_suffix(".offered")).collect()
}

/// A point's estimate of a metric, if both exist.
pub(super) fn estimate(study: &Study, point: &Point, metric: &str) -> Option<Estimate> {
    let index = study.metric(metric)?;
    point.estimates.get(index).copied().flatten().filter(|estimate| estimate.mean.is_finite())
}

/// A level as written.
pub(super) fn level_text(factor: &Factor, level: usize) -> &str {
    factor.levels.get(level).map_or(MISSING, |level| level.text.as_str())
}

/// Whether every level has a finite value, so that it can be put on an axis or in a column of numbers.
pub(super) fn is_numeric(factor: &Factor) -> bool {
    !factor.levels.is_empty() && factor.levels.iter().all(|level| level.value.is_some_and(f64::is_finite))
}

/// The factors' names for tables: short ones if they tell them apart, else as few last segments of the key as do.
pub(super) fn factor_names(study: &Study) -> Vec<String> {
    let short: Vec<String> = study.factors.iter().map(|factor| clean(&factor.name())).collect();
    let twice = |name: &String| short.iter().filter(|other| *other == name).count() > 1;
    if !short.iter().any(twice) {
        return short;
    }
    let keys: Vec<Vec<&str>> = study.factors.iter().map(|factor| factor.key.split('.').collect()).collect();
    let tail = |key: &[&str], length: usize| key[key.len().saturating_sub(length)..].join(".");
    let name = |index: usize| {
        let key = &keys[index];
        let others = || keys.iter().enumerate().filter(|(other, _)| *other != index);
        let unique = |length: &usize| others().all(|(_, other)| tail(other, *length) != tail(key, *length));
        tail(key, (1..=key.len()).find(unique).unwrap_or(key.len()))
    };
    (0..keys.len()).map(|index| clean(&name(index))).collect()
}

/// A dotted name as words: `shop.cpu.wait_p99.9` is `shop cpu wait p99.9`.
pub(super) fn words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let digit = |index: usize| letters.get(index).is_some_and(char::is_ascii_digit);
    let spell = letters.iter().enumerate().map(|(index, letter)| match letter {
        '.' if index > 0 && digit(index - 1) && digit(index + 1) => '.',
        '.' | '_' => ' ',
        other => *other,
    });
    clean(&spell.collect::<String>())
}

/// A factor as words: `offered rate of shoppers`, or its key without the kind of part it begins with: `shop instances`.
pub(super) fn factor_words(factor: &Factor) -> String {
    if let Some((_, key)) = factor.key.strip_prefix("faults[").and_then(|key| key.split_once("].")) {
        return match key {
            "for" => "length of the fault".to_owned(),
            "at" => "start of the fault".to_owned(),
            _ => format!("fault: {}", words(key)),
        };
    }
    let plain = || words(factor.key.split_once('.').map_or(&factor.key, |(_, rest)| rest));
    factor.offered_by().map_or_else(plain, |client| clean(&format!("offered rate of {client}")))
}

/// The text on one line, without the control characters that could steer a terminal.
pub(super) fn clean(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() || is_format(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that reorder or hide the text around them (bidirectional controls, zero-width marks).
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// At most `most` characters, the last one an ellipsis if any were cut.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `one point`, `24 points`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("one {noun}") } else { format!("{count} {noun}s") }
}

/// A mean with its interval, the unit written once: `83.1 ± 0.4 ms`; without an interval if there is none or it is
/// exactly 0.
pub(super) fn compact(estimate: Option<Estimate>, unit: Unit) -> String {
    let Some(Estimate { mean, half_width, .. }) = estimate else {
        return MISSING.to_owned();
    };
    let Some(half) = half_width.filter(|half| *half != 0.0) else {
        return display(mean, unit);
    };
    let text = display_with_interval(mean, half, unit);
    let Some((left, right)) = text.split_once(" ± ") else {
        return text;
    };
    // A prefix as in `12.35k/s` stays with its digits; only what follows the number by a space or slash is common.
    let suffix = right.find([' ', '/']).map_or("", |at| &right[at..]);
    format!("{} ± {right}", left.strip_suffix(suffix).unwrap_or(left))
}

/// The known names nearest to `wanted`, best first, for a hint.
pub(super) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> =
        known.into_iter().map(|name| (strsim::jaro_winkler(wanted, name), name)).collect();
    // A stable sort: of equally near names, the first declared wins.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compact_interval_writes_the_unit_once() {
        let text = |mean, half_width, unit| compact(Some(Estimate { mean, half_width, n: 5 }), unit);
        assert_eq!(text(0.0831, Some(0.0004), Unit::Seconds), "83.1 ± 0.4 ms");
        assert_eq!(text(398.2, Some(1.2), Unit::PerSecond), "398.2 ± 1.2/s");
        assert_eq!(text(12_345.0, Some(100.0), Unit::PerSecond), "12.35k ± 0.10k/s");
        assert_eq!(text(0.5, Some(0.02), Unit::Ratio), "0.50 ± 0.02");
        assert_eq!(text(0.0, Some(0.0), Unit::Share), "0 %");
        assert_eq!(text(0.2, None, Unit::Seconds), "200 ms");
        assert_eq!(compact(None, Unit::Seconds), "–");
    }

    #[test]
    fn words_keep_the_point_of_a_percentile() {
        assert_eq!(words("shoppers.latency.p99.9"), "shoppers latency p99.9");
        assert_eq!(words("shop.timed_out"), "shop timed out");
    }

    #[test]
    fn what_could_steer_a_terminal_is_removed() {
        assert_eq!(clean("a\u{1b}[31m\n b\u{202e}c"), "a [31m b c");
    }
}
