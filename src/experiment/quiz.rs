//! Questions to the reader of an experiment, asked before it is run and graded with its own numbers.
//!
//! A question asks for a number (a metric at one point), for the variant with the highest or lowest value of a metric, or for
//! one of the choices that its author wrote down with the right one. Numbers are right within 10 % of the measured mean unless the
//! question says otherwise, and always within its interval. A variant whose interval overlaps that of the best is right too: the
//! data cannot tell them apart.

use indexmap::IndexMap;

use super::expectation::levels_of;
use crate::model::compile::Problem;
use crate::quantity::Unit;
use crate::quantity::unit::{display, display_with_interval, parse_as};
use crate::spec::experiment_file::{ExperimentFile, QuestionSpec, Scalar, Which};
use crate::spec::load::Override;
use crate::study::level::same;
use crate::study::{Estimate, Factor, Level, MetricName, Point, Study};

/// How far a number may be off unless the question says so.
const WITHIN: f64 = 0.1;

/// A question, checked and ready to be asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub ask: String,
    /// Why the answer is what it is.
    pub because: Option<String>,
    /// What can be chosen; empty if a number is asked for.
    pub choices: Vec<String>,
    form: Form,
    /// The value that it is about: the metric, its variant, its levels.
    value: Option<Value>,
}

#[derive(Debug, Clone)]
enum Form {
    /// The right choice.
    Stated(usize),
    /// Choices are variants; the one with the highest or lowest value is right.
    Extreme(Which),
    /// How far a number may be off: a share of it, or an amount.
    Number { share: f64, amount: f64 },
}

#[derive(Debug, Clone)]
struct Value {
    metric: usize,
    name: String,
    unit: Unit,
    /// The only variant that it is about.
    variant: Option<String>,
    at: Vec<(usize, Level)>,
}

/// An answer that can be graded.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One of the choices.
    Choice(usize),
    /// A number in the base unit.
    Number(f64),
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// Whether it was right; `None` if the run could not tell.
    pub right: Option<bool>,
    /// The right answer in words.
    pub truth: String,
    /// What was measured, a line per variant: `4 instances: 4000/s ± 1/s`.
    pub measured: Vec<String>,
}

/// Checks the questions of a file; problems are noted.
pub fn prepare(
    file: &ExperimentFile,
    metrics: &[MetricName],
    factors: &[Factor],
    variants: &IndexMap<String, Vec<Override>>,
    problems: &mut Vec<Problem>,
) -> Vec<Question> {
    let mut questions = Vec::new();
    for (number, spec) in file.questions.iter().enumerate() {
        let before = problems.len();
        let path = format!("questions[{number}]");
        let named: Vec<&String> = variants.keys().filter(|name| !name.is_empty()).collect();
        let value = value(spec, &path, metrics, factors, &named, problems);
        let form = form(spec, &path, value.as_ref(), &named, problems);
        if let (Some(form), true) = (form, problems.len() == before) {
            let choices = match form {
                Form::Extreme(_) => named.into_iter().cloned().collect(),
                _ => spec.choices.clone(),
            };
            questions.push(Question { ask: spec.ask.clone(), because: spec.because.clone(), choices, form, value });
        }
    }
    questions
}

/// The value that a question is about.
fn value(
    spec: &QuestionSpec,
    path: &str,
    metrics: &[MetricName],
    factors: &[Factor],
    variants: &[&String],
    problems: &mut Vec<Problem>,
) -> Option<Value> {
    if let Some(name) = &spec.variant
        && !variants.contains(&name)
    {
        let known = variants.iter().map(|name| name.as_str());
        problems.push(Problem::unknown(&format!("{path}.in"), "variant", name, known));
    }
    let at = levels_of(&spec.at, &format!("{path}.at"), factors, problems);
    let name = spec.metric.as_ref()?;
    let Some(metric) = metrics.iter().position(|metric| metric.name == *name) else {
        let known = metrics.iter().map(|metric| metric.name.as_str());
        problems.push(Problem::unknown(&format!("{path}.metric"), "metric", name, known));
        return None;
    };
    if let Some(open) = (0..factors.len()).find(|factor| !at.iter().any(|(known, _)| known == factor)) {
        let message = format!("the question leaves open at which level of `{}`", factors[open].key);
        let help = format!("write `at: {{ {}: … }}`", factors[open].key);
        problems.push(Problem { path: path.to_owned(), message, help: Some(help) });
    }
    Some(Value { metric, name: name.clone(), unit: metrics[metric].unit, variant: spec.variant.clone(), at })
}

/// What is asked for, and what is right.
fn form(
    spec: &QuestionSpec,
    path: &str,
    value: Option<&Value>,
    variants: &[&String],
    problems: &mut Vec<Problem>,
) -> Option<Form> {
    let mut problem = |message: &str, help: &str| {
        problems.push(Problem { path: path.to_owned(), message: message.to_owned(), help: Some(help.to_owned()) });
    };
    if !spec.choices.is_empty() {
        let right = spec.choices.iter().position(|choice| Some(choice) == spec.answer.as_ref());
        if right.is_none() || spec.which.is_some() {
            problem(
                "a question with `choices` needs one of them as its `answer`",
                "write `answer: ` and the right choice",
            );
        }
        return right.map(Form::Stated);
    }
    if spec.answer.is_some() {
        problem("an `answer` needs `choices`", "numbers are taken from the run: give a `metric`");
    }
    if spec.metric.is_none() {
        problem(
            "the question says neither `choices` nor a `metric`",
            "write `choices` and `answer`, or the `metric` to guess",
        );
        return None;
    }
    if let Some(which) = spec.which {
        if variants.len() < 2 || spec.variant.is_some() {
            problem("`which` chooses among variants", "give the experiment `variants`, and no `in` here");
        }
        return Some(Form::Extreme(which));
    }
    if spec.variant.is_none() && !variants.is_empty() {
        problem("the question leaves open in which variant", "write `in: ` and its name");
    }
    match &spec.within {
        None => Some(Form::Number { share: WITHIN, amount: 0.0 }),
        Some(within) => {
            let text = written(within);
            let unit = value?.unit;
            let share = parse_as(&text, Unit::Share).ok().filter(|_| unit != Unit::Share);
            match (share, parse_as(&text, unit)) {
                (Some(share), _) => Some(Form::Number { share, amount: 0.0 }),
                (None, Ok(amount)) => Some(Form::Number { share: 0.0, amount }),
                (None, Err(error)) => {
                    problems.push(Problem::new(format!("{path}.within"), error.to_string()));
                    None
                }
            }
        }
    }
}

