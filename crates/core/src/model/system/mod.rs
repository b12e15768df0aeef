//! The system: a blueprint in motion.
//!
//! One closed set of events, one match. The rest is spread by purpose: [`execute`] runs the code of frames, [`call`]
//! begins and ends attempts, [`traffic`] brings requests, [`record`] keeps the books, [`laws`] checks them.
//!
//! Order within an instant: an event and all that it causes at once are done before the next event of the calendar.
//! Frames that it lets go on run in the order in which they were let go.
//!
//! Invariants: every run ends with a check of the laws (conservation, Little, the ledger's sum, capacity); a broken law
//! is an error that names the part.

mod agent;
mod balance;
mod balancers;
mod call;
mod channel;
mod data;
pub mod detail;
mod execute;
mod faults;
pub mod fleet;
mod followed;
mod foresee;
mod fork;
mod gate;
mod guard;
mod interrupt;
mod knowledge;
mod laws;
mod limit;
mod lock;
mod members;
mod memory;
mod memory_book;
pub mod metrics;
mod neighbor;
mod network;
mod parts;
mod parts_books;
mod pools;
mod queue;
pub mod record;
pub mod series;
mod spots;
mod traffic;
mod visits;
pub mod watch;
mod window;

use std::hint::black_box;

use super::blueprint::{self, Blueprint, ServersPlan};
use super::frame::{Frame, Frames, NONE};
use super::station::{Channel, Lock, Servers, Sharing};
use crate::engine::random::{key, named};
use crate::engine::{Calendar, Fingerprint, LaneId, Nanos, Packed, Popped};
use crate::measure::ledger::Pool;
use agent::Agent;
use balance::Service;
use data::Data;
pub use data::{CacheBook, DatabaseBook, QueueBook};
use interrupt::Condemned;
use limit::Limit;
use memory::{Memory, Place};
use network::Link;
use parts::{Drawn, Ready, Target};
use record::Books;
pub use record::{Ending, Record};
use traffic::Source;
use watch::{Unwatched, Watch, begins_request};

/// How often a run asks whether it should stop early [events].
const POLL: u64 = 1 << 16;

/// The most events at one instant, or calls and rounds within one event, before a run is stopped as stuck.
const STUCK: u64 = 20_000_000;

/// What can happen at an instant of its own.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// An open client's next request arrives.
    Arrival { client: u32 },
    /// A user of a closed client stops thinking.
    Think { client: u32, user: u32 },
    /// A frame's delay is over.
    Resume { frame: u32, generation: u32 },
    /// A job of a sharing station is done, or its pace changes.
    Shared { station: u32 },
    /// A frame has waited long enough for its callee.
    Timeout { frame: u32, generation: u32 },
    /// A frame has waited in a queue for as long as it may.
    WaitEnds { frame: u32, generation: u32 },
    /// The client of a direct request that began with this generation has waited long enough.
    Patience { frame: u32, generation: u32 },
    /// Something happens at a queue by the clock.
    Queue { alarm: u32, generation: u32 },
    /// An agent acts.
    Act { agent: u32 },
}

impl Event {
    /// The kinds that happen most.
    const ARRIVAL: u8 = 0;
    const RESUME: u8 = 2;
    const SHARED: u8 = 3;
}

impl Packed for Event {
    #[inline(always)]
    fn pack(self) -> (u8, u64) {
        let both = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        match self {
            Event::Arrival { client } => (Self::ARRIVAL, client.into()),
            Event::Think { client, user } => (1, both(client, user)),
            Event::Resume { frame, generation } => (Self::RESUME, both(frame, generation)),
            Event::Shared { station } => (Self::SHARED, station.into()),
            Event::Timeout { frame, generation } => (4, both(frame, generation)),
            Event::WaitEnds { frame, generation } => (5, both(frame, generation)),
            Event::Patience { frame, generation } => (6, both(frame, generation)),
            Event::Queue { alarm, generation } => (7, both(alarm, generation)),
            Event::Act { agent } => (8, agent.into()),
        }
    }

