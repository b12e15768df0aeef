//! The blueprint: a model after checking and compiling, ready to be simulated any number of times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrival::Arrivals;
use super::balancer::Policy;
use super::balancing::Balancing;
use super::batch::Schedule;
use super::channels::ChannelPlan;
use super::discipline::{QueueDiscipline, WhenFull};
use super::fault::FaultPlan;
use super::keys::Keys;
use super::life::FleetPlan;
use super::limiter::{Allow, Per};
use super::locks::LockPlan;
use super::network::NetworkPlan;
use super::nodes::NodePoolPlan;
use super::program::{Demand, Place, Program};
use super::resilience::limit::LimitSpec;
use super::resilience::shed::ShedSpec;
use super::slo::SloSpec;
use super::station::{Brake, Contention, Pace, Quota, Servers, Sharing, SpacePlan, Switching};
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
    /// The node pools, in the order of the file.
    pub pools: Vec<NodePoolPlan>,
    /// What acts by itself at set times.
    pub agents: Vec<Agent>,
    /// Per service: the account of what faults hold up; empty if there are none.
    pub fault_accounts: Vec<u32>,
    /// Where the code of a call begins that a fault lets fail.
    pub failing: Place,
}

impl Blueprint {
    /// Whether anything has a price.
    pub fn is_priced(&self) -> bool {
        self.services.iter().any(|service| service.price.is_some())
            || self.pools.iter().any(|pool| pool.price.is_some())
    }
}

/// Something that acts by itself at set times: faults, controllers, timers.
#[derive(Debug, Clone)]
pub enum Agent {
    /// A fault comes and goes.
    Fault(Box<FaultPlan>),
    /// What happens by itself to the memory of an instance: leaks, collections, restarts.
    Memory {
        /// The service.
        service: u32,
        /// The instance's number within the service.
        instance: u32,
    },
    /// Lets the instances of a service come and go.
    Steward {
        /// The service.
        service: u32,
    },
    /// Replaces the version of a service by a new one.
    Rollout {
        /// The service.
        service: u32,
    },
    /// Decides how many instances a service has.
    Autoscaler {
        /// The service.
        service: u32,
    },
    /// Orders nodes and gives them back.
    Provisioner {
        /// The node pool.
        pool: u32,
    },
    /// Decides how large the instances of a service are.
    Resizer {
        /// The service.
        service: u32,
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
    /// Its rate limits.
    pub limits: Vec<LimitPlan>,
    /// The locks of every instance.
    pub locks: Vec<LockPlan>,
    /// The channels of every instance.
    pub channels: Vec<ChannelPlan>,
    /// Which instance gets a call.
    pub balancer: Policy,
    /// When requests are turned away at the door of an instance.
    pub shed: Vec<ShedSpec>,
    /// How many requests an instance takes on at once.
    pub limit: Option<LimitSpec>,
    /// How many calls per second an instance answers; those beyond are refused as limited.
    pub quota: Option<f64>,
    /// The speeds of its instances compared with the machine; all 1 if empty, repeated if fewer than they.
    pub speeds: Vec<f64>,
    /// How its calls are balanced beside that.
    pub balancing: Balancing,
    /// How its instances come and go; they are always there if it is none. `instances` are then the places for them.
    pub fleet: Option<Box<FleetPlan>>,
}

impl Service {
    /// The speed of one of its instances.
    pub fn speed(&self, instance: u32) -> f64 {
        if self.speeds.is_empty() { 1.0 } else { self.speeds[instance as usize % self.speeds.len()] }
    }

    /// The sharing stations of one of its instances.
    pub fn build_sharing(&self, instance: u32) -> impl Iterator<Item = Sharing> {
        let speed = self.speed(instance);
        self.sharing.iter().map(move |plan| {
            let mut station = plan.build();
            if speed < 1.0 && plan.name == "cpu" {
                station.set_speed(0, Brake::Machine, speed);
            }
            station
        })
    }

    /// Names of the stations of an instance, in the order of their books: servers, sharing, locks, channels.
    pub fn station_names(&self) -> impl Iterator<Item = &str> {
        let servers = self.servers.iter().map(|plan| plan.name.as_str());
        let sharing = self.sharing.iter().map(|plan| plan.name.as_str());
        let locks = self.locks.iter().map(|plan| plan.name.as_str());
        servers.chain(sharing).chain(locks).chain(self.channels.iter().map(|plan| plan.name.as_str()))
    }

