//! What a queue is.

use crate::model::queue::GroupPlan;

/// A queue.
#[derive(Debug, Clone)]
pub struct QueuePlan {
    /// Its name in the file.
    pub name: String,
    /// How many messages may wait for its slowest group.
    pub limit: u32,
    /// What happens to a message when so many wait.
    pub when_full: WhenFull,
    /// Its groups of consumers, as numbers of [`super::Parts::groups`].
    pub groups: std::ops::Range<u32>,
}

/// What happens to a message that finds its queue full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// The publisher waits for room.
    #[default]
    Block,
    /// The publisher fails.
    Reject,
    /// The new message is thrown away; the publisher does not notice.
    DropNewest,
    /// The oldest message is thrown away.
    DropOldest,
}

/// A group of consumers: who they are, and how they consume.
#[derive(Debug, Clone)]
pub struct ConsumerPlan {
    /// Its name: that of the queue, a dot, and its own.
    pub name: String,
    /// Its queue.
    pub queue: u32,
    /// The service whose instances are its members.
    pub service: u32,
    /// How it consumes.
    pub group: GroupPlan,
}
