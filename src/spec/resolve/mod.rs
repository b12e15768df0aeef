//! From a model file to a blueprint: names are looked up, shares added up, defaults noted.
//!
//! All problems are found at once. Nothing is assumed silently: every default that shapes the answer is listed among
//! the assumptions.

mod client;
mod data;
pub(crate) mod dependencies;
mod disk;
mod faults;
mod fleet;
mod machine;
mod memory;
mod names;
mod network;
mod nodes;
mod service;
mod sizes;
mod standing;

use super::model_file::{CatalogueSpec, ClientSpec, ModelFile, Traffic};
use crate::model::arrival::Arrivals;
use crate::model::blueprint::{self, Blueprint, Operation};
use crate::model::compile::{Directory, Problem};
use crate::model::cycles::check_cycles;
use crate::model::distribution::Values;
use client::add_client;
use names::check_names;
pub use names::quoted;
use network::{check_links, has_network, plan_network};
use service::{add_service, assume_service};

/// The most instances of all services together.
const MAX_INSTANCES: u64 = 1_000_000;

/// The most users of all closed clients together; each has a think time under way, so each takes memory.
const MAX_USERS: u64 = 10_000_000;

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
    let whole = dependencies::as_services(model);
    let mut resolved = resolve_services(&whole, files);
    let clash = model.dependencies.keys().filter(|name| model.services.contains_key(*name)).map(|name| {
        let message = format!("a service and a dependency are both called `{name}`");
        Problem::new(format!("dependencies.{}", quoted(name)), message)
    });
    let clashes: Vec<Problem> = clash.collect();
    if !clashes.is_empty() {
        resolved = Err(resolved.err().into_iter().flatten().chain(clashes).collect());
    }
    resolved
        .map_err(|problems| problems.into_iter().map(|problem| dependencies::at_dependency(problem, model)).collect())
}

/// Resolves a model without dependencies.
fn resolve_services(model: &ModelFile, files: &dyn Values) -> Result<Resolved, Vec<Problem>> {
    let mut problems = check_names(model);
    if let Some(CatalogueSpec::File(_)) = model.catalogue {
        problems.push(Problem::new(
            "catalogue",
            "the file of a catalogue cannot be changed by an experiment; hold the sizes here",
        ));
    }
    let expanded = data::expand(model, files, &mut problems);
    let model = &expanded.model;
    let mut blueprint = Blueprint::default();
    let mut assumptions = Vec::new();
    let directory: Directory = model
        .services
        .iter()
        .flat_map(|(service, spec)| spec.operations.keys().map(move |operation| format!("{service}.{operation}")))
        .enumerate()
        .map(|(number, name)| (name, number as u32))
        .collect();
    blueprint.program.data = expanded.parts(&directory);
    check_links(model, &mut problems);
    if has_network(model) {
        blueprint.program.add_ways();
    }
    nodes::add_pools(&mut blueprint, files, &mut problems, model);
    nodes::assume_pools(&mut assumptions, model);
    let standing = standing::standing(model, &blueprint.program.data.caches);
    // The directory must number the operations in the order in which they are compiled.
    for (name, spec) in &model.services {
        let standing = standing.get(name).copied().unwrap_or_default();
        add_service(&mut blueprint, &directory, files, &mut problems, name, spec, standing);
        assume_service(&mut assumptions, &blueprint, name, spec);
    }
    nodes::count_nodes(&mut blueprint, &mut problems);
    for (name, spec) in &model.clients {
        add_client(&mut blueprint, &directory, files, &mut problems, name, spec);
        if let Some(blueprint::Traffic::Open(Arrivals::Replay(_, Some(note)))) =
            blueprint.clients.last().map(|client| &client.traffic)
        {
            assumptions.push(format!("{name}: {note}"));
        }
        if spec.timeout.is_none() {
            assumptions.push(format!("{name}: waits for an answer without limit (no timeout)"));
        }
    }
    faults::add_faults(&mut blueprint, files, &mut problems, model);
    assumptions.extend(data::warnings(&blueprint.program.data.databases));
    data::add_consumers(&mut blueprint, &directory, files, &mut problems, model);
    data::add_movers(&mut blueprint, &directory, files, &mut problems, model);
    if blueprint.program.ways.is_none() {
        assumptions.push("calls and replies take no time on the network".to_owned());
    }
    let instances: u64 = blueprint.services.iter().map(|service| u64::from(service.instances)).sum();
    if instances > MAX_INSTANCES {
        problems
            .push(Problem::new("services", format!("{instances} instances are too many; {MAX_INSTANCES} are allowed")));
    }
    let users = |client: &ClientSpec| match &client.arrivals {
        Traffic::Closed(population) => u64::from(population.users),
        Traffic::Batch(spec) => u64::from(spec.batch.workers),
        Traffic::Open(_) => 0,
    };
    let users: u64 = model.clients.values().map(users).sum();
    if users > MAX_USERS {
        problems.push(Problem::new("clients", format!("{users} users are too many; {MAX_USERS} are allowed")));
    }
    sizes::check_sizes(model, &blueprint, &mut problems);
    if problems.is_empty() {
        plan_network(model, &mut blueprint, files, &mut problems);
    }
    if problems.is_empty()
        && let Some(cycle) = check_cycles(&blueprint)
    {
        problems.push(cycle_problem(&blueprint, &cycle));
    }
    expanded.relocate(&mut problems);
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
