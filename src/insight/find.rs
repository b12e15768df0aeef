//! The cheapest setting that meets the expectations.
//!
//! Settings are all combinations of the values that `find.vary` allows; one that is undecided gets more replications. Under the
//! assumption that more of what costs is never worse (`monotone`), a setting is ruled out without a run if one that has at
//! least as much of everything failed, and the next to be tried is the middle one by cost of those that are left; otherwise
//! they are tried by ascending cost. So the answer comes with a proof: every cheaper setting failed, or is ruled out by one
//! that did.

use std::sync::atomic::{AtomicBool, Ordering};

use super::levers::price;
use crate::experiment::design::{Options, design};
use crate::experiment::runner::{Observer, RunError};
use crate::experiment::{conduct, levels};
use crate::spec::experiment_file::{FindSpec, SweepSpec};
use crate::spec::load::{Document, Loader, Override, changed, scalar_node};
use crate::spec::text::diagnostic::Diagnostic;
use crate::study::Level;
use crate::study::finding::Verdict;
use crate::study::search::{Search, Trial};

/// The most settings of a search.
const MAX_SETTINGS: usize = 10_000;

/// By how much the replications grow while a setting is undecided, and how often.
const GROWTH: u32 = 3;
const ROUNDS: u32 = 3;

/// A setting that may be tried: per key the number of its value.
struct Setting {
    choice: Vec<usize>,
    cost: f64,
}

/// What went wrong.
pub enum Failed {
    /// The files.
    Files(Vec<Diagnostic>),
    /// There is nothing to search: in words.
    Nothing(String),
    /// A run.
    Run(RunError),
}

/// A search under way.
struct Seeker<'a> {
    loader: &'a Loader<'a>,
    document: Document,
    options: &'a Options,
    spec: FindSpec,
    factors: Vec<(String, Vec<Level>)>,
    jobs: usize,
    observer: &'a dyn Observer,
    stop: &'a AtomicBool,
}

/// What to say of a file without a search: an example with names of its own.
fn example(document: &Document) -> String {
    let first = |section: &str, other: &str| {
        let known = document.model.entries().iter().find(|entry| entry.key == section);
        known.and_then(|entry| entry.value.entries().first()).map_or(other.to_owned(), |part| part.key.clone())
    };
    let (client, service) = (first("clients", "users"), first("services", "web"));
    format!(
        "the file has no `find`, which says what may vary and what must hold. In an experiment file:\n\n\
         find:\n  vary: {{ services.{service}.instances: [1, 2, 4, 8] }}\n  \
         meet: [ {{ metric: {client}.latency.p95, below: 200ms }} ]\n\n\
         `scalelab init` writes an experiment file to start from"
    )
}

