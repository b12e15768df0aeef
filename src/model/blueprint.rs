//! The blueprint: a model after checking and compiling, ready to be simulated any number of times.

use super::arrival::Arrivals;
use super::balancer::Policy;
use super::batch::Schedule;
use super::channels::ChannelPlan;
use super::keys::Keys;
use super::locks::LockPlan;
use super::network::NetworkPlan;
use super::program::{Demand, Place, Program};
use super::station::{Contention, Pace, Quota, Sharing, SpacePlan, Switching};
use crate::engine::time::Nanos;

/// A whole model.
#[derive(Debug, Clone, Default)]
pub struct Blueprint {
    /// The code of all operations and clients.
    pub program: Program,
    /// The services, in the order of the file.
    pub services: Vec<Service>,
    /// The operations of all services, service by service.
    pub operations: Vec<Operation>,
    /// The clients, in the order of the file.
    pub clients: Vec<Client>,
    /// What lies between the parts; nothing if no time is lost there.
    pub network: Option<NetworkPlan>,
    /// What acts by itself at set times.
    pub agents: Vec<Agent>,
}

/// Something that acts by itself at set times: faults, controllers, timers.
#[derive(Debug, Clone, PartialEq)]
pub enum Agent {
    /// An instance dies, and comes back.
    Crash {
        /// Its service.
        service: u32,
        /// Its number within the service.
        instance: u32,
        /// When it dies [ns].
        at: Nanos,
        /// How long it is gone [ns]; for good if `None`.
        lasting: Option<Nanos>,
    },
    /// What happens by itself to the memory of an instance: leaks, collections, restarts.
    Memory {
        /// The service.
        service: u32,
        /// The instance's number within the service.
        instance: u32,
    },
    /// A neighbor on the host of an instance takes a part of its cores, now and then.
    Neighbor {
        /// The service.
        service: u32,
        /// The instance's number within the service.
        instance: u32,
        /// The slot of its CPU among the sharing stations.
        slot: u16,
        /// The speed that is left meanwhile.
        speed: f64,
        /// How long the neighbor is busy, and quiet.
        times: [Demand; 2],
    },
}

/// A service: instances that are alike, behind one balancer.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name in the file.
    pub name: String,
    /// How many instances run.
    pub instances: u32,
    /// The servers stations of every instance.
    pub servers: Vec<ServersPlan>,
    /// The sharing stations of every instance.
    pub sharing: Vec<SharingPlan>,
    /// The memory of every instance, if it is modeled.
    pub memory: Option<MemoryPlan>,
    /// What an instance costs [currency units/h].
    pub price: Option<f64>,
    /// The locks of every instance.
    pub locks: Vec<LockPlan>,
    /// The channels of every instance.
    pub channels: Vec<ChannelPlan>,
    /// Which instance gets a call.
    pub balancer: Policy,
}

impl Service {
    /// Names of the stations of an instance, in the order of their books: servers, sharing, locks, channels.
    pub fn station_names(&self) -> impl Iterator<Item = &str> {
        let servers = self.servers.iter().map(|plan| plan.name.as_str());
        let sharing = self.sharing.iter().map(|plan| plan.name.as_str());
        let locks = self.locks.iter().map(|plan| plan.name.as_str());
        servers.chain(sharing).chain(locks).chain(self.channels.iter().map(|plan| plan.name.as_str()))
    }

    /// How much an instance can do at once: its workers or cores, whichever is less; 1 if neither is limited.
    pub fn capacity(&self) -> f64 {
        let workers = self.servers.iter().filter(|plan| plan.name == "workers").map(|plan| f64::from(plan.slots));
        let cores = self.sharing.iter().filter(|plan| plan.name == "cpu").map(|plan| plan.lanes);
        let least = workers.chain(cores).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { 1.0 }
    }
}

/// The memory of every instance of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryPlan {
    /// How much there is, and what is always in use.
    pub space: SpacePlan,
    /// What happens when more is asked for.
    pub limit: Limit,
    /// A garbage collector.
    pub collection: Option<Collection>,
}

/// What happens when more memory is asked for than there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The process dies and begins anew after so long [ns].
    Kill {
        /// Time until it serves again [ns].
        restart: Nanos,
    },
    /// The request is rejected.
    Refuse,
    /// Work takes longer.
    Swap {
        /// How many times as long with nothing in memory.
        slowdown: f64,
    },
}

/// A garbage collector that stops the world.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Allocated from one collection to the next [B].
    pub heap: u64,
    /// How long one takes.
    pub pause: Demand,
}

/// A servers station that every instance of a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServersPlan {
    /// Its name within the service, such as `workers`.
    pub name: String,
    /// Slots of one instance.
    pub slots: u32,
    /// Places in the queue of one instance; `u32::MAX` for no limit.
    pub limit: u32,
}

/// A sharing station that every instance of a service has.
#[derive(Debug, Clone, PartialEq)]
pub struct SharingPlan {
    /// Its name within the service, such as `cpu`.
    pub name: String,
    /// Lanes (cores) of one instance.
    pub lanes: f64,
    /// What makes it slower than its lanes.
    pub pace: PacePlan,
}

impl SharingPlan {
    /// What it can do over a longer time [lanes].
    pub fn capacity(&self) -> f64 {
        self.pace.quota.map_or(self.lanes, |(cores, _)| self.lanes.min(cores))
    }

    /// Makes the station.
    pub fn build(&self) -> Sharing {
        let PacePlan { work, in_order, switching, contention, quota } = self.pace;
        let station = if !in_order && switching.is_none() && contention.is_none() && quota.is_none() {
            Sharing::new(self.lanes)
        } else {
            let quota = quota.map(|(cores, period)| Quota::new(cores, period));
            Sharing::with_pace(self.lanes, Pace::new(in_order, switching, contention, quota))
        };
        station.with_work(work)
    }
}

/// What makes a sharing station slower than its lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PacePlan {
    /// Work of the station for each unit of work that is asked for: less than 1 for fast cores.
    pub work: f64,
    /// Whether lanes are given in order of arrival instead of being shared.
    pub in_order: bool,
    /// What changing from one job to another costs.
    pub switching: Option<Switching>,
    /// How jobs that run at once slow each other down.
    pub contention: Option<Contention>,
    /// A quota: cores, and the period [ns].
    pub quota: Option<(f64, Nanos)>,
}

impl Default for PacePlan {
    /// Nothing does.
    fn default() -> Self {
        PacePlan { work: 1.0, in_order: false, switching: None, contention: None, quota: None }
    }
}

/// An operation of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its service.
    pub service: u32,
    /// Its name within the service.
    pub name: String,
    /// Where its code begins.
    pub entry: Place,
}

/// A client: a source of requests.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name in the file.
    pub name: String,
    /// When requests come.
    pub traffic: Traffic,
    /// Where the code of its requests begins.
    pub entry: Place,
    /// Which data its requests are about.
    pub keys: Option<Keys>,
    /// How important its requests are: 0 is the most important.
    pub priority: u8,
}

/// How requests come.
#[derive(Debug, Clone)]
pub enum Traffic {
    /// From outside, whatever happens to those before.
    Open(Arrivals),
    /// From a fixed population: every user thinks, asks, waits for the answer, and thinks again.
    Closed {
        /// Number of users.
        users: u32,
        /// Think time [ns].
        think: Demand,
    },
    /// A fixed number of items, worked off from time 0 on.
    Batch {
        /// How many.
        items: u32,
        /// How many workers.
        workers: u32,
        /// Who does which.
        schedule: Schedule,
    },
}
