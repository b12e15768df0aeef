//! Why a system is as fast as it is: operational laws, what-if by intervention, and the verdict in sentences.
//!
//! A point is explained by changing it: every capacity, limit, step and rule of its model is turned, one at a time, under the
//! same requests ([`whatif`]). The bottleneck is what gains most when turned, not what looks busiest. Then it is relieved and
//! the question asked again. The sentences ([`verdict`]) are made of these effects and of the operational laws ([`laws`]).

pub mod compare;
pub mod find;
pub mod laws;
pub mod levers;
pub mod verdict;
pub mod whatif;
mod words;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::experiment::design::{Design, DesignPoint};
use crate::experiment::runner::{Observer, RunError};
use crate::model::blueprint::Traffic;
use crate::model::system::Plan;
use crate::quantity::Unit;
use crate::spec::catalogue;
use crate::spec::load::{Document, Loader, changed};
use crate::spec::text::tree::Node;
use crate::study::Study;
use crate::study::insight::{Change, Effect, Insight, Relief};
use crate::study::{Point, RunPlan};
use levers::Found;
use verdict::{Case, bottleneck};
use whatif::{Goal, Laboratory, Results};

/// Requests that are answered with success, below which gains are no longer counted in multiples of them.
const SOME: f64 = 0.1;

/// Replications of every intervention, at least: with fewer, intervals corrected for many comparisons are too wide.
const REPLICATIONS: u64 = 6;

/// How many events all interventions of a point may take before their window is shortened.
const EVENTS: f64 = 60e6;

/// The fewest requests of the focus client in a shortened window.
const REQUESTS: f64 = 2000.0;

/// How often a bottleneck is doubled in search of the next one.
const ROUNDS: u32 = 3;

/// Requests that are answered with success, below which a system counts as limited.
const SERVED: f64 = 0.99;

