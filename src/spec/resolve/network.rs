//! Links, zones and network cards: what every call goes over.

use std::collections::BTreeMap;

use super::names::quoted;
use crate::engine::random::named;
use crate::measure::Kind;
use crate::model::blueprint::{self, Blueprint, PacePlan, SharingPlan};
use crate::model::compile::Problem;
use crate::model::distribution::{Distribution, Values};
use crate::model::network::{LinkPlan, LinkSpec, NetworkPlan, Nic, RETRANSMISSION, Route, ends, find, region};
use crate::model::program::{Program, Site};
use crate::quantity::{Bandwidth, Duration};
use crate::spec::model_file::{ModelFile, ServiceSpec};

/// Stations of a network card.
const NIC: [&str; 2] = ["network_out", "network_in"];

/// The name of the default link, for metrics and accounts.
const DEFAULT: &str = "network";

/// Whether messages take time anywhere in a model.
pub(super) fn has_network(model: &ModelFile) -> bool {
    let card = |service: &ServiceSpec| service.machine.as_ref().is_some_and(|machine| machine.network.is_some());
    // Whoever looks at zones needs to know where everything is, also if no way takes time.
    !model.links.is_empty() || model.services.values().any(|service| card(service) || !service.zones.is_empty())
}

/// Adds the stations of a service's network cards.
pub(super) fn add_nic(service: &mut blueprint::Service, spec: &ServiceSpec) {
    if spec.machine.as_ref().is_some_and(|machine| machine.network.is_some()) {
        let station = |name: &str| SharingPlan { name: name.to_owned(), lanes: 1.0, pace: PacePlan::default() };
        service.sharing.extend(NIC.map(station));
    }
}

/// Notes problems with the names of links and zones.
pub(super) fn check_links(model: &ModelFile, problems: &mut Vec<Problem>) {
    let zones = model.services.values().flat_map(|service| &service.zones).map(String::as_str);
    let zones: Vec<&str> = zones.chain(model.clients.values().filter_map(|client| client.zone.as_deref())).collect();
    let parts = model.clients.keys().chain(model.services.keys()).map(String::as_str);
    let regions = zones.iter().map(|zone| region(zone));
    let known: Vec<&str> = parts.chain(zones.iter().copied()).chain(regions).collect();
    for (name, link) in &model.links {
        let path = format!("links.{}", quoted(name));
        match ends(name) {
            Some((one, other)) => {
                for end in [one, other].into_iter().filter(|end| !known.contains(end)) {
                    problems.push(Problem::unknown(&path, "client, service or zone", end, known.iter().copied()));
                }
            }
            None if name == "default" => {}
            None => problems.push(Problem {
                path: path.clone(),
                message: format!("`{name}` does not say what it links"),
                help: Some("write `one -> other`, or `default` for all that have no link of their own".to_owned()),
            }),
        }
        if link.loss.is_some_and(|loss| loss.fraction() >= 1.0) {
            problems.push(Problem::new(format!("{path}.loss"), "a link that loses everything is no link"));
        }
    }
    let network = [model.clients.contains_key(DEFAULT), model.services.contains_key(DEFAULT)];
    if has_network(model) && network.contains(&true) {
        let path = if network[0] { format!("clients.{DEFAULT}") } else { format!("services.{DEFAULT}") };
        let message =
            format!("a part cannot be called `{DEFAULT}` in a model with links; its metrics would be mixed up");
        problems.push(Problem::new(path, message));
    }
    let mut cards = Vec::new();
    for (name, service) in &model.services {
        let card = service.machine.as_ref().and_then(|machine| machine.network);
        cards.extend(card.map(|card| (format!("services.{}.machine.network", quoted(name)), card)));
    }
    let pipe =
        |(name, link): (&String, &LinkSpec)| Some((format!("links.{}.bandwidth", quoted(name)), link.bandwidth?));
    let pipes = model.links.iter().filter_map(pipe);
    for (path, bandwidth) in cards.into_iter().chain(pipes) {
        if bandwidth.bytes_per_second() <= 0.0 {
            problems.push(Problem::new(path, "a bandwidth must be above 0"));
        }
    }
}

/// The number of a zone, which is added if it is not known yet.
fn number<'m>(zone: &'m str, zones: &mut Vec<&'m str>) -> u16 {
    let known = zones.iter().position(|known| *known == zone);
    known.unwrap_or_else(|| {
        zones.push(zone);
        zones.len() - 1
    }) as u16
}