    #[inline(always)]
    fn unpack(kind: u8, about: u64) -> Self {
        let (low, high) = (about as u32, (about >> 32) as u32);
        match kind {
            Self::ARRIVAL => Event::Arrival { client: low },
            1 => Event::Think { client: low, user: high },
            Self::RESUME => Event::Resume { frame: low, generation: high },
            Self::SHARED => Event::Shared { station: low },
            4 => Event::Timeout { frame: low, generation: high },
            5 => Event::WaitEnds { frame: low, generation: high },
            6 => Event::Patience { frame: low, generation: high },
            7 => Event::Queue { alarm: low, generation: high },
            _ => Event::Act { agent: low },
        }
    }

    #[inline(always)]
    fn alarm(owner: u32) -> Self {
        Event::Shared { station: owner }
    }
}

/// Instants of the measurement, in the order in which they come when they coincide. They are few and known beforehand, so
/// they stand beside the calendar; at one instant they come before its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Milestone {
    /// The time series take their next point.
    Sample,
    /// The measured window begins.
    WindowOpens,
    /// The measured window ends.
    WindowCloses,
    /// Requests that are still unfinished are given up.
    DrainEnds,
}

/// How one simulation is to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Time that is simulated and not measured [ns].
    pub warm_up: Nanos,
    /// Time that is measured [ns].
    pub window: Nanos,
    /// The most time after the window that is simulated to let measured requests end [ns].
    pub drain: Nanos,
    /// Distance of the points of the time series [ns].
    pub interval: Nanos,
    /// The experiment's seed.
    pub seed: u64,
    /// The replication, from 0.
    pub replication: u64,
    /// The most frames (requests, attempts, branches) that may be in flight.
    pub in_flight_limit: usize,
    /// The most events.
    pub event_limit: u64,
    /// Whether ledgers are kept per operation and over time too.
    pub detailed: bool,
}

impl Plan {
    /// A run that measures from its start for so long [ns], with seed 1 and limits that are rarely met.
    pub fn measuring(window: Nanos) -> Self {
        Plan {
            warm_up: 0,
            window,
            drain: window,
            interval: window / 100,
            seed: 1,
            replication: 0,
            in_flight_limit: 1_000_000,
            event_limit: u64::MAX,
            detailed: false,
        }
    }
}

/// The key of a run, from which all others are derived.
fn root(plan: Plan) -> u64 {
    key(named(plan.seed, "scalelab"), plan.replication)
}

/// A law that did not hold, or a run that cannot go on: an error in scalelab or in the model, never a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The part it is about.
    pub part: String,
    /// What is wrong, with the figures.
    pub what: String,
    /// Whether the model is at fault, rather than scalelab.
    pub of_model: bool,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.part, self.what)
    }
}

impl std::error::Error for Violation {}

/// One instance of a service: where its stations are.
#[derive(Debug, Clone, Copy)]
struct Instance {
    service: u32,
    /// Its number within the service.
    number: u32,
    /// Whether it runs.
    up: bool,
    servers: u32,
    sharing: u32,
    /// Its memory; [`NONE`] if it has none.
    memory: u32,
    locks: u32,
    channels: u32,
}

