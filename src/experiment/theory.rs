//! Closed forms beside simulations, where the model is one that has a closed form.
//!
//! A model qualifies only if all of it is what the formula assumes: one client without a timeout, one service of one instance,
//! one operation of one step, and nothing else written. Recognized:
//!
//! | model | formula |
//! |---|---|
//! | Poisson arrivals, c workers, an exponential `wait` | M/M/c (Erlang 1917) |
//! | the same with a limited queue | M/M/c/K |
//! | Poisson arrivals, one worker, a constant `wait` | M/D/1 (Pollaczek 1930, Khinchine 1932) |
//! | Poisson arrivals, c cores, an exponential `cpu` | M/M/c, means only (processor sharing) |
//! | Poisson arrivals, one core, a constant `cpu` | M/G/1 processor sharing, means only |
//! | N users, exponential think time, c cores or workers, an exponential step | M/M/c//N (mean value analysis for c = 1) |

use crate::maths::queue::mg1::Mg1;
use crate::maths::queue::mmc::Mmc;
use crate::maths::queue::mmck::Mmck;
use crate::maths::queue::processor_sharing::Mg1Ps;
use crate::maths::queue::repairman::Repairman;
use crate::maths::queue::service::ServiceMoments;
use crate::quantity::Unit;
use crate::spec::text::path::{Path, get};
use crate::spec::text::tree::{Node, Value};
use crate::study::level;

/// The work of the only step: its mean [s], and whether it is exponential (else constant).
struct Work {
    mean: f64,
    is_exponential: bool,
}

/// What serves: so many, sharing or one after the other.
struct Servers {
    count: u32,
    limit: Option<u32>,
    shares: bool,
}

/// What a formula says of a model: its name, and metrics with their values; `None` if no formula is about it.
pub fn of(tree: &Node) -> Option<(String, Vec<(String, f64)>)> {
    let (client, spec) = only(tree.entry("clients").map(|entry| &entry.value)?)?;
    let (_, service) = only(tree.entry("services").map(|entry| &entry.value)?)?;
    let known = |node: &Node, keys: &[&str]| node.entries().iter().all(|entry| keys.contains(&entry.key.as_str()));
    let client_is_plain = known(spec, &["arrivals", "call"]);
    let service_is_plain = known(service, &["instances", "machine", "runtime", "queue", "balancer", "operations"]);
    let instances = service.entry("instances").map_or(Some(1.0), |entry| number(&entry.value))?;
    if !client_is_plain || !service_is_plain || instances != 1.0 {
        return None;
    }
    let (_, steps) = only(service.entry("operations").map(|entry| &entry.value)?)?;
    let [step] = steps.items() else { return None };
    let (kind, work) = only(step)?;
    let servers = servers(service, kind)?;
    let work = of_work(work)?;
    let arrivals = spec.entry("arrivals").map(|entry| &entry.value)?;
    let (formula, values) = if let Some(rate) = arrivals.entry("poisson") {
        open(quantity(&rate.value, Unit::PerSecond)?, &work, &servers)?
    } else {
        let users = number(&arrivals.entry("users")?.value)?;
        let think = of_work(&arrivals.entry("think")?.value)?;
        closed(users, &think, &work, &servers)?
    };
    Some((formula, values.into_iter().map(|(metric, value)| (format!("{client}.{metric}"), value)).collect()))
}

