//! Expectations: what must hold, and whether it does.
//!
//! An expectation is *held* if the whole confidence interval keeps the bound, *failed* if the whole interval breaks it,
//! and *undecided* if the interval straddles it or there is no value: then more replications or a longer window would
//! decide. A comparison of two variants is judged on the ratio of their means, whose interval takes into account that
//! both met the same requests (Fieller's theorem on paired replications).

use indexmap::IndexMap;

use super::derived::{Derived, Slo};
use super::levels;
use crate::maths::statistics::paired::ratio_of_means;
use crate::model::compile::Problem;
use crate::quantity::Unit;
use crate::quantity::unit::{display, display_with_interval, parse_as};
use crate::spec::experiment_file::{ExpectationSpec, ExperimentFile, Scalar};
use crate::spec::load::Override;
use crate::study::finding::{Finding, Verdict};
use crate::study::level::same;
use crate::study::{Estimate, Factor, Level, MetricName, Point, Run, Study};

/// How far a value may be from an `equals` unless `within` says otherwise.
const WITHIN: f64 = 0.01;

/// A bound, in base units.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    /// At most, or below: for a continuous value the same.
    Upper(f64),
    /// At least, or above.
    Lower(f64),
    /// This value, give or take that much.
    Equal(f64, f64),
}

impl Bound {
    /// Judges an interval.
    fn judge(self, low: f64, high: f64) -> Verdict {
        let (least, most) = match self {
            Bound::Upper(most) => (f64::NEG_INFINITY, most),
            Bound::Lower(least) => (least, f64::INFINITY),
            Bound::Equal(value, within) => (value - within, value + within),
        };
        if low >= least && high <= most {
            Verdict::Held
        } else if high < least || low > most {
            Verdict::Failed
        } else {
            Verdict::Undecided
        }
    }
}

/// An expectation, checked and ready to be judged.
#[derive(Debug, Clone)]
pub struct Check {
    metric: usize,
    /// What it is divided by, if the bound is on a ratio of two metrics.
    over: Option<usize>,
    name: String,
    unit: Unit,
    /// The variant it is about, or the two that are compared.
    subject: Subject,
    /// Factors and their levels.
    at: Vec<(usize, Level)>,
    bound: Bound,
    /// How many intervals of which name a run has, if it is an SLO.
    intervals: Option<String>,
    /// The bound in words.
    words: String,
    because: Option<String>,
}

#[derive(Debug, Clone)]
enum Subject {
    All,
    Variant(String),
    Ratio { of: String, times: String },
}

/// Checks the expectations of a file; problems are noted.
pub fn prepare(
    file: &ExperimentFile,
    metrics: &[MetricName],
    derived: &Derived,
    factors: &[Factor],
    variants: &IndexMap<String, Vec<Override>>,
    problems: &mut Vec<Problem>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for (number, spec) in file.expect.iter().enumerate() {
        let path = |key: &str| format!("expect[{number}].{key}");
        let before = problems.len();
        if !spec.slo.is_empty() {
            let found = derived.slos.iter().find(|slo| slo.expectation == number);
            checks.extend(found.and_then(|found| slo(spec, found, number, factors, variants, problems)));
            continue;
        }
        let mut find = |name: &str| {
            let found = metrics.iter().position(|metric| metric.name == name);
            if found.is_none() {
                let known = metrics.iter().map(|metric| metric.name.as_str());
                problems.push(Problem::unknown(&path("metric"), "metric", name, known));
            }
            found
        };
        let (name, divisor) = spec.metric.split_once(" / ").map_or((spec.metric.as_str(), None), |(a, b)| (a, Some(b)));
        let metric = find(name.trim());
        let over = divisor.map(|name| find(name.trim()));
        for (key, name) in [("in", &spec.variant), ("of", &spec.of), ("times", &spec.times)] {
            if let Some(name) = name
                && !variants.contains_key(name)
            {
                let known = variants.keys().map(String::as_str).filter(|name| !name.is_empty());
                problems.push(Problem::unknown(&path(key), "variant", name, known));
            }
        }
        let subject = subject(spec, &format!("expect[{number}]"), problems);
        let at = levels_of(&spec.at, &format!("expect[{number}].at"), factors, problems);
        let unit = match (&subject, metric) {
            (Subject::Ratio { .. }, _) | (_, None) => Unit::Ratio,
            (_, Some(_)) if over.is_some() => Unit::Ratio,
            (_, Some(metric)) => metrics[metric].unit,
        };
        let bounds = bounds(spec, unit, number, problems);
        if problems.len() > before {
            continue;
        }
        let Some(metric) = metric else { continue };
        checks.extend(bounds.into_iter().map(|(bound, words)| Check {
            metric,
            over: over.flatten(),
            name: spec.metric.clone(),
            unit,
            subject: subject.clone(),
            at: at.clone(),
            bound,
            intervals: None,
            words,
            because: spec.because.clone(),
        }));
    }
    checks
}

