//! The model file: a system in the words of its users.
//!
//! These types are the format: their doc comments are the schema's descriptions, `deny_unknown_fields` its strictness.
//! What they mean is decided in [`super::resolve`].

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data_file::DataSpec;
use crate::model::arrival::ArrivalSpec;
use crate::model::autoscaler::AutoscalerSpec;
use crate::model::balancer::Policy;
use crate::model::balancing::Balancing;
use crate::model::batch::BatchSpec;
use crate::model::blueprint::{LimitPlan, Scope};
use crate::model::channels::ChannelSpec;
use crate::model::discipline::{QueueDiscipline, WhenFull};
use crate::model::distribution::Random;
use crate::model::fault::FaultSpec;
use crate::model::formats::FormatSpec;
use crate::model::keys::KeysSpec;
use crate::model::life::LifeSpec;
use crate::model::limiter::{Allow, Per};
use crate::model::locks::LockSpec;
use crate::model::machine::cpu::{ContentionSpec, ContextSwitch, Discipline, QuotaSpec, StealSpec};
use crate::model::machine::disk::DiskSpec;
use crate::model::machine::memory::MemorySpec;
use crate::model::machine::runtime::RuntimeSpec;
use crate::model::network::LinkSpecs;
use crate::model::nodes::NodePoolSpec;
use crate::model::resilience::breaker::BreakerSpec;
use crate::model::resilience::limit::LimitSpec as AdaptiveLimit;
use crate::model::resilience::retry::{ConnectionPoolSpec, HedgeSpec, Propagated, RetrySpec};
use crate::model::resilience::shed::ShedSpec;
use crate::model::resilience::throttle::ThrottleSpec;
use crate::model::rollout::RolloutSpec;
use crate::model::slo::SloSpec;
use crate::model::step::Step;
use crate::model::vertical::VerticalSpec;
use crate::quantity::{Bandwidth, Bytes, Cores, Count, Duration, Price, Rate, Share};

/// A system: who asks, and what answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelFile {
    /// What the model describes, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Who sends requests, by name.
    #[schemars(extend("minProperties" = 1))]
    pub clients: IndexMap<String, ClientSpec>,
    /// Machines by size, for `machine: { size: … }`: a map of sizes, or a file that holds one, relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<CatalogueSpec>,
    /// What answers them, by name.
    #[serde(default)]
    pub services: IndexMap<String, ServiceSpec>,
    /// What we do not run ourselves, by name: its behavior as measured from outside. What is called there, as
    /// `payments.charge`, needs no list of operations.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub dependencies: IndexMap<String, DependencySpec>,
    /// What happens to the system from outside; those of an experiment come after these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
    /// Caches, databases and queues.
    #[serde(flatten)]
    pub data: DataSpec,
    /// Pools of machines on which instances of services run that say so in their `life`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub nodes: IndexMap<String, NodePoolSpec>,
    /// What lies between clients, services, zones and regions, by name: `default`, or `one -> other`. Calls and replies take no time
    /// on the way where there is none.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub links: LinkSpecs,
}

/// Machines by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CatalogueSpec {
    /// In a file.
    File(String),
    /// Right here, by the name of the size.
    Inline(IndexMap<String, MachineSpec>),
}

/// A size of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SizeSpec {
    /// By its name.
    Name(String),
    /// The cheapest that has at least this.
    AtLeast(SizeWanted),
}

/// What a size must have at least.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeWanted {
    /// CPU cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<Cores>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
}

/// Something that we do not run ourselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DependencySpec {
    /// How long it takes to answer.
    pub latency: Random<Duration>,
    /// How many answers are errors; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Share>,
    /// How many calls it answers per time (a bucket that holds a second's worth); those beyond fail at once as limited. Any
    /// number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Rate>,
}

