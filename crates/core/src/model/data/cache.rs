//! What a cache is.

use crate::engine::time::Nanos;
use crate::model::cache::Policy;
use crate::model::distribution::Distribution;
use crate::model::step::Step;

/// A cache.
#[derive(Debug, Clone)]
pub struct CachePlan {
    /// Its name in the file.
    pub name: String,
    /// Whether every instance of its callers has one of its own; otherwise it is a service.
    pub local: bool,
    /// How much each of its instances holds (items or bytes).
    pub capacity: u64,
    /// About how many items that is.
    pub items: u64,
    /// The size of an item [bytes], if the capacity is in bytes.
    pub size: Option<Distribution>,
    /// The mean size of an item [bytes]; 0 if nothing is held.
    pub item: f64,
    /// Who goes when room is needed.
    pub eviction: Policy,
    /// How long an item is good [ns].
    pub ttl: Option<Nanos>,
    /// Whether every hit starts the time to live anew.
    pub sliding: bool,
    /// By which part of itself the time to live varies at most, either way.
    pub jitter: f64,
    /// How long an expired item is still given while it is fetched anew [ns].
    pub stale: Nanos,
    /// In which last part of its time to live an item that is asked for is fetched anew.
    pub early: f64,
    /// Whether only one fetches an item that is missing, while others wait for it.
    pub single_flight: bool,
    /// The tier below, which takes what is evicted.
    pub lower: Option<u32>,
    /// Which part of the capacity is there at the start: the items with the lowest numbers.
    pub preload: f64,
    /// The share of hits, if that is all that is known.
    pub ratio: Option<f64>,
    /// Whether all requests are recorded and compared with the best possible.
    pub bound: bool,
    /// What looking up costs where it happens in the caller; empty for a cache that is a service.
    pub get: Vec<Step>,
    /// What storing costs there.
    pub set: Vec<Step>,
    /// The set of items that it holds copies of.
    pub dataset: u32,
}

impl CachePlan {
    /// The memory that a full one takes [bytes].
    pub fn bytes(&self) -> u64 {
        if self.size.is_some() { self.capacity } else { (self.items as f64 * self.item) as u64 }
    }
}
