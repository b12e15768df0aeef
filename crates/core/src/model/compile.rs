//! From nested steps to flat code.
//!
//! Scopes: an operation with workers is `Acquire … Release`; what fails inside goes on at the scope's `Release`, which
//! passes a failing attempt on to the scope around it, and in the end to `Finish`. So what is held is given back on
//! every path, and normal and failing ends share their code.
//!
//! Salts: the draws of a step are keyed by the operation, the kind of step and its ordinal among those of its kind, so
//! that adding a step of another kind leaves them as they are.
//!
//! Problems (unknown names, impossible parameters) are collected with their place in the file; nothing stops at the
//! first.

use std::collections::BTreeMap;

use super::blueprint::{ServersPlan, Service};
use super::channels::WhenFull;
use super::distribution::{Amount, Random, Values};
use super::frame::LOOP_DEPTH;
pub use super::holdings::MemoryUse;
use super::locks::LockPlan;
use super::machine::disk::DiskPlan;
use super::program::{Demand, Instruction, Place, Program};
use super::step::{Step, refuse_reply};
use crate::engine::random::named;
use crate::measure::Kind;
use crate::quantity::{Bytes, Duration};

/// Something wrong with a model, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place, as a dotted path: `services.shop.operations.browse[1].call`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without advice.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { path: path.into(), message: message.into(), help: None }
    }

    /// A name that is not known; the advice names the nearest of those that are.
    pub fn unknown<'a>(path: &str, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.collect();
        known.sort_by(|one, other| {
            let near = |candidate| strsim::jaro_winkler(name, candidate);
            near(other).total_cmp(&near(one)).then(one.cmp(other))
        });
        let help = match known.first() {
            None => format!("there is no {what} at all"),
            Some(first) if strsim::jaro_winkler(name, first) > 0.9 => format!("did you mean `{first}`?"),
            Some(_) => {
                let more = if known.len() > 8 { ", …" } else { "" };
                format!("known: `{}`{more}", known[..known.len().min(8)].join("`, `"))
            }
        };
        Problem { path: path.to_owned(), message: format!("there is no {what} `{name}`"), help: Some(help) }
    }
}

/// The names of the stations of a service's instances, in the order of their slots.
#[derive(Debug, Clone, Default)]
pub struct StationNames {
    servers: Vec<String>,
    sharing: Vec<String>,
    /// Those of `servers` that are pools.
    pools: Vec<String>,
    locks: Vec<(String, LockPlace)>,
    channels: Vec<(String, WhenFull)>,
    disk: Option<DiskPlan>,
}

/// Where a lock is among all shards of all locks of an instance.
#[derive(Debug, Clone, Copy)]
pub struct LockPlace {
    /// Its first shard.
    pub first: u32,
    /// How many it has.
    pub shards: u32,
    /// Whether readers may hold it together.
    pub shared: bool,
}

impl StationNames {
    /// Those of a service.
    pub fn of(service: &Service) -> Self {
        StationNames {
            servers: service.servers.iter().map(|plan| plan.name.clone()).collect(),
            sharing: service.sharing.iter().map(|plan| plan.name.clone()).collect(),
            pools: Vec::new(),
            locks: Self::lock_places(service),
            channels: Vec::new(),
            disk: None,
        }
    }

    /// With these pools of workers.
    pub fn with_pools(self, pools: Vec<String>) -> Self {
        StationNames { pools, ..self }
    }

    fn lock_places(service: &Service) -> Vec<(String, LockPlace)> {
        let mut first = 0;
        let place = |plan: &LockPlan| {
            let place = LockPlace { first, shards: plan.shards, shared: plan.shared };
            first += plan.shards;
            (plan.name.clone(), place)
        };
        service.locks.iter().map(place).collect()
    }

    /// These and the service's channels, with what happens when they are full.
    pub fn with_channels(self, channels: Vec<(String, WhenFull)>) -> Self {
        StationNames { channels, ..self }
    }

    /// These and the service's disk.
    pub fn with_disk(self, disk: Option<DiskPlan>) -> Self {
        StationNames { disk, ..self }
    }

    /// The disk; `None` if there is none.
    pub fn disk(&self) -> Option<DiskPlan> {
        self.disk
    }

    /// A lock; `None` if there is none of this name.
    pub fn lock(&self, name: &str) -> Option<LockPlace> {
        self.locks.iter().find(|(known, _)| known == name).map(|(_, place)| *place)
    }

    /// A channel's number and what happens when it is full; `None` if there is none of this name.
    pub fn channel(&self, name: &str) -> Option<(u16, WhenFull)> {
        let number = self.channels.iter().position(|(known, _)| known == name)?;
        Some((number as u16, self.channels[number].1))
    }

