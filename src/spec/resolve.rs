//! From a model file to a blueprint: names are looked up, shares added up, defaults noted.
//!
//! All problems are found at once. Nothing is assumed silently: every default that shapes the answer is listed among
//! the assumptions.

use indexmap::IndexMap;

use super::model_file::{ClientSpec, ModelFile, ServiceSpec, Traffic};
use crate::engine::random::named;
use crate::model::blueprint::{self, Blueprint, Operation, ServersPlan, SharingPlan};
use crate::model::compile::{Compiler, Directory, Problem, check_cycles};
use crate::model::distribution::Values;
use crate::model::program::Demand;
use crate::model::step;
use crate::quantity::{Duration, Share};

/// The most instances of all services together.
const MAX_INSTANCES: u64 = 1_000_000;

/// The most users of all closed clients together; each has a think time under way, so each takes memory.
const MAX_USERS: u64 = 10_000_000;

/// The longest name of a part.
const MAX_NAME: usize = 60;

/// Names of stations and steps, which operations must not have: their metrics would be the same.
const TAKEN: [&str; 3] = ["workers", "cpu", "wait"];

/// A model that makes sense.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The compiled system.
    pub blueprint: Blueprint,
    /// What it rests on that the file does not say.
    pub assumptions: Vec<String>,
}

/// Resolves a model.
///
/// # Errors
/// Everything that is wrong with it.
pub fn resolve(model: &ModelFile, files: &dyn Values) -> Result<Resolved, Vec<Problem>> {
    let mut problems = check_names(model);
    let mut blueprint = Blueprint::default();
    let mut assumptions = Vec::new();
    let directory: Directory = model
        .services
        .iter()
        .flat_map(|(service, spec)| spec.operations.keys().map(move |operation| format!("{service}.{operation}")))
        .enumerate()
        .map(|(number, name)| (name, number as u32))
        .collect();
    // The directory must number the operations in the order in which they are compiled.
    for (name, spec) in &model.services {
        add_service(&mut blueprint, &directory, files, &mut problems, name, spec);
        assume_service(&mut assumptions, &blueprint, name, spec);
    }
    for (name, spec) in &model.clients {
        add_client(&mut blueprint, &directory, files, &mut problems, name, spec);
        if spec.timeout.is_none() {
            assumptions.push(format!("{name}: waits for an answer without limit (no timeout)"));
        }
    }
    assumptions.push("calls and replies take no time on the network".to_owned());
    let instances: u64 = blueprint.services.iter().map(|service| u64::from(service.instances)).sum();
    if instances > MAX_INSTANCES {
        problems
            .push(Problem::new("services", format!("{instances} instances are too many; {MAX_INSTANCES} are allowed")));
    }
    let users = |client: &ClientSpec| match &client.arrivals {
        Traffic::Closed(population) => u64::from(population.users),
        Traffic::Open(_) => 0,
    };
    let users: u64 = model.clients.values().map(users).sum();
    if users > MAX_USERS {
        problems.push(Problem::new("clients", format!("{users} users are too many; {MAX_USERS} are allowed")));
    }
    if problems.is_empty()
        && let Some(cycle) = check_cycles(&blueprint)
    {
        problems.push(cycle_problem(&blueprint, &cycle));
    }
    if problems.is_empty() { Ok(Resolved { blueprint, assumptions }) } else { Err(problems) }
}

fn cycle_problem(blueprint: &Blueprint, cycle: &[&Operation]) -> Problem {
    let service = |operation: &Operation| &blueprint.services[operation.service as usize].name;
    let full = |operation: &&Operation| format!("{}.{}", service(operation), operation.name);
    let way: Vec<String> = cycle.iter().chain(cycle.first()).map(full).collect();
    let first = cycle.first().map_or(String::new(), |first| {
        format!("services.{}.operations.{}", quoted(service(first)), quoted(&first.name))
    });
    Problem {
        path: first,
        message: format!("these operations call each other in a circle: {}", way.join(" → ")),
        help: Some("a request would never end; remove one of the calls".to_owned()),
    }
}

