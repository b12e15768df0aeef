//! From runs to estimates: means and intervals over replications, merged distributions and attributions.

use super::design::{Design, DesignPoint};
use crate::maths::statistics::interval::Interval;
use crate::maths::statistics::interval::student_quantile;
use crate::maths::statistics::moments::Moments;
use crate::maths::statistics::proportion::clopper_pearson;
use crate::measure::Histogram;
use crate::model::system::Record;
use crate::model::system::detail::Detail;
use crate::model::system::metrics::BEYOND;
use crate::model::system::record::Ending;
use crate::study::{Attribution, Course, CourseAccount, Distribution, Estimate, Overload, Point, Run, Share};

/// A finished run, reduced to what the point needs.
pub struct Finished {
    /// Its values.
    pub(super) run: Run,
    /// Per client: where the time went.
    pub(super) attributions: Vec<crate::measure::Attribution>,
    /// Per client: the response times.
    pub(super) latencies: Vec<Histogram>,
    /// The rows of the time series, if they are kept; missing values are NaN.
    pub(super) series: Vec<Vec<f64>>,
    /// Per client: how its backlog grew.
    pub(super) growth: Vec<Growth>,
    /// Ledgers in more detail, if the plan asked for them.
    pub(super) detail: Option<Box<Detail>>,
}

/// How a client's requests in flight grew over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// Per second.
    pub(super) rate: f64,
    /// Whether the growth is sustained and more than a small part of what came in.
    pub(super) overload: bool,
}

/// A backlog counts as growing without bound if in every third of the window it rises, and over the whole window by
/// more than this share of the requests that came in, in more than half of the replications. Own rule.
const OVERLOAD_SHARE: f64 = 0.005;

/// A backlog below this is no overload, however short the window.
const OVERLOAD_LEAST: f64 = 20.0;

impl Finished {
    /// Reduces a record; time series are kept if they are wanted.
    pub fn new(run: Run, record: Record, series: bool) -> Self {
        let growth = growth(&record);
        let (attributions, latencies) =
            record.clients.into_iter().map(|book| (book.attribution, book.latencies)).unzip();
        let series = if series { record.series.rows } else { Vec::new() };
        Finished { run, attributions, latencies, series, growth, detail: record.detail }
    }

    /// The events of the run.
    pub fn events(&self) -> u64 {
        self.run.events
    }
}

fn growth(record: &Record) -> Vec<Growth> {
    let window = record.window_seconds();
    let grow = |(client, book): (usize, &crate::model::system::record::ClientBook)| {
        let rise = f64::from(book.backlog[1]) - f64::from(book.backlog[0]);
        let at = |third: u64| {
            let time = record.window[0] + (record.window[1] - record.window[0]) / 3 * third;
            let row = (time / record.series.interval).saturating_sub(1) as usize;
            record.series.rows.get(row).and_then(|row| row.get(record.series.in_flight_column(client)).copied())
        };
        let thirds = [Some(f64::from(book.backlog[0])), at(1), at(2), Some(f64::from(book.backlog[1]))];
        let rises = thirds.windows(2).all(|pair| pair[0].zip(pair[1]).is_some_and(|(before, after)| after > before));
        let exploded = record.ending == Ending::TooManyInFlight;
        let much = rise > (OVERLOAD_SHARE * book.measured as f64).max(OVERLOAD_LEAST);
        Growth { rate: if window > 0.0 { rise / window } else { 0.0 }, overload: much && (rises || exploded) }
    };
    record.clients.iter().enumerate().map(grow).collect()
}

/// Puts the finished runs of a point together.
pub fn summarize(design: &Design, point: &DesignPoint, finished: Vec<Finished>) -> Point {
    let confidence = design.run.confidence;
    let estimates = (0..design.metrics.len())
        .map(|metric| {
            let values = finished.iter().map(|run| run.run.values[metric]);
            if design.derived.is_partial(metric) {
                return estimate(&values.flatten().collect::<Vec<_>>(), confidence);
            }
            let values: Option<Vec<f64>> = values.collect();
            let of_values = if design.derived.is_probability(metric) { probability } else { estimate };
            values.and_then(|values| of_values(&values, confidence))
        })
        .collect();
    let (series, series_half_widths) =
        if design.series { series(design, point, &finished) } else { Default::default() };
    Point {
        variant: point.variant.clone(),
        levels: point.levels.clone(),
        system: point.system,
        estimates,
        attributions: attributions(point, &finished),
        operations: operations(point, &finished),
        courses: courses(point, &finished),
        distributions: distributions(point, &finished),
        series,
        series_half_widths,
        overload: overload(point, &finished),
        runs: finished.into_iter().map(|run| run.run).collect(),
    }
}