    /// The names of all locks.
    pub fn lock_names(&self) -> Vec<String> {
        self.locks.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The names of all channels.
    pub fn channel_names(&self) -> Vec<String> {
        self.channels.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The slot of a servers station; `None` if there is none of this name.
    pub fn servers(&self, name: &str) -> Option<u16> {
        self.servers.iter().position(|known| known == name).map(|slot| slot as u16)
    }

    /// The name of a servers station.
    pub fn name(&self, slot: u16) -> String {
        self.servers.get(usize::from(slot)).cloned().unwrap_or_default()
    }

    /// Adds a servers station; returns its slot.
    pub fn add_servers(&mut self, name: &str) -> u16 {
        self.servers.push(name.to_owned());
        self.servers.len() as u16 - 1
    }

    /// The slot of a sharing station; `None` if there is none of this name.
    pub fn sharing(&self, name: &str) -> Option<u16> {
        self.sharing.iter().position(|known| known == name).map(|slot| slot as u16)
    }
}

/// The stations of which an operation holds one server from its start to its reply.
const CREWS: [&str; 2] = ["workers", "threads"];

/// A rate limit that operations pass.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Its number among those of all services.
    pub number: u16,
    /// Whether it must be told when a request is done.
    pub holds: bool,
    /// How long a refusal takes.
    pub refusal: Random<Duration>,
}

/// The operations of a model, by `service.operation`.
pub type Directory = BTreeMap<String, u32>;

/// Compiles the steps of one operation or client after the other into a program.
pub struct Compiler<'a> {
    /// Where the code goes.
    pub program: &'a mut Program,
    /// What can be called.
    pub directory: &'a Directory,
    /// Where measured values are read.
    pub files: &'a dyn Values,
    /// What was found wrong so far.
    pub problems: &'a mut Vec<Problem>,
    /// The service or client whose steps these are.
    pub part: String,
    /// The stations of the service's instances.
    pub stations: StationNames,
    /// The memory that each request of the service takes.
    pub memory: MemoryUse,
    /// How the service's messages are written, if it is said.
    pub format: Option<super::formats::Format>,
    /// The connection pools of the service.
    pub pools: Vec<super::connections::Pool>,
    /// Whether it is a service, whose instances can have stations.
    pub of_service: bool,
    /// Whether its instances have gates.
    pub gated: bool,
    /// Servers stations that the code needs besides those of the service.
    pub added: Vec<ServersPlan>,
    /// The rate limits of the service, which every operation passes first.
    pub limits: Vec<Limit>,
    /// The hash of the operation or client.
    salt: u64,
    /// How many steps of each kind were met.
    ordinals: BTreeMap<&'static str, u32>,
    /// Instructions whose failure goes to the end of each open scope.
    scopes: Vec<Vec<usize>>,
    path: Vec<String>,
    loops: u8,
    /// The size of the requests of the call that is compiled next.
    pub request: Option<u32>,
}

impl<'a> Compiler<'a> {
    /// A compiler for the code of `part` (a service or client).
    pub fn new(
        program: &'a mut Program,
        directory: &'a Directory,
        files: &'a dyn Values,
        problems: &'a mut Vec<Problem>,
        part: &str,
        stations: StationNames,
    ) -> Self {
        Compiler {
            program,
            directory,
            files,
            problems,
            part: part.to_owned(),
            stations,
            memory: MemoryUse::default(),
            format: None,
            pools: Vec::new(),
            of_service: false,
            gated: false,
            added: Vec::new(),
            limits: Vec::new(),
            salt: 0,
            ordinals: BTreeMap::new(),
            scopes: Vec::new(),
            path: Vec::new(),
            loops: 0,
            request: None,
        }
    }

    /// Compiles an operation, which holds a worker if its instances have any; returns where it begins.
    ///
    /// A `reply` step ends what the caller waits for and gives the worker back; the steps after it run in the background.
    pub fn operation(&mut self, name: &str, path: &str, steps: &[Step]) -> Place {
        self.begin(name, path);
        let entry = self.here();
        let until = steps.iter().position(Step::is_reply);
        let (front, rest) = steps.split_at(until.unwrap_or(steps.len()));
        self.scopes.push(Vec::new());
        // What a node does by itself is no client's request: it needs no worker, and is not turned away.
        let own = steps.iter().any(Step::is_own_work);
        let limits = if own { Default::default() } else { self.limits.clone() };
        let held = |compiler: &mut Self| {
            compiler.limited(&limits, |compiler| {
                compiler.with_request_memory(|compiler| compiler.crewed(front, rest, own))
            });
        };
        if self.gated && !own {
            self.emit(Instruction::EnterGate);
            self.scoped(held);
            self.emit(Instruction::LeaveGate);
        } else {
            held(self);
        }
        self.close();
        self.emit(if self.program.ways.is_some() { Instruction::Return } else { Instruction::Finish });
        entry
    }