/// A system in motion.
#[derive(Debug)]
pub struct System<'a> {
    blueprint: &'a Blueprint,
    plan: Plan,
    calendar: Calendar<Event>,
    frames: Frames,
    pool: Pool,
    /// Frames that go on at this instant.
    ready: Ready,
    /// Frames that will be taken out of what they wait for at this instant.
    condemned: Vec<Condemned>,
    agents: Vec<Option<Box<dyn Agent>>>,
    services: Vec<Service>,
    instances: Vec<Instance>,
    servers: Vec<Servers>,
    sharing: Vec<Sharing>,
    memories: Vec<Memory>,
    /// Those that a queue has just turned away; empty between releases.
    dropped: Vec<(u32, Nanos)>,
    /// The rate limits of all services, in their order.
    limits: Vec<Limit>,
    locks: Vec<Lock>,
    channels: Vec<Channel>,
    links: Vec<Link>,
    sources: Vec<Source>,
    /// Per demand of the program: what drawing it takes.
    demands: Vec<Drawn>,
    /// Per site of the program: what calling from there takes.
    targets: Vec<Target>,
    guards: guard::Guards,
    connections: pools::Connections,
    havoc: faults::Havoc,
    gates: gate::Gates,
    /// Per service: its fleet, if its instances come and go.
    fleets: Vec<Option<fleet::Fleet>>,
    /// The node pools.
    pools: Vec<fleet::Pool>,
    /// Per longest wait of the program: its lane.
    waits: Vec<LaneId>,
    books: Books,
    /// The state of caches, databases and queues.
    data: Data,
    /// What comes next in the measurement, latest first.
    milestones: Vec<(Nanos, Milestone)>,
    fingerprint: Fingerprint,
    /// Calls and rounds of loops since the last event.
    turns: u64,
    violation: Option<Violation>,
}

/// The limits of a service at work.
fn limits_of(service: &blueprint::Service) -> impl Iterator<Item = Limit> {
    service.limits.iter().map(|plan| Limit::new(plan, service.instances))
}

impl<'a> System<'a> {
    /// Sets a system up at time 0.
    pub fn new(blueprint: &'a Blueprint, plan: Plan) -> Self {
        let root = root(plan);
        let mut calendar = Calendar::new();
        let (mut services, mut instances) = (Vec::new(), Vec::new());
        let (mut servers, mut sharing, mut memories) = (Vec::new(), Vec::new(), Vec::new());
        let (mut locks, mut channels) = (Vec::new(), Vec::new());
        for (index, service) in blueprint.services.iter().enumerate() {
            let zones = |number| blueprint.network.as_ref().map_or(0, |network| network.zone(index as u32, number));
            services.push(Service::new(service, instances.len() as u32, root, zones));
            for number in 0..service.instances {
                instances.push(Instance {
                    service: index as u32,
                    number,
                    up: true,
                    servers: servers.len() as u32,
                    sharing: sharing.len() as u32,
                    memory: service.memory.as_ref().map_or(NONE, |_| memories.len() as u32),
                    locks: locks.len() as u32,
                    channels: channels.len() as u32,
                });
                if let Some(plan) = &service.memory {
                    let place = Place { service: index as u32, instance: number, sharing: sharing.len() as u32 };
                    memories.push(Memory::new(plan, place, blueprint, root));
                }
                servers.extend(service.servers.iter().map(ServersPlan::build));
                sharing.extend(service.build_sharing(number));
                for plan in &service.locks {
                    locks.extend((0..plan.shards).map(|_| Lock::new(plan.permits)));
                }
                channels.extend(service.channels.iter().map(|plan| Channel::new(plan.buffer, plan.receivers)));
            }
        }
        let links = blueprint.network.as_ref();
        let links = links.map_or_else(Vec::new, |plan| network::links(plan, &mut sharing, &mut calendar));
        let program = &blueprint.program;
        let demands = program.demands.iter().map(|demand| Drawn::new(demand, &mut calendar)).collect();
        let targets = program.sites.iter().map(|site| Target::new(site, blueprint, &mut calendar)).collect();
        let waits = program.limits.iter().map(|limit| calendar.lane(*limit)).collect();
        let instance_count = instances.len();
        let firsts = services.iter().map(|service: &Service| service.first_instance);
        let fleets =
            (0..).zip(firsts).map(|(service, first)| fleet::Fleet::new(blueprint, service, first, root)).collect();
        System {
            blueprint,
            plan,
            calendar,
            frames: Frames::new(plan.in_flight_limit),
            pool: Pool::new(program.accounts.len()),
            ready: Ready::default(),
            condemned: Vec::new(),
            agents: agent::build_all(blueprint, root),
            services,
            instances,
            servers,
            sharing,
            memories,
            dropped: Vec::new(),
            limits: blueprint.services.iter().flat_map(limits_of).collect(),
            locks,
            channels,
            links,
            sources: traffic::sources(blueprint, root),
            demands,
            targets,
            guards: guard::Guards::new(blueprint),
            connections: pools::Connections::new(blueprint),
            havoc: faults::Havoc::new(instance_count),
            gates: gate::Gates::new(blueprint),
            fleets,
            pools: blueprint.pools.iter().map(|plan| fleet::Pool::new(plan, root)).collect(),
            waits,
            books: Books::new(blueprint, plan),
            data: Data::new(blueprint, root),
            milestones: Vec::new(),
            fingerprint: Fingerprint::new(),
            turns: 0,
            violation: None,
        }
    }