/// The check of an SLO.
fn slo(
    spec: &ExpectationSpec,
    slo: &Slo,
    number: usize,
    factors: &[Factor],
    variants: &IndexMap<String, Vec<Override>>,
    problems: &mut Vec<Problem>,
) -> Option<Check> {
    let path = |key: &str| format!("expect[{number}].{key}");
    let before = problems.len();
    if !spec.metric.is_empty() || spec.times.is_some() || spec.equals.is_some() {
        problems
            .push(Problem::new(path("slo"), "an SLO has its own bounds: give `slo`, `in`, and perhaps `of` and `at`"));
    }
    if let Some(name) = spec.of.as_ref().filter(|name| !variants.contains_key(*name)) {
        let known = variants.keys().map(String::as_str).filter(|name| !name.is_empty());
        problems.push(Problem::unknown(&path("of"), "variant", name, known));
    }
    let at = levels_of(&spec.at, &path("at"), factors, problems);
    (problems.len() == before).then(|| Check {
        metric: slo.metric,
        over: None,
        name: slo.words.clone(),
        unit: Unit::Share,
        subject: spec.of.clone().map_or(Subject::All, Subject::Variant),
        at,
        bound: Bound::Lower(slo.share),
        intervals: Some(slo.period.name.clone()),
        words: format!("in {} of {}", display(slo.share, Unit::Share), slo.period.name),
        because: spec.because.clone(),
    })
}

fn subject(spec: &ExpectationSpec, path: &str, problems: &mut Vec<Problem>) -> Subject {
    match (&spec.variant, &spec.of, &spec.times) {
        (None, None, None) => Subject::All,
        (Some(variant), None, None) => Subject::Variant(variant.clone()),
        (None, Some(of), Some(times)) => Subject::Ratio { of: of.clone(), times: times.clone() },
        _ => {
            problems.push(Problem {
                path: path.to_owned(),
                message: "an expectation is about one variant (`in`) or compares two (`of` and `times`)".to_owned(),
                help: Some("write `of: horizontal, at_least: 1.8, times: vertical`".to_owned()),
            });
            Subject::All
        }
    }
}

/// The factors and levels that a map of keys and values names.
pub(super) fn levels_of(
    named: &IndexMap<String, serde_json::Value>,
    path: &str,
    factors: &[Factor],
    problems: &mut Vec<Problem>,
) -> Vec<(usize, Level)> {
    let mut at = Vec::new();
    for (key, value) in named {
        let Some(factor) = factors.iter().position(|factor| factor.key == *key) else {
            problems.push(Problem::unknown(path, "swept key", key, factors.iter().map(|factor| factor.key.as_str())));
            continue;
        };
        let level = Level::new(levels::name_of(value));
        if !factors[factor].levels.iter().any(|known| same(known, &level)) {
            let known = factors[factor].levels.iter().map(|level| level.text.as_str());
            problems.push(Problem::unknown(path, "level", &level.text, known));
        }
        at.push((factor, level));
    }
    at
}

