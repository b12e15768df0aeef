//! Two studies side by side: a verdict for every metric of every point that both have.
//!
//! If both ran the same seed, times and replications, equal replications met the same requests, and the interval of the ratio is
//! that of pairs (Fieller). Otherwise the samples are independent: then the difference is Welch's, and its ratio is taken
//! to the first mean. Verdicts are corrected for the number of comparisons (Holm 1979).

use crate::maths::statistics::interval::student_quantile;
use crate::maths::statistics::moments::Moments;
use crate::maths::statistics::multiple::{holm, paired_p, welch_p};
use crate::maths::statistics::paired::{ratio_of_means, variance_reduction_factor};
use crate::study::comparison::{Comparison, Row};
use crate::study::insight::{Judgement, Ratio};
use crate::study::{Point, Study, clients};

/// The metrics of a client that are compared unless all are asked for.
const USUAL: [&str; 5] = ["goodput", "latency.mean", "latency.p95", "latency.p99", "failures"];

/// Compares two studies: all their common metrics, or the usual ones of the clients.
pub fn compare(first: &Study, second: &Study, within: f64, all: bool) -> Comparison {
    let paired = first.run == second.run;
    let mut rows = Vec::new();
    let mut alone = Vec::new();
    let single = first.points.len() == 1 && second.points.len() == 1;
    for point in &first.points {
        let label = first.label(point);
        let twin = second.points.iter().find(|twin| single || second.label(twin) == label);
        let Some(twin) = twin else {
            alone.push(format!("{label} (only {})", first.experiment));
            continue;
        };
        let usual = |name: &str| {
            let mut clients = clients(&first.metrics);
            clients.any(|client| {
                name.strip_prefix(client).is_some_and(|rest| USUAL.contains(&rest.trim_start_matches('.')))
            })
        };
        for metric in first.metrics.iter().filter(|metric| all || usual(&metric.name)) {
            let place = if single { String::new() } else { label.clone() };
            rows.extend(row(first, second, (point, twin), &metric.name, paired).map(|row| Row { place, ..row }));
        }
    }
    for point in &second.points {
        let label = second.label(point);
        if !single && !first.points.iter().any(|twin| first.label(twin) == label) {
            alone.push(format!("{label} (only {})", second.experiment));
        }
    }
    judge(&mut rows, within, first.run.confidence);
    let (first, second) = (first.experiment.clone(), second.experiment.clone());
    Comparison { first, second, paired, within, rows, alone }
}

/// The values of a metric at a point, by replication.
fn values(study: &Study, point: &Point, metric: &str) -> Option<Vec<f64>> {
    let index = study.metric(metric)?;
    point.runs.iter().map(|run| run.values.get(index).copied().flatten()).collect()
}

fn row(first: &Study, second: &Study, points: (&Point, &Point), metric: &str, paired: bool) -> Option<Row> {
    let (a, b) = (values(first, points.0, metric)?, values(second, points.1, metric)?);
    let estimate = |study: &Study, point: &Point| {
        let index = study.metric(metric)?;
        point.estimates.get(index).copied().flatten()
    };
    let confidence = first.run.confidence;
    let paired = paired && a.len() == b.len();
    let (ratio, p) = if paired {
        let ratio = ratio_of_means(&b, &a, confidence).ok().flatten();
        (ratio.map(|ratio| Ratio { mean: ratio.ratio, low: ratio.low, high: ratio.high }), paired_p(&b, &a))
    } else {
        (independent(&a, &b, confidence), welch_p(&b, &a))
    };
    Some(Row {
        place: String::new(),
        metric: metric.to_owned(),
        unit: first.metrics[first.metric(metric)?].unit,
        first: estimate(first, points.0)?,
        second: estimate(second, points.1)?,
        ratio,
        p: p.unwrap_or(1.0),
        judgement: Judgement::Undecided,
        variance_reduction: variance_reduction_factor(&b, &a)
            .ok()
            .flatten()
            .filter(|factor| paired && factor.is_finite()),
    })
}

/// The ratio of independent means, by the delta method.
fn independent(a: &[f64], b: &[f64], confidence: f64) -> Option<Ratio> {
    let of = |values: &[f64]| {
        let moments: Moments = values.iter().copied().collect();
        Some((moments.mean()?, moments.variance()? / values.len() as f64))
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (of(a)?, of(b)?);
    if mean_a == 0.0 {
        return None;
    }
    let mean = mean_b / mean_a;
    let error = ((error_b + mean * mean * error_a) / (mean_a * mean_a)).sqrt();
    let half = student_quantile(a.len().min(b.len()) as f64 - 1.0, confidence).ok()? * error;
    Some(Ratio { mean, low: mean - half, high: mean + half })
}

/// Whether more of a metric is better; `None` if neither.
pub fn more_is_better(metric: &str) -> Option<bool> {
    let ends = |words: &[&str]| words.iter().any(|word| metric.ends_with(word));
    if ends(&[".goodput", ".throughput"]) {
        Some(true)
    } else if metric.contains(".latency.") || metric.contains(".wait.") || ends(&[".failures", ".errors", ".rejected"])
    {
        Some(false)
    } else {
        None
    }
}

fn judge(rows: &mut [Row], within: f64, confidence: f64) {
    let corrected = holm(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    for (row, p) in rows.iter_mut().zip(corrected) {
        row.p = p;
        let same = row.first.mean == row.second.mean && row.p == 1.0;
        let near = row.ratio.is_some_and(|ratio| ratio.low >= 1.0 - within && ratio.high <= 1.0 + within);
        let more = row.second.mean > row.first.mean;
        row.judgement = match more_is_better(&row.metric) {
            _ if same || near => Judgement::NoDifference,
            _ if p >= 1.0 - confidence => Judgement::Undecided,
            Some(good) if good == more => Judgement::Better,
            Some(_) => Judgement::Worse,
            None => Judgement::Different,
        };
    }
}
