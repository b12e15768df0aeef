//! The expectations and what became of them.

use std::fmt::Write as _;

use super::page::{Page, text};
use crate::quantity::unit::display;
use crate::report::markdown::deviation;
use crate::report::names::MISSING;
use crate::report::table::finding_unit;
use crate::study::Study;
use crate::study::finding::{Finding, Verdict};

/// Most rows.
const ROW_LIMIT: usize = 400;

pub(super) fn write(page: &mut Page, study: &Study) {
    if study.expectations.is_empty() {
        return;
    }
    page.section("expectations", "Expectations");
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"expectations\">\n<thead><tr><th scope=\"col\"></th>\
         <th scope=\"col\">expected</th><th scope=\"col\">where</th><th scope=\"col\" class=\"num\">measured</th>\
         <th scope=\"col\" class=\"num\">off by</th><th scope=\"col\">because</th></tr></thead>\n<tbody>\n",
    );
    for finding in study.expectations.iter().take(ROW_LIMIT) {
        row(&mut out, study, finding);
    }
    out.push_str("</tbody></table></div>\n");
    let more = study.expectations.len().saturating_sub(ROW_LIMIT);
    if more > 0 {
        let _ = writeln!(out, "<p class=\"note\">and {more} more in summary.json</p>");
    }
    page.raw(&out);
    page.raw(
        "<p class=\"note\">Held or failed: the whole interval keeps or breaks the bound. Undecided: the interval straddles it; more \
         replications or a longer window would decide.</p>\n",
    );
    page.end_section();
}

fn row(out: &mut String, study: &Study, finding: &Finding) {
    let (class, mark) = match finding.verdict {
        Verdict::Held => ("good", "✓"),
        Verdict::Undecided => ("open", "?"),
        Verdict::Failed => ("bad", "✗"),
    };
    let measured = if finding.measured.is_empty() { MISSING } else { &finding.measured };
    let expected = finding.expected.map(|value| display(value, finding_unit(study, finding)));
    let expected = expected.map_or(String::new(), |value| format!(" (expected {value})"));
    let _ = writeln!(
        out,
        "<tr><td class=\"{class}\">{mark} {}</td><td>{}</td><td>{}</td><td class=\"num\">{}{}</td><td class=\"num\">{}</td>\
         <td>{}</td></tr>",
        finding.verdict.word(),
        text(&finding.expectation),
        text(&finding.place),
        text(measured),
        text(&expected),
        deviation(finding.mean, finding.expected).unwrap_or_default(),
        text(finding.because.as_deref().unwrap_or_default()),
    );
}
