//! `scalelab explain`: the bottleneck, how sure that is, what helps, what does not, and what binds next.

use std::sync::atomic::AtomicBool;

use super::run::{self, Progress, broken, command, interruptible, prepare, store};
use super::{Status, complain, print, width};
use crate::experiment::conduct;
use crate::experiment::design::Design;
use crate::insight;
use crate::report::table;
use crate::spec::load::{Disk, Document, Loader};
use crate::study::Point;
use crate::study::Study;
use crate::study::level::{Level, same};

/// Say why a system is as fast as it is: the bottleneck, what helps, what does not, what binds next
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    #[command(flatten)]
    run: run::Arguments,
    /// Explain only this variant; all of them if left out
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Explain the points with this level of a swept key; the last levels if left out
    #[arg(long, value_name = "KEY=LEVEL")]
    at: Vec<String>,
    /// Judge changes by this metric, such as `shoppers.latency.p99`; a sensible one if left out
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
}

/// The most points that are explained at once.
const MOST: usize = 12;

/// Runs and explains all files.
pub fn run(arguments: &Arguments) -> Status {
    let mut loader = Loader::new(&Disk);
    let mut designs = match prepare(&arguments.run, &mut loader) {
        Ok(designs) => designs,
        Err(status) => return status,
    };
    designs.iter_mut().for_each(|(_, design)| design.plan.detailed = true);
    let stop = interruptible();
    for (document, design) in &designs {
        match answer(arguments, &loader, document, design, &stop) {
            Status::Good => {}
            other => return other,
        }
    }
    Status::Good
}

fn answer(arguments: &Arguments, loader: &Loader, document: &Document, design: &Design, stop: &AtomicBool) -> Status {
    if let Some(metric) = &arguments.metric
        && !design.metrics.iter().any(|known| known.name == *metric)
    {
        complain(&format!("there is no metric `{metric}`; `scalelab list metrics FILE` lists them"));
        return Status::Input;
    }
    let progress = Progress::new(&arguments.run, document, design);
    let command = command("explain", &arguments.run, document);
    let mut explained = conduct(document, design, &command, arguments.run.jobs, &progress, stop);
    if let Ok(study) = &mut explained {
        let chosen = chosen(arguments, study);
        if chosen.is_empty() {
            progress.bar.finish_and_clear();
            complain("there is no such variant or level");
            return Status::Input;
        }
        for number in chosen {
            progress.bar.set_message(format!("{}: what if", document.name));
            let asked = arguments.metric.as_deref();
            let jobs = arguments.run.jobs;
            match insight::explain(loader, document, design, study, number, asked, jobs, &progress, stop) {
                Ok(insight) => study.insights.extend(insight),
                Err(error) => {
                    progress.bar.finish_and_clear();
                    return broken(document, &error);
                }
            }
        }
    }
    progress.bar.finish_and_clear();
    let study = match explained {
        Ok(study) => study,
        Err(error) => return broken(document, &error),
    };
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        anstream::eprintln!("interrupted; nothing was written");
        return Status::Interrupted;
    }
    let folder = arguments.run.out.join(&document.name);
    if let Err(error) = store(&study, Vec::new(), &folder) {
        complain(&format!("the results cannot be written to `{}`: {error}", folder.display()));
        return Status::Broken;
    }
    if !arguments.run.quiet {
        print(&table::explanations(&study, width(), true));
        print(&format!("\nResults and charts: {}\n", folder.display()));
    }
    Status::Good
}

/// The points to explain, by their numbers: those asked for, at the last levels of all other factors.
fn chosen(arguments: &Arguments, study: &Study) -> Vec<usize> {
    let asked: Vec<(&str, &str)> = arguments.at.iter().filter_map(|at| at.rsplit_once('=')).collect();
    let known = |key: &str| study.factors.iter().any(|factor| factor.key == key || factor.name() == key);
    if asked.len() < arguments.at.len() || asked.iter().any(|(key, _)| !known(key)) {
        return Vec::new();
    }
    let fits = |point: &Point| {
        let variant = arguments.variant.as_ref().is_none_or(|variant| point.variant == *variant);
        variant
            && point.levels.iter().zip(&study.factors).all(|(number, factor)| {
                let wanted = asked.iter().find(|(key, _)| *key == factor.key || *key == factor.name());
                match wanted {
                    Some((_, text)) => same(&factor.levels[*number], &Level::new((*text).to_owned())),
                    None => number + 1 == factor.levels.len(),
                }
            })
    };
    let points = study.points.iter().enumerate().filter(|(_, point)| fits(point));
    points.map(|(number, _)| number).take(MOST).collect()
}