    /// Compiles an operation's steps: those before the reply, held by whoever holds a request, and those after it.
    fn crewed(&mut self, front: &[Step], rest: &[Step], own: bool) {
        let crew = CREWS.iter().find_map(|name| self.stations.servers(name).map(|slot| (name, slot)));
        let crew = crew.filter(|_| !own);
        match crew {
            None => self.with_stack(|compiler| compiler.steps(front)),
            Some((name, slot)) => {
                let waiting = self.account(name, Kind::Waiting);
                self.emit(Instruction::Acquire { slot, waiting });
                self.scopes.push(Vec::new());
                self.with_stack(|compiler| compiler.steps(front));
                self.close();
                self.emit(Instruction::Release { slot });
            }
        }
        for (number, step) in rest.iter().enumerate() {
            let number = front.len() + number;
            self.at(format!("[{number}]"), |compiler| {
                if number > front.len() && step.is_reply() {
                    compiler.problem("an operation replies once; remove this `reply`");
                }
                step.compile(compiler);
            });
        }
    }

    /// Compiles a body that is run by those that some limits let pass; the others are refused after their refusal's time.
    fn limited(&mut self, limits: &[Limit], body: impl FnOnce(&mut Self)) {
        let Some((limit, rest)) = limits.split_first() else { return body(self) };
        let account = self.account("limit", Kind::Waiting);
        let ask = self.emit(Instruction::Limit { limit: limit.number, account, refused: 0 });
        if limit.holds {
            self.scopes.push(Vec::new());
            self.limited(rest, body);
            self.close();
            self.emit(Instruction::Unlimit { limit: limit.number });
        } else {
            self.limited(rest, body);
        }
        let over = self.emit(Instruction::Jump { to: 0 });
        let refused = self.here();
        self.program.code[ask as usize] = Instruction::Limit { limit: limit.number, account, refused };
        let demand = self.demand("refusal", &limit.refusal);
        let account = self.account("refusal", Kind::Delay);
        self.emit(Instruction::Delay { demand, account });
        self.emit(Instruction::Refuse);
        self.program.code[over as usize] = Instruction::Jump { to: self.here() };
    }

    /// Compiles the program of a client's requests; returns where it begins.
    pub fn client(&mut self, name: &str, body: impl FnOnce(&mut Self)) -> Place {
        self.begin(name, &format!("clients.{name}"));
        let entry = self.here();
        self.scopes.push(Vec::new());
        body(self);
        self.close();
        self.emit(Instruction::Finish);
        entry
    }

    /// Compiles what receivers of a channel do with an item; returns where it begins.
    pub fn channel(&mut self, name: &str, path: &str, channel: u16, steps: &[Step]) -> Place {
        self.begin(name, path);
        let entry = self.here();
        self.scopes.push(Vec::new());
        self.emit(Instruction::Receive);
        self.at(".steps", |compiler| {
            refuse_reply(compiler, steps);
            compiler.scope(steps);
        });
        self.emit(Instruction::Received { channel });
        self.close();
        self.emit(Instruction::Finish);
        entry
    }

    fn begin(&mut self, name: &str, path: &str) {
        self.program.entries.push(self.here());
        self.salt = named(named(0, &self.part), name);
        self.ordinals.clear();
        self.path = vec![path.to_owned()];
        self.loops = 0;
    }

