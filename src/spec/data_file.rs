//! Caches, databases and queues in the model file.
//!
//! Each is a service with parts added: what can be written at a service can be written here.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model_file::ServiceSpec;
use crate::model::cache::Policy;
use crate::model::data::{Reads, WhenFull};
use crate::model::distribution::Random;
use crate::model::step::Step;
use crate::quantity::{Bytes, Duration, Share};

/// A cache: a service that holds copies of items, or a part of every instance that asks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CacheSpec {
    /// How many items each of its instances holds; or give `bytes`, or only `hit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub items: Option<u32>,
    /// How many bytes of items each of its instances holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// The size of an item, the same whenever it is fetched; 1 KiB if left out. With `items`, only its mean counts, for the memory
    /// that the cache takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Random<Bytes>>,
    /// The share of requests that find their item, if that is all that is known. Then nothing is held and keys do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<Share>,
    /// Which item goes when room is needed; `lru` if left out.
    #[serde(default)]
    pub eviction: Policy,
    /// How long an item is good after it was fetched; for ever if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// Whether every hit starts the time to live anew; it does not if left out.
    #[serde(default)]
    pub sliding: bool,
    /// By how much of itself the time to live varies at most, up or down, so that items do not expire together; not at all if
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Share>,
    /// For how long an expired item is still given, while one of those who ask for it fetches it anew beside; not at all if left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_while_revalidate: Option<Duration>,
    /// In which last part of its time to live an item that is asked for is fetched anew beside; in none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_early: Option<Share>,
    /// Whether, of those who miss the same item, one fetches and the others wait for what it brings.
    #[serde(default)]
    pub single_flight: bool,
    /// Whether every instance of its callers has a cache of its own, in its memory. Otherwise the cache is a service that is
    /// called, with the items spread over its instances by their keys.
    #[serde(default)]
    pub local: bool,
    /// The cache below: it takes what is evicted here and is asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<String>,
    /// How full it is at the start, with the items with the lowest numbers, which are the most popular ones; empty if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preload: Option<Share>,
    /// The database whose items it holds copies of; the only one if there is one. Decides which hits are stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Whether all requests are recorded and compared with Belady's optimum of one cache as large as all instances together.
    /// Takes 4 bytes per request.
    #[serde(default)]
    pub bound: bool,
    /// What looking an item up costs; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub get: Vec<Step>,
    /// What storing or dropping an item costs; the same as `get` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Vec<Step>>,
    /// The service that it is, if it is not `local`.
    #[serde(flatten)]
    pub service: ServiceSpec,
}

/// The data parts of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataSpec {
    /// Caches, by name. Operations ask them with `cache` steps.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub caches: IndexMap<String, CacheSpec>,
    /// Databases, by name. Operations call theirs.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub databases: IndexMap<String, DatabaseSpec>,
    /// Queues, by name. Operations hand messages to them with `publish` steps.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub queues: IndexMap<String, BrokerSpec>,
}

/// A queue: a service that takes messages and hands them to groups of consumers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BrokerSpec {
    /// How many messages may wait for the slowest group; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub limit: Option<u32>,
    /// What happens to a message when the queue is full; the publisher waits (`block`) if left out.
    #[serde(default)]
    pub when_full: WhenFull,
    /// Partitions of a log: messages about one item stay in order, each partition is processed by one member of a group, one
    /// batch at a time. Without it the queue is a work queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub partitions: Option<u32>,
    /// Whether every instance of a consuming service gets every message (publish and subscribe, without storage for instances
    /// that are down), rather than one of them.
    #[serde(default)]
    pub fan_out: bool,
    /// How many levels of priority the queue knows; 1 if left out. Messages have the priority of their request.
    #[serde(default = "one_level")]
    #[schemars(range(min = 1, max = 16))]
    pub priorities: u8,
    /// After how long a message that waits is thrown away; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Duration>,
    /// What taking a message in costs the broker; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Step>,
    /// What handing a batch out costs the broker; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliver: Vec<Step>,
    /// Who consumes, by name of the group. Every group gets every message.
    #[schemars(extend("minProperties" = 1))]
    pub consumers: IndexMap<String, ConsumerSpec>,
    /// The service that the broker is.
    #[serde(flatten)]
    pub service: ServiceSpec,
}