fn bounds(spec: &ExpectationSpec, unit: Unit, number: usize, problems: &mut Vec<Problem>) -> Vec<(Bound, String)> {
    let mut read = |key: &str, scalar: &Scalar, unit: Unit| {
        // Nothing is nothing in every unit.
        if *scalar == Scalar::Number(0.0) {
            return Some(0.0);
        }
        // A ratio may be written as a share.
        let text = written(scalar);
        let as_share = unit == Unit::Ratio && text.trim_end().ends_with('%');
        let result = parse_as(&text, if as_share { Unit::Share } else { unit });
        result.map_err(|error| problems.push(Problem::new(format!("expect[{number}].{key}"), error.to_string()))).ok()
    };
    let mut bounds = Vec::new();
    let sides =
        [("below", &spec.below), ("at_most", &spec.at_most), ("above", &spec.above), ("at_least", &spec.at_least)];
    for (key, scalar) in sides {
        if let Some(value) = scalar.as_ref().and_then(|scalar| read(key, scalar, unit)) {
            let bound = if key == "below" || key == "at_most" { Bound::Upper(value) } else { Bound::Lower(value) };
            let text = scalar.as_ref().map(written).unwrap_or_default();
            bounds.push((bound, format!("{} {text}", key.replace('_', " "))));
        }
    }
    if let Some(value) = spec.equals.as_ref().and_then(|scalar| read("equals", scalar, unit)) {
        let (within, words) = match &spec.within {
            None => (WITHIN * value.abs(), display(WITHIN, Unit::Share)),
            Some(Scalar::Text(text)) if text.trim_end().ends_with('%') && unit != Unit::Share => {
                let share = read("within", &Scalar::Text(text.clone()), Unit::Share).unwrap_or(0.0);
                (share * value.abs(), display(share, Unit::Share))
            }
            Some(scalar) => {
                let within = read("within", scalar, unit).unwrap_or(0.0);
                let points = format!("{} percentage points", (within * 1e8).round() / 1e6);
                (within, if unit == Unit::Share { points } else { written(scalar) })
            }
        };
        let text = spec.equals.as_ref().map(written).unwrap_or_default();
        bounds.push((Bound::Equal(value, within), format!("equals {text} within {words}")));
    }
    if bounds.is_empty()
        && [&spec.below, &spec.at_most, &spec.above, &spec.at_least, &spec.equals].iter().all(|side| side.is_none())
    {
        problems.push(Problem {
            path: format!("expect[{number}]"),
            message: "this expectation has no bound".to_owned(),
            help: Some("add `below`, `above`, `at_least`, `at_most` or `equals`".to_owned()),
        });
    }
    bounds
}

