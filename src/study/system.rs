//! The system as a picture would show it: its parts, what each has room for, and who calls whom.
//!
//! It is recorded with the results, so that a report can draw the system without the model file. Points of an experiment whose
//! systems look alike share one map.

use serde::{Deserialize, Serialize};

use crate::quantity::Unit;
use crate::quantity::unit::display;

/// The parts of a system and their calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemMap {
    /// Clients first, then what answers them, in the order of the file.
    pub parts: Vec<Part>,
    /// Who calls whom; each pair once.
    pub calls: Vec<Calls>,
}

/// A client, a service, a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the file.
    pub name: String,
    /// What it is.
    pub kind: PartKind,
    /// How many instances run, at the start if that changes; 0 for a client.
    pub instances: u32,
    /// The fewest and the most that its autoscaler allows, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaled: Option<(u32, u32)>,
    /// Which instance gets a call, if there are several.
    pub balancer: Option<String>,
    /// Where its requests can wait.
    pub stations: Vec<Room>,
    /// What it does in a few words: how a client's requests come, what a service can be asked.
    pub about: String,
}

impl Part {
    /// Whether it has, or may come to have, several instances.
    pub fn is_several(&self) -> bool {
        self.instances > 1 || self.scaled.is_some_and(|(_, most)| most > 1)
    }

    /// How many instances, in words: `4`, `3 to 20`.
    pub fn count(&self) -> String {
        match self.scaled {
            Some((least, most)) => format!("{least} to {most}"),
            None => self.instances.to_string(),
        }
    }
}

/// What a part is: the section of the model file in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Sends requests.
    Client,
    /// Computes.
    Service,
    /// Keeps copies.
    Cache,
    /// Keeps data.
    Database,
    /// Keeps messages.
    Queue,
    /// Run by somebody else.
    Dependency,
}

impl PartKind {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            PartKind::Client => "client",
            PartKind::Service => "service",
            PartKind::Cache => "cache",
            PartKind::Database => "database",
            PartKind::Queue => "queue",
            PartKind::Dependency => "dependency",
        }
    }
}

/// A station that every instance of a part has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Its name within the part, such as `workers` or `cpu`.
    pub name: String,
    /// Slots, cores or bytes of one instance.
    pub capacity: f64,
}

/// The calls from one part to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The index of the calling part.
    pub from: usize,
    /// The index of the part that is called.
    pub to: usize,
    /// The operations that are called, in the order of the file.
    pub operations: Vec<String>,
}

impl SystemMap {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl Room {
    /// What it is in words: `64 workers`, `4 cores`.
    pub fn words(&self) -> String {
        match self.name.as_str() {
            "cpu" if self.capacity == 1.0 => "1 core".to_owned(),
            "cpu" => display(self.capacity, Unit::Cores),
            "memory" => format!("{} memory", display(self.capacity, Unit::Bytes)),
            name => format!("{} {name}", display(self.capacity, Unit::Count)),
        }
    }
}