    /// Compiles steps of one nested list.
    pub fn steps(&mut self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            self.at(format!("[{number}]"), |compiler| step.compile(compiler));
        }
    }

    /// Compiles steps whose failures go on right behind them.
    pub fn scope(&mut self, steps: &[Step]) {
        self.scopes.push(Vec::new());
        self.steps(steps);
        self.close();
    }

    /// Compiles a body whose failures go on right behind it.
    pub fn scoped(&mut self, body: impl FnOnce(&mut Self)) {
        self.scopes.push(Vec::new());
        body(self);
        self.close();
    }

    /// Compiles a branch; returns where it begins.
    pub fn branch_of(&mut self, body: impl FnOnce(&mut Self)) -> Place {
        let entry = self.here();
        self.scoped(body);
        self.emit(Instruction::Finish);
        entry
    }

    /// Compiles a body whose failures go on at the handler's code. There the frame's outcome says how it failed:
    /// [`Instruction::Recover`] makes it a success, [`Instruction::Raise`] passes the failure on to the scope around. Both
    /// body and handler end behind the handler.
    pub fn guarded(&mut self, body: impl FnOnce(&mut Self), handler: impl FnOnce(&mut Self)) {
        self.scopes.push(Vec::new());
        body(self);
        let over = self.emit(Instruction::Jump { to: 0 });
        self.close();
        handler(self);
        self.program.code[over as usize] = Instruction::Jump { to: self.here() };
    }

    /// Compiles the steps of a branch: code of its own that ends with `Finish`. Returns where it begins.
    pub fn branch(&mut self, steps: &[Step]) -> Place {
        let entry = self.here();
        self.scope(steps);
        self.emit(Instruction::Finish);
        entry
    }

    /// Compiles a branch of a single step.
    pub fn single(&mut self, step: &Step) -> Place {
        let entry = self.here();
        self.scopes.push(Vec::new());
        step.compile(self);
        self.close();
        self.emit(Instruction::Finish);
        entry
    }

    /// Ends a scope: its failures go on here.
    fn close(&mut self) {
        let here = self.here();
        for index in self.scopes.pop().unwrap_or_default() {
            self.program.unwind[index] = here;
        }
    }

    /// Adds an instruction and returns its place.
    pub fn emit(&mut self, instruction: Instruction) -> Place {
        let place = self.here();
        self.program.code.push(instruction);
        self.program.unwind.push(place + 1);
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(place as usize);
        }
        place
    }

    /// Where the next instruction will be.
    pub fn here(&self) -> Place {
        self.program.code.len() as Place
    }

    /// The number of one of the part's accounts.
    pub fn account(&mut self, resource: &str, kind: Kind) -> u32 {
        self.program.account(&self.part, resource, kind)
    }

    /// The hash of the next step of a kind; keys its draws.
    pub fn salt(&mut self, kind: &'static str) -> u64 {
        let ordinal = self.ordinals.entry(kind).or_default();
        *ordinal += 1;
        named(self.salt.wrapping_add(u64::from(*ordinal)), kind)
    }

    /// Notes a random amount and returns its number; a problem with it is noted at the present path.
    pub fn demand<Q: Amount>(&mut self, kind: &'static str, random: &Random<Q>) -> u32 {
        let salt = self.salt(kind);
        match random.build(self.files) {
            Ok(distribution) => {
                self.program.demands.push(Demand { distribution, salt });
                self.program.demands.len() as u32 - 1
            }
            Err(message) => {
                self.problem(message);
                0
            }
        }
    }

    /// The slot of a pool of workers; an unknown name is a problem.
    pub fn pool(&mut self, name: &str) -> u16 {
        let pools = &self.stations.pools;
        let known = pools.iter().any(|pool| pool == name);
        if !known {
            let known = pools.iter().map(String::as_str);
            self.problems.push(Problem::unknown(&self.path.concat(), "pool", name, known));
        }
        self.stations.servers(name).filter(|_| known).unwrap_or(0)
    }

    /// Notes the size of a request.
    pub fn request_size(&mut self, size: Option<&Random<Bytes>>) -> Option<u32> {
        size.map(|size| self.at(".request", |compiler| compiler.demand("request", size)))
    }

    /// The operation called `service.operation`; an unknown name is a problem.
    pub fn target(&mut self, name: &str) -> u32 {
        match self.directory.get(name) {
            Some(operation) => *operation,
            None => {
                let known = self.directory.keys().map(String::as_str);
                self.problems.push(Problem::unknown(&self.path.concat(), "operation", name, known));
                0
            }
        }
    }

    /// Does something one level deeper in the file.
    pub fn at<R>(&mut self, segment: impl Into<String>, inner: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(segment.into());
        let result = inner(self);
        self.path.pop();
        result
    }

    /// Compiles the body of a loop; `None`, and a problem, if loops nest too deeply.
    pub fn looped(&mut self, body: impl FnOnce(&mut Self, u8)) {
        if usize::from(self.loops) == LOOP_DEPTH {
            self.problem(format!("`repeat` steps may nest {LOOP_DEPTH} deep"));
            return;
        }
        self.loops += 1;
        body(self, self.loops - 1);
        self.loops -= 1;
    }

    /// In how many loops the next instruction will stand.
    pub fn loop_depth(&self) -> u8 {
        self.loops
    }

    /// The present path.
    pub fn place(&self) -> String {
        self.path.concat()
    }

    /// Notes a name at the present path that is not known.
    pub fn unknown<'n>(&mut self, what: &str, name: &str, known: impl Iterator<Item = &'n str>) {
        self.problems.push(Problem::unknown(&self.path.concat(), what, name, known));
    }

    /// Notes a problem at the present path.
    pub fn problem(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new(self.path.concat(), message));
    }
}