    /// The key of the run.
    fn root(&self) -> u64 {
        root(self.plan)
    }

    /// Runs to the end of the plan and returns what was recorded. `stop` is asked now and then whether to end early.
    ///
    /// # Errors
    /// A [`Violation`] if a law of the simulation does not hold.
    pub fn run(self, stop: &dyn Fn() -> bool) -> Result<Record, Violation> {
        self.run_watched(stop, &mut Unwatched)
    }

    /// As [`System::run`], watched.
    ///
    /// # Errors
    /// As [`System::run`].
    pub fn run_watched<W: Watch>(mut self, stop: &dyn Fn() -> bool, watch: &mut W) -> Result<Record, Violation> {
        self.start();
        let ending = self.play(stop, watch);
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        self.check_laws()?;
        Ok(self.finish(ending))
    }

    fn start(&mut self) {
        let close = self.plan.warm_up.saturating_add(self.plan.window);
        self.milestone(self.plan.warm_up, Milestone::WindowOpens);
        self.milestone(close, Milestone::WindowCloses);
        self.milestone(close.saturating_add(self.plan.drain), Milestone::DrainEnds);
        self.milestone(self.plan.interval, Milestone::Sample);
        for client in 0..self.sources.len() as u32 {
            self.start_source(client);
        }
        self.start_fleets();
        self.start_agents();
        self.start_queues();
    }

