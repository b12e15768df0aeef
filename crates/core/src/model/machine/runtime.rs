//! How an instance runs requests, as written in a model file.
//!
//! Sources: Go's scheduler and its stacks of 2 KiB (runtime `stack.go`, `_StackMin = 2048`); threads of 8 MiB are the default
//! of Linux (`ulimit -s`); event loops as in Node.js, "Don't block the event loop" (nodejs.org).

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Bytes;

/// How an instance runs requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeSpec {
    /// Workers of each instance: a request holds one from its start to its reply; further requests wait.
    Workers(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// One loop on one core: what computes blocks everything else at the instance, in order of arrival; what waits does not.
    EventLoop,
    /// A light task for each request, as many as come, on the machine's cores.
    Goroutines(Goroutines),
    /// A thread of the operating system for each request.
    Threads(Threads),
    /// Named pools of workers; a `pool` step says which steps hold a worker of which pool. What is outside of all pools runs
    /// without a limit.
    Pools(#[schemars(extend("minProperties" = 1))] IndexMap<String, PoolSpec>),
}

/// A light task for each request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goroutines {
    /// How many threads run them, so many compute at the same time at most (`GOMAXPROCS`); the machine's cores if left out. More
    /// than the cores there are only adds context switches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_procs: Option<u32>,
    /// The stack of each, part of the memory in use; 2 KiB if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Bytes>,
}

/// A thread for each request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threads {
    /// The most threads of an instance; further requests wait. Without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub limit: Option<u32>,
    /// The stack of each, part of the memory in use; 8 MiB if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Bytes>,
}

/// A named pool of workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PoolSpec {
    /// So many workers of each instance; any number waits for them.
    Size(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// Workers, and places in the queue for them.
    Full(PoolQueue),
}

/// A pool of workers and its queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolQueue {
    /// Workers of each instance.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub size: u32,
    /// How many may wait for a worker of one instance; those beyond are rejected. Without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub limit: Option<u32>,
}

impl PoolSpec {
    /// Workers of an instance.
    pub fn size(&self) -> u32 {
        match self {
            PoolSpec::Size(size) => *size,
            PoolSpec::Full(pool) => pool.size,
        }
    }

    /// Places in the queue; `u32::MAX` for no limit.
    pub fn limit(&self) -> u32 {
        match self {
            PoolSpec::Size(_) => u32::MAX,
            PoolSpec::Full(pool) => pool.limit.unwrap_or(u32::MAX),
        }
    }
}

/// The stack of a light task [B].
const TASK_STACK: u64 = 2 << 10;

/// The stack of a thread [B].
const THREAD_STACK: u64 = 8 << 20;

impl RuntimeSpec {
    /// Who holds a request from its start to its reply: the name of the station, and how many of them there are; `None` if
    /// nobody is needed.
    pub fn crew(&self) -> Option<(&'static str, u32)> {
        match self {
            RuntimeSpec::Workers(workers) => Some(("workers", *workers)),
            RuntimeSpec::Threads(threads) => threads.limit.map(|limit| ("threads", limit)),
            RuntimeSpec::EventLoop | RuntimeSpec::Goroutines(_) | RuntimeSpec::Pools(_) => None,
        }
    }

    /// The stack that each request takes while it runs [B].
    pub fn stack(&self) -> u64 {
        match self {
            RuntimeSpec::Goroutines(tasks) => tasks.stack.map_or(TASK_STACK, Bytes::as_u64),
            RuntimeSpec::Threads(threads) => threads.stack.map_or(THREAD_STACK, Bytes::as_u64),
            RuntimeSpec::Workers(_) | RuntimeSpec::EventLoop | RuntimeSpec::Pools(_) => 0,
        }
    }

    /// How many requests may compute at the same time, of so many cores.
    pub fn parallel(&self, cores: f64) -> f64 {
        match self {
            RuntimeSpec::EventLoop => cores.min(1.0),
            RuntimeSpec::Goroutines(Goroutines { max_procs: Some(limit), .. }) => cores.min(f64::from(*limit)),
            _ => cores,
        }
    }

    /// How many threads of the operating system at most want a core at the same time, of so many cores.
    pub fn threads(&self, cores: f64) -> f64 {
        match self {
            RuntimeSpec::EventLoop => 1.0,
            RuntimeSpec::Goroutines(tasks) => tasks.max_procs.map_or(cores, f64::from),
            _ => f64::INFINITY,
        }
    }

    /// Whether the cores are given in order of arrival.
    pub fn in_order(&self) -> bool {
        matches!(self, RuntimeSpec::EventLoop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_loop_has_one_core_and_tasks_as_many_as_they_may() {
        assert_eq!(RuntimeSpec::EventLoop.parallel(8.0), 1.0);
        assert_eq!(RuntimeSpec::EventLoop.parallel(0.5), 0.5);
        let tasks = |max_procs| RuntimeSpec::Goroutines(Goroutines { max_procs, stack: None });
        assert_eq!([None, Some(4), Some(16)].map(|limit| tasks(limit).parallel(8.0)), [8.0, 4.0, 8.0]);
    }

    #[test]
    fn a_task_takes_2_kib_and_a_thread_8_mib() {
        let threads = RuntimeSpec::Threads(Threads { limit: None, stack: None });
        let stacks = [RuntimeSpec::Workers(8), RuntimeSpec::Goroutines(Goroutines::default()), threads];
        assert_eq!(stacks.map(|runtime| runtime.stack()), [0, 2048, 8_388_608]);
    }
}