/// The mean of some values with Student's interval; `None` without values.
pub fn estimate(values: &[f64], confidence: f64) -> Option<Estimate> {
    let interval = Interval::of_mean(values, confidence).ok()?;
    let half_width = Some(interval.half_width).filter(|half| half.is_finite());
    Some(Estimate { mean: interval.mean, half_width, n: values.len() as u64 })
}

/// The share of runs with 1 among some with 0 or 1; the half width reaches to the farther end of the interval of Clopper and
/// Pearson.
fn probability(values: &[f64], confidence: f64) -> Option<Estimate> {
    let (yes, n) = (values.iter().filter(|value| **value > 0.5).count() as u64, values.len() as u64);
    let (low, high) = clopper_pearson(yes, n, confidence).ok()?;
    let mean = yes as f64 / n as f64;
    Some(Estimate { mean, half_width: Some((mean - low).max(high - mean)), n })
}

type Rows = Vec<Vec<Option<f64>>>;

/// Means and half widths of the time series, over the runs that have a value (none in an interval without requests, say); a
/// cell that most runs lack is missing.
fn series(design: &Design, point: &DesignPoint, finished: &[Finished]) -> (Rows, Rows) {
    let confidence = design.run.confidence;
    let rows = finished.iter().map(|run| run.series.len()).min().unwrap_or(0);
    // Student's factor by the number of values, computed once each.
    let factors: Vec<Option<f64>> = (0..=finished.len())
        .map(|n| student_quantile(n as f64 - 1.0, confidence).ok().map(|factor| factor / libm::sqrt(n as f64)))
        .collect();
    let cell = |row: usize, column: usize| {
        let values = || finished.iter().map(|run| run.series[row][column]).filter(|value| value.is_finite());
        let n = values().count();
        if n * 2 < finished.len() {
            return (None, None);
        }
        let moments: Moments = values().collect();
        let half = factors[n].and_then(|factor| Some(factor * moments.sd()?)).filter(|half| half.is_finite());
        (moments.mean(), half)
    };
    // Variants may have other parts: each value goes to the place that its column has in the whole experiment.
    let row = |row: usize| {
        let (mut means, mut halves) = (vec![None; design.columns.len()], vec![None; design.columns.len()]);
        for (column, place) in point.columns.iter().enumerate() {
            (means[*place], halves[*place]) = cell(row, column);
        }
        (means, halves)
    };
    (0..rows).map(row).unzip()
}

fn attributions(point: &DesignPoint, finished: &[Finished]) -> Vec<Attribution> {
    let of_client = |(number, client): (usize, &crate::model::blueprint::Client)| {
        attribution(point, &client.name, finished.iter().map(|run| &run.attributions[number]))
    };
    point.blueprint.clients.iter().enumerate().filter_map(of_client).collect()
}

/// The split of every operation's time, if the runs kept it.
fn operations(point: &DesignPoint, finished: &[Finished]) -> Vec<Attribution> {
    let of_operation = |(number, operation): (usize, &crate::model::blueprint::Operation)| {
        let service = &point.blueprint.services[operation.service as usize].name;
        let runs = finished.iter().filter_map(|run| run.detail.as_ref()?.operations.get(number));
        attribution(point, &format!("{service}.{}", operation.name), runs)
    };
    point.blueprint.operations.iter().enumerate().filter_map(of_operation).collect()
}

