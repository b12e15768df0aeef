//! Compiled programs: the flat code that requests run.
//!
//! The nested steps of an operation are compiled once, when a model is loaded, into instructions with jumps. A running
//! attempt is a frame with a place in this code. All that a step needs besides its instruction (a distribution, a
//! table of choices, a call's target) lies in side tables, so that an instruction stays small.
//!
//! Invariant: for every instruction that can fail, `unwind` holds the place where the failing attempt goes on: the code
//! that gives back what it holds there, and ends it.

use super::channels::Sending;
use super::data::Parts;
use super::distribution::Distribution;
use super::frame::Outcome;
use super::locks::Section;
use super::resilience::backoff::Backoff;
use super::resilience::breaker::BreakerSpec;
use super::resilience::budget::BudgetSpec;
use super::resilience::throttle::ThrottleSpec;
use crate::engine::time::Nanos;
use crate::measure::Kind;

/// A place in the code.
pub type Place = u32;

/// One instruction. `slot` counts the stations of one kind within an instance.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone, Copy)]
pub enum Instruction {
    /// Let a drawn time pass; nobody else can slow it down.
    Delay { demand: u32, account: u32 },
    /// Let a drawn time pass, and so much more [µs] for each that holds a server of a station.
    Crowd { slot: u16, demand: u32, account: u32, each: u32 },
    /// Do a drawn amount of work at a sharing station of the own instance.
    Share { slot: u16, demand: u32, waiting: u32, service: u32 },
    /// Hold one server of a servers station until the matching `Release`; waits in its queue, or fails if that is full.
    Acquire { slot: u16, waiting: u32 },
    /// Give the server back; an attempt that is failing goes on unwinding from here.
    Release { slot: u16 },
    /// Take memory until the matching `Free`; fails if there is none left.
    Allocate { holding: u32 },
    /// Give memory back; an attempt that is failing goes on unwinding from here.
    Free { holding: u32 },
    /// Hold one server as `Acquire` does, but wait in its queue no longer than the lane's time.
    AcquireWithin { slot: u16, waiting: u32, limit: u32 },
    /// Take an open connection of a pool, or open one.
    Connect { pool: u32 },
    /// Put the connection back.
    Disconnect { pool: u32 },
    /// Ask a rate limit; go on behind it, perhaps later, or where it is refused.
    Limit { limit: u16, account: u32, refused: Place },
    /// Tell a rate limit that this is done; an attempt that is failing goes on unwinding from here.
    Unlimit { limit: u16 },
    /// Fail because a rate limit said so.
    Refuse,
    /// Hold a lock of the own instance until the matching `Unlock`; waits for it.
    Lock { section: u32 },
    /// Give the lock back; an attempt that is failing goes on unwinding from here.
    Unlock { section: u32 },
    /// Put an item into a channel of the own instance; may wait for room.
    Send { sending: u32 },
    /// The beginning of a receiver's code: an item waits here until a receiver takes it.
    Receive,
    /// The receiver is free for the next item.
    Received { channel: u16 },
    /// Call an operation and wait for its reply.
    Call { site: u32 },
    /// Pass the gate of the instance on the way in, or fail as shed.
    EnterGate,
    /// Pass it on the way out; an attempt that is failing goes on unwinding from here.
    LeaveGate,
    /// Begin a guarded call: its first try is next.
    Begin { guard: u32 },
    /// Ask whether a try of a guarded call may be sent.
    Admit { guard: u32 },
    /// A try has ended: try again, go on, or fail.
    Settle { guard: u32, again: Place },
    /// Wait until it is time for the hedge of this number.
    HedgeDelay { guard: u32, number: u16 },
    /// Count a hedge, which is sent now.
    HedgeSent { guard: u32 },
    /// A guarded call has failed and its fallback takes over; attempts that must end go on unwinding.
    Fallback { guard: u32 },
    /// Start several branches and wait for all of them.
    Fork { fork: u32 },
    /// Go on at one of several places, at random.
    Choose { choice: u32 },
    /// Go on elsewhere.
    Jump { to: Place },
    /// Draw how often the loop runs; skip it for none.
    Repeat { demand: u32, depth: u8, past: Place },
    /// Run a loop once for each page that the latest work at this station touched and that is not in memory; skip it for none.
    PageFaults { slot: u16, depth: u8, past: Place },
    /// Skip a read whose page is among those that fit into the memory left over, of a working set of so many bytes.
    PageCached { working_set: u64, past: Place },
    /// Run the loop's body again while rounds are left.
    Again { depth: u8, body: Place },
    /// Fail: go on at the unwinding code.
    Fail,
    /// Forget a failure: what was guarded has failed, and the frame goes on as if it had not.
    Recover,
    /// Pass a failure on: a failing frame goes on at the unwinding code, any other with the next instruction.
    Raise,
    /// Answer the caller, perhaps with a drawn number of bytes; what follows runs in the background.
    Reply { size: Size },
    /// Touch the state of a cache, a database or a queue.
    Data { step: u32 },
    /// The end of an attempt or a branch.
    Finish,
    /// The end of an operation in a model with links: its reply goes back, unless it did already.
    Return,
    /// A message passes network cards and the link's bandwidth; `back` tells whether it is a reply.
    Transfer { back: bool },
    /// A message is on its way.
    Hop { back: bool },
    /// A request has arrived: the operation begins.
    Enter,
    /// A reply has arrived: the attempt ends.
    Deliver,
}

