//! The memory of an instance, as written in a model file.
//!
//! Sources: what happens at the limit is what Linux' out-of-memory killer does to a container (`memory.max`, `memory.oom.group`
//! in `Documentation/admin-guide/cgroup-v2.rst`): the process is killed, and Kubernetes starts it again. The stop-the-world
//! collector that runs whenever so much was allocated is the young generation of R. Jones, A. Hosking, E. Moss, *The Garbage
//! Collection Handbook* (2011), ch. 9.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::distribution::Random;
use crate::quantity::{Bytes, Duration};

/// What takes memory at an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// What the process takes without any request; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Bytes>,
    /// What each request holds from its arrival to its end, waiting included, stacks of the runtime not included; 0 if left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_request: Option<Random<Bytes>>,
    /// What each worker of the runtime takes, busy or not; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_worker: Option<Bytes>,
    /// What is never given back; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<LeakSpec>,
    /// What happens when more is asked for than the machine has; `{ kill: {} }` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_limit: Option<AtLimit>,
    /// A garbage collector that stops everything while it works; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garbage_collector: Option<CollectorSpec>,
}

/// A leak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakSpec {
    /// What every request leaves behind at its end; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_request: Option<Bytes>,
    /// What leaks in every second, whatever happens; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<Bytes>,
}

/// What happens when more memory is asked for than there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// The process is killed and starts again: all that is in flight there fails, all that is in memory is lost.
    Kill(KillSpec),
    /// The request that asked for it is rejected.
    Refuse,
    /// Memory is paged to a disk: everything gets slower, the more the larger the part that does not fit.
    Swap(SwapSpec),
}

/// Killed, and started again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KillSpec {
    /// Time until the process serves again; 10 s if left out, the first delay of Kubernetes' back-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Duration>,
}

impl KillSpec {
    /// Time until the process serves again.
    pub fn restart(&self) -> Duration {
        self.restart.unwrap_or(Duration::from_nanos(10_000_000_000))
    }
}

/// Paged to a disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapSpec {
    /// How many times as long CPU work would take if nothing were in memory; with the part x of all memory on disk it takes
    /// 1 + x·(slowdown − 1) times as long. 100 if left out: a page from an SSD (100 us) for about each microsecond of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub slowdown: Option<f64>,
}

impl SwapSpec {
    /// See `slowdown`.
    pub fn slowdown(&self) -> f64 {
        self.slowdown.unwrap_or(100.0)
    }
}

/// A garbage collector that stops the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectorSpec {
    /// What each request allocates in all.
    pub allocated: Random<Bytes>,
    /// How much is allocated from one collection to the next: the heap, less what lives on.
    pub heap: Bytes,
    /// How long a collection stops the CPU.
    pub pause: Random<Duration>,
}