fn written(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

impl Question {
    /// Reads an answer: a choice by its number (from 1) or its words, or a number with its unit.
    ///
    /// # Errors
    /// What can be answered.
    pub fn read(&self, text: &str) -> Result<Answer, String> {
        let text = text.trim();
        if self.choices.is_empty() {
            let unit = self.value.as_ref().map_or(Unit::Ratio, |value| value.unit);
            // Everybody means the second.
            let plain = text.parse::<f64>().is_ok() && unit == Unit::PerSecond;
            let text = if plain { format!("{text}/s") } else { text.to_owned() };
            return parse_as(&text, unit).map(Answer::Number).map_err(|error| error.to_string());
        }
        let same = |choice: &String| choice.to_lowercase() == text.to_lowercase();
        let by_words = self.choices.iter().position(same);
        let by_number = text.parse::<usize>().ok().filter(|number| (1..=self.choices.len()).contains(number));
        let choice = by_words.or(by_number.map(|number| number - 1));
        choice.map(Answer::Choice).ok_or_else(|| {
            format!("`{text}` is none of the choices; answer with 1 to {}, or in their words", self.choices.len())
        })
    }

    /// Grades an answer by what was measured; no answer is wrong.
    pub fn grade(&self, answer: Option<&Answer>, study: &Study) -> Grade {
        let measured = self.measured(study);
        let lines = measured.iter().map(|(place, estimate)| self.line(place, *estimate)).collect();
        match &self.form {
            Form::Stated(right) => Grade {
                right: Some(answer == Some(&Answer::Choice(*right))),
                truth: self.choices[*right].clone(),
                measured: lines,
            },
            Form::Extreme(which) => {
                let sign = if *which == Which::Highest { 1.0 } else { -1.0 };
                let known: Vec<(&str, Estimate)> =
                    measured.iter().filter_map(|(place, estimate)| Some((place.as_str(), (*estimate)?))).collect();
                let best = known
                    .iter()
                    .copied()
                    .reduce(|best, other| if sign * other.1.mean > sign * best.1.mean { other } else { best });
                let Some((name, best)) = best else {
                    return Grade { right: None, truth: "nothing was measured".to_owned(), measured: lines };
                };
                let overlaps = |other: &Estimate| other.low() <= best.high() && best.low() <= other.high();
                let own = match answer {
                    Some(Answer::Choice(choice)) => known.iter().find(|(place, _)| *place == self.choices[*choice]),
                    _ => None,
                };
                let right = own.is_some_and(|(place, own)| {
                    *place == name || own.mean == best.mean || (best.half_width.is_some() && overlaps(own))
                });
                Grade { right: Some(right), truth: name.to_owned(), measured: lines }
            }
            Form::Number { share, amount } => {
                let Some((_, Some(estimate))) = measured.first() else {
                    return Grade { right: None, truth: "nothing was measured".to_owned(), measured: lines };
                };
                let allowed = (share * estimate.mean.abs()).max(*amount).max(estimate.half_width.unwrap_or(0.0));
                let right = matches!(answer, Some(Answer::Number(given)) if (given - estimate.mean).abs() <= allowed);
                Grade { right: Some(right), truth: self.words(estimate.mean), measured: lines }
            }
        }
    }

    /// What was measured, per variant.
    fn measured(&self, study: &Study) -> Vec<(String, Option<Estimate>)> {
        let Some(value) = &self.value else { return Vec::new() };
        let at = |point: &&Point| {
            let wanted = value.variant.as_ref().is_none_or(|variant| *variant == point.variant);
            wanted
                && value
                    .at
                    .iter()
                    .all(|(factor, level)| same(level, &study.factors[*factor].levels[point.levels[*factor]]))
        };
        let own = study.points.iter().filter(at);
        own.map(|point| (point.variant.clone(), point.estimates.get(value.metric).copied().flatten())).collect()
    }

    fn line(&self, place: &str, estimate: Option<Estimate>) -> String {
        let Some(value) = &self.value else { return String::new() };
        let text = match estimate {
            None => "no value".to_owned(),
            Some(Estimate { mean, half_width: Some(half), .. }) => display_with_interval(mean, half, value.unit),
            Some(Estimate { mean, .. }) => display(mean, value.unit),
        };
        let place = if place.is_empty() { String::new() } else { format!(" of {place}") };
        format!("{}{place}: {text}", value.name)
    }

    /// A value of the question in words.
    pub fn words(&self, number: f64) -> String {
        display(number, self.value.as_ref().map_or(Unit::Ratio, |value| value.unit))
    }
}
