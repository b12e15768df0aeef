//! Metrics of a run that are read off its time series: in how many minutes an SLO was met, whether the system ended up
//! down, and how long it took to come back.
//!
//! - **SLOs.** An interval within the window is good if every column keeps its bound there. A column without a value (nothing
//!   ended) is good if nobody waited. `failures` is a share here: of the requests that ended in the interval.
//! - **Health.** An interval is up if at least the healthy share of the requests that ended in it succeeded; without any, if nobody
//!   waited. A run has *collapsed* if less than that share of its measured requests succeeded. *Recovery* runs from the end of the
//!   last fault by the clock to the end of the last interval that is down; a run that is down at its end has none. *Fell at* and
//!   *rose at* are the rates offered where the longest time of being down begins and ends, each averaged over five intervals.
//!
//! Source of the states up and down under one load: N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
//! The rules of thumb (longest stretch, five intervals) are our own.

use indexmap::IndexMap;

use super::design::{Design, DesignPoint};
use crate::model::blueprint::Agent;
use crate::model::compile::Problem;
use crate::model::fault::Times;
use crate::model::system::Record;
use crate::quantity::unit::parse_as;
use crate::quantity::{Duration, Unit};
use crate::spec::experiment_file::{ExperimentFile, Scalar};

/// Names and units of metrics or columns.
type Names = IndexMap<String, Unit>;

/// What is read off the time series of every run.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    /// The SLOs.
    pub slos: Vec<Slo>,
    health: Option<Health>,
}

/// An SLO that must be met in most intervals.
#[derive(Debug, Clone)]
pub struct Slo {
    /// The number of its expectation.
    pub expectation: usize,
    /// Its metric: the share of good intervals.
    pub metric: usize,
    /// What must be so, in words.
    pub words: String,
    /// In what share of the intervals.
    pub share: f64,
    /// What its intervals are called.
    pub period: Period,
    goals: Vec<Goal>,
}

/// The intervals in which an SLO is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Their length [ns].
    pub nanos: u64,
    /// Several of them: `minutes`.
    pub name: String,
}

/// A column that must not be above a value.
#[derive(Debug, Clone)]
struct Goal {
    column: Reading,
    most: f64,
    /// The requests in flight of its client.
    in_flight: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    Column(usize),
    /// The share of failures among those that ended: goodput, failures.
    Failed(usize, usize),
}

/// Whether the system is up, by one client's requests.
#[derive(Debug, Clone)]
struct Health {
    /// Collapsed, recovery, fell at, rose at.
    metrics: [usize; 4],
    /// Goodput, failures, in flight.
    columns: [usize; 3],
    failures: usize,
    healthy: f64,
}

/// The metrics of health, behind the client's name.
const HEALTH: [(&str, Unit); 4] = [
    ("collapsed", Unit::Share),
    ("recovery", Unit::Seconds),
    ("fell_at", Unit::PerSecond),
    ("rose_at", Unit::PerSecond),
];

/// How many intervals on either side a rate is averaged over.
const AROUND: usize = 2;

/// `99% of minutes` as its share and period.
fn slo(text: &str) -> Result<(f64, Period), String> {
    let (share, name) = text.split_once(" of ").ok_or_else(|| format!("`{text}`: write `99% of minutes`"))?;
    let share = parse_as(share.trim(), Unit::Share).map_err(|error| error.to_string())?;
    let name = name.trim();
    let nanos = match name {
        "seconds" => 1_000_000_000,
        "minutes" => 60_000_000_000,
        "hours" => 3_600_000_000_000,
        other => other.parse::<Duration>().map_err(|error| error.to_string())?.as_nanos(),
    };
    if nanos == 0 || !(0.0..=1.0).contains(&share) {
        return Err(format!("`{text}`: a share up to 100 % of intervals longer than 0"));
    }
    let plural = name.ends_with('s') && name.chars().all(char::is_alphabetic);
    let name = if plural { name.to_owned() } else { format!("intervals of {name}") };
    Ok((share, Period { nanos, name }))
}

/// The length of the intervals that a file's SLOs are about, if it has any [ns].
pub(super) fn period(file: &ExperimentFile) -> Option<u64> {
    let slo = file.expect.iter().find(|spec| !spec.slo.is_empty())?;
    self::slo(slo.variant.as_deref()?).ok().map(|(_, period)| period.nanos)
}