/// Searches.
///
/// # Errors
/// [`Failed`]: the files, an empty search, or a run.
pub fn find(
    loader: &Loader,
    document: &Document,
    options: &Options,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Search, Failed> {
    let nothing = |what: &str| Failed::Nothing(what.to_owned());
    let spec = document.experiment.find.clone();
    let spec = spec.ok_or_else(|| Failed::Nothing(example(document)))?;
    let mut document = document.clone();
    let experiment = &mut document.experiment;
    if !spec.meet.is_empty() {
        experiment.expect = spec.meet.clone();
    }
    let before = experiment.expect.len();
    experiment
        .expect
        .retain(|one| one.variant.is_none() && one.of.is_none() && one.times.is_none() && one.at.is_empty());
    let left_out = before - experiment.expect.len();
    if experiment.expect.is_empty() {
        return Err(nothing("there is no expectation to meet (those about variants or levels do not count)"));
    }
    experiment.variants.clear();
    experiment.sweep.clear();
    experiment.plots.clear();
    experiment.questions.clear();
    experiment.select.clear();
    let mut factors = Vec::new();
    for (key, values) in &spec.vary {
        let found = match values {
            SweepSpec::Range(range) => levels::range(range).map_err(Failed::Nothing)?,
            SweepSpec::List(values) => values.iter().filter_map(levels::text_of).map(Level::new).collect(),
        };
        if found.is_empty() {
            return Err(nothing("every key of `find.vary` needs at least one value"));
        }
        factors.push((key.clone(), found));
    }
    let seeker = Seeker { loader, document, options, spec, factors, jobs, observer, stop };
    seeker.search(left_out)
}

impl Seeker<'_> {
    fn search(&self, left_out: usize) -> Result<Search, Failed> {
        let (settings, cost) = self.settings()?;
        let mut path: Vec<Trial> = Vec::new();
        let mut tried: Vec<Option<usize>> = vec![None; settings.len()];
        let mut ruled_out = vec![false; settings.len()];
        let mut found: Option<usize> = None;
        while !self.stop.load(Ordering::Relaxed) {
            let open = |number: &usize| {
                tried[*number].is_none()
                    && !ruled_out[*number]
                    && found.is_none_or(|best| settings[*number].cost < settings[best].cost)
            };
            let open: Vec<usize> = (0..settings.len()).filter(open).collect();
            // The middle of what is left by cost: if it holds, all that costs more is out; if it fails, all that has less is.
            let at = if self.spec.monotone { (open.len().max(1) - 1) / 2 } else { 0 };
            let Some(next) = open.get(at).copied() else { break };
            let trial = self.judge(&settings[next])?;
            let verdict = trial.verdict;
            tried[next] = Some(path.len());
            path.push(trial);
            match verdict {
                Verdict::Held => found = Some(next),
                Verdict::Failed if self.spec.monotone => {
                    for (number, setting) in settings.iter().enumerate() {
                        ruled_out[number] |= tried[number].is_none() && self.no_better(setting, &settings[next]);
                    }
                }
                Verdict::Failed | Verdict::Undecided => {}
            }
        }
        let excluded =
            |number: &usize| ruled_out[*number] || tried[*number].is_some_and(|at| path[at].verdict == Verdict::Failed);
        let lower_bound = (0..settings.len()).find(|number| !excluded(number)).map(|number| settings[number].cost);
        Ok(Search {
            keys: self.factors.iter().map(|(key, _)| key.clone()).collect(),
            cost,
            front: front(&path),
            path,
            found: found.and_then(|number| tried[number]),
            lower_bound,
            settings: settings.len(),
            ruled_out: ruled_out.iter().filter(|out| **out).count(),
            left_out,
        })
    }

    /// All settings by ascending cost, and what it is counted in.
    fn settings(&self) -> Result<(Vec<Setting>, String), Failed> {
        let mut choices = vec![Vec::new()];
        for (_, levels) in &self.factors {
            if choices.len() * levels.len() > MAX_SETTINGS {
                return Err(Failed::Nothing(format!("there are more than {MAX_SETTINGS} settings; vary less")));
            }
            let longer = |choice: Vec<usize>| (0..levels.len()).map(move |level| [&choice[..], &[level]].concat());
            choices = choices.into_iter().flat_map(longer).collect();
        }
        let mut unit = "by `find.cost`";
        let mut settings = Vec::new();
        for choice in choices {
            let cost = if self.spec.cost.is_empty() {
                let tree = changed(&self.document, &self.overrides(&choice)).map_err(Failed::Files)?;
                match price(&tree) {
                    Some(price) => {
                        unit = "price of all machines per hour";
                        price
                    }
                    None => {
                        unit = "sum of the values, each as a multiple of its first";
                        self.relative(&choice)
                    }
                }
            } else {
                self.weighted(&choice)
            };
            settings.push(Setting { choice, cost });
        }
        // A stable sort: of equal costs, the first written wins.
        settings.sort_by(|one, other| one.cost.total_cmp(&other.cost));
        Ok((settings, unit.to_owned()))
    }

    fn value(&self, factor: usize, level: usize) -> f64 {
        self.factors[factor].1[level].value.unwrap_or(level as f64)
    }

    fn weighted(&self, choice: &[usize]) -> f64 {
        let weight = |factor: usize| self.spec.cost.get(&self.factors[factor].0).copied().unwrap_or(0.0);
        choice.iter().enumerate().map(|(factor, level)| weight(factor) * self.value(factor, *level)).sum()
    }

    fn relative(&self, choice: &[usize]) -> f64 {
        let of = |(factor, level): (usize, &usize)| {
            let first = self.value(factor, 0);
            if first != 0.0 { self.value(factor, *level) / first } else { *level as f64 }
        };
        choice.iter().enumerate().map(of).sum()
    }

    /// Whether one setting has no more of anything that costs, and no less of what is gained, than another.
    fn no_better(&self, one: &Setting, other: &Setting) -> bool {
        let key = |(factor, (a, b)): (usize, (&usize, &usize))| {
            let gains = self.spec.cost.get(&self.factors[factor].0).is_some_and(|cost| *cost < 0.0);
            let (a, b) = (self.value(factor, *a), self.value(factor, *b));
            if gains { a >= b } else { a <= b }
        };
        one.choice.iter().zip(&other.choice).enumerate().all(key)
    }

    fn overrides(&self, choice: &[usize]) -> Vec<Override> {
        let mut overrides = self.options.set.clone();
        let span = self.document.model.span;
        for ((key, levels), level) in self.factors.iter().zip(choice) {
            overrides.push(Override { key: key.clone(), span, value: scalar_node(&levels[*level].text, span) });
        }
        overrides
    }

    /// Runs a setting until its expectations are decided, or enough was spent.
    fn judge(&self, setting: &Setting) -> Result<Trial, Failed> {
        let mut options = Options { set: self.overrides(&setting.choice), ..self.options.clone() };
        let mut round = 1;
        loop {
            let design = design(self.loader, &self.document, &options).map_err(Failed::Files)?;
            let replications = design.run.replications;
            let study = conduct(&self.document, &design, "find", self.jobs, self.observer, self.stop);
            let findings = study.map_err(Failed::Run)?.expectations;
            let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Undecided);
            if verdict == Verdict::Undecided && round < ROUNDS && !self.stop.load(Ordering::Relaxed) {
                round += 1;
                options.replications = Some(replications as u32 * GROWTH);
                continue;
            }
            let text = |(factor, level): (usize, &usize)| self.factors[factor].1[*level].text.clone();
            let texts = setting.choice.iter().enumerate().map(text).collect();
            return Ok(Trial { setting: texts, cost: setting.cost, verdict, findings, replications });
        }
    }
}

/// Trials than which none is both cheaper and better by the measured value of the first expectation.
fn front(path: &[Trial]) -> Vec<usize> {
    let value = |trial: &Trial| trial.findings.first().and_then(|finding| finding.mean);
    // A bound from above says that less is better.
    let less = path
        .iter()
        .flat_map(|trial| trial.findings.first())
        .any(|finding| [" below ", " at most "].iter().any(|words| finding.expectation.contains(words)));
    let better = |a: f64, b: f64| if less { a < b } else { a > b };
    let mut order: Vec<usize> = (0..path.len()).filter(|number| value(&path[*number]).is_some()).collect();
    order.sort_by(|one, other| path[*one].cost.total_cmp(&path[*other].cost));
    let mut front: Vec<usize> = Vec::new();
    for number in order {
        let best = front.last().and_then(|last| value(&path[*last]));
        let own = value(&path[number]);
        if best.zip(own).is_none_or(|(best, own)| better(own, best)) {
            front.push(number);
        }
    }
    front
}