/// A source of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// When requests come: `{ poisson: 400/s }` from outside, or `{ users: 500, think: 2s }` from a fixed population,
    /// or `{ batch: { items: 1000, workers: 10 } }` for a job.
    pub arrivals: Traffic,
    /// The operation that every request calls, as `service.operation`; or give a `mix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The operations that requests call and how often; the shares add up to 100 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<IndexMap<String, Share>>,
    /// The size of its requests, which network cards and links have to carry; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Random<Bytes>>,
    /// Where it is: a zone such as `eu/a`, in the region `eu`; in no zone if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Which data item each request is about; about none if left out. Caches, shards and balancers that go by keys look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysSpec>,
    /// What somebody who arrives does: several requests, one after the other, instead of a single one. Only with arrivals from
    /// outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitSpec>,
    /// How important the requests are: 0, the most important, if left out. Queues that know priorities look at it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u8,
    /// What the requests should be like in every minute or other period; judged by the metrics `slo.*`, nothing else looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<SloSpec>,
    /// How long one attempt waits for its answer; unlimited if left out. The service does not notice that it gave up, unless
    /// `propagate` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long all attempts of a request together may take, the waits between them included; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Duration>,
    /// What the service is told of it: `[deadline, cancellation]`; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub propagate: Vec<Propagated>,
    /// Whether a request does no harm if it is carried out twice; yes if left out. If not, it is retried only when it surely
    /// was not carried out.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub idempotent: bool,
    /// Trying again after a failure; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySpec>,
    /// Asking again before the first has answered; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedge: Option<HedgeSpec>,
    /// A circuit breaker; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerSpec>,
    /// Adaptive client throttling; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSpec>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

/// How requests come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Traffic {
    /// From a fixed population.
    Closed(Population),
    /// A fixed number of items, worked off by workers.
    Batch(BatchSpec),
    /// From outside, whatever happens to those before.
    Open(ArrivalSpec),
}

/// A fixed population of users: each thinks, asks, waits for the answer, and thinks again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// How many users.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub users: u32,
    /// How long a user thinks between an answer and the next request; every user begins by thinking.
    pub think: Random<Duration>,
}

/// A visit: the requests of a user who comes from outside, asks, waits for the answer, thinks, asks again, and goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitSpec {
    /// How many requests; what is drawn is rounded, and at least one.
    pub requests: Random<Count>,
    /// How long the user thinks between an answer and the next request.
    pub think: Random<Duration>,
}

/// A service: instances that are alike, behind one balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceSpec {
    /// How many instances run, or run at the start if there is an autoscaler; 1 if left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100_000))]
    pub instances: u32,
    /// What it takes for an instance to come and to go; they are always there if this and `autoscaler` are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<LifeSpec>,
    /// Who changes the number of instances while the system runs; nobody if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<AutoscalerSpec>,
    /// Who changes the size of the instances while the system runs; nobody if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical: Option<VerticalSpec>,
    /// A new version that comes while the system runs; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// Where the instances are: in these zones in turn, such as `[eu/a, eu/b]`; in no zone if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// The machine of each instance; without limits if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineSpec>,
    /// How each instance runs requests: `{ workers: 64 }`, `event_loop`, `{ goroutines: {} }`, `{ threads: { limit: 200 } }` or
    /// `{ pools: { compute: 8, io: 200 } }`; without a limit on how many at once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeSpec>,
    /// What takes memory at each instance; memory is not modeled if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySpec>,
    /// How its messages are written: `json`, `protobuf`, or as measured, `{ size: 0.4, encode: 3us, decode: 4us }` with times per
    /// KiB. Sizes of replies, of requests of its calls and of `encode` and `decode` steps are then those of the content as JSON, and
    /// writing and reading takes CPU time. If left out, sizes are those on the wire, and that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatSpec>,
    /// The queue in front of the workers of each instance; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueSpec>,
    /// What it costs the instances to keep in step with each other, by the Universal Scalability Law: with n of them each
    /// piece of CPU work takes 1 + α(n−1) + βn(n−1) times as long. Nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination: Option<ContentionSpec>,
    /// When requests are turned away at the door of an instance; never if left out. The first rule that applies decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shed: Vec<ShedSpec>,
    /// How many calls each instance answers per time (a bucket that holds a second's worth); those beyond fail at once as
    /// limited. Any number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Rate>,
    /// How many requests an instance takes on at once; those beyond are shed. Any number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive_limit: Option<AdaptiveLimit>,
    /// Connection pools of each instance, which its calls go `through`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub pools: IndexMap<String, ConnectionPoolSpec>,
    /// Limits to the requests that are accepted; a request must pass all of them, in this order, before it waits for a
    /// worker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<RateLimitSpec>,
    /// The speed of instance 0, 1, …, compared with the machine; all 1 if left out. A shorter list is repeated. 0.5 takes twice
    /// as long for a `cpu` step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speeds: Vec<f64>,
    /// Locks of each instance, by name; held by `lock` steps.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub locks: IndexMap<String, LockSpec>,
    /// Channels of each instance, by name; `send` steps put items in, receivers work them off.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub channels: IndexMap<String, ChannelSpec>,
    /// Which instance gets a call; `round_robin` if left out.
    #[serde(default)]
    pub balancer: Policy,
    /// How calls are balanced beside that: how many balancers, weights, what they know of load and health.
    #[serde(default, skip_serializing_if = "is_default")]
    pub balancing: Balancing,
    /// What the service can be asked to do: a list of steps for each operation.
    #[serde(default)]
    pub operations: IndexMap<String, Vec<Step>>,
}