/// A random amount that a step asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// What is drawn: times in nanoseconds, counts as they are.
    pub distribution: Distribution,
    /// The hash of the step, which keys its draws.
    pub salt: u64,
}

/// Memory that is held between two places of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// A random amount [B].
    pub amount: Option<u32>,
    /// What comes on top of it [B].
    pub fixed: u64,
    /// What comes on top of both and is never given back [B].
    pub leak: u64,
    /// What is allocated meanwhile in all, for the garbage collector [B].
    pub garbage: Option<u32>,
    /// The places of its `Allocate` and `Free`.
    pub from: Place,
    /// See `from`.
    pub until: Place,
}

/// A random choice between places.
///
/// Source: the guide table of H. Chen, Y. Asau, "On generating random variates from an empirical distribution" (1974), which
/// tells where to begin looking, so that a choice costs the same however many ways there are.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Upper ends of the cumulative probabilities, ascending, the last one 1; and where each leads.
    ways: Vec<(f64, Place)>,
    /// As many cells of equal width as there are ways: where to begin looking for a point in a cell.
    guide: Vec<u32>,
    /// The hash of the step, which keys its draws.
    pub salt: u64,
}

impl Choice {
    /// A choice whose ways are not known yet.
    pub fn new(salt: u64) -> Self {
        Choice { ways: Vec::new(), guide: Vec::new(), salt }
    }

    /// Sets the ways: upper ends of the cumulative probabilities, ascending, the last one 1; and where each leads.
    pub fn set(&mut self, ways: Vec<(f64, Place)>) {
        let cells = ways.len();
        // A cell early: where a point times the number of cells is rounded up, it lies in the cell before.
        let begins = |cell: usize| (cell as f64 - 1.0) / cells as f64;
        let guide = |cell: usize| ways.partition_point(|(end, _)| *end <= begins(cell)) as u32;
        self.guide = (0..cells).map(guide).collect();
        self.ways = ways;
    }

    /// Where a point between 0 and 1 leads.
    #[inline]
    pub fn way(&self, point: f64) -> Option<Place> {
        // Of a few, looking at one after the other is quicker.
        let begin = if self.ways.len() <= 4 { 0 } else { self.begin(point) };
        let way = self.ways[begin..].iter().find(|(end, _)| point < *end);
        way.or(self.ways.last()).map(|(_, place)| *place)
    }

    /// Where to begin looking for a point.
    #[inline]
    fn begin(&self, point: f64) -> usize {
        let cell = (point * self.ways.len() as f64) as usize;
        self.guide.get(cell).map_or(0, |begin| *begin as usize)
    }
}

/// A call as written at one place of one program.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The client or service that calls.
    pub from: String,
    /// The operation that is called.
    pub operation: u32,
    /// How long the caller waits for the reply.
    pub timeout: Option<Nanos>,
    /// The hash of the step, which keys the callee.
    pub salt: u64,
    /// Whether the callee is told when the answer is needed.
    pub tells_deadline: bool,
    /// Whether the callee is stopped when its caller's patience ends.
    pub cancels: bool,
    /// Whether the callee is stopped when its caller is stopped, as the loser of a hedge is.
    pub passes_cancel: bool,
    /// How the instance is chosen.
    pub route: Route,
    /// The size of the request, if it has one.
    pub request: Option<u32>,
}