/// A key of a dotted path, in quotes if it needs them.
pub fn quoted(key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { key.to_owned() } else { format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// Whether a name can be part of a metric's name, a file's name and a chart's label.
fn check_name(problems: &mut Vec<Problem>, path: String, name: &str) {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let plain = name.chars().all(good) && name.chars().next().is_some_and(char::is_alphabetic);
    if !plain || name.chars().count() > MAX_NAME || name.ends_with(' ') {
        problems.push(Problem {
            path,
            message: "this name cannot be used".to_owned(),
            help: Some(format!(
                "a name begins with a letter, has letters, digits, `_`, `-` and spaces, and at most {MAX_NAME} of them"
            )),
        });
    }
}

fn check_names(model: &ModelFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    for client in model.clients.keys() {
        let path = format!("clients.{}", quoted(client));
        check_name(&mut problems, path.clone(), client);
        if model.services.contains_key(client) {
            let message = format!("a client and a service are both called `{client}`; their metrics would be mixed up");
            problems.push(Problem::new(path, message));
        }
    }
    for (service, spec) in &model.services {
        let path = format!("services.{}", quoted(service));
        check_name(&mut problems, path.clone(), service);
        for operation in spec.operations.keys() {
            let path = format!("{path}.operations.{}", quoted(operation));
            if TAKEN.contains(&operation.as_str()) {
                let message = format!("an operation cannot be called `{operation}`, which is the name of a resource");
                problems.push(Problem::new(path.clone(), message));
            }
            check_name(&mut problems, path, operation);
        }
    }
    problems
}

fn add_service(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    name: &str,
    spec: &ServiceSpec,
) {
    let path = format!("services.{}", quoted(name));
    let mut service = blueprint::Service {
        name: name.to_owned(),
        instances: spec.instances,
        servers: Vec::new(),
        sharing: Vec::new(),
        balancer: spec.balancer,
    };
    let limit = spec.queue.as_ref().map_or(u32::MAX, |queue| queue.limit);
    if let Some(runtime) = &spec.runtime {
        service.servers.push(ServersPlan { name: "workers".to_owned(), slots: runtime.workers, limit });
    } else if spec.queue.is_some() {
        problems.push(Problem {
            path: format!("{path}.queue"),
            message: "a queue needs workers to queue for".to_owned(),
            help: Some("add `runtime: { workers: 64 }`".to_owned()),
        });
    }
    if let Some(cores) = spec.machine.as_ref().and_then(|machine| machine.cores) {
        service.sharing.push(SharingPlan { name: "cpu".to_owned(), lanes: cores.get() });
    }
    let workers = spec.runtime.as_ref().map(|_| 0);
    let cpu = (!service.sharing.is_empty()).then_some(0);
    let number = blueprint.services.len() as u32;
    blueprint.services.push(service);
    for (operation, steps) in &spec.operations {
        let path = format!("{path}.operations.{}", quoted(operation));
        let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, cpu);
        let entry = compiler.operation(operation, &path, steps, workers);
        blueprint.operations.push(Operation { service: number, name: operation.clone(), entry });
    }
}

fn assume_service(assumptions: &mut Vec<String>, blueprint: &Blueprint, name: &str, spec: &ServiceSpec) {
    let accounts = &blueprint.program.accounts;
    let uses_cpu = accounts.iter().any(|account| account.part == name && account.resource == "cpu");
    if uses_cpu && spec.machine.as_ref().is_none_or(|machine| machine.cores.is_none()) {
        assumptions.push(format!("{name}: CPU cores are not limited (no machine.cores)"));
    }
    match (&spec.runtime, &spec.queue) {
        (None, _) => assumptions.push(format!("{name}: any number of requests run at once (no runtime.workers)")),
        (Some(_), None) => assumptions.push(format!("{name}: the queue for workers has no limit (no queue.limit)")),
        _ => {}
    }
    if spec.machine.is_none() {
        assumptions.push(format!("{name}: memory, disk and network are not modeled"));
    }
}

fn add_client(
    blueprint: &mut Blueprint,
    directory: &Directory,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    name: &str,
    spec: &ClientSpec,
) {
    let path = format!("clients.{}", quoted(name));
    let traffic = traffic(spec, &path, name, files, problems);
    let ways = ways(spec, &path, directory, problems);
    if spec.timeout == Some(Duration::ZERO) {
        problems.push(Problem::new(format!("{path}.timeout"), "a timeout must be longer than 0"));
    }
    let mut compiler = Compiler::new(&mut blueprint.program, directory, files, problems, name, None);
    let entry = compiler.client(name, |compiler| match ways.as_slice() {
        [(operation, _)] => step::emit_call(compiler, *operation, spec.timeout),
        ways => step::emit_choice(compiler, "mix", ways.iter().map(|(_, share)| *share), |compiler, way| {
            step::emit_call(compiler, ways[way].0, spec.timeout);
        }),
    });
    if let Some(traffic) = traffic {
        blueprint.clients.push(blueprint::Client { name: name.to_owned(), traffic, entry });
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

fn traffic(
    spec: &ClientSpec,
    path: &str,
    name: &str,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) -> Option<blueprint::Traffic> {
    let (result, place) = match &spec.arrivals {
        Traffic::Open(arrivals) => (arrivals.prepare(files).map(blueprint::Traffic::Open), ""),
        Traffic::Closed(population) => {
            let salt = named(named(0, name), "think");
            let think = population.think.build(files).map(|distribution| Demand { distribution, salt });
            (think.map(|think| blueprint::Traffic::Closed { users: population.users, think }), ".think")
        }
    };
    result.map_err(|message| problems.push(Problem::new(format!("{path}.arrivals{place}"), message))).ok()
}
