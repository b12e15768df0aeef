//! CSV files: one row per run, per metric of a point, and per value of a time series.
//!
//! RFC 4180 with `\n` line ends, UTF-8. Values are in the base unit that the header names, in the shortest form that
//! reads back to the same `f64`; a missing value is an empty cell. A factor whose levels are quantities is a column of
//! numbers with its unit in the header, any other factor a column of text.
//!
//! Texts are made harmless for spreadsheets: one that begins with `=`, `+`, `-`, `@`, a tab or a carriage return (and is
//! not a number) gets an apostrophe in front, so that no file can smuggle a formula in by way of a name
//! (OWASP, "CSV Injection"). Readers that need the exact text find it in `summary.json`.

use ::csv::{Terminator, Writer, WriterBuilder};

use super::names::is_numeric;
use crate::model::system::record::Ending;
use crate::study::Study;
use crate::study::{Estimate, Factor, MetricName, Point};

/// One row per run: experiment, variant, factors, replication, seed, fingerprint, ending, events, and every metric.
pub fn runs_csv(study: &Study) -> Vec<u8> {
    let mut rows = Rows::new();
    let mut header = vec![text("experiment"), text("variant")];
    header.extend(study.factors.iter().map(factor_header));
    header.extend(["replication", "seed", "fingerprint", "ending", "events"].map(text));
    header.extend(study.metrics.iter().map(|metric| text(&with_unit(&metric.name, metric.unit.symbol()))));
    rows.add(header);
    for point in &study.points {
        for run in &point.runs {
            let mut row = vec![text(&study.experiment)];
            row.extend(place(study, point));
            row.extend([
                run.replication.to_string(),
                study.run.seed.to_string(),
                text(&run.fingerprint),
                text(ending(run.ending)),
                run.events.to_string(),
            ]);
            let value = |index: usize| number(run.values.get(index).copied().flatten());
            row.extend((0..study.metrics.len()).map(value));
            rows.add(row);
        }
    }
    rows.finish()
}

/// One row per point and metric: experiment, variant, factors, metric, unit, mean, low, high, n.
pub fn points_csv(study: &Study) -> Vec<u8> {
    let mut rows = Rows::new();
    let mut header = vec![text("experiment"), text("variant")];
    header.extend(study.factors.iter().map(factor_header));
    header.extend(["metric", "unit", "mean", "low", "high", "n"].map(text));
    rows.add(header);
    for point in &study.points {
        for (index, metric) in study.metrics.iter().enumerate() {
            let estimate = point.estimates.get(index).copied().flatten();
            let mut row = vec![text(&study.experiment)];
            row.extend(place(study, point));
            row.extend(name_and_unit(metric));
            row.extend(mean_low_high(estimate.map(|e| e.mean), estimate.and_then(|e| e.half_width)));
            row.push(estimate.map_or(String::new(), |Estimate { n, .. }| n.to_string()));
            rows.add(row);
        }
    }
    rows.finish()
}

/// One row per point, interval of simulated time and column: variant, factors, time (the end of the interval, warm-up
/// included), column, unit, mean, low, high.
pub fn series_csv(study: &Study) -> Vec<u8> {
    let mut rows = Rows::new();
    let mut header = vec![text("variant")];
    header.extend(study.factors.iter().map(factor_header));
    header.extend(["time [s]", "column", "unit", "mean", "low", "high"].map(text));
    rows.add(header);
    for point in &study.points {
        let place = place(study, point);
        for (step, values) in point.series.iter().enumerate() {
            let time = number(Some(study.run.interval * (step + 1) as f64));
            for (index, column) in study.columns.iter().enumerate() {
                let half = point.series_half_widths.get(step).and_then(|row| row.get(index).copied().flatten());
                let mut row = place.clone();
                row.push(time.clone());
                row.extend(name_and_unit(column));
                row.extend(mean_low_high(values.get(index).copied().flatten(), half));
                rows.add(row);
            }
        }
    }
    rows.finish()
}

/// A CSV document in memory.
struct Rows(Writer<Vec<u8>>);

impl Rows {
    fn new() -> Self {
        Rows(WriterBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).from_writer(Vec::new()))
    }

    fn add(&mut self, cells: Vec<String>) {
        // Rows may differ in length (flexible) and memory takes all that is written: there is no error to report.
        let _ = self.0.write_record(cells);
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }
}