impl Site {
    /// A call of a client or service that tells its callee nothing of deadlines and cancelling, to an instance that the
    /// balancer chooses.
    pub fn plain(from: &str, operation: u32, timeout: Option<Nanos>, salt: u64) -> Self {
        Site { from: from.to_owned(), operation, timeout, salt, ..Site::default() }
    }
}

/// How large an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As this demand is drawn [B].
    Drawn(u32),
    /// As it was recorded with the request.
    Recorded,
}

/// How the instance of a call is chosen.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Route {
    /// By the service's balancer.
    #[default]
    Balanced,
    /// By the request's item: always the same instance.
    Item,
    /// The member of a group of consumers that processes the batch.
    Member { group: u32 },
    /// A node of the item's shard of a database: the primary for a write, otherwise as its reads are routed.
    Database { database: u32, write: bool },
    /// A node of the caller's own shard: that of this number, or so many behind the own one.
    Node { database: u32, node: u32, primary: bool },
    /// The primary of the shard that a batch of moving items comes from, or goes to.
    Moving { database: u32, to: bool },
}

/// A `parallel` step: where its branches begin, and the hashes that key them.
#[derive(Debug, Clone, Default)]
pub struct Fork {
    /// Per branch: its code and its salt; a salt of 0 lets it make the draws that its parent would have made.
    pub branches: Vec<(Place, u64)>,
    /// How many must succeed; all of them, and all are awaited, if `None`.
    pub need: Option<u16>,
    /// How long they are awaited [ns], and what happens then.
    pub limit: Option<(Nanos, Late)>,
    /// Whether branches that are not awaited any more are stopped; else they go on for nobody.
    pub stops: bool,
    /// Whether what is called within `limit` is told so.
    pub tells_deadline: bool,
    /// Whether the branches after the first are hedges: they end with those at work.
    pub hedges: bool,
}

/// What happens when branches are late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The fork fails as timed out.
    Fail,
    /// The fork goes on with the results there are, if they are so many.
    Partial(u16),
}

/// What surrounds a call: retries and what decides about them. Each instance has a state of its own for it.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    /// The calling service or client.
    pub part: String,
    /// The name of the call among the metrics.
    pub name: String,
    /// The most tries, the first one included.
    pub attempts: u32,
    /// How long to wait before each retry.
    pub backoff: Backoff,
    /// The outcomes that are tried again, by their numbers.
    pub retryable: [bool; Outcome::ALL.len()],
    /// What retries cost.
    pub budget: Option<BudgetSpec>,
    /// Whether tries wait for the AWS SDKs' adaptive rate.
    pub adaptive_rate: bool,
    /// When nothing is sent for a while.
    pub breaker: Option<BreakerSpec>,
    /// When some are not sent.
    pub throttle: Option<ThrottleSpec>,
    /// When a hedge is sent: after this time [ns], or after this percentile of the response times.
    pub hedge: Option<HedgeDelay>,
    /// Keys the jitter and the throttle's draws.
    pub salt: u64,
    /// The account of waiting between tries.
    pub account: u32,
}

/// When a hedge is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HedgeDelay {
    /// After this time [ns].
    After(Nanos),
    /// After this percentile of the latest response times.
    Percentile(f64),
}

/// A pool of connections of every instance of a service.
#[derive(Debug, Clone)]
pub struct PoolPlan {
    /// The service.
    pub part: String,
    /// Unused connections are closed after this time [ns].
    pub idle: Option<Nanos>,
    /// What opening one takes, as a demand.
    pub connect: Option<u32>,
    /// The account of opening.
    pub account: u32,
}

/// What an account of the ledger stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The part, such as a service.
    pub part: String,
    /// Its resource or step, such as `workers`, `cpu` or `wait`.
    pub resource: String,
    /// The kind of time.
    pub kind: Kind,
}

