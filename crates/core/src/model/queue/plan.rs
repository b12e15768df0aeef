//! What a group of consumers is.

use crate::engine::Nanos;

/// How the messages of a group wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// Together; any member takes the next one.
    Shared,
    /// In so many partitions, by key; each is processed in order by one member.
    Partitions(u32),
    /// Once for every member; a member that is down misses them.
    Each,
}

/// A member's own memory for messages that it fetched and has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// How many messages a fetch brings at most.
    pub fetch: u32,
    /// The distance of fetches [ns].
    pub every: Nanos,
    /// Fetching stops at this many messages.
    pub pause_at: u32,
    /// It goes on at this many.
    pub resume_at: u32,
    /// How many fit into memory; one more and the member dies.
    pub room: u64,
    /// How long a dead member takes to come back [ns].
    pub restart: Nanos,
}

/// A group of consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPlan {
    /// How messages wait.
    pub lanes: Lanes,
    /// Levels of priority; 1 if priorities do not matter.
    pub levels: u8,
    /// Members: instances of the consuming service.
    pub members: u32,
    /// Messages, or batches, that a member processes at once.
    pub slots: u32,
    /// The most messages that are processed together.
    pub batch: u32,
    /// How long the first message of a batch waits for others [ns].
    pub linger: Nanos,
    /// Whether batches begin at multiples of `linger` only, with all that wait then, however many or few.
    pub ticks: bool,
    /// Whether a message is acknowledged when it is taken: at most once.
    pub early: bool,
    /// After how long a message that is being processed is given to another as well [ns].
    pub visibility: Option<Nanos>,
    /// How often a message is tried before it is dead; 0 for ever.
    pub tries: u16,
    /// How long a message that failed is held back [ns].
    pub hold: Nanos,
    /// After how long a message that waits is thrown away [ns].
    pub retention: Option<Nanos>,
    /// How long nothing is processed when members come or go [ns]; partitions only.
    pub pause: Nanos,
    /// The members' own memory for messages.
    pub buffer: Option<Buffer>,
}

impl GroupPlan {
    /// A group with a shared lane that processes messages one by one.
    pub fn plain(members: u32, slots: u32) -> Self {
        GroupPlan {
            lanes: Lanes::Shared,
            levels: 1,
            members,
            slots,
            batch: 1,
            linger: 0,
            ticks: false,
            early: false,
            visibility: None,
            tries: 0,
            hold: 0,
            retention: None,
            pause: 0,
            buffer: None,
        }
    }
}
