//! Steps that touch the state of caches, databases and queues.

use crate::engine::Nanos;
use crate::model::program::Place;

/// A step, with the numbers of the parts that it touches.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone)]
pub enum DataStep {
    /// Ask a cache at the own instance for the request's item; the answer goes back with the reply.
    Ask { cache: u32 },
    /// Note that a cache could not be asked.
    Missed { cache: u32 },
    /// Note a hit or a miss by chance. `salt` keys the draw.
    Chance { cache: u32, salt: u64 },
    /// Go on at `hit` if the last asked cache had the item; start the code at `refresh` beside if it is to be fetched anew.
    Test { cache: u32, hit: Place, refresh: Option<Place> },
    /// Fetch alone: wait for another who fetches the same item for the same cache, and go on at `hit` with what it brings.
    Board { cache: u32, hit: Place, waiting: u32 },
    /// Let those go on who waited for this fetch.
    Land { cache: u32 },
    /// Put the item into the cache at the own instance. `salt` keys draws of its size and time to live.
    Fill { cache: u32, salt: u64 },
    /// Take the item out of the cache at the own instance.
    Drop { cache: u32 },
    /// Note that the item of a cache without a database has changed.
    Change { dataset: u32 },
    /// Run the code at `drop` at every instance that has this cache; the own one at once.
    Spread { cache: u32, drop: Place },
    /// Mark the item at the own instance as changed and not yet written; start the code at `flush` beside unless it waits already.
    Soil { cache: u32, flush: Place },
    /// Go on if the item is still marked as changed, else at `past`.
    Wash { cache: u32, past: Place },
    /// Hand a message to a queue; by a relay at multiples of `every`, if that is not 0 [ns]. Waiting for room and for the result
    /// is booked to these accounts.
    Publish { queue: u32, wait: bool, every: Nanos, room: u32, result: u32 },
    /// A statement begins.
    Snapshot { database: u32 },
    /// A write gets its version; the own node has it at once unless it goes `everywhere` alike.
    Commit { database: u32, everywhere: bool },
    /// Run the code beside that brings a write to another node.
    Ship { place: Place },
    /// A write is answered.
    Acknowledge { database: u32 },
    /// A read ends: at the own node, or with what other nodes answered.
    Judge { database: u32, own: bool },
    /// A write arrives at the own node.
    Apply { database: u32 },
    /// The own node answers a read.
    Fetch { database: u32 },
    /// The items of a batch belong to their new shard.
    Move { database: u32 },
    /// Hold the lock of the item's row or of the table at the own node; waiting is booked to `account`.
    Lock { database: u32, table: bool, account: u32 },
    /// Give it back.
    Unlock { database: u32, table: bool },
    /// Let a loop run once for every message of the batch.
    Rounds { depth: u8 },
}