impl ServiceSpec {
    /// Whether instances come and go.
    pub fn has_fleet(&self) -> bool {
        self.autoscaler.is_some() || self.life.is_some() || self.rollout.is_some() || self.vertical.is_some()
    }

    /// How many instances there is room for: those at the start, or the most that may be wanted and a quarter as many that
    /// are leaving, or as many as may leave at once for another size.
    pub fn places(&self) -> u32 {
        let wanted = self.autoscaler.as_ref().map_or(self.instances, |scaler| scaler.max.max(self.instances));
        let leaving = if self.has_fleet() { wanted.div_ceil(4) } else { 0 };
        let replaced = |vertical: &VerticalSpec| (f64::from(wanted) * vertical.tolerance.fraction()) as u32;
        // A spot machine that was told keeps its place until it is gone, and several may be told at once.
        let told = self.life.as_ref().is_some_and(|life| life.replace_at_notice);
        let leaving = if told { wanted } else { leaving };
        let leaving = leaving.max(self.vertical.as_ref().map_or(0, replaced));
        let surge = self.rollout.as_ref().map_or(0, |rollout| rollout.surge(wanted));
        wanted.saturating_add(leaving).saturating_add(surge)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

fn one() -> u32 {
    1
}

/// The hardware of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineSpec {
    /// A size of the catalogue, by its name, or `{ cores: 8 }` for the cheapest size that has at least that. It fills in what is
    /// not said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<SizeSpec>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// CPU cores, shared among all `cpu` steps at the instance; unlimited if left out. `0.5` or `500m` is half a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<Cores>,
    /// Memory; not limited if left out. What takes it is said under `memory` of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// The speed of each core, compared with the one for which the `cpu` steps were measured; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.001, max = 1000))]
    pub speed: Option<f64>,
    /// Who gets a core when there are more tasks than cores; `sharing` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discipline: Option<Discipline>,
    /// The limit of a container: so many cores on average over each period of 100 ms; when they are used up, all stands still
    /// until the next period. Not limited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSpec>,
    /// What switching between tasks costs when there are more than cores; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_switch: Option<ContextSwitch>,
    /// How tasks that run at once slow each other down (Universal Scalability Law); not at all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contention: Option<ContentionSpec>,
    /// A noisy neighbor on the same host, for each instance its own; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbor: Option<StealSpec>,
    /// The disk; `disk` steps need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskSpec>,
    /// The network card: so much data in each direction, shared among all messages. Not limited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Bandwidth>,
}

/// A limit to the requests that a service accepts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSpec {
    /// How much is allowed: `{ token_bucket: { rate: 100/s, burst: 10 } }`.
    pub allow: Allow,
    /// Whose requests count together; those of `all` if left out.
    #[serde(default)]
    pub per: Per,
    /// Where they count together: at the whole `service`, if left out, or at each `instance`.
    #[serde(default)]
    pub scope: Scope,
    /// How long a refusal takes; 1ms if left out. It needs no worker.
    #[serde(default = "millisecond")]
    pub refusal: Random<Duration>,
}

fn millisecond() -> Random<Duration> {
    Random::Constant(Duration::from_nanos(1_000_000))
}

impl RateLimitSpec {
    /// What the system needs of it.
    pub fn plan(&self) -> LimitPlan {
        LimitPlan { allow: self.allow, per: self.per, scope: self.scope }
    }
}

/// The queue in front of the workers of an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSpec {
    /// How many requests may wait for a worker of one instance; without limit if left out. Requests being worked on do not
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub limit: Option<u32>,
    /// How many bytes of requests (`request` of their calls) may wait for a worker of one instance; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// Who is served next; `fifo` if left out.
    #[serde(default)]
    pub discipline: QueueDiscipline,
    /// What happens when the queue is full; `reject` if left out.
    #[serde(default)]
    pub when_full: WhenFull,
    /// How long a request may wait before it is turned away; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Random<Duration>>,
}
