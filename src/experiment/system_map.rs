//! The map of a system, read off its blueprint and what was written.

use crate::model::blueprint::{Blueprint, Client, Traffic};
use crate::model::program::{Instruction, Place};
use crate::spec::load::Document;
use crate::spec::text::tree::{Node as Written, Value};
use crate::study::system::{Calls, Part, PartKind, Room, SystemMap};

/// The map of a system; the document tells what stands in which section, and how requests come.
pub fn map(blueprint: &Blueprint, document: &Document) -> SystemMap {
    let kind = |name: &str| {
        let sections = document.model.entries().iter().filter(|section| section.value.entry(name).is_some());
        sections.filter_map(|section| of_section(&section.key)).find(|kind| *kind != PartKind::Client)
    };
    let mut parts: Vec<Part> = Vec::new();
    for client in blueprint.clients.iter().filter(|client| asks(client)) {
        parts.push(Part {
            name: client.name.clone(),
            kind: PartKind::Client,
            instances: 0,
            scaled: None,
            balancer: None,
            stations: Vec::new(),
            about: traffic(document, &client.name),
        });
    }
    for (number, service) in blueprint.services.iter().enumerate() {
        let own = blueprint.operations.iter().filter(|operation| operation.service as usize == number);
        let servers = service.servers.iter().map(|plan| (&plan.name, f64::from(plan.slots)));
        let sharing = service.sharing.iter().map(|plan| (&plan.name, plan.lanes));
        let locks = service.locks.iter();
        let locks = locks.map(|plan| (&plan.name, f64::from(plan.permits) * f64::from(plan.shards)));
        let channels = service.channels.iter().map(|plan| (&plan.name, f64::from(plan.receivers)));
        let memory = service.memory.as_ref().filter(|memory| memory.space.limit < u64::MAX);
        let memory = memory.map(|memory| Room { name: "memory".to_owned(), capacity: memory.space.limit as f64 });
        let room = |(name, capacity): (&String, f64)| Room { name: name.clone(), capacity };
        parts.push(Part {
            name: service.name.clone(),
            kind: kind(&service.name).unwrap_or(PartKind::Service),
            instances: service.fleet.as_ref().map_or(service.instances, |fleet| fleet.start),
            scaled: service.fleet.as_ref().and_then(|fleet| fleet.autoscaler.as_ref()).map(|spec| (spec.min, spec.max)),
            balancer: Some(policy(document, &service.name)).filter(|_| service.instances > 1),
            stations: servers.chain(sharing).chain(locks).chain(channels).map(room).chain(memory).collect(),
            about: own.map(|operation| operation.name.as_str()).collect::<Vec<_>>().join(", "),
        });
    }
    let calls = calls(blueprint);
    SystemMap { parts, calls }
}

/// The kind of what stands in a section of the model file.
fn of_section(section: &str) -> Option<PartKind> {
    Some(match section {
        "clients" => PartKind::Client,
        "caches" => PartKind::Cache,
        "databases" => PartKind::Database,
        "queues" => PartKind::Queue,
        "dependencies" => PartKind::Dependency,
        "services" => PartKind::Service,
        _ => return None,
    })
}

/// Whether a client stands for somebody outside; groups of consumers are clients too, but belong to their queue.
fn asks(client: &Client) -> bool {
    !matches!(client.traffic, Traffic::Consumers { .. })
}

/// The service that is the queue of a group of consumers.
fn queue_of(blueprint: &Blueprint, group: u32) -> Option<usize> {
    let data = &blueprint.program.data;
    let queue = &data.queues[data.groups[group as usize].queue as usize].name;
    blueprint.services.iter().position(|service| service.name == *queue)
}