fn one_level() -> u8 {
    1
}

/// A group of consumers: the instances of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSpec {
    /// The operation that processes a message or a batch, as `service.operation`.
    pub call: String,
    /// How many messages or batches each instance processes at once; 1 if left out.
    #[serde(default = "one_at_once")]
    #[schemars(range(min = 1, max = 100_000))]
    pub concurrency: u32,
    /// Process several messages together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSpec>,
    /// When a message is acknowledged; `after` it was processed if left out.
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// After how long a message that is still being processed is handed to another consumer as well; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility_timeout: Option<Duration>,
    /// How often a message is tried before it is a dead letter; again and again if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub attempts: Option<u16>,
    /// How long a message that failed is held back; not at all if left out. Partitions, which keep their order, try again at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// How long the consumer waits for its operation; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long nothing is processed when an instance comes or goes and its partitions move; 3 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebalance: Option<Duration>,
    /// Fetch messages into the memory of the instances before they are processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<BufferSpec>,
}

fn one_at_once() -> u32 {
    1
}

/// When a message is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledge {
    /// When it was processed: at least once.
    #[default]
    After,
    /// When it is taken: at most once.
    Before,
}

/// Processing several messages together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchSpec {
    /// The most messages of a batch; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub size: Option<u32>,
    /// How long the first message waits for others before the batch begins although it is not full; not at all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// Whether batches begin at multiples of `every` only, full or not, with all that waits then.
    #[serde(default)]
    pub ticks_only: bool,
}

/// The memory of instances for messages that they fetched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BufferSpec {
    /// How many messages a fetch brings at most; 500 if left out, as Kafka's `max.poll.records`.
    #[serde(default = "records")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub fetch: u32,
    /// The time between fetches.
    pub every: Duration,
    /// The number of messages at which fetching pauses; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_at: Option<u32>,
    /// The number of messages at which it goes on; half of `pause_at` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<u32>,
    /// The memory for messages; when it is full, the instance dies. Without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// The size of a message in memory; 1 KiB if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Bytes>,
    /// How long an instance that died takes to come back; 10 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Duration>,
}

fn records() -> u32 {
    500
}

/// A database: a service of shards and replicas whose operations read or write the request's item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// How many shards the items are spread over; 1 if left out.
    #[serde(default = "one_shard")]
    #[schemars(range(min = 1, max = 10_000))]
    pub shards: u32,
    /// Which shard has an item; `modulo` if left out.
    #[serde(default)]
    pub sharding: Sharding,
    /// Copies of every shard, beside its primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicasSpec>,
    /// Nodes without a primary: every write goes to all nodes of a shard, and so many of them must answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumSpec>,
    /// What becomes of a write that had not seen the newest version of its item; it wins (`last_writer_wins`) if left out.
    #[serde(default)]
    pub conflicts: Conflicts,
    /// How many statements a node works on at once; more are refused unless `queue` says that they wait. Without limit if left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: Option<u32>,
    /// What happens when a primary is down; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverSpec>,
    /// Cuts the nodes of every shard in two for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<PartitionSpec>,
    /// What opening a connection costs the node, before every statement; nothing if left out, since callers keep theirs open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connect: Vec<Step>,
    /// Adds shards while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reshard: Option<ReshardSpec>,
    /// How much data there is; only to see whether it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<AmountSpec>,
    /// The service that it is: machine, balancer and so on are those of each node.
    #[serde(flatten)]
    pub service: ServiceSpec,
}

fn one_shard() -> u32 {
    1
}

/// Which shard has an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharding {
    /// The remainder of its hash.
    #[default]
    Modulo,
    /// The next point of a shard on a ring.
    Ring(RingSpec),
    /// Its number: neighbours stay together.
    Range(RangeSpec),
    /// A table of runs of items.
    Directory(Vec<RunSpec>),
}