/// Checks what a file wants to be read off, and adds its metrics to the others.
pub(super) fn prepare(
    file: &ExperimentFile,
    metrics: &mut Names,
    columns: &Names,
    interval: u64,
    problems: &mut Vec<Problem>,
) -> Derived {
    let mut derived = Derived::default();
    for (expectation, spec) in file.expect.iter().enumerate().filter(|(_, spec)| !spec.slo.is_empty()) {
        let path = format!("expect[{expectation}]");
        let (share, period) = match slo(spec.variant.as_deref().unwrap_or_default()) {
            Ok(read) => read,
            Err(message) => {
                problems.push(Problem::new(format!("{path}.in"), message));
                continue;
            }
        };
        if period.nanos != interval {
            let message = "the points of the time series must be as far apart as the SLO's intervals: leave \
                           `run.interval` out, and give all SLOs the same intervals";
            problems.push(Problem::new(format!("{path}.in"), message));
        }
        let mut goals = Vec::new();
        let mut words = Vec::new();
        for (name, scalar) in &spec.slo {
            let path = format!("{path}.slo.{name}");
            match goal(name, scalar, columns, &path) {
                Ok(goal) => goals.push(goal),
                Err(problem) => problems.push(problem),
            }
            words.push(format!("{name} at most {}", written(scalar)));
        }
        let metric = metrics.insert_full(format!("slo.{}", derived.slos.len() + 1), Unit::Share).0;
        derived.slos.push(Slo { expectation, metric, words: words.join(" and "), share, period, goals });
    }
    if let Some(spec) = &file.metastability {
        let client = &spec.client;
        let column = |name: &str| columns.get_index_of(&format!("{client}.{name}"));
        let found = (column("goodput"), column("failures"), column("in_flight"));
        let failures = metrics.get_index_of(&format!("{client}.failures"));
        if let ((Some(goodput), Some(failed), Some(in_flight)), Some(failures)) = (found, failures) {
            let healthy = spec.healthy.map_or(0.5, |share| share.fraction());
            let metrics = HEALTH.map(|(name, unit)| metrics.insert_full(format!("{client}.{name}"), unit).0);
            derived.health = Some(Health { metrics, columns: [goodput, failed, in_flight], failures, healthy });
        } else {
            let known = metrics.keys().filter_map(|name| name.strip_suffix(".offered"));
            problems.push(Problem::unknown("metastability.client", "client", client, known));
        }
    }
    derived
}

fn goal(name: &str, scalar: &Scalar, columns: &Names, path: &str) -> Result<Goal, Problem> {
    let Some((column, _, unit)) = columns.get_full(name) else {
        let known = columns.keys().map(String::as_str);
        return Err(Problem::unknown(path, "column of the time series", name, known));
    };
    let client = name.split('.').next().unwrap_or_default();
    let goodput = name.strip_suffix(".failures").and_then(|client| columns.get_index_of(&format!("{client}.goodput")));
    let (column, unit) = match goodput {
        Some(goodput) => (Reading::Failed(goodput, column), Unit::Share),
        None => (Reading::Column(column), *unit),
    };
    let most = parse_as(&written(scalar), unit).map_err(|error| Problem::new(path, error.to_string()))?;
    Ok(Goal { column, most, in_flight: columns.get_index_of(&format!("{client}.in_flight")) })
}

fn written(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

impl Derived {
    /// Whether a metric is the probability of something that happens in a run or does not.
    pub(super) fn is_probability(&self, metric: usize) -> bool {
        self.health.as_ref().is_some_and(|health| health.metrics[0] == metric)
    }

    /// Whether runs may lack a metric without the others saying less for it.
    pub(super) fn is_partial(&self, metric: usize) -> bool {
        self.health.as_ref().is_some_and(|health| health.metrics[1..].contains(&metric))
    }

    /// Adds the metrics of a run to its values.
    pub(super) fn read(&self, design: &Design, point: &DesignPoint, record: &Record, values: &mut [Option<f64>]) {
        let course = Course { point, record, design };
        for slo in &self.slos {
            let rows = course.window();
            let count = rows.len();
            let good = rows.filter(|row| slo.goals.iter().all(|goal| course.keeps(*row, goal))).count();
            values[slo.metric] = (count > 0).then(|| good as f64 / count as f64);
        }
        if let Some(health) = &self.health {
            let failures = values[health.failures];
            let [collapsed, recovery, fell_at, rose_at] = health.metrics;
            values[collapsed] = failures.map(|share| f64::from(u8::from(share > 1.0 - health.healthy)));
            let up: Vec<bool> = (0..course.end()).map(|row| course.is_up(row, health)).collect();
            values[recovery] = course.recovery(&up);
            if let Some((from, until)) = longest_down(&up) {
                values[fell_at] = Some(course.offered(from, health));
                values[rose_at] = (until < up.len()).then(|| course.offered(until, health));
            }
        }
    }
}

/// The longest time of being down: its first interval and the one after its last; the earliest of equals.
fn longest_down(up: &[bool]) -> Option<(usize, usize)> {
    let mut longest: Option<(usize, usize)> = None;
    let mut from = None;
    for (row, is_up) in up.iter().copied().chain([true]).enumerate() {
        match (is_up, from) {
            (false, None) => from = Some(row),
            (true, Some(start)) => {
                if longest.is_none_or(|(a, b)| row - start > b - a) {
                    longest = Some((start, row));
                }
                from = None;
            }
            _ => {}
        }
    }
    longest
}

/// A run's time series, by the columns of the whole experiment.
struct Course<'a> {
    design: &'a Design,
    point: &'a DesignPoint,
    record: &'a Record,
}