/// All the code of a model, with its tables.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// The instructions of all operations and clients.
    pub code: Vec<Instruction>,
    /// Per instruction: where an attempt goes on that fails there.
    pub unwind: Vec<Place>,
    /// Random amounts.
    pub demands: Vec<Demand>,
    /// Memory that is held.
    pub holdings: Vec<Holding>,
    /// Random choices.
    pub choices: Vec<Choice>,
    /// Calls.
    pub sites: Vec<Site>,
    /// Forks.
    pub forks: Vec<Fork>,
    /// Critical sections.
    pub sections: Vec<Section>,
    /// Sends.
    pub sendings: Vec<Sending>,
    /// Whether some answer is as large as was recorded.
    pub recorded: bool,
    /// Where the code of a request's way begins, and that of a reply's, if there are links.
    pub ways: Option<[Place; 2]>,
    /// Where the code of each operation, client and receiver begins, ascending.
    pub entries: Vec<Place>,
    /// The accounts of the ledger.
    pub accounts: Vec<Account>,
    /// Guarded calls.
    pub guards: Vec<GuardPlan>,
    /// Pools whose connections are opened and closed.
    pub pools: Vec<PoolPlan>,
    /// The longest waits in queues [ns], each once.
    pub limits: Vec<Nanos>,
    /// The caches, databases and queues, and the steps that touch them.
    pub data: Parts,
}

impl Program {
    /// Where an attempt goes on that fails before the instruction at this place: there, if it is one that failing attempts run.
    pub fn unwinding_from(&self, place: Place) -> Place {
        match self.code[place as usize] {
            Instruction::Release { .. }
            | Instruction::Free { .. }
            | Instruction::Unlock { .. }
            | Instruction::Received { .. }
            | Instruction::Unlimit { .. }
            | Instruction::Return
            | Instruction::Deliver
            | Instruction::Disconnect { .. }
            | Instruction::LeaveGate
            | Instruction::Settle { .. }
            | Instruction::Fallback { .. }
            | Instruction::Recover
            | Instruction::Raise
            | Instruction::Finish => place,
            _ => self.unwind[place as usize],
        }
    }

    /// Adds the code that every message runs: a request's way, and a reply's.
    pub fn add_ways(&mut self) {
        let start = self.code.len() as Place;
        self.entries.push(start);
        self.code.extend([
            Instruction::Transfer { back: false },
            Instruction::Hop { back: false },
            Instruction::Enter,
            Instruction::Transfer { back: true },
            Instruction::Hop { back: true },
            Instruction::Deliver,
        ]);
        // Whatever fails on its way has ended.
        self.unwind.extend([start + 5; 6]);
        self.ways = Some([start, start + 3]);
    }

    /// Where the code that begins at `entry` ends.
    pub fn end_of(&self, entry: Place) -> Place {
        let next = self.entries.iter().find(|other| **other > entry);
        next.copied().unwrap_or(self.code.len() as Place)
    }

    /// The number of the account, made at its first mention.
    pub fn account(&mut self, part: &str, resource: &str, kind: Kind) -> u32 {
        let wanted = Account { part: part.to_owned(), resource: resource.to_owned(), kind };
        let known = self.accounts.iter().position(|account| *account == wanted);
        known.unwrap_or_else(|| {
            self.accounts.push(wanted);
            self.accounts.len() - 1
        }) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    #[test]
    fn an_instruction_takes_16_bytes() {
        assert!(size_of::<Instruction>() <= 16);
    }

    #[test]
    fn a_choice_leads_where_the_first_end_beyond_the_point_leads() {
        let mut random = Stream::new(5);
        for count in 1..200 {
            let mut ends: Vec<f64> = (1..count).map(|_| unit(&mut random)).collect();
            // Ways of no width, and ends that are ends of cells.
            ends.extend(ends.first().copied());
            ends.extend((0..count % 7).map(|cell| f64::from(cell) / f64::from(count)));
            ends.sort_by(f64::total_cmp);
            ends.push(1.0);
            let ways: Vec<(f64, Place)> = ends.iter().copied().zip(0..).collect();
            let mut choice = Choice::new(1);
            choice.set(ways.clone());
            let near = ends.iter().flat_map(|end| [end.next_down(), *end, end.next_up()]);
            for point in near.chain((0..100).map(|_| unit(&mut random))).filter(|point| (0.0..1.0).contains(point)) {
                let obvious = ways.iter().find(|(end, _)| point < *end).map(|(_, place)| *place);
                assert_eq!(choice.way(point), obvious, "{point} of {count}");
            }
        }
    }

    #[test]
    fn an_account_is_made_once() {
        let mut program = Program::default();
        let first = program.account("shop", "cpu", Kind::Waiting);
        assert_ne!(first, program.account("shop", "cpu", Kind::Service));
        assert_eq!(first, program.account("shop", "cpu", Kind::Waiting));
    }
}