/// Explains one point of a study that was run, by interventions. `asked` is the metric to rank by; a sensible one if left out.
///
/// # Errors
/// A [`RunError`] if a simulation broke its own laws.
#[expect(clippy::too_many_arguments, reason = "what is explained, and how: each is one thing")]
pub fn explain(
    loader: &Loader,
    document: &Document,
    design: &Design,
    study: &Study,
    number: usize,
    asked: Option<&str>,
    jobs: usize,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<Insight>, RunError> {
    let (Some(point), Some(planned)) = (study.points.get(number), design.points.get(number)) else { return Ok(None) };
    let Ok(mut tree) = changed(document, &planned.overrides) else { return Ok(None) };
    // What a machine has by its size can be turned like what is written.
    let _ = catalogue::fill(&mut tree);
    let (levers, not_varied) = levers::find(&tree);
    let Some((goal, why_metric, limited)) = goal(study, point, planned, asked) else { return Ok(None) };
    let (run, plan) = shortened(design, study, point, &goal, levers.len());
    let laboratory = Laboratory { loader, document, run, plan, jobs, observer, stop };
    let changes = [Change::Less, Change::More, Change::Double];
    let (mut effects, results) = laboratory.interventions(&tree, &levers, &changes, &goal)?;
    if limited && bottleneck(&effects, limited).is_none() && !stop.load(Ordering::Relaxed) {
        // Far beyond its capacity a system may fail with twice of anything as well.
        let (more, _) = laboratory.interventions(&tree, &levers, &[Change::Fourfold], &goal)?;
        let again = |effect: &Effect| more.iter().any(|other| other.lever == effect.lever);
        effects.retain(|effect| !effect.change.is_full() || !again(effect));
        effects.extend(more);
        whatif::judge(&mut effects, run.confidence);
    }
    let client = client_of(&goal);
    let base = &results.points[0];
    let stations = laws::stations(&results.metrics, base, &client);
    if !stop.load(Ordering::Relaxed) {
        let pairs = laboratory.pairs(&tree, &levers, &effects, &stations, &goal)?;
        effects.splice(0..0, pairs);
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let think = think_time(study, point, planned, &client);
    let relief = match bottleneck(&effects, limited) {
        Some(first) => relieve(&laboratory, &tree, &levers, &goal, &client, first, limited)?,
        None => Vec::new(),
    };
    let index = results.metrics.iter().position(|metric| metric.name == goal.metric);
    let baseline = index.and_then(|index| base.estimates[index]);
    let unit = index.map_or(Unit::Ratio, |index| results.metrics[index].unit);
    let mut insight = Insight {
        variant: point.variant.clone(),
        levels: point.levels.clone(),
        place: study.label(point),
        metric: goal.metric.clone(),
        unit,
        higher_is_better: goal.higher_is_better,
        why_metric,
        baseline,
        run,
        bounds: laws::bounds(base, &client, think, &stations),
        stations,
        effects,
        relief,
        verdict: crate::study::insight::Conclusion {
            class: None,
            bottleneck: None,
            confidence: None,
            sentences: Vec::new(),
        },
        not_varied,
    };
    insight.verdict = verdict::conclude(&Case { insight: &insight, results: &results, client: &client, limited });
    Ok(Some(insight))
}

/// Doubles the bottleneck until something else binds, or nothing does.
fn relieve(
    laboratory: &Laboratory,
    tree: &Node,
    levers: &[Found],
    goal: &Goal,
    client: &str,
    first: &Effect,
    limited: bool,
) -> Result<Vec<Relief>, RunError> {
    let mut relief = Vec::new();
    let Some(found) = levers.iter().find(|found| found.lever == first.lever) else { return Ok(relief) };
    for round in 1..=ROUNDS {
        let Some(turned) = found.turned(tree, f64::from(1 << round)) else { break };
        let (effects, results): (Vec<Effect>, Results) =
            laboratory.interventions(&turned.tree, levers, &[Change::Double], goal)?;
        let index = results.metrics.iter().position(|metric| metric.name == goal.metric);
        let Some(base) = results.points.first() else { break };
        let next = bottleneck(&effects, limited);
        let again = next.is_some_and(|next| same_resource(next, first));
        relief.push(Relief {
            lever: first.lever.clone(),
            to: turned.to,
            value: index.and_then(|index| base.estimates[index]),
            stations: laws::stations(&results.metrics, base, client),
            effects,
        });
        if !again || !found.is_gradual() {
            break;
        }
    }
    Ok(relief)
}

/// Whether two effects are of the same resource of the same part.
pub(crate) fn same_resource(one: &Effect, other: &Effect) -> bool {
    (&one.lever.part, &one.lever.resource) == (&other.lever.part, &other.lever.resource)
}

fn client_of(goal: &Goal) -> String {
    goal.metric.split('.').next().unwrap_or_default().to_owned()
}

/// The metric to rank by, why, and whether the system is limited: whether requests are lost or pile up.
fn goal(study: &Study, point: &Point, plan: &DesignPoint, asked: Option<&str>) -> Option<(Goal, String, bool)> {
    let mean = |name: &str| crate::study::mean(&study.metrics, point, name);
    let clients = &plan.blueprint.clients;
    let lost = |client: &str| {
        let (offered, goodput) = (mean(&format!("{client}.offered")), mean(&format!("{client}.goodput")));
        offered.zip(goodput).filter(|(offered, _)| *offered > 0.0).map_or(0.0, |(offered, good)| 1.0 - good / offered)
    };
    let overloaded = point.overload.as_ref().map(|overload| overload.client.clone());
    let open =
        |name: &str| clients.iter().any(|client| client.name == name && matches!(client.traffic, Traffic::Open(_)));
    let limited = |name: &str| overloaded.as_deref() == Some(name) || (open(name) && lost(name) > 1.0 - SERVED);
    if let Some(asked) = asked {
        let client = asked.split('.').next().unwrap_or_default();
        let higher = ["goodput", "throughput"].iter().any(|kind| asked.ends_with(kind));
        let goal = Goal { metric: asked.to_owned(), higher_is_better: higher };
        return Some((goal, "asked for".to_owned(), limited(client) && higher));
    }
    let worst = clients.iter().max_by(|one, other| {
        let badness = |name: &str| lost(name) + f64::from(u8::from(overloaded.as_deref() == Some(name)));
        // Of equals the first wins.
        badness(&one.name).total_cmp(&badness(&other.name)).then(std::cmp::Ordering::Greater)
    })?;
    let name = &worst.name;
    if limited(name) && lost(name) > 1.0 - SOME && mean(&format!("{name}.failures")).is_some() {
        let goal = Goal { metric: format!("{name}.failures"), higher_is_better: false };
        return Some((
            goal,
            "next to nothing succeeds, so the question is what makes anything succeed".to_owned(),
            true,
        ));
    }
    if limited(name) {
        let goal = Goal { metric: format!("{name}.goodput"), higher_is_better: true };
        let why = if overloaded.is_some() {
            "more comes in than is done, so response times only say how long the run was"
        } else {
            "requests are lost, and response times are those of the lucky ones"
        };
        return Some((goal, why.to_owned(), true));
    }
    if let Traffic::Closed { users, .. } = worst.traffic
        && mean(&format!("{name}.in_flight")).is_some_and(|waiting| waiting > f64::from(users) / 2.0)
    {
        let goal = Goal { metric: format!("{name}.goodput"), higher_is_better: true };
        return Some((goal, "most users wait for an answer, so faster answers are more answers".to_owned(), true));
    }
    let known = ["latency.p95", "latency.mean"].into_iter().find(|kind| mean(&format!("{name}.{kind}")).is_some())?;
    let goal = Goal { metric: format!("{name}.{known}"), higher_is_better: false };
    Some((goal, "all that is asked is answered, so what can get better is the response time".to_owned(), false))
}

/// The mean think time of a closed client [s], by the interactive law: users not waiting ÷ throughput; 0 for an open one.
fn think_time(study: &Study, point: &Point, plan: &DesignPoint, client: &str) -> f64 {
    let mut found = plan.blueprint.clients.iter().filter(|known| known.name == client);
    let Some(Traffic::Closed { users, .. }) = found.next().map(|client| &client.traffic) else { return 0.0 };
    let mean = |kind: &str| crate::study::mean(&study.metrics, point, &format!("{client}.{kind}"));
    let rate = mean("throughput").filter(|rate| *rate > 0.0);
    mean("in_flight").zip(rate).map_or(0.0, |(waiting, rate)| ((f64::from(*users) - waiting) / rate).max(0.0))
}

/// The run of the interventions: as the experiment's, with more replications and a shorter window if it would take long.
fn shortened(design: &Design, study: &Study, point: &Point, goal: &Goal, levers: usize) -> (RunPlan, Plan) {
    let (mut run, mut plan) = (design.run, design.plan);
    run.replications = run.replications.max(REPLICATIONS);
    let runs = point.runs.len().max(1) as f64;
    let events = point.runs.iter().map(|run| run.events as f64).sum::<f64>() / runs;
    let all = events * run.replications as f64 * (levers * 5) as f64;
    let offered = crate::study::mean(&study.metrics, point, &format!("{}.offered", client_of(goal))).unwrap_or(1.0);
    let least = (REQUESTS / offered.max(1e-9) / run.window).min(1.0);
    let share = (EVENTS / all.max(1.0)).clamp(least, 1.0);
    plan.window = ((plan.window as f64 * share) as u64).max(1);
    plan.interval = plan.window.div_ceil(20).max(1);
    plan.detailed = false;
    run.window = plan.window as f64 / 1e9;
    run.interval = plan.interval as f64 / 1e9;
    (run, plan)
}
