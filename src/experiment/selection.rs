//! The best of the variants, with a stated probability: replications are added until only one variant is left.
//!
//! The procedure is [`crate::maths::statistics::selection`]; variants meet the same requests. The indifference as a share is taken
//! of the mean of the variant that leads after the first stage, and then stays. Own rule.

use std::sync::atomic::{AtomicBool, Ordering};

use super::design::Design;
use super::expectation::levels_of;
use super::runner::{self, Observer, RunError};
use crate::maths::statistics::selection;
use crate::model::compile::Problem;
use crate::quantity::Unit;
use crate::quantity::unit::{display, parse_as};
use crate::spec::experiment_file::{ExperimentFile, Scalar, SelectSpec, Which};
use crate::study::level::same;
use crate::study::selected::{Contender, Selected};
use crate::study::{Factor, Level, MetricName, Point};

/// The fewest replications of the first stage: with fewer the margins are very wide.
const FIRST: u64 = 5;

/// A selection that an experiment asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    metric: usize,
    higher: bool,
    within: Within,
    probability: f64,
    at: Vec<(usize, Level)>,
}

#[derive(Debug, Clone, Copy)]
enum Within {
    Share(f64),
    Amount(f64),
}

/// Checks the selections of a file; problems are noted.
pub fn prepare(
    file: &ExperimentFile,
    metrics: &[MetricName],
    factors: &[Factor],
    problems: &mut Vec<Problem>,
) -> Vec<Wanted> {
    let specs = file.select.iter().enumerate();
    if !file.select.is_empty() && file.variants.len() < 2 {
        problems.push(Problem::new("select", "the best is selected of `variants`, and there are less than two"));
    }
    let of = |(number, spec): (usize, &SelectSpec)| {
        let path = |key: &str| format!("select[{number}].{key}");
        let before = problems.len();
        let metric = metrics.iter().position(|metric| metric.name == spec.metric);
        if metric.is_none() {
            let known = metrics.iter().map(|metric| metric.name.as_str());
            problems.push(Problem::unknown(&path("metric"), "metric", &spec.metric, known));
        }
        let at = levels_of(&spec.at, &path("at"), factors, problems);
        let unit = metric.map_or(Unit::Ratio, |metric| metrics[metric].unit);
        let within = match &spec.within {
            Scalar::Text(text) if text.trim_end().ends_with('%') && unit != Unit::Share => {
                parse_as(text, Unit::Share).map(Within::Share)
            }
            Scalar::Text(text) => parse_as(text, unit).map(Within::Amount),
            Scalar::Number(number) => parse_as(&number.to_string(), unit).map(Within::Amount),
        };
        let within = within.map_err(|error| problems.push(Problem::new(path("within"), error.to_string()))).ok();
        if within.is_some_and(|(Within::Share(by) | Within::Amount(by))| by <= 0.0) {
            problems
                .push(Problem::new(path("within"), "differences of nothing cannot be told with any number of runs"));
        }
        let probability = spec.probability.map_or(0.95, |share| share.fraction());
        let chance = 1.0 / file.variants.len().max(2) as f64;
        if probability <= chance || probability >= 1.0 {
            let chance = display(chance, Unit::Share);
            let message = format!("a probability is more than chance, {chance}, and less than 100 %");
            problems.push(Problem::new(path("probability"), message));
        }
        let wanted = Wanted { metric: metric?, higher: spec.best == Which::Highest, within: within?, probability, at };
        (problems.len() == before).then_some(wanted)
    };
    specs.filter_map(of).collect()
}

/// Adds replications until every selection is decided or no more are allowed.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
pub fn refine(
    design: &Design,
    points: &mut [Point],
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Vec<Selected>, RunError> {
    let first = design.run.replications.max(FIRST);
    let most = if design.run.quick { design.run.replications } else { design.precision.most.max(first) };
    let mut done = Vec::new();
    for wanted in &design.selections {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (number, point) in points.iter().enumerate().filter(|(_, point)| wanted.concerns(point, &design.factors)) {
            match groups.iter_mut().find(|group| points[group[0]].levels == point.levels) {
                Some(group) => group.push(number),
                None => groups.push(vec![number]),
            }
        }
        for group in groups {
            let mut next = first;
            loop {
                let there = |point: &Point| point.runs.len() as u64;
                let judged = wanted.judge(design, points, &group, first as usize);
                let short: Vec<usize> = group.iter().copied().filter(|number| there(&points[*number]) < next).collect();
                let open = judged.as_ref().is_none_or(|judged| judged.best.is_none());
                if !open || next > most || stop.load(Ordering::Relaxed) {
                    done.extend(judged);
                    break;
                }
                for (number, point) in short.iter().zip(runner::run_points(design, &short, next, jobs, observer, stop)?)
                {
                    // An interrupted run keeps what it had.
                    if point.runs.len() >= points[*number].runs.len() {
                        points[*number] = point;
                    }
                }
                next = if next == most { most + 1 } else { (next * 2).min(most) };
            }
        }
    }
    Ok(done)
}

impl Wanted {
    fn concerns(&self, point: &Point, factors: &[Factor]) -> bool {
        let fits = |(factor, level): &(usize, Level)| same(&factors[*factor].levels[point.levels[*factor]], level);
        self.at.iter().all(fits)
    }

    /// The state of a selection among some points; `None` if there are too few runs or no values.
    fn judge(&self, design: &Design, points: &[Point], group: &[usize], first: usize) -> Option<Selected> {
        let runs = group.iter().map(|number| points[*number].runs.len()).min()?;
        let sign = if self.higher { 1.0 } else { -1.0 };
        let of = |number: &usize| -> Option<Vec<f64>> {
            points[*number].runs.iter().take(runs).map(|run| Some(sign * run.values[self.metric]?)).collect()
        };
        let samples: Vec<Vec<f64>> = group.iter().map(of).collect::<Option<_>>()?;
        if runs < first.max(2) {
            return None;
        }
        let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
        let leader = samples.iter().map(|sample| mean(&sample[..first])).fold(f64::NEG_INFINITY, f64::max);
        let indifference = match self.within {
            Within::Amount(by) => by,
            Within::Share(share) => share * leader.abs(),
        };
        if indifference <= 0.0 {
            return None;
        }
        let state = selection::select(&samples, first, self.probability, indifference).ok()?;
        let contender = |(place, number): (usize, &usize)| {
            let out = state.out[place];
            let seen = &samples[place][..out.unwrap_or(runs)];
            Contender { variant: points[*number].variant.clone(), mean: sign * mean(seen), out }
        };
        let mut contenders: Vec<Contender> = group.iter().enumerate().map(contender).collect();
        let best = state.best.map(|place| contenders[place].variant.clone());
        contenders.sort_by(|one, other| (sign * other.mean).total_cmp(&(sign * one.mean)));
        let levels = design.factors.iter().zip(&points[group[0]].levels);
        let place = levels.map(|(factor, level)| format!("{} = {}", factor.name(), factor.levels[*level].text));
        let metric = &design.metrics[self.metric];
        Some(Selected {
            metric: metric.name.clone(),
            unit: metric.unit,
            higher_is_better: self.higher,
            probability: self.probability,
            indifference,
            place: place.collect::<Vec<_>>().join(", "),
            best,
            contenders,
        })
    }
}