/// A ring of shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RingSpec {
    /// Points of every shard on the ring; 100 if left out.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 100_000))]
    pub virtual_nodes: u32,
}

fn hundred() -> u32 {
    100
}

/// Ranges of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeSpec {
    /// How many items there are; every shard has an equal run of them.
    #[schemars(range(min = 1))]
    pub items: u32,
}

/// A run of items in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The first item behind the run.
    pub before: u32,
    /// Its shard, from 0.
    pub shard: u32,
}

/// Copies of a primary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicasSpec {
    /// How many, beside the primary.
    #[schemars(range(min = 1, max = 100))]
    pub count: u32,
    /// When a write is answered; `async` if left out.
    #[serde(default)]
    pub replication: Replication,
    /// How long a write takes to each replica, independently; 0 s if left out. A read sees the newest version that has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Random<Duration>>,
    /// Where reads go; `primary` if left out.
    #[serde(default)]
    pub reads: Reads,
    /// What a replica does with a write; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<Step>,
}

/// When a write is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// When the primary has it.
    #[default]
    Async,
    /// When one replica has it too.
    SemiSync,
    /// When all replicas have it too.
    Sync,
}

/// Nodes without a primary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuorumSpec {
    /// Nodes of every shard.
    #[schemars(range(min = 1, max = 100))]
    pub nodes: u32,
    /// How many must have a write.
    #[schemars(range(min = 1, max = 100))]
    pub write: u32,
    /// How many must answer a read; the newest of their versions counts.
    #[schemars(range(min = 1, max = 100))]
    pub read: u32,
    /// How long a write takes to each node; 0 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_delay: Option<Random<Duration>>,
    /// How long its acknowledgment takes back; 0 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge_delay: Option<Random<Duration>>,
    /// How long a read takes to each node; 0 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_delay: Option<Random<Duration>>,
    /// How long its answer takes back; 0 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_delay: Option<Random<Duration>>,
    /// Which node coordinates a request; `any` if left out, or `nearest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<Reads>,
    /// What a node does with a write; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apply: Vec<Step>,
    /// What a node does for a read; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch: Vec<Step>,
}

/// What becomes of a write that had not seen the newest version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conflicts {
    /// It overwrites what it had not seen: an update is lost.
    #[default]
    LastWriterWins,
    /// Both are kept, as with conflict-free replicated data types.
    Merge,
}

/// Another node becomes the primary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailoverSpec {
    /// How long it takes to notice that the primary is down.
    pub detection: Duration,
    /// How long it takes to agree on another one.
    pub election: Duration,
}

/// Nodes that cannot reach each other for a while. Clients reach all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// When it begins.
    pub at: Duration,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasting: Duration,
    /// How many nodes of every shard are cut off from the others: the last ones.
    #[schemars(range(min = 1, max = 100))]
    pub nodes: u32,
}

/// Adds shards to a running database: the items whose shard changes are read at the old one, sent, and written at the new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReshardSpec {
    /// When the movement begins.
    pub at: Duration,
    /// How many shards there are afterwards.
    #[schemars(range(min = 2, max = 10_000))]
    pub shards: u32,
    /// How many items there are: those with the numbers below it.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub items: u32,
    /// The size of an item; 1 KiB if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    /// How many items move together; 1,000 if left out.
    #[serde(default = "thousand")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub batch: u32,
    /// How many batches are under way at once; 1 if left out.
    #[serde(default = "one_at_once")]
    #[schemars(range(min = 1, max = 1000))]
    pub movers: u32,
    /// How long a mover rests after each batch, so that the movement leaves room for requests; not at all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Random<Duration>>,
    /// What giving a batch costs the old shard; reading it from the disk in one go, if the machine has one, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<Vec<Step>>,
    /// What taking a batch costs the new shard; writing it to the disk in one go, if the machine has one, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Vec<Step>>,
}

fn thousand() -> u32 {
    1000
}

/// How much data there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountSpec {
    /// Items.
    pub items: u64,
    /// The size of one, on average.
    pub item: Bytes,
    /// What a node can hold; if left out, it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Bytes>,
}
