//! Data: what caches, databases and queues are, checked and ready to be simulated.
//!
//! A cache, a database, a queue is a service with parts added. The service does the work and can be slow, full or down; what is
//! described here is the state behind it. Steps that touch the state are compiled to one kind of instruction with a number into
//! [`Parts::steps`].

pub mod cache;
pub mod database;
pub mod queue;
pub mod reshard;
pub mod step;

pub use cache::CachePlan;
pub use database::{DatabasePlan, Placement, Reads, STICKY};
pub use queue::{ConsumerPlan, QueuePlan, WhenFull};
pub use reshard::{MovedBatch, Resharding};
pub use step::DataStep;

use std::collections::BTreeMap;

use crate::model::program::Route;

/// The data parts of a model, and the steps that touch them.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The databases, in the order of the file.
    pub databases: Vec<DatabasePlan>,
    /// Operations of databases: the database, and whether it writes.
    pub routes: BTreeMap<u32, (u32, bool)>,
    /// The caches, in the order of the file.
    pub caches: Vec<CachePlan>,
    /// The queues, in the order of the file.
    pub queues: Vec<QueuePlan>,
    /// The groups of consumers of all queues, queue by queue.
    pub groups: Vec<ConsumerPlan>,
    /// Sets of items that change: whose newest version is known. Those of databases first.
    pub datasets: u32,
    /// The steps.
    pub steps: Vec<DataStep>,
}

impl Parts {
    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many databases there are; their sets of items come first.
    pub fn databases(&self) -> u32 {
        self.databases.len() as u32
    }

    /// How the instance for a call of an operation is chosen.
    pub fn route(&self, operation: u32) -> Route {
        match self.routes.get(&operation) {
            Some(&(database, write)) => Route::Database { database, write },
            None => Route::Balanced,
        }
    }

    /// The number of a queue.
    pub fn queue(&self, name: &str) -> Option<u32> {
        self.queues.iter().position(|plan| plan.name == name).map(|number| number as u32)
    }

    /// The number of a cache.
    pub fn cache(&self, name: &str) -> Option<u32> {
        self.caches.iter().position(|plan| plan.name == name).map(|number| number as u32)
    }
}