/// A scalar as its author wrote it.
fn written(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

/// Judges all expectations on the points that were finished.
pub fn judge(checks: &[Check], study: &Study) -> Vec<Finding> {
    checks.iter().flat_map(|check| check.judge(study)).collect()
}

impl Check {
    fn concerns(&self, point: &Point, variant: &str, factors: &[Factor]) -> bool {
        let level_fits =
            |(factor, level): &(usize, Level)| same(&factors[*factor].levels[point.levels[*factor]], level);
        point.variant == variant && self.at.iter().all(level_fits)
    }

    fn judge(&self, study: &Study) -> Vec<Finding> {
        let points = |variant: &str| -> Vec<&Point> {
            study.points.iter().filter(|point| self.concerns(point, variant, &study.factors)).collect()
        };
        match &self.subject {
            Subject::All => {
                let variants = study.variants();
                variants.iter().flat_map(|variant| points(variant)).map(|point| self.of_point(study, point)).collect()
            }
            Subject::Variant(variant) => points(variant).into_iter().map(|point| self.of_point(study, point)).collect(),
            Subject::Ratio { of, times } => {
                let others = points(times);
                let pairs = points(of).into_iter().filter_map(|point| {
                    let other = others.iter().find(|other| other.levels == point.levels)?;
                    Some(self.of_pair(study, point, other))
                });
                pairs.collect()
            }
        }
    }

    fn of_point(&self, study: &Study, point: &Point) -> Finding {
        let place = if study.points.len() > 1 { study.label(point) } else { String::new() };
        let finding = self.finding(place, format!("{} {}", self.name, self.words));
        let Some(estimate) = self.estimate(study, point) else { return finding };
        let half = estimate.half_width.unwrap_or(f64::INFINITY);
        let mut measured = display_with_interval(estimate.mean, half, self.unit);
        if let Some(name) = &self.intervals {
            let run = &study.run;
            let until = ((run.warm_up + run.window) / run.interval + 1e-9).floor();
            let all = (until - (run.warm_up / run.interval - 1e-9).ceil()) * estimate.n as f64;
            measured.push_str(&format!(": {} of {all} {name} were bad", ((1.0 - estimate.mean) * all).round()));
        }
        Finding {
            measured,
            mean: Some(estimate.mean),
            half_width: estimate.half_width,
            verdict: self.bound.judge(estimate.low(), estimate.high()),
            ..finding
        }
    }

    /// The mean and its interval: of a metric, or of the ratio of two in the same runs.
    fn estimate(&self, study: &Study, point: &Point) -> Option<Estimate> {
        let Some(over) = self.over else { return point.estimates.get(self.metric).copied().flatten() };
        let of = |metric: usize| -> Option<Vec<f64>> { point.runs.iter().map(|run| run.values[metric]).collect() };
        let (a, b) = (of(self.metric)?, of(over)?);
        let ratio = ratio_of_means(&a, &b, study.run.confidence).ok().flatten()?;
        Some(Estimate { mean: ratio.ratio, half_width: Some((ratio.high - ratio.low) / 2.0), n: a.len() as u64 })
    }

    fn of_pair(&self, study: &Study, point: &Point, other: &Point) -> Finding {
        let label = study.label(&Point { variant: String::new(), ..point.clone() });
        let words = format!("{} of {} {} times {}", self.name, point.variant, self.words, other.variant);
        let finding = self.finding(label, words);
        // Only replications that both have can be compared.
        let value = |run: &Run| {
            let of = |metric: usize| run.values.get(metric).copied().flatten();
            let value = of(self.metric)?;
            Some(match self.over {
                Some(over) => value / of(over).filter(|over| *over != 0.0)?,
                None => value,
            })
        };
        let pairs: Option<Vec<(f64, f64)>> = point
            .runs
            .iter()
            .filter_map(|run| Some((run, other.runs.iter().find(|twin| twin.replication == run.replication)?)))
            .map(|(run, twin)| Some((value(run)?, value(twin)?)))
            .collect();
        let Some(pairs) = pairs else { return finding };
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let Ok(Some(ratio)) = ratio_of_means(&a, &b, study.run.confidence) else { return finding };
        let half = (ratio.high - ratio.low) / 2.0;
        Finding {
            measured: display_with_interval(ratio.ratio, half, Unit::Ratio),
            mean: Some(ratio.ratio),
            half_width: Some(half),
            verdict: self.bound.judge(ratio.low, ratio.high),
            ..finding
        }
    }

    /// A finding without a measurement.
    fn finding(&self, place: String, expectation: String) -> Finding {
        let expected = match self.bound {
            Bound::Equal(value, _) => Some(value),
            _ => None,
        };
        Finding {
            expectation,
            place,
            measured: "no value".to_owned(),
            mean: None,
            half_width: None,
            expected,
            because: self.because.clone(),
            verdict: Verdict::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_held_or_failed_only_by_the_whole_interval() {
        let upper = Bound::Upper(10.0);
        assert_eq!(upper.judge(8.0, 9.0), Verdict::Held);
        assert_eq!(upper.judge(9.0, 11.0), Verdict::Undecided);
        assert_eq!(upper.judge(10.5, 11.0), Verdict::Failed);
        assert_eq!(upper.judge(f64::NEG_INFINITY, f64::INFINITY), Verdict::Undecided);
        let equal = Bound::Equal(10.0, 1.0);
        assert_eq!(equal.judge(9.5, 10.5), Verdict::Held);
        assert_eq!(equal.judge(8.5, 9.5), Verdict::Undecided);
        assert_eq!(equal.judge(5.0, 15.0), Verdict::Undecided);
        assert_eq!(equal.judge(11.5, 12.0), Verdict::Failed);
        assert_eq!(Bound::Lower(3.0).judge(3.0, 4.0), Verdict::Held);
    }
}
