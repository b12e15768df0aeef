//! Node pools, and which services live on them.

use super::names::{check_name, quoted};
use crate::engine::random::named;
use crate::model::blueprint::{Agent, Blueprint};
use crate::model::compile::Problem;
use crate::model::distribution::Values;
use crate::model::nodes::{Amounts, Lodging, NodePoolPlan, NodePoolSpec, fits, new_nodes};
use crate::model::program::Demand;
use crate::model::vertical::Mode;
use crate::quantity::{Duration, Price};
use crate::spec::model_file::{ModelFile, ServiceSpec};

/// Adds the pools of a model, without nodes yet, and their agents.
pub(super) fn add_pools(blueprint: &mut Blueprint, files: &dyn Values, problems: &mut Vec<Problem>, model: &ModelFile) {
    for (name, spec) in &model.nodes {
        let path = format!("nodes.{}", quoted(name));
        check_name(problems, path.clone(), name);
        if model.services.contains_key(name) || model.clients.contains_key(name) {
            let message = format!("another part is called `{name}` too; their metrics would be mixed up");
            problems.push(Problem::new(path.clone(), message));
        }
        if let Err((key, message)) = spec.check() {
            problems.push(Problem::new(format!("{path}.{key}"), message));
        }
        blueprint.agents.push(Agent::Provisioner { pool: blueprint.pools.len() as u32 });
        blueprint.pools.push(plan(files, problems, &path, name, spec));
    }
}

fn plan(files: &dyn Values, problems: &mut Vec<Problem>, path: &str, name: &str, spec: &NodePoolSpec) -> NodePoolPlan {
    let provisioning = spec.provisioning.as_ref().and_then(|provisioning| {
        let refused = |message| problems.push(Problem::new(format!("{path}.provisioning"), message));
        let distribution = provisioning.build(files).map_err(refused).ok()?;
        Some(Demand { distribution, salt: named(named(0, name), "provisioning") })
    });
    NodePoolPlan {
        name: name.to_owned(),
        room: spec.room().unwrap_or([f64::INFINITY; 2]),
        cores: spec.cores.get(),
        price: spec.price.map(Price::per_hour),
        bounds: [spec.min, spec.max],
        provisioning,
        placement: spec.placement,
        scan: spec.scan.as_nanos().max(1),
        threshold: spec.threshold.fraction(),
        unneeded: spec.unneeded.as_nanos(),
        after_add: spec.after_add.as_nanos(),
        start: 0,
    }
}

/// Where the instances of a service live, if they share nodes; notes what does not go with that.
pub(super) fn lodging(
    blueprint: &Blueprint,
    problems: &mut Vec<Problem>,
    path: &str,
    spec: &ServiceSpec,
) -> Option<Lodging> {
    let name = spec.life.as_ref()?.nodes.as_ref()?;
    let Some(number) = blueprint.pools.iter().position(|pool| pool.name == *name) else {
        let known = blueprint.pools.iter().map(|pool| pool.name.as_str());
        problems.push(Problem::unknown(&format!("{path}.life.nodes"), "node pool", name, known));
        return None;
    };
    let pool = &blueprint.pools[number];
    let mut refuse = |key: &str, message: String, help: &str| {
        problems.push(Problem { path: format!("{path}.{key}"), message, help: Some(help.to_owned()) });
    };
    let machine = spec.machine.as_ref();
    let Some(cores) = machine.and_then(|machine| machine.cores) else {
        let message = "how much of a node does an instance ask for?".to_owned();
        refuse(
            "life.nodes",
            message,
            "give it cores, and memory if need be: `machine: { cores: 500m, memory: 512MiB }`",
        );
        return None;
    };
    if machine.is_some_and(|machine| machine.price.is_some()) {
        let message = "instances on nodes have no price of their own".to_owned();
        refuse(
            "machine.price",
            message,
            &format!("the nodes are what costs: `nodes: {{ {name}: {{ price: 0.40/h }} }}`"),
        );
    }
    if spec.life.as_ref().is_some_and(|life| life.provisioning.is_some()) {
        let message = "an instance on a node waits for the node".to_owned();
        refuse("life.provisioning", message, &format!("say how long that takes under `nodes: {{ {name}: … }}`"));
    }
    let vertical = spec.vertical.as_ref();
    if vertical.is_some_and(|vertical| vertical.mode == Mode::InPlace) {
        let message = "an instance cannot grow on a node whose room others may have taken".to_owned();
        refuse("vertical.mode", message, "use `recreate`: whoever comes again gets a node with enough room");
    }
    let memory = machine.and_then(|machine| machine.memory).map_or(0.0, |memory| memory.as_u64() as f64);
    let asks: Amounts = [cores.get() / vertical.map_or(1.0, |vertical| vertical.limit), memory];
    let most = [vertical.map_or(asks[0], |vertical| vertical.max.get()), memory];
    if !fits(&pool.room, &[0.0; 2], &most) {
        let key = if vertical.is_some() { "vertical.max" } else { "life.nodes" };
        let message = format!(
            "an instance asks for {} cores and {memory} bytes, and a node of `{name}` has room for {} cores and {} bytes",
            most[0], pool.room[0], pool.room[1]
        );
        refuse(key, message, "take larger nodes, or smaller instances");
        return None;
    }
    Some(Lodging { pool: number as u32, asks })
}

/// Counts the nodes of the start: as many as the instances of the start take.
pub(super) fn count_nodes(blueprint: &mut Blueprint, problems: &mut Vec<Problem>) {
    for number in 0..blueprint.pools.len() {
        let fleets = blueprint.services.iter().filter_map(|service| service.fleet.as_deref());
        let here = fleets.filter_map(|fleet| {
            let lodging = fleet.lodging.filter(|lodging| lodging.pool as usize == number)?;
            Some(std::iter::repeat_n(lodging.asks, fleet.start as usize))
        });
        let pods: Vec<Amounts> = here.flatten().collect();
        let pool = &mut blueprint.pools[number];
        let needed = new_nodes(&pool.room, &[], &pods, u32::MAX);
        if needed > pool.bounds[1] {
            problems.push(Problem {
                path: format!("nodes.{}.max", quoted(&pool.name)),
                message: format!("the {} instances of the start take {needed} nodes", pods.len()),
                help: Some("allow more nodes, or begin with fewer instances".to_owned()),
            });
        }
        pool.start = needed.max(pool.bounds[0]);
    }
}

/// What is assumed of pools that the file does not say.
pub(super) fn assume_pools(assumptions: &mut Vec<String>, model: &ModelFile) {
    for (name, spec) in &model.nodes {
        if spec.provisioning.is_none() {
            assumptions.push(format!("{name}: a node is there as soon as it is ordered (no provisioning)"));
        }
        if spec.unneeded == Duration::ZERO {
            assumptions.push(format!("{name}: a node that is not needed is given back at once"));
        }
    }
}
