//! Markdown tables for documentation.

use super::names::{MISSING, clean};
use super::table::finding_unit;
use crate::quantity::unit::display;
use crate::study::Study;

/// A table of what was expected and what was measured: one row per expectation and point, of all studies in order.
///
/// An expectation on a bound has no expected value and no deviation. The text of names cannot break the table.
pub fn validation_table(studies: &[Study]) -> String {
    let mut table = String::from(
        "| experiment | expectation | because | expected | measured | deviation | verdict |\n\
         | --- | --- | --- | ---: | ---: | ---: | --- |\n",
    );
    for study in studies {
        for finding in &study.expectations {
            let unit = finding_unit(study, finding);
            let place = if finding.place.is_empty() { String::new() } else { format!(" ({})", finding.place) };
            let cells = [
                study.experiment.clone(),
                format!("{}{place}", finding.expectation),
                finding.because.clone().unwrap_or_default(),
                finding.expected.map_or(MISSING.to_owned(), |value| display(value, unit)),
                finding.measured.clone(),
                deviation(finding.mean, finding.expected).unwrap_or(MISSING.to_owned()),
                finding.verdict.word().to_owned(),
            ];
            table.push('|');
            for cell in cells {
                table.push_str(&format!(" {} |", escape(&cell)));
            }
            table.push('\n');
        }
    }
    table
}

/// By how many percent a measured mean is off what was expected: `+0.4 %`; `None` without either or if 0 was expected.
pub(super) fn deviation(mean: Option<f64>, expected: Option<f64>) -> Option<String> {
    let percent = (mean? / expected? - 1.0) * 100.0;
    let decimals = if percent.abs() < 10.0 { 2 } else { 0 };
    percent.is_finite().then(|| format!("{percent:+.decimals$} %"))
}

/// The text on one line with the characters escaped that Markdown or HTML would read.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in clean(text).chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', letter]),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, single};
    use super::*;

    #[test]
    fn the_table_has_expected_measured_and_deviation() {
        let table = validation_table(&[single()]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[2],
            "| single | shoppers.latency.mean equals 80 ms within 5 % | M/M/1: 1/(µ−λ) | 80 ms | 81.0 ms ± 0.9 ms | \
             +1.25 % | held |"
        );
        assert_eq!(lines[3], "| single | shoppers.latency.p95 below 200 ms |  | – | 243 ms ± 3 ms | – | failed |");
    }

    #[test]
    fn markup_in_names_stays_text() {
        let table = validation_table(&[hostile()]);
        assert_eq!(table.lines().count(), 3);
        assert!(table.contains("&lt;b&gt;") && table.contains("a \\| b"), "{table}");
    }
}