/// The cells of the variant and of every factor.
fn place(study: &Study, point: &Point) -> Vec<String> {
    let levels = study.factors.iter().zip(&point.levels).map(|(factor, level)| {
        let level = factor.levels.get(*level);
        if is_quantity(factor) {
            number(level.and_then(|level| level.value))
        } else {
            level.map_or(String::new(), |level| text(&level.text))
        }
    });
    std::iter::once(text(&point.variant)).chain(levels).collect()
}

/// Whether the levels of a factor are numbers with a unit.
pub(super) fn is_quantity(factor: &Factor) -> bool {
    factor.unit.is_some() && is_numeric(factor)
}

fn factor_header(factor: &Factor) -> String {
    match factor.unit.filter(|_| is_quantity(factor)) {
        Some(unit) => text(&with_unit(&factor.key, unit.symbol())),
        None => text(&factor.key),
    }
}

fn with_unit(name: &str, symbol: &str) -> String {
    format!("{name} [{symbol}]")
}

fn name_and_unit(metric: &MetricName) -> [String; 2] {
    [text(&metric.name), text(metric.unit.symbol())]
}

fn mean_low_high(mean: Option<f64>, half: Option<f64>) -> [String; 3] {
    let end = |sign: f64| mean.zip(half).map(|(mean, half)| mean + sign * half);
    [number(mean), number(end(-1.0)), number(end(1.0))]
}

/// A text cell without a formula.
fn text(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// The shortest text that reads back to the same value; empty for a missing or infinite one.
fn number(value: Option<f64>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return String::new();
    };
    // `Debug`, unlike `Display`, writes very small and very large values with an exponent.
    let shown = format!("{value:?}");
    shown.strip_suffix(".0").map_or(shown.clone(), str::to_owned)
}

/// The ending as `summary.json` writes it.
pub(super) fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "completed",
        Ending::TooManyInFlight => "too_many_in_flight",
        Ending::EventLimit => "event_limit",
        Ending::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hostile, single, sweep};
    use super::*;

    fn lines(bytes: Vec<u8>) -> Vec<String> {
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_headers_name_every_factor_and_metric_with_its_unit() {
        let study = sweep();
        let [runs, points, series] = [runs_csv(&study), points_csv(&study), series_csv(&study)].map(lines);
        assert!(runs[0].starts_with(
            "experiment,variant,clients.shoppers.arrivals.poisson [1/s],replication,seed,fingerprint,ending,events,\
             shoppers.offered [1/s],shoppers.goodput [1/s],shoppers.latency.mean [s],"
        ));
        assert_eq!(points[0], "experiment,variant,clients.shoppers.arrivals.poisson [1/s],metric,unit,mean,low,high,n");
        assert_eq!(series[0], "variant,clients.shoppers.arrivals.poisson [1/s],time [s],column,unit,mean,low,high");
        assert_eq!(runs.len(), 1 + 24 * 5);
        assert_eq!(points.len(), 1 + 24 * study.metrics.len());
        assert!(runs[1].starts_with("scaling,as is,200,0,1,00000000000000aa,completed,1000,"));
    }

    #[test]
    fn a_missing_value_is_an_empty_cell() {
        let mut study = single();
        let p99 = study.metric("shoppers.latency.p99").unwrap();
        study.points[0].estimates[p99] = None;
        let points = lines(points_csv(&study));
        assert!(points.contains(&"single,,shoppers.latency.p99,s,,,,".to_owned()));
    }

    #[test]
    fn numbers_are_short_and_read_back_exactly() {
        for value in [0.1 + 0.2, 1e-300, -5.0, 123_456_789.0, 1e22, f64::MIN_POSITIVE] {
            assert_eq!(number(Some(value)).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        assert_eq!([number(Some(5.0)), number(Some(0.25)), number(Some(1e300))], ["5", "0.25", "1e300"]);
        assert_eq!(number(Some(f64::NAN)), "");
    }

    #[test]
    fn hostile_names_stay_in_their_cells_and_are_no_formulas() {
        let study = hostile();
        let bytes = points_csv(&study);
        let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
        let columns = reader.headers().unwrap().len();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert!(records.iter().all(|record| record.len() == columns));
        assert!(records.iter().any(|record| &record[1] == "'=cmd|' /C calc'!A0"));
        assert_eq!([text("-5"), text("-x"), text("@a"), text("a=b")], ["-5", "'-x", "'@a", "a=b"]);
    }
}
