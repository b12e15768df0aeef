//! The expectations and what became of them.

use super::{Page, Style};
use crate::quantity::Unit;
use crate::quantity::unit::{display, display_with_interval};
use crate::report::markdown::deviation;
use crate::report::names::counted;
use crate::study::Study;
use crate::study::finding::{Finding, Verdict};

/// Up to this many points of one expectation are listed one by one; of more, those that are not held, up to as many.
const LISTED: usize = 4;

/// The best of the variants, where that was asked for.
fn selections(page: &mut Page, study: &Study) {
    if study.selections.is_empty() {
        return;
    }
    page.heading("Best of several");
    for selected in &study.selections {
        page.paragraph(&selected.words(), Style::Plain, 1);
    }
}

pub(super) fn write(page: &mut Page, study: &Study) {
    selections(page, study);
    if study.expectations.is_empty() {
        return;
    }
    let count = |verdict| study.expectations.iter().filter(|finding| finding.verdict == verdict).count();
    page.heading(&format!("Expectations: {}", tally(count)));
    for group in groups(&study.expectations) {
        match group.as_slice() {
            [finding] => {
                let place = if finding.place.is_empty() { String::new() } else { format!(", {}", finding.place) };
                headline(page, finding.verdict, &format!("{}{place}", finding.expectation));
                page.paragraph(&measured(study, finding), Style::Plain, 4);
            }
            findings => many(page, study, findings),
        }
    }
}

/// Findings of the same expectation, by first occurrence.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same =
            |group: &&mut Vec<&Finding>| group.first().is_some_and(|first| first.expectation == finding.expectation);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// One expectation at several points.
fn many(page: &mut Page, study: &Study, findings: &[&Finding]) {
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Undecided);
    let first = findings[0];
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let held = count(Verdict::Held) == findings.len();
    let all = findings.len();
    let summary = if held { format!("held at all {all} points") } else { format!("{} of {all} points", tally(count)) };
    headline(page, worst, &format!("{}: {summary}", first.expectation));
    let listed: Vec<&&Finding> = if findings.len() <= LISTED {
        findings.iter().collect()
    } else {
        findings.iter().filter(|finding| finding.verdict != Verdict::Held).collect()
    };
    for finding in listed.iter().take(LISTED) {
        let (mark, style) = mark(finding.verdict);
        page.item(mark, style, &format!("{}: {}", finding.place, measured(study, finding)), 4);
    }
    if listed.len() > LISTED {
        page.paragraph(&format!("and {}", counted(listed.len() - LISTED, "more such point")), Style::Plain, 6);
    }
    if held && findings.len() > LISTED {
        let off = |finding: &&&Finding| {
            finding.mean.zip(finding.expected).map(|(mean, expected)| (mean / expected - 1.0).abs())
        };
        let farthest = findings
            .iter()
            .filter(|f| off(f).is_some_and(f64::is_finite))
            .max_by(|a, b| off(a).unwrap_or(0.0).total_cmp(&off(b).unwrap_or(0.0)));
        if let Some(finding) = farthest {
            let text = format!("farthest off at {}: {}", finding.place, measured(study, finding));
            page.paragraph(&text, Style::Plain, 4);
        }
    }
}

fn headline(page: &mut Page, verdict: Verdict, text: &str) {
    let (mark, style) = mark(verdict);
    page.item(&format!("{mark} {:9}", verdict.word()), style, text, 1);
}

fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Held => ("✓", Style::Green),
        Verdict::Undecided => ("?", Style::Yellow),
        Verdict::Failed => ("✗", Style::Red),
    }
}

/// `20 held, 3 failed, 1 undecided`, those without any left out.
fn tally(count: impl Fn(Verdict) -> usize) -> String {
    let words = [Verdict::Held, Verdict::Failed, Verdict::Undecided]
        .into_iter()
        .filter(|verdict| count(*verdict) > 0)
        .map(|verdict| format!("{} {}", count(verdict), verdict.word()));
    words.collect::<Vec<_>>().join(", ")
}

/// The measured value, and for an expected value how far it is off and why it is expected.
fn measured(study: &Study, finding: &Finding) -> String {
    let value = if finding.measured.is_empty() { "no value" } else { &finding.measured };
    let because = finding.because.as_ref().map(|because| because.trim_end_matches('.'));
    let Some(expected) = finding.expected else {
        return because.map_or(format!("measured {value}"), |because| format!("measured {value}; because: {because}"));
    };
    let expected = display(expected, unit(study, finding));
    let why = because.map_or(String::new(), |because| format!(" ({because})"));
    let off = deviation(finding.mean, finding.expected).map_or(String::new(), |off| format!(", {off}"));
    format!("measured {value}, expected {expected}{why}{off}")
}

/// The unit of a finding's values: that of the metric which the expectation begins with, unless the measured text shows
/// that they are quotients of two variants.
pub(in crate::report) fn unit(study: &Study, finding: &Finding) -> Unit {
    let name = finding.expectation.split(' ').next().unwrap_or_default();
    let Some(unit) = study.metric(name).map(|index| study.metrics[index].unit) else {
        return Unit::Ratio;
    };
    let shown = |unit| match (finding.mean, finding.half_width) {
        (Some(mean), Some(half)) => display_with_interval(mean, half, unit),
        (Some(mean), None) => display(mean, unit),
        (None, _) => String::new(),
    };
    let is_ratio = finding.measured.starts_with(&shown(Unit::Ratio)) && !finding.measured.starts_with(&shown(unit));
    if is_ratio { Unit::Ratio } else { unit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::single;

    #[test]
    fn the_unit_of_a_comparison_is_that_of_a_quotient() {
        let study = single();
        let mut finding = study.expectations[0].clone();
        assert_eq!(unit(&study, &finding), Unit::Seconds);
        finding.expectation = "shoppers.goodput of a at least 1.8 times b".to_owned();
        (finding.mean, finding.half_width, finding.measured) = (Some(1.9), Some(0.1), "1.90 ± 0.10".to_owned());
        assert_eq!(unit(&study, &finding), Unit::Ratio);
    }
}