/// Some attributions as one; `None` if nothing was recorded.
fn attribution<'a>(
    point: &DesignPoint,
    name: &str,
    runs: impl Iterator<Item = &'a crate::measure::Attribution>,
) -> Option<Attribution> {
    let accounts = &point.blueprint.program.accounts;
    let mut merged = crate::measure::Attribution::new(accounts.len());
    runs.for_each(|run| merged.merge(run));
    let (all, slowest, slowest_one) = (merged.slowest(1.0)?, merged.slowest(0.05)?, merged.slowest(0.01)?);
    let share = |(place, account): (usize, &crate::model::program::Account)| Share {
        part: account.part.clone(),
        resource: account.resource.clone(),
        kind: account.kind,
        all: all.seconds[place],
        slowest: slowest.seconds[place],
        slowest_one: slowest_one.seconds[place],
    };
    let mut entries: Vec<Share> = accounts.iter().enumerate().map(share).collect();
    entries.retain(|share| share.all > 0.0 || share.slowest > 0.0);
    entries.sort_by(|one, other| other.slowest.total_cmp(&one.slowest));
    Some(Attribution { client: name.to_owned(), entries })
}

/// Where the clients' time went over simulated time, if the runs kept it: all replications together.
fn courses(point: &DesignPoint, finished: &[Finished]) -> Vec<Course> {
    let accounts = &point.blueprint.program.accounts;
    let of_client = |(number, client): (usize, &crate::model::blueprint::Client)| {
        let runs = || finished.iter().filter_map(|run| run.detail.as_ref()?.intervals.get(number));
        let rows = runs().map(Vec::len).max().unwrap_or(0);
        let mut sums = vec![vec![0u64; accounts.len() + 1]; rows];
        for row in runs().flat_map(|rows| rows.iter().enumerate()) {
            sums[row.0].iter_mut().zip(row.1).for_each(|(sum, value)| *sum += value);
        }
        let of_account = |(place, account): (usize, &crate::model::program::Account)| {
            let mean = |row: &Vec<u64>| (row[0] > 0).then(|| row[1 + place] as f64 / row[0] as f64 / 1e9);
            let means: Vec<Option<f64>> = sums.iter().map(mean).collect();
            means.iter().flatten().any(|mean| *mean > 0.0).then(|| CourseAccount {
                part: account.part.clone(),
                resource: account.resource.clone(),
                kind: account.kind,
                means,
            })
        };
        let accounts: Vec<CourseAccount> = accounts.iter().enumerate().filter_map(of_account).collect();
        (!accounts.is_empty()).then(|| Course { client: client.name.clone(), accounts })
    };
    point.blueprint.clients.iter().enumerate().filter_map(of_client).collect()
}

/// The probabilities at which distributions are recorded.
fn probabilities() -> impl Iterator<Item = f64> {
    let body = (1..100).map(|percent| f64::from(percent) / 100.0);
    let tail = [0.992, 0.994, 0.995, 0.996, 0.998, 0.999, 0.9995, 0.9999, 0.99995, 0.99999];
    body.chain(tail)
}

fn distributions(point: &DesignPoint, finished: &[Finished]) -> Vec<Distribution> {
    let of_client = |(number, client): (usize, &crate::model::blueprint::Client)| {
        let mut merged = Histogram::new();
        finished.iter().for_each(|run| merged.merge(&run.latencies[number]));
        let enough = |p: &f64| merged.count() as f64 * (1.0 - p) >= BEYOND;
        let quantile = |p: f64| Some((p, merged.quantile(p)? / 1e9));
        let quantiles = probabilities().filter(enough).filter_map(quantile).collect();
        Distribution { client: client.name.clone(), quantiles }
    };
    point.blueprint.clients.iter().enumerate().map(of_client).collect()
}

/// A client is overloaded if it is in more than half of the runs.
fn overload(point: &DesignPoint, finished: &[Finished]) -> Option<Overload> {
    point.blueprint.clients.iter().enumerate().find_map(|(number, client)| {
        let overloaded = finished.iter().filter(|run| run.growth[number].overload).count();
        let growth = finished.iter().map(|run| run.growth[number].rate).sum::<f64>() / finished.len() as f64;
        (overloaded * 2 > finished.len()).then(|| Overload { client: client.name.clone(), growth })
    })
}
