//! Clients: what they call, how their requests come.

use indexmap::IndexMap;

use super::names::quoted;
use crate::engine::random::named;
use crate::model::batch::{Batch, MOST};
use crate::model::blueprint::{self, Blueprint};
use crate::model::compile::{Compiler, Directory, Problem, StationNames};
use crate::model::distribution::Values;
use crate::model::program::Demand;
use crate::model::step;
use crate::quantity::{Duration, Share};
use crate::spec::model_file::{ClientSpec, Traffic};

/// Adds a client and compiles what its requests do.
pub(super) fn add_client(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    name: &str,
    spec: &ClientSpec,
) {
    let path = format!("clients.{}", quoted(name));
    let traffic = traffic(spec, &path, name, files, problems);
    let visit = visit(spec, &path, name, files, problems);
    let ways = ways(spec, &path, directory, problems);
    let target = |operation: u32| {
        let name = directory.iter().find(|(_, number)| **number == operation);
        name.map_or(String::new(), |(name, _)| name.clone())
    };
    let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, StationNames::default());
    let entry = compiler.client(name, |compiler| {
        compiler.request = compiler.request_size(spec.request.as_ref());
        match ways.as_slice() {
            [(operation, _)] => protection(spec).emit(compiler, *operation, &target(*operation)),
            ways => step::emit_choice(compiler, "mix", ways.iter().map(|(_, share)| *share), |compiler, way| {
                protection(spec).emit(compiler, ways[way].0, &target(ways[way].0));
            }),
        }
    });
    let keys = spec.keys.as_ref().and_then(|keys| {
        let refused = |message| problems.push(Problem::new(format!("{path}.keys"), message));
        keys.prepare().map_err(refused).ok()
    });
    if let Some(traffic) = traffic {
        let (priority, slo) = (spec.priority, spec.slo);
        if slo.is_some_and(|slo| slo.every == Duration::ZERO) {
            problems.push(Problem::new(format!("{path}.slo.every"), "a period must be longer than 0"));
        }
        blueprint.clients.push(blueprint::Client { name: name.to_owned(), traffic, entry, keys, priority, visit, slo });
    }
}

/// What surrounds a client's calls.
fn protection(spec: &ClientSpec) -> step::Protection<'_> {
    step::Protection {
        timeout: spec.timeout,
        deadline: spec.deadline,
        propagate: &spec.propagate,
        idempotent: spec.idempotent,
        retry: spec.retry.as_ref(),
        hedge: spec.hedge.as_ref(),
        breaker: spec.breaker.as_ref(),
        throttle: spec.throttle.as_ref(),
        ..step::Protection::default()
    }
}

/// The operations that a client calls, and how often.
fn ways(spec: &ClientSpec, path: &str, directory: &Directory, problems: &mut Vec<Problem>) -> Vec<(u32, f64)> {
    let mut find = |path: String, name: &str| {
        let known = directory.keys().map(String::as_str);
        match directory.get(name) {
            Some(operation) => Some(*operation),
            None => {
                problems.push(Problem::unknown(&path, "operation", name, known));
                None
            }
        }
    };
    match (&spec.call, &spec.mix) {
        (Some(call), None) => {
            find(format!("{path}.call"), call).map(|operation| (operation, 1.0)).into_iter().collect()
        }
        (None, Some(mix)) => {
            let found = |(name, share): (&String, &Share)| {
                find(format!("{path}.mix.{}", quoted(name)), name).map(|operation| (operation, share.fraction()))
            };
            let ways: Vec<(u32, f64)> = mix.iter().filter_map(found).collect();
            check_total(mix, path, problems);
            ways
        }
        (call, _) => {
            let message =
                if call.is_some() { "give either `call` or `mix`, not both" } else { "this client calls nothing" };
            problems.push(Problem {
                path: path.to_owned(),
                message: message.to_owned(),
                help: Some("write `call: service.operation`, or `mix: { service.operation: 80%, … }`".to_owned()),
            });
            Vec::new()
        }
    }
}

fn check_total(mix: &IndexMap<String, Share>, path: &str, problems: &mut Vec<Problem>) {
    let total: f64 = mix.values().map(|share| share.fraction()).sum();
    if (total - 1.0).abs() > step::ROUNDING {
        let percent = (total * 1e8).round() / 1e6;
        problems.push(Problem::new(format!("{path}.mix"), format!("the shares add up to {percent} %, not to 100 %")));
    }
}

/// What somebody who comes does.
fn visit(
    spec: &ClientSpec,
    path: &str,
    name: &str,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) -> Option<blueprint::Visit> {
    let visit = spec.visit.as_ref()?;
    if !matches!(spec.arrivals, Traffic::Open(_)) {
        let message = "visits are begun by arrivals from outside; users of a fixed population and batches have none";
        problems.push(Problem::new(format!("{path}.visit"), message));
        return None;
    }
    let mut demand = |key: &str, distribution: Result<_, String>| match distribution {
        Ok(distribution) => Some(Demand { distribution, salt: named(named(0, name), key) }),
        Err(message) => {
            problems.push(Problem::new(format!("{path}.visit.{key}"), message));
            None
        }
    };
    let requests = demand("requests", visit.requests.build(files));
    let think = demand("think", visit.think.build(files));
    Some(blueprint::Visit { requests: requests?, think: think? })
}

fn traffic(
    spec: &ClientSpec,
    path: &str,
    name: &str,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) -> Option<blueprint::Traffic> {
    let (result, place) = match &spec.arrivals {
        Traffic::Open(arrivals) => (arrivals.prepare(files).map(blueprint::Traffic::Open), ""),
        Traffic::Batch(spec) => {
            let Batch { items, workers, schedule } = spec.batch;
            let traffic = blueprint::Traffic::Batch {
                items: items.get().min(MOST) as u32,
                workers,
                schedule,
                begins: 0,
                again: None,
            };
            let fits = (1..=MOST).contains(&items.get());
            let result = if fits { Ok(traffic) } else { Err("a batch has 1 to 100 million items".to_owned()) };
            (result, ".batch.items")
        }
        Traffic::Closed(population) => {
            let salt = named(named(0, name), "think");
            let think = population.think.build(files).map(|distribution| Demand { distribution, salt });
            (think.map(|think| blueprint::Traffic::Closed { users: population.users, think }), ".think")
        }
    };
    result.map_err(|message| problems.push(Problem::new(format!("{path}.arrivals{place}"), message))).ok()
}
