//! `summary.json`: the whole study for programs, and reading it again.
//!
//! The layout is that of [`Study`]; its version is [`LAYOUT`]. Arrays of plain values stand on one line, so that the file
//! can be read and compared by people too. JSON has no word for values that are not finite: optional ones are written as
//! `null`, an estimate or an entry of a list that holds one is left out.

use std::fmt::Write as _;

use serde_json::Value;

use super::error::ReportError;
use crate::spec::experiment_file::Scalar;
use crate::study::Study;
use crate::study::{LAYOUT, Point};

/// The study as JSON; the same study gives the same bytes.
pub fn summary_json(study: &Study) -> Vec<u8> {
    let mut finite = study.clone();
    finite.points.iter_mut().for_each(drop_not_finite);
    for plot in &mut finite.plots {
        let is_finite = |value: &Scalar| !matches!(value, Scalar::Number(number) if !number.is_finite());
        plot.slo = plot.slo.take().filter(is_finite);
        plot.up_to = plot.up_to.take().filter(is_finite);
    }
    // Keys are text and numbers are plain: there is nothing that JSON could refuse.
    let value = serde_json::to_value(&finite).unwrap_or(Value::Null);
    let mut text = String::new();
    print(&value, 0, &mut text);
    text.push('\n');
    text.into_bytes()
}

/// Reads what [`summary_json`] wrote.
///
/// # Errors
/// [`ReportError::Layout`] if it was written in another layout; [`ReportError::Summary`] if it is not JSON, lacks
/// something, or its lists do not fit each other.
pub fn read_summary(bytes: &[u8]) -> Result<Study, ReportError> {
    let damaged = |error: serde_json::Error| ReportError::Summary(error.to_string());
    #[derive(serde::Deserialize)]
    struct Head {
        layout: u64,
    }
    let Head { layout } = serde_json::from_slice(bytes).map_err(damaged)?;
    if layout != u64::from(LAYOUT) {
        return Err(ReportError::Layout { found: layout, known: LAYOUT });
    }
    let study: Study = serde_json::from_slice(bytes).map_err(damaged)?;
    for (index, point) in study.points.iter().enumerate() {
        check(&study, point).map_err(|what| ReportError::Summary(format!("points[{index}]: {what}")))?;
    }
    Ok(study)
}

/// That the lists of a point have the lengths that its study announces.
fn check(study: &Study, point: &Point) -> Result<(), String> {
    let length = |name: &str, found: usize, needed: usize| {
        if found == needed { Ok(()) } else { Err(format!("{name} has {found} entries; {needed} are needed")) }
    };
    length("levels", point.levels.len(), study.factors.len())?;
    for (factor, level) in study.factors.iter().zip(&point.levels) {
        let known = factor.levels.len();
        if *level >= known {
            return Err(format!("level {level} of {} does not exist; there are {known}", factor.key));
        }
    }
    length("estimates", point.estimates.len(), study.metrics.len())?;
    for run in &point.runs {
        length("the values of a run", run.values.len(), study.metrics.len())?;
    }
    for row in point.series.iter().chain(&point.series_half_widths) {
        length("a row of the series", row.len(), study.columns.len())?;
    }
    Ok(())
}

fn drop_not_finite(point: &mut Point) {
    for estimate in &mut point.estimates {
        *estimate = estimate.filter(|estimate| estimate.mean.is_finite());
    }
    for attribution in &mut point.attributions {
        attribution.entries.retain(|entry| entry.all.is_finite() && entry.slowest.is_finite());
    }
    for distribution in &mut point.distributions {
        distribution.quantiles.retain(|(p, time)| p.is_finite() && time.is_finite());
    }
    point.overload = point.overload.take().filter(|overload| overload.growth.is_finite());
}

/// Whether a value is short enough for one line: a scalar, or a list of nothing but scalars.
fn is_flat(value: &Value) -> bool {
    let is_scalar = |value: &Value| !matches!(value, Value::Array(_) | Value::Object(_));
    match value {
        Value::Array(items) => items.iter().all(is_scalar),
        other => is_scalar(other),
    }
}

fn print(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() && !is_flat(value) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                line(out, depth + 1);
                print(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Object(entries) if !entries.is_empty() => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                line(out, depth + 1);
                let _ = write!(out, "{}: ", Value::from(key.as_str()));
                print(item, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                let _ = write!(out, "{}{item}", if index > 0 { ", " } else { "" });
            }
            out.push(']');
        }
        flat => {
            let _ = write!(out, "{flat}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, overloaded, single, sweep, variants};
    use super::*;
    use crate::study::Estimate;

    #[test]
    fn a_summary_reads_back_to_the_same_study() {
        for study in [sweep(), variants(), single(), overloaded(), hostile()] {
            let bytes = summary_json(&study);
            let again = read_summary(&bytes).unwrap();
            assert_eq!(format!("{again:?}"), format!("{study:?}"));
            assert_eq!(summary_json(&again), bytes);
        }
    }

    #[test]
    fn every_bit_of_a_number_survives() {
        let mut study = single();
        let mut state = 1_u64;
        for _ in 0..2000 {
            // Knuth's multiplier; any spread of mantissas will do.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = f64::from_bits(state >> 2);
            study.points[0].series = vec![vec![Some(value).filter(|v| v.is_finite()); study.columns.len()]];
            study.points[0].series_half_widths.clear();
            let again = read_summary(&summary_json(&study)).unwrap();
            assert_eq!(again.points[0].series, study.points[0].series, "{value:?}");
        }
    }

    #[test]
    fn values_that_are_not_finite_become_missing() {
        let mut study = single();
        study.points[0].estimates[0] = Some(Estimate { mean: f64::NAN, half_width: None, n: 1 });
        study.points[0].estimates[1] = Some(Estimate { mean: 1.0, half_width: Some(f64::INFINITY), n: 2 });
        study.points[0].series[0][0] = Some(f64::NAN);
        study.points[0].attributions[0].entries[0].all = f64::INFINITY;
        study.points[0].distributions[0].quantiles[0].1 = f64::NAN;
        let again = read_summary(&summary_json(&study)).unwrap();
        assert_eq!(again.points[0].estimates[0], None);
        assert_eq!(again.points[0].estimates[1], Some(Estimate { mean: 1.0, half_width: None, n: 2 }));
        assert_eq!(again.points[0].series[0][0], None);
    }

    #[test]
    fn another_layout_and_damaged_files_are_refused_with_the_reason() {
        let text = String::from_utf8(summary_json(&sweep())).unwrap();
        let error = |text: &str| read_summary(text.as_bytes()).unwrap_err().to_string();
        let layout = format!("\"layout\": {LAYOUT}");
        assert!(error(&text.replacen(&layout, "\"layout\": 7", 1)).contains("layout version 7"));
        assert!(error("{}").contains("layout"));
        assert!(error("no").contains("cannot be read"));
        assert!(error(&text.replacen("\"levels\": [0]", "\"levels\": [99]", 1)).contains("level 99 of clients"));
        assert!(error(&text.replacen("\"levels\": [0]", "\"levels\": []", 1)).contains("levels has 0 entries"));
    }
}