type Values = Vec<(&'static str, f64)>;

fn open(rate: f64, work: &Work, servers: &Servers) -> Option<(String, Values)> {
    let count = servers.count;
    match (work.is_exponential, servers.shares, servers.limit) {
        (true, false, None) => {
            let queue = Mmc::new(rate, work.mean, count).ok()?;
            let mut values = vec![("latency.mean", queue.mean_response_time()), ("goodput", rate)];
            for (metric, p) in [("latency.p50", 0.5), ("latency.p95", 0.95), ("latency.p99", 0.99)] {
                values.extend(queue.response_time_quantile(p).ok().map(|value| (metric, value)));
            }
            Some((format!("M/M/{count}"), values))
        }
        (true, true, None) => {
            let queue = Mmc::new(rate, work.mean, count).ok()?;
            let values = vec![("latency.mean", queue.mean_response_time()), ("goodput", rate)];
            Some((format!("M/M/{count}, processor sharing"), values))
        }
        (true, false, Some(limit)) => {
            let queue = Mmck::new(rate, work.mean, count, count.checked_add(limit)?).ok()?;
            let (lost, done) = (queue.rejection_probability(), queue.throughput());
            let values = vec![("latency.mean", queue.mean_response_time()), ("goodput", done), ("failures", lost)];
            Some((format!("M/M/{count}/{}", count + limit), values))
        }
        (false, false, None) if count == 1 => {
            let queue = Mg1::new(rate, ServiceMoments::constant(work.mean).ok()?).ok()?;
            Some(("M/D/1".to_owned(), vec![("latency.mean", queue.mean_response_time()), ("goodput", rate)]))
        }
        (false, true, None) if count == 1 => {
            let queue = Mg1Ps::new(rate, work.mean).ok()?;
            let values = vec![("latency.mean", queue.mean_response_time()), ("goodput", rate)];
            Some(("M/G/1, processor sharing".to_owned(), values))
        }
        _ => None,
    }
}

fn closed(users: f64, think: &Work, work: &Work, servers: &Servers) -> Option<(String, Values)> {
    if !work.is_exponential || !think.is_exponential || servers.limit.is_some() || users > 1e5 {
        return None;
    }
    let queue = Repairman::new(users as u32, think.mean, work.mean, servers.count).ok()?;
    let values = vec![("goodput", queue.throughput()), ("latency.mean", queue.mean_response_time())];
    Some((format!("M/M/{}//{users}", servers.count), values))
}

/// What serves a step of this kind, if nothing else limits it.
fn servers(service: &Node, kind: &str) -> Option<Servers> {
    let at = |keys: &[&str]| get(service, &keys.iter().fold(Path::root(), |path, key| path.key(key)));
    let only_key = |section: &str, key: &str| {
        let entries = service.entry(section).map(|entry| entry.value.entries()).unwrap_or_default();
        entries.iter().all(|entry| entry.key == key)
    };
    let limit = at(&["queue", "limit"]).and_then(number).map(|limit| limit as u32);
    let runtime = service.entry("runtime").is_some();
    let whole = |value: f64| (value >= 1.0 && value.fract() == 0.0 && value < 1e6).then_some(value as u32);
    match kind {
        "wait" if service.entry("machine").is_none() && only_key("runtime", "workers") && runtime => {
            let count = whole(number(at(&["runtime", "workers"])?)?)?;
            Some(Servers { count, limit, shares: false })
        }
        "cpu" if !runtime && limit.is_none() && only_key("machine", "cores") => {
            let count = whole(number(at(&["machine", "cores"])?)?)?;
            Some(Servers { count, limit: None, shares: true })
        }
        _ => None,
    }
}

/// The only entry of a map.
fn only(node: &Node) -> Option<(&str, &Node)> {
    match node.entries() {
        [entry] => Some((entry.key.as_str(), &entry.value)),
        _ => None,
    }
}

fn number(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Number { value, .. } => Some(*value),
        _ => None,
    }
}

fn quantity(node: &Node, unit: Unit) -> Option<f64> {
    match &node.value {
        Value::Text { text, .. } => level::read(text).filter(|(read, _)| *read == Some(unit)).map(|(_, value)| value),
        _ => None,
    }
}

fn of_work(node: &Node) -> Option<Work> {
    if let Some(mean) = quantity(node, Unit::Seconds) {
        return Some(Work { mean, is_exponential: false });
    }
    let (family, mean) = only(node)?;
    (family == "exponential").then_some(())?;
    Some(Work { mean: quantity(mean, Unit::Seconds)?, is_exponential: true })
}
