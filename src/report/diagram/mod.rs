//! The system as a picture: SVG with its own style, light and dark, and Mermaid text.
//!
//! A box per part: clients are pills, databases and caches cylinders, what others run is dashed; several instances are a stack
//! behind their balancer. Every station of a part has a bar that fills with its utilization when results are given.
//!
//! Limits: boxes have a fixed width, longer names are cut (the whole name is in the tool tip); at most
//! [`STATION_LIMIT`] stations of a part are shown, the busiest first.

mod draw;
mod layout;
mod mermaid;

pub(super) use draw::STYLE;
pub use mermaid::mermaid;

use super::names::{clean, clients, estimate};
use crate::measure::Kind;
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::study::Point;
use crate::study::Study;
use crate::study::insight::Insight;
use crate::study::system::{PartKind, SystemMap};

/// Most stations of a part that are shown.
const STATION_LIMIT: usize = 6;

/// What was measured at a point, in the terms of a diagram.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay {
    /// Per part and station: the utilization, from 0 to 1.
    pub utilization: Vec<Vec<Option<f64>>>,
    /// Per part: words that take the place of those of the map.
    pub words: Vec<Option<String>>,
    /// The station to point at (part, station), and why.
    pub marked: Option<(usize, usize, String)>,
}

impl Overlay {
    /// What a point's results say about its system.
    pub fn of(study: &Study, point: &Point, map: &SystemMap) -> Overlay {
        let value = |metric: String| estimate(study, point, &metric).map(|estimate| estimate.mean);
        let utilization = |part: &crate::study::system::Part| {
            let of = |name: &str| value(format!("{}.{name}.utilization", part.name));
            part.stations.iter().map(|room| of(&room.name)).collect()
        };
        let words = |part: &crate::study::system::Part| {
            let offered = value(format!("{}.offered", part.name)).filter(|_| part.kind == PartKind::Client);
            offered.map(|rate| format!("{} offered", display(rate, Unit::PerSecond)))
        };
        Overlay {
            utilization: map.parts.iter().map(utilization).collect(),
            words: map.parts.iter().map(words).collect(),
            marked: bottleneck(study, point, map).or_else(|| longest_wait(study, point, map)),
        }
    }
}

/// The bottleneck that interventions have found at this point.
fn bottleneck(study: &Study, point: &Point, map: &SystemMap) -> Option<(usize, usize, String)> {
    let own = |insight: &&Insight| (&insight.variant, &insight.levels) == (&point.variant, &point.levels);
    let verdict = &study.insights.iter().find(own)?.verdict;
    let wanted = verdict.bottleneck.as_ref()?;
    map.parts.iter().enumerate().find_map(|(number, part)| {
        let station = part.stations.iter().position(|room| format!("{}.{}", part.name, room.name) == *wanted)?;
        let class = verdict.class.map_or(String::new(), |class| format!(": {}", class.word()));
        Some((number, station, format!("the bottleneck{class}")))
    })
}

/// The station at which the requests of all clients together wait longest, if that is a tenth of their time or more.
fn longest_wait(study: &Study, point: &Point, map: &SystemMap) -> Option<(usize, usize, String)> {
    let (mut whole, mut waits) = (0.0, Vec::<(usize, usize, f64)>::new());
    for attribution in &point.attributions {
        let known = clients(study).into_iter().any(|client| client == attribution.client);
        let rate = estimate(study, point, &format!("{}.goodput", attribution.client)).filter(|_| known);
        let weight = rate.map_or(1.0, |rate| rate.mean);
        for entry in &attribution.entries {
            whole += weight * entry.all;
            let part = map.parts.iter().position(|part| part.name == entry.part && part.kind != PartKind::Client);
            let Some(part) = part.filter(|_| entry.kind == Kind::Waiting) else { continue };
            let room = map.parts[part].stations.iter().position(|room| room.name == entry.resource);
            let Some(room) = room else { continue };
            match waits.iter_mut().find(|known| (known.0, known.1) == (part, room)) {
                Some(known) => known.2 += weight * entry.all,
                None => waits.push((part, room, weight * entry.all)),
            }
        }
    }
    let (part, room, time) = waits.into_iter().max_by(|one, other| one.2.total_cmp(&other.2))?;
    (time >= 0.1 * whole && whole > 0.0).then(|| {
        let share = display((time / whole * 100.0).round() / 100.0, Unit::Share);
        (part, room, format!("{share} of the time is spent waiting here"))
    })
}

/// The system as an SVG document that shows what is in the overlay.
pub fn svg(map: &SystemMap, overlay: &Overlay) -> String {
    draw::document(map, overlay, &format!("<style>{STYLE}</style>\n"))
}

/// The same for a page that has the [`STYLE`].
pub(super) fn element(map: &SystemMap, overlay: &Overlay) -> String {
    draw::document(map, overlay, "")
}

/// What the picture shows, in words, for those who cannot see it.
pub fn description(map: &SystemMap, overlay: &Overlay) -> String {
    let mut sentences = Vec::new();
    for (number, part) in map.parts.iter().enumerate() {
        let targets = map.calls.iter().filter(|calls| calls.from == number && calls.to != number);
        let targets: Vec<String> = targets.map(|calls| clean(&map.parts[calls.to].name)).collect();
        let loads = part.stations.iter().enumerate().filter_map(|(station, room)| {
            let load = overlay.utilization.get(number)?.get(station).copied().flatten()?;
            Some(format!("{} {}", clean(&room.name), display(load, Unit::Share)))
        });
        let loads = loads.collect::<Vec<_>>().join(", ");
        let instances = if part.is_several() { format!(", {} instances", part.count()) } else { String::new() };
        let loads = if loads.is_empty() { String::new() } else { format!(", busy: {loads}") };
        let calls = if targets.is_empty() { String::new() } else { format!("; calls {}", targets.join(", ")) };
        sentences.push(format!("{} ({}{instances}{loads}){calls}.", clean(&part.name), part.kind.word()));
    }
    sentences.join(" ")
}
