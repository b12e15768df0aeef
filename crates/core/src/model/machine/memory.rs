//! The memory of an instance, as written in a model file.
//!
//! Sources: what happens at the limit is what Linux' out-of-memory killer does to a container (`memory.max`, `memory.oom.group`
//! in `Documentation/admin-guide/cgroup-v2.rst`): the process is killed, and Kubernetes starts it again. Paging reads eight
//! pages of 4 KiB at once, Linux' `vm.page-cluster` (`Documentation/admin-guide/sysctl/vm.rst`), and writes as many first to make
//! room. The stop-the-world collector that runs whenever so much was allocated is the young generation of R. Jones, A. Hosking,
//! E. Moss, *The Garbage Collection Handbook* (2011), ch. 9; a concurrent one takes a quarter of the cores while it marks, as Go's
//! does (`gcBackgroundUtilization` in `src/runtime/mgcpacer.go`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::distribution::Random;
use crate::quantity::{Bytes, Duration, Rate, Share};

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
    /// What each open connection to an instance takes: those of the connection pools that calls to the service go through, and one
    /// for each user of a closed client, spread evenly over the instances; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_connection: Option<Bytes>,
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
    /// Memory is paged to the machine's disk: work reads and writes there, the more the larger the part that does not fit.
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
    /// How many pages `cpu` steps touch for each second of their work. With the part x of all memory on disk, x of them are
    /// there: for each, 32 KiB are written to make room and 32 KiB are read. 10000/s if left out: one in 100 us of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touches: Option<Rate>,
}

/// What is read, and before it written, for a page that is not in memory [B]: eight pages of 4 KiB.
pub const PAGED: u64 = 8 * 4096;

impl SwapSpec {
    /// See `touches` [1/ns].
    pub fn touches(&self) -> f64 {
        self.touches.map_or(10_000.0, Rate::per_second) / 1e9
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
    /// What a collection does beside the requests, after its pause; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<ConcurrentSpec>,
}

/// A garbage collector that works beside the requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrentSpec {
    /// CPU time of all its work for one collection, such as marking what lives.
    pub work: Random<Duration>,
    /// The share of the cores that it takes until that is done; 25 % if left out, Go's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl ConcurrentSpec {
    /// See `share`.
    pub fn share(&self) -> f64 {
        self.share.map_or(0.25, Share::fraction)
    }
}