/// Plans all links and, for every call of the compiled program, which of them it goes over.
pub(super) fn plan_network(
    model: &ModelFile,
    blueprint: &mut Blueprint,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) {
    let Some(code) = blueprint.program.ways else { return };
    let program = &mut blueprint.program;
    let mut links: Vec<LinkPlan> = Vec::new();
    for (name, spec) in &model.links {
        links.push(plan_link(name, spec, program, files, problems));
    }
    // Messages that go over no link of the file pass network cards all the same.
    let fallback = model.links.get_index_of("default").unwrap_or_else(|| {
        links.push(plan_link("default", &LinkSpec::default(), program, files, problems));
        links.len() - 1
    });
    // Those that are nowhere in particular are in a zone of their own.
    let mut zones = vec![""];
    let mut placement: Vec<Vec<u16>> = Vec::new();
    for service in model.services.values() {
        placement.push(service.zones.iter().map(|zone| number(zone, &mut zones)).collect());
    }
    placement.iter_mut().filter(|of| of.is_empty()).for_each(|of| of.push(0));
    let mut homes = BTreeMap::new();
    for (name, client) in &model.clients {
        let zone = client.zone.as_deref().map_or(0, |zone| number(zone, &mut zones));
        homes.insert(name.as_str(), zone);
    }
    let nics = model.services.iter().zip(&blueprint.services);
    let nics = nics.map(|((name, spec), service)| plan_nic(name, spec, service, program)).collect();
    let route = |site: &Site| {
        let operation = &blueprint.operations[site.operation as usize];
        let to = blueprint.services[operation.service as usize].name.as_str();
        let from = site.from.as_str();
        let pairs = zones.iter().flat_map(|one| zones.iter().map(move |other| (*one, *other)));
        let link = |(one, other): (&str, &str)| {
            let found = find(&model.links, &[from, one, region(one)], &[to, other, region(other)]);
            found.map_or(fallback, |(number, _)| number) as u32
        };
        Route { client: homes.get(from).copied(), links: pairs.map(link).collect() }
    };
    let routes = blueprint.program.sites.iter().map(route).collect();
    blueprint.network = Some(NetworkPlan { code, links, zones: zones.len() as u16, placement, nics, routes });
}

fn plan_link(
    name: &str,
    spec: &LinkSpec,
    program: &mut Program,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
) -> LinkPlan {
    let latency = spec.latency.as_ref().map_or(Ok(Distribution::Constant(0.0)), |latency| latency.build(files));
    let latency = latency.unwrap_or_else(|message| {
        problems.push(Problem::new(format!("links.{}.latency", quoted(name)), message));
        Distribution::Constant(0.0)
    });
    let part = if name == "default" { DEFAULT } else { name };
    LinkPlan {
        name: part.to_owned(),
        latency,
        jitter: spec.jitter.map_or(0.0, |jitter| jitter.as_nanos() as f64),
        loss: spec.loss.map_or(0.0, |loss| loss.fraction()),
        retransmit: spec.retransmit.map_or(RETRANSMISSION, Duration::as_nanos),
        nanos_per_byte: spec.bandwidth.map(nanos_per_byte),
        salt: named(named(0, "link"), name),
        account: program.account(part, "link", Kind::Network),
        retransmission: program.account(part, "retransmission", Kind::Network),
        waiting: program.account(part, "bandwidth", Kind::Waiting),
    }
}

fn nanos_per_byte(bandwidth: Bandwidth) -> f64 {
    1e9 / bandwidth.bytes_per_second().max(1e-9)
}

fn plan_nic(name: &str, spec: &ServiceSpec, service: &blueprint::Service, program: &mut Program) -> Option<Nic> {
    let bandwidth = spec.machine.as_ref().and_then(|machine| machine.network)?;
    let slot = |wanted: &str| service.sharing.iter().position(|plan| plan.name == wanted).map(|slot| slot as u16);
    let [out, into] = NIC.map(slot);
    let waiting = NIC.map(|station| program.account(name, station, Kind::Waiting));
    Some(Nic { slots: [out?, into?], nanos_per_byte: nanos_per_byte(bandwidth), waiting })
}
