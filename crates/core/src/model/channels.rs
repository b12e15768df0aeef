//! Channels of a service's instances, as written in a model file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::program::Place;
use super::step::Step;

/// A channel of every instance of a service: items are sent by `send` steps and worked off by receivers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelSpec {
    /// How many items it holds beside those that receivers work on; 0 if left out: then a sender waits until a receiver takes its
    /// item.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub buffer: u32,
    /// What happens to a sender when there is no room; `block` if left out.
    #[serde(default)]
    pub when_full: WhenFull,
    /// How many receivers each instance has, each working on one item at a time; 1 if left out. With 0 nothing is ever received.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub receivers: u32,
    /// What a receiver does with an item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// What happens to a sender when a channel is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It waits until there is room.
    #[default]
    Block,
    /// It fails: its operation is rejected.
    Reject,
    /// Its item is thrown away; it goes on and does not know.
    Drop,
}

fn one() -> u32 {
    1
}

/// A channel that every instance of a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPlan {
    /// Its name within the service.
    pub name: String,
    /// How many items it holds beside those that receivers work on.
    pub buffer: u32,
    /// Receivers of each instance.
    pub receivers: u32,
    /// Where the receivers' code begins.
    pub entry: Place,
}

/// A `send` of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The channel, among those of an instance.
    pub channel: u16,
    /// What happens when it is full.
    pub when_full: WhenFull,
    /// Keys the item.
    pub salt: u64,
    /// The account of waiting.
    pub waiting: u32,
}