    /// Adds an instant of the measurement.
    fn milestone(&mut self, time: Nanos, what: Milestone) {
        self.milestones.push((time, what));
        self.milestones.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The main loop.
    fn play<W: Watch>(&mut self, stop: &dyn Fn() -> bool, watch: &mut W) -> Ending {
        let (mut instant, mut at_instant) = (0, 0);
        let code = self.blueprint.program.code.as_slice();
        self.books.look_after(POLL.min(self.plan.event_limit));
        while let Some((until, milestone)) = self.milestones.pop() {
            loop {
                let (kind, about) = match self.calendar.pop(until) {
                    Popped::Event(kind, about) => (kind, about),
                    Popped::Nothing => break,
                    Popped::Held => match self.look_further() {
                        Some(event) => event,
                        None => continue,
                    },
                };
                self.turns = 0;
                if let Some(frame) = self.dispatch(kind, about) {
                    if W::ON && begins_request(&Event::unpack(kind, about)) {
                        watch.began(self, frame);
                    }
                    self.execute(frame, code);
                }
                if W::ON {
                    watch.after(self);
                }
                let looks = self.books.happened();
                if self.frames.crowded() {
                    return Ending::TooManyInFlight;
                }
                if looks {
                    if let Some(ending) = self.poll(&mut instant, &mut at_instant, stop) {
                        return ending;
                    }
                    self.books.look_after(POLL.min(self.plan.event_limit - self.books.events()));
                }
            }
            if self.books.done() && self.calendar.is_empty() {
                return Ending::Completed;
            }
            self.calendar.advance(until);
            match milestone {
                Milestone::Sample => self.sample(),
                Milestone::WindowOpens => self.open_window(),
                Milestone::WindowCloses => {
                    self.close_window();
                    if self.books.done() {
                        return Ending::Completed;
                    }
                }
                Milestone::DrainEnds => return Ending::Completed,
            }
        }
        Ending::Completed
    }

    /// Does what holds the next event up; may find it ([`Calendar::look_further`]).
    #[inline(never)]
    fn look_further(&mut self) -> Option<(u8, u64)> {
        let System { frames, instances, servers, .. } = self;
        let alive = |event: &Event| match *event {
            Event::Resume { frame, generation }
            | Event::Timeout { frame, generation }
            | Event::WaitEnds { frame, generation } => frames[frame].generation == generation,
            Event::Patience { frame, generation } => frames[frame].is_direct(generation),
            _ => true,
        };
        // In a large system what an event needs lies in no near cache. Many looks at once cost little more than one.
        let soon = |event: &Event| {
            if let Event::Resume { frame, .. } = *event {
                let frame = &frames[frame];
                frame.look();
                if let Some(instance) = instances.get(frame.instance as usize) {
                    black_box(servers.get(instance.servers as usize).map(Servers::is_plain));
                }
            }
        };
        self.calendar.look_further(&alive, &soon)
    }

    /// Looks, now and then and when there is something to see, whether the run should end; `instant` and `at_instant` are
    /// the clock and the events at the last look at which the clock had moved.
    #[cold]
    fn poll(&mut self, instant: &mut Nanos, at_instant: &mut u64, stop: &dyn Fn() -> bool) -> Option<Ending> {
        let events = self.books.events();
        if self.calendar.now() != *instant {
            (*instant, *at_instant) = (self.calendar.now(), events);
        }
        if events - *at_instant > STUCK {
            self.stuck();
        }
        if self.violation.is_some() || events >= self.plan.event_limit {
            return Some(Ending::EventLimit);
        }
        if self.books.done() {
            return Some(Ending::Completed);
        }
        stop().then_some(Ending::Interrupted)
    }

    /// Lets an event happen; returns the frame that goes on.
    #[inline(always)]
    fn dispatch(&mut self, kind: u8, about: u64) -> Option<u32> {
        // Those that happen most are asked for one by one, which branch prediction likes better than a table.
        match kind {
            Event::ARRIVAL => self.arrival(about as u32),
            Event::RESUME => self.resume(about as u32, (about >> 32) as u32),
            Event::SHARED => {
                self.shared(about as u32);
                self.ready.pop()
            }
            _ => self.dispatch_other(Event::unpack(kind, about)),
        }
    }

    /// The same for events that are seldom.
    #[inline(never)]
    fn dispatch_other(&mut self, event: Event) -> Option<u32> {
        match event {
            // These are not: `dispatch` has them itself.
            Event::Arrival { .. } | Event::Resume { .. } | Event::Shared { .. } => None,
            Event::Think { client, user } => self.begin_request(client, user),
            Event::Timeout { frame, generation } => self.time_out(frame, generation),
            Event::WaitEnds { frame, generation } => self.end_wait(frame, generation),
            Event::Patience { frame, generation } => {
                self.lose_patience(frame, generation);
                self.next_ready()
            }
            Event::Queue { alarm, generation } => {
                self.queue_alarm(alarm, generation);
                self.next_ready()
            }
            Event::Act { agent } => {
                self.act(agent);
                self.next_ready()
            }
        }
    }

    /// Counts a call or a round of a loop; whether there were so many within one event that the frame must stop.
    #[inline]
    fn turn(&mut self) -> bool {
        self.turns += 1;
        if self.turns > STUCK {
            self.stuck();
        }
        self.turns > STUCK
    }

    /// Notes that time stands still.
    #[cold]
    fn stuck(&mut self) {
        self.books.look_now();
        let client = self.frames.iter().find_map(Frame::client).unwrap_or(0);
        self.violation.get_or_insert(Violation {
            part: self.blueprint.clients[client as usize].name.clone(),
            what: format!(
                "{STUCK} events, calls or rounds happened at one instant and time does not pass; give the client a \
                 think time or its operations some work"
            ),
            of_model: true,
        });
    }

    /// Notes the first broken law; the run ends at the next opportunity.
    #[cold]
    fn violate(&mut self, part: String, what: String) {
        self.violation.get_or_insert(Violation { part, what, of_model: false });
    }
}