    /// How much an instance can do at once: its workers or cores, whichever is less; 1 if neither is limited.
    pub fn capacity(&self) -> f64 {
        let cores = self.sharing.iter().filter(|plan| plan.name == "cpu").map(|plan| plan.lanes);
        let least = cores.fold(self.workers(), f64::min);
        if least.is_finite() { least } else { 1.0 }
    }

    /// Whether the size of its instances changes while it runs.
    pub fn is_resized(&self) -> bool {
        self.fleet.as_ref().is_some_and(|fleet| fleet.vertical.is_some())
    }

    /// The workers of an instance; infinite if they are not limited.
    pub fn workers(&self) -> f64 {
        let workers = self.servers.iter().filter(|plan| plan.name == "workers").map(|plan| f64::from(plan.slots));
        workers.fold(f64::INFINITY, f64::min)
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
    /// It is paged to the disk.
    Swap {
        /// How many pages work touches, which are on disk as often as memory is [1/ns of CPU work].
        touches: f64,
    },
}

/// A garbage collector that stops the world, and may then work beside the requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Allocated from one collection to the next [B].
    pub heap: u64,
    /// How long it stops the world.
    pub pause: Demand,
    /// CPU time of its work after that, and the share of the cores it takes for it.
    pub concurrent: Option<(Demand, f64)>,
}

impl Service {
    /// Whether every attempt passes a gate.
    pub fn is_gated(&self) -> bool {
        !self.shed.is_empty() || self.limit.is_some() || self.quota.is_some()
    }
}

/// A servers station that every instance of a service has.
#[derive(Debug, Clone)]
pub struct ServersPlan {
    /// Its name within the service, such as `workers`.
    pub name: String,
    /// Slots of one instance.
    pub slots: u32,
    /// Places in the queue of one instance; `u32::MAX` for no limit.
    pub limit: u32,
    /// How many bytes of requests may wait; without limit if `None`.
    pub bytes: Option<u64>,
    /// The order of the queue.
    pub discipline: QueueDiscipline,
    /// What happens to those that find it full.
    pub when_full: WhenFull,
    /// How long one may wait [ns]; without limit if `None`.
    pub wait: Option<Demand>,
}

impl ServersPlan {
    /// Slots with a queue in order of arrival, which turns away what does not fit in.
    pub fn plain(name: &str, slots: u32, limit: u32) -> Self {
        let (discipline, when_full) = (QueueDiscipline::Fifo, WhenFull::Reject);
        ServersPlan { name: name.to_owned(), slots, limit, bytes: None, discipline, when_full, wait: None }
    }

    /// The station.
    pub fn build(&self) -> Servers {
        let mut station = Servers::new(self.slots, self.limit).ordered(&self.discipline, self.when_full);
        if let Some(bytes) = self.bytes {
            station = station.within_bytes(bytes);
        }
        if self.wait.is_some() { station.limiting_wait() } else { station }
    }
}

/// Whose requests a rate limit counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those at all instances of the service.
    #[default]
    Service,
    /// Those at one instance.
    Instance,
}

/// A rate limit of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitPlan {
    /// How much it allows.
    pub allow: Allow,
    /// Whose requests count together.
    pub per: Per,
    /// Where they do.
    pub scope: Scope,
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
    /// What somebody who comes does before going; a single request if there is none. Only with [`Traffic::Open`].
    pub visit: Option<Visit>,
    /// What its requests should be like in every period.
    pub slo: Option<SloSpec>,
}

/// The requests of somebody who comes from outside: one after the other, with pauses.
#[derive(Debug, Clone)]
pub struct Visit {
    /// How many; at least one.
    pub requests: Demand,
    /// The time between an answer and the next request [ns].
    pub think: Demand,
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
    /// From a queue, whenever a slot of a group of consumers begins a batch.
    Consumers {
        /// The group.
        group: u32,
        /// Its slots.
        slots: u32,
    },
    /// A fixed number of items, worked off as fast as it goes.
    Batch {
        /// How many.
        items: u32,
        /// How many workers.
        workers: u32,
        /// Who does which.
        schedule: Schedule,
        /// When they begin [ns].
        begins: Nanos,
        /// After how long an item that failed is tried again [ns]; it is not if `None`.
        again: Option<Nanos>,
    },
}

impl Traffic {
    /// How many users or workers make requests; one if they come from outside.
    pub fn users(&self) -> u32 {
        match self {
            Traffic::Open(_) => 1,
            Traffic::Closed { users, .. } => *users,
            Traffic::Consumers { slots, .. } => *slots,
            Traffic::Batch { workers, .. } => *workers,
        }
    }
}