/// All calls between parts, in the order of the code.
fn calls(blueprint: &Blueprint) -> Vec<Calls> {
    let clients = blueprint.clients.iter().filter(|client| asks(client)).count();
    // Code is laid out owner after owner: each owns what lies between its entry and the next. What consumers do, their queue does.
    let mut asking = 0;
    let owners = blueprint.clients.iter().map(|client| {
        let place = match client.traffic {
            Traffic::Consumers { group, .. } => queue_of(blueprint, group).map_or(0, |service| clients + service),
            _ => {
                asking += 1;
                asking - 1
            }
        };
        (client.entry, place)
    });
    let owners: Vec<(Place, usize)> = owners.collect();
    let operations =
        blueprint.operations.iter().map(|operation| (operation.entry, clients + operation.service as usize));
    let services = blueprint.services.iter().enumerate();
    let receivers = services
        .flat_map(|(number, service)| service.channels.iter().map(move |channel| (channel.entry, clients + number)));
    let mut owners: Vec<(Place, usize)> = owners.into_iter().chain(operations).chain(receivers).collect();
    owners.sort_unstable();
    let mut calls: Vec<Calls> = Vec::new();
    for (place, instruction) in blueprint.program.code.iter().enumerate() {
        let Instruction::Call { site } = instruction else { continue };
        let before = owners.partition_point(|(entry, _)| *entry as usize <= place);
        let Some((_, from)) = before.checked_sub(1).map(|index| owners[index]) else { continue };
        let operation = &blueprint.operations[blueprint.program.sites[*site as usize].operation as usize];
        let to = clients + operation.service as usize;
        match calls.iter_mut().find(|known| (known.from, known.to) == (from, to)) {
            None => calls.push(Calls { from, to, operations: vec![operation.name.clone()] }),
            Some(known) if known.operations.contains(&operation.name) => {}
            Some(known) => known.operations.push(operation.name.clone()),
        }
    }
    // The code of clients lies behind that of services; pictures read from the clients on.
    calls.sort_by_key(|call| call.from);
    calls
}

/// How a client's requests come, as written: `poisson 400/s`, `500 users`.
fn traffic(document: &Document, client: &str) -> String {
    let arrivals = document.model.entry("clients").and_then(|clients| clients.value.entry(client));
    let Some(arrivals) = arrivals.and_then(|client| client.value.entry("arrivals")) else { return String::new() };
    if let Some(users) = arrivals.value.entry("users") {
        return scalar(&users.value).map_or(String::new(), |users| format!("{users} users"));
    }
    let Some(process) = arrivals.value.entries().first() else { return String::new() };
    let rate = scalar(&process.value).map_or(String::new(), |rate| format!(" {rate}"));
    format!("{}{rate}", process.key.replace('_', " "))
}

/// The name of a service's balancing policy, as written.
fn policy(document: &Document, service: &str) -> String {
    let written = document.model.entries().iter().find_map(|section| section.value.entry(service));
    let balancer = written.and_then(|service| service.value.entry("balancer"));
    let name = balancer.and_then(|balancer| {
        scalar(&balancer.value).or_else(|| balancer.value.entries().first().map(|policy| policy.key.clone()))
    });
    name.unwrap_or_else(|| "round_robin".to_owned()).replace('_', " ")
}

fn scalar(node: &Written) -> Option<String> {
    match &node.value {
        Value::Number { text, .. } | Value::Text { text, .. } => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::design::{Options, design};
    use crate::spec::load::{Files, Loader};

    const MODEL: &str = "
clients:
  shoppers: { arrivals: { poisson: 40/s }, mix: { shop.browse: 50%, shop.buy: 50% } }
  robots: { arrivals: { users: 5, think: 1s }, call: shop.browse }
services:
  shop:
    instances: 3
    machine: { cores: 2 }
    runtime: { workers: 8 }
    balancer: least_in_flight
    operations:
      browse: [ cpu: 1ms, call: store.read ]
      buy:
        - parallel: [ { call: store.read }, { call: store.write } ]
  store:
    operations: { read: [ wait: 1ms ], write: [ wait: 2ms ] }
";

    struct One;

    impl Files for One {
        fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
            Ok(MODEL.as_bytes().to_vec())
        }
    }

    #[test]
    fn parts_and_calls_are_those_of_the_file() {
        let mut loader = Loader::new(&One);
        let document = loader.load(Path::new("shop.yaml")).expect("the model is fine");
        let design = design(&loader, &document, &Options::default()).expect("the model is fine");
        let map = super::map(&design.points[0].blueprint, &document);
        let names: Vec<&str> = map.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["shoppers", "robots", "shop", "store"]);
        assert_eq!(map.parts[0].about, "poisson 40/s");
        assert_eq!(map.parts[1].about, "5 users");
        assert_eq!(map.parts[2].balancer.as_deref(), Some("least in flight"));
        assert_eq!(map.parts[2].about, "browse, buy");
        assert_eq!(map.parts[3].balancer, None);
        let rooms: Vec<String> = map.parts[2].stations.iter().map(Room::words).collect();
        assert_eq!(rooms, ["8 workers", "2 cores"]);
        let calls = |from: usize, to: usize| {
            let found = map.calls.iter().find(|calls| (calls.from, calls.to) == (from, to));
            found.map(|calls| calls.operations.join(" ")).unwrap_or_default()
        };
        assert_eq!(calls(0, 2), "browse buy");
        assert_eq!(calls(1, 2), "browse");
        assert_eq!(calls(2, 3), "read write");
        assert_eq!(map.calls.len(), 3);
    }
}
