//! Links: what lies between the parts of a system, as written in a model file, and which link a call goes over.
//!
//! A message goes through the sender's network card, the link, and the receiver's network card at the same time; with the last byte through the slowest
//! of them it is on its way, and arrives after the link's latency. Requests and replies go over the same link, each way on its own.
//!
//! Sources. Jitter: evenly spread around the latency, as `tc-netem(8)` does without a distribution table. Loss: a lost message is
//! sent again after a retransmission timeout of 200 ms, twice as long each time (the minimum and the doubling of Linux,
//! `TCP_RTO_MIN` in `include/net/tcp.h` and RFC 6298, 5.5), at most 120 s (`TCP_RTO_MAX`); after 15 times it is given up
//! (`tcp_retries2`).

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::{Distribution, Random};
use super::program::Place;
use crate::engine::time::Nanos;
use crate::quantity::{Bandwidth, Duration, Share};

/// How long Linux waits at least before it sends again [ns].
pub const RETRANSMISSION: Nanos = 200_000_000;

/// The longest wait before sending again [ns].
pub const LONGEST_RETRANSMISSION: Nanos = 120_000_000_000;

/// How often a message is sent again before it is given up.
pub const RETRANSMISSIONS: u16 = 15;

/// A link between two parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// How long a message is on its way, one way; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Random<Duration>>,
    /// How far the latency lies from the above at most, evenly spread; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Duration>,
    /// The share of messages that are lost and have to be sent again; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Share>,
    /// How long the sender waits before it sends a lost message again; twice as long each further time; 200 ms if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmit: Option<Duration>,
    /// How much data passes in each direction, shared among all messages; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
}

/// The links of a model, by name: `default`, or `one -> other` between clients, services, zones or regions.
pub type LinkSpecs = IndexMap<String, LinkSpec>;

/// A link, ready for use.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkPlan {
    /// As written, `network` for the default.
    pub name: String,
    /// One way [ns].
    pub latency: Distribution,
    /// Half the width of the spread around it [ns].
    pub jitter: f64,
    /// The probability that a message is lost.
    pub loss: f64,
    /// The first wait before sending again [ns].
    pub retransmit: Nanos,
    /// Time per byte [ns]; `None` without a limit.
    pub nanos_per_byte: Option<f64>,
    /// Keys the draws.
    pub salt: u64,
    /// The account of time on the way.
    pub account: u32,
    /// The account of waits before sending again.
    pub retransmission: u32,
    /// The account of waiting for bandwidth.
    pub waiting: u32,
}

/// The network card of each instance of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nic {
    /// Its sharing stations: out and in.
    pub slots: [u16; 2],
    /// Time per byte [ns].
    pub nanos_per_byte: f64,
    /// The accounts of waiting: out and in.
    pub waiting: [u32; 2],
}

/// Which link a call goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The zone of the caller if it is a client, which has no instances.
    pub client: Option<u16>,
    /// Per zone of the caller and zone of the callee: the link.
    pub links: Vec<u32>,
}

/// All that lies between the parts of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NetworkPlan {
    /// Where the code of a request's way begins, and that of a reply's.
    pub code: [Place; 2],
    /// The links.
    pub links: Vec<LinkPlan>,
    /// How many zones there are; those without a zone are in one of their own.
    pub zones: u16,
    /// Per service: the zones of its instances, in turn.
    pub placement: Vec<Vec<u16>>,
    /// Per service: its network card.
    pub nics: Vec<Option<Nic>>,
    /// Per site of the program: the links.
    pub routes: Vec<Route>,
}

impl NetworkPlan {
    /// The zone of an instance of a service.
    pub fn zone(&self, service: u32, number: u32) -> u16 {
        let zones = &self.placement[service as usize];
        zones[number as usize % zones.len()]
    }
}

/// Finds the link between two ends, each with its names from the most to the least particular one. A link that is written for one
/// direction holds for the other too unless that has its own.
pub fn find<'a>(links: &'a LinkSpecs, from: &[&str], to: &[&str]) -> Option<(usize, &'a str)> {
    for one in from {
        for other in to {
            let is = |name: &str, a: &str, b: &str| ends(name).is_some_and(|ends| ends == (a, b));
            let direct = links.keys().position(|name| is(name, one, other));
            let found = direct.or_else(|| links.keys().position(|name| is(name, other, one)));
            if let Some((number, (name, _))) = found.and_then(|number| Some((number, links.get_index(number)?))) {
                return Some((number, name));
            }
        }
    }
    links.get_full("default").map(|(number, name, _)| (number, name.as_str()))
}

/// The two ends of a link's name; `None` if it is not of the form `one -> other`.
pub fn ends(name: &str) -> Option<(&str, &str)> {
    name.split_once("->").map(|(one, other)| (one.trim(), other.trim()))
}

/// The region of a zone such as `eu/a`.
pub fn region(zone: &str) -> &str {
    zone.split_once('/').map_or(zone, |(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(names: &[&str]) -> LinkSpecs {
        names.iter().map(|name| ((*name).to_owned(), LinkSpec::default())).collect()
    }

    fn found<'a>(links: &'a LinkSpecs, from: &[&str], to: &[&str]) -> &'a str {
        find(links, from, to).map_or("none", |(_, name)| name)
    }

    #[test]
    fn the_most_particular_link_is_taken() {
        let links = links(&["default", "eu -> us", "shop -> db", "eu/a -> eu/b"]);
        assert_eq!(found(&links, &["shop", "eu/a", "eu"], &["db", "us/a", "us"]), "shop -> db");
        assert_eq!(found(&links, &["web", "eu/a", "eu"], &["db", "us/a", "us"]), "eu -> us");
        assert_eq!(found(&links, &["web", "us/a", "us"], &["db", "eu/a", "eu"]), "eu -> us", "both directions");
        assert_eq!(found(&links, &["web", "eu/b", "eu"], &["db", "eu/a", "eu"]), "eu/a -> eu/b");
        assert_eq!(found(&links, &["web", "eu/a", "eu"], &["db", "eu/a", "eu"]), "default");
    }

    #[test]
    fn a_direction_may_have_its_own_link_and_without_a_default_there_may_be_none() {
        let links = links(&["a->b", "b -> a"]);
        assert_eq!(found(&links, &["a"], &["b"]), "a->b");
        assert_eq!(found(&links, &["b"], &["a"]), "b -> a");
        assert_eq!(found(&links, &["a"], &["c"]), "none");
    }

    #[test]
    fn a_zone_belongs_to_the_region_before_its_slash() {
        assert_eq!((region("eu/a"), region("eu")), ("eu", "eu"));
    }
}