impl Course<'_> {
    fn value(&self, row: usize, column: usize) -> Option<f64> {
        let own = self.point.columns.iter().position(|place| *place == column)?;
        self.record.series.rows.get(row)?.get(own).copied()
    }

    /// The first row after the window.
    fn end(&self) -> usize {
        let plan = &self.design.plan;
        let until = plan.warm_up.saturating_add(plan.window) / self.record.series.interval;
        self.record.series.rows.len().min(until as usize)
    }

    /// The rows that lie within the window.
    fn window(&self) -> std::ops::Range<usize> {
        let from = self.design.plan.warm_up.div_ceil(self.record.series.interval) as usize;
        from..self.end().max(from)
    }

    fn keeps(&self, row: usize, goal: &Goal) -> bool {
        let value = match goal.column {
            Reading::Column(column) => self.value(row, column),
            Reading::Failed(goodput, failures) => {
                let (good, bad) = (self.value(row, goodput), self.value(row, failures));
                good.zip(bad).filter(|(good, bad)| good + bad > 0.0).map(|(good, bad)| bad / (good + bad))
            }
        };
        match value.filter(|value| value.is_finite()) {
            Some(value) => value <= goal.most,
            None => goal.in_flight.and_then(|column| self.value(row, column)).is_none_or(|waiting| waiting == 0.0),
        }
    }

    fn is_up(&self, row: usize, health: &Health) -> bool {
        let [good, bad, waiting] = health.columns.map(|column| self.value(row, column).unwrap_or(0.0));
        if good + bad > 0.0 { good >= health.healthy * (good + bad) } else { waiting == 0.0 }
    }

    /// The rate of arrivals around a row: what ended, and by how much the number in flight grew.
    fn offered(&self, row: usize, health: &Health) -> f64 {
        let [goodput, failures, in_flight] = health.columns;
        let rows = row.saturating_sub(AROUND)..(row + AROUND + 1).min(self.end());
        let length = self.record.series.interval as f64 / 1e9;
        let ended: f64 = rows
            .clone()
            .map(|row| (self.value(row, goodput).unwrap_or(0.0) + self.value(row, failures).unwrap_or(0.0)) * length)
            .sum();
        let waiting = |row: Option<usize>| row.and_then(|row| self.value(row, in_flight)).unwrap_or(0.0);
        let grown = waiting(rows.end.checked_sub(1)) - waiting(rows.start.checked_sub(1));
        (ended + grown) / (rows.len().max(1) as f64 * length)
    }

    /// From the end of the last fault by the clock to the end of the last interval that is down [s].
    fn recovery(&self, up: &[bool]) -> Option<f64> {
        let ends = self.point.blueprint.agents.iter().filter_map(|agent| match agent {
            Agent::Fault(plan) => match plan.times {
                Times::Scheduled { at, lasting: Some(lasting), every: None } => Some(at.saturating_add(lasting)),
                _ => None,
            },
            _ => None,
        });
        let over = ends.max()?;
        let last = up.iter().rposition(|up| !up).map_or(0, |row| row + 1);
        if last == up.len() || over > up.len() as u64 * self.record.series.interval {
            return None;
        }
        Some((last as u64 * self.record.series.interval).saturating_sub(over) as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_slo_says_how_many_of_which_intervals() {
        let read = |text: &str| slo(text).map(|(share, period)| (share, period.nanos, period.name));
        assert_eq!(read("99% of minutes"), Ok((0.99, 60_000_000_000, "minutes".to_owned())));
        assert_eq!(read("95% of 10s"), Ok((0.95, 10_000_000_000, "intervals of 10s".to_owned())));
        for wrong in ["99%", "99% of", "99% of fortnights", "101% of minutes", "99 of minutes", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_longest_time_of_being_down_counts() {
        let down = |text: &str| longest_down(&text.chars().map(|letter| letter == 'u').collect::<Vec<_>>());
        assert_eq!(down("uuuu"), None);
        assert_eq!(down("uduudddu"), Some((4, 7)));
        assert_eq!(down("uuddu"), Some((2, 4)));
        assert_eq!(down("dudd"), Some((2, 4)));
        assert_eq!(down("ddudd"), Some((0, 2)));
    }
}
