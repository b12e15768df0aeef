//! Running attempts: one frame each, in a slab.
//!
//! A frame is the whole state of an attempt, of a branch of a `parallel`, or of a client's request: its place in the
//! code, its instance, its caller, its key for random draws, its ledger. Frames refer to each other by index.
//!
//! Invariants: a frame's generation grows whenever what it waits for is over, so an event or a callee that carries an
//! older generation no longer concerns it; a frame stands in at most one queue.
//!
//! Limits: 2³² − 1 frames; the system's own limit of attempts in flight is far below.

use std::hint::black_box;

use crate::engine::time::Nanos;
use crate::measure::ledger::Ledger;

/// No frame, no instance.
pub const NONE: u32 = u32::MAX;

/// How deep `repeat` steps may nest.
pub const LOOP_DEPTH: usize = 4;

/// How a request, an attempt or a branch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered as it should be.
    Success,
    /// It failed at a `fail` step, or because something that it called failed.
    Error,
    /// It was turned away by a full queue.
    Rejected,
    /// Its caller's patience ended.
    TimedOut,
    /// It was turned away by a rate limit or a quota.
    Limited,
    /// It was turned away to keep an overloaded service alive.
    Shed,
    /// It was not sent: the circuit breaker was open.
    Broken,
    /// No instance could be reached.
    Unreachable,
    /// Its instance died while it was there.
    Crashed,
    /// Its caller did not want it any more.
    Canceled,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Outcome; 10] = [
        Outcome::Success,
        Outcome::Error,
        Outcome::Rejected,
        Outcome::TimedOut,
        Outcome::Limited,
        Outcome::Shed,
        Outcome::Broken,
        Outcome::Unreachable,
        Outcome::Crashed,
        Outcome::Canceled,
    ];

    /// The word for tables and CSV files.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Error => "error",
            Outcome::Rejected => "rejected",
            Outcome::TimedOut => "timed out",
            Outcome::Limited => "limited",
            Outcome::Shed => "shed",
            Outcome::Broken => "broken",
            Outcome::Unreachable => "unreachable",
            Outcome::Crashed => "crashed",
            Outcome::Canceled => "canceled",
        }
    }
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Free for use.
    Vacant,
    /// A client's request; `owner` is the client.
    Request,
    /// An attempt at an operation; `owner` is the operation.
    Attempt,
    /// A client's request whose whole program is one call: the request and its attempt in one. `owner` is the operation,
    /// `sibling` the client and its user, `parent_generation` the generation with which it began.
    Direct,
    /// A branch of a `parallel`; `owner` is the operation or client it belongs to.
    Branch,
}

/// What a frame waits for at present; decides how its time until now would be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing; it runs.
    Running,
    /// The end of a delay; `account` is its account.
    Delay,
    /// A server; `account` is the account of waiting.
    Queue,
    /// The end of its work at a sharing station; `account` is the account of service, `account2` of waiting.
    Share,
    /// The end of something that holds it up before its next instruction; `account` is its account.
    Parked,
    /// Its callee or branches.
    Children,
    /// A lock; `account` is the account of waiting, `account2` the lock.
    Lock,
    /// The end of a transfer at up to three sharing stations; `account` is the account of time on the way.
    Transfer,
    /// Room in a channel; `account` is the account of waiting, `account2` the channel.
    Room,
    /// It is an item in a channel's buffer and waits for a receiver; `account2` is the channel.
    Buffer,
}

/// As what a frame waits in a queue: the account of its wait, and the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The account of waiting.
    pub account: u32,
    /// The station's number among all.
    pub station: u32,
}

/// What calls and branches inherit from who began them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearing {
    /// When nobody needs the answer any more [ns]; the greatest time if there is no such instant.
    pub deadline: Nanos,
    /// The data that it is about, as a number among the items of its client; [`NONE`] if it is about none.
    pub item: u32,
    /// How important it is: 0 is the most important.
    pub priority: u8,
}

impl Bearing {
    /// No deadline, no data, the highest priority.
    pub const PLAIN: Bearing = Bearing { deadline: Nanos::MAX, item: NONE, priority: 0 };
}

/// The state of one running attempt, branch or request, with its ledger of the usual length. Three cache lines: what is touched
/// whenever it goes on or ends, the ledger, and the rest.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Frame {
    /// When it began. State [ns].
    pub started: Nanos,
    /// When the present stage began. State [ns].
    pub since: Nanos,
    /// The next instruction.
    pub place: u32,
    /// Grows when what the frame waits for is over.
    pub generation: u32,
    /// The instance it runs on.
    pub instance: u32,
    /// The operation or client.
    pub owner: u32,
    /// Who waits for it, and that frame's generation when it began to wait.
    pub parent: u32,
    /// See `parent`.
    pub parent_generation: u32,
    /// Neighbours in a queue; of a vacant place, the next vacant one.
    pub queue: [u32; 2],
    /// The account of the present stage.
    pub account: u32,
    /// Which balancer of the service sent it.
    pub balancer: u16,
    /// What it is.
    pub role: Role,
    /// What it waits for.
    pub stage: Stage,
    /// How it will end, as far as known.
    pub outcome: Outcome,
    /// How the last thing that failed in it had failed, in its own words: `outcome` is an error when a callee timed out.
    pub reason: Outcome,
    /// Whether it was answered already, or its caller is gone.
    pub answered: bool,
    /// Retries of the guarded call it is at, with [`Frame::SLOW`] if the last one was made because of a timeout.
    pub retries: u8,
    /// How important it is; [`Bearing`].
    pub priority: u8,
    /// Where the time went so far.
    pub ledger: Ledger,
    /// Keys all draws.
    pub key: u64,
    /// Rounds left in the loops it is in.
    pub rounds: [u16; LOOP_DEPTH],
    /// The work of the present stage at full speed. State [ns].
    pub work: Nanos,
    /// When nobody needs the answer any more [ns]; [`Bearing`].
    pub deadline: Nanos,
    /// The data that it is about; [`Bearing`].
    pub item: u32,
    /// The latest callee or branch while waiting for children.
    pub child: u32,
    /// Neighbours among the branches of one fork; see also [`Role::Direct`].
    pub sibling: [u32; 2],
    /// See [`Stage::Share`]; for a queued frame the station.
    pub account2: u32,
    /// The size of the request that it is an attempt at, at most 4 GiB [B]; 0 where no queue counts bytes.
    pub size: u32,
    /// Branches that have not ended.
    pub pending: u16,
}

impl Frame {
    /// Marks in `retries` that the last one was made because of a timeout.
    pub const SLOW: u8 = 0x80;

    /// Whether it must end, whatever guards it: its instance died, or nobody wants it any more.
    #[inline]
    pub fn is_doomed(&self) -> bool {
        matches!(self.outcome, Outcome::Crashed | Outcome::Canceled) && self.role != Role::Request
    }

    /// A place in the slab that nobody uses.
    const VACANT: Frame = Frame {
        key: 0,
        started: 0,
        since: 0,
        work: 0,
        deadline: Nanos::MAX,
        item: NONE,
        place: 0,
        generation: 0,
        instance: NONE,
        parent: NONE,
        parent_generation: 0,
        child: NONE,
        sibling: [NONE; 2],
        queue: [NONE; 2],
        ledger: Ledger::EMPTY,
        account: 0,
        account2: 0,
        rounds: [0; LOOP_DEPTH],
        owner: 0,
        size: 0,
        pending: 0,
        balancer: 0,
        role: Role::Vacant,
        stage: Stage::Running,
        priority: 0,
        outcome: Outcome::Success,
        reason: Outcome::Success,
        answered: false,
        retries: 0,
    };

    /// Looks at all of its cache lines, so that they are near when they are needed.
    #[inline]
    pub fn look(&self) {
        black_box((self.generation, self.ledger.is_empty(), self.key));
    }

    /// Begins to wait in a queue.
    #[inline]
    pub fn wait(&mut self, now: Nanos, wait: Wait) {
        self.since = now;
        self.stage = Stage::Queue;
        (self.account, self.account2) = (wait.account, wait.station);
    }

    /// The visit of the present step: differs from round to round of the loops around it, and from try to try of a call.
    #[inline]
    pub fn visit(&self) -> u64 {
        let [a, b, c, d] = self.rounds.map(u64::from);
        let tries = u64::from(self.retries & !Frame::SLOW);
        (a | b << 16 | c << 32 | d << 48).wrapping_add(tries.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// What its calls and branches inherit.
    #[inline]
    pub fn bearing(&self) -> Bearing {
        Bearing { deadline: self.deadline, item: self.item, priority: self.priority }
    }

    /// The client whose request it is; `None` if it is none.
    pub fn client(&self) -> Option<u32> {
        match self.role {
            Role::Request => Some(self.owner),
            Role::Direct => Some(self.sibling[0]),
            Role::Attempt | Role::Branch | Role::Vacant => None,
        }
    }

    /// Whether it is the direct request that began here with this generation.
    #[inline]
    pub fn is_direct(&self, generation: u32) -> bool {
        // Both are looked at: of events that come too late, one or the other differs, and nobody can foretell which.
        (self.role == Role::Direct) & (self.parent_generation == generation)
    }

    /// The answer of an attempt to its caller; `None` if it was given already.
    #[inline]
    pub fn answer(&mut self) -> Option<Answer> {
        (!std::mem::replace(&mut self.answered, true)).then(|| self.as_answer())
    }

    /// What an attempt tells its caller, as things are.
    #[inline]
    pub fn as_answer(&self) -> Answer {
        Answer {
            owner: self.owner,
            instance: self.instance,
            balancer: self.balancer,
            started: self.started,
            parent: self.parent,
            awaited: self.parent_generation,
            outcome: self.outcome,
        }
    }
}

/// What an attempt tells its caller, and who that is.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The operation.
    pub owner: u32,
    /// Where it ran.
    pub instance: u32,
    /// Which balancer sent it there.
    pub balancer: u16,
    /// When it began [ns].
    pub started: Nanos,
    /// The caller's frame.
    pub parent: u32,
    /// That frame's generation if it still waits.
    pub awaited: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a frame begins with.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// What it is.
    pub role: Role,
    /// The operation or client.
    pub owner: u32,
    /// The instance it runs on.
    pub instance: u32,
    /// Keys all draws.
    pub key: u64,
    /// Its first instruction.
    pub place: u32,
    /// What it inherits.
    pub bearing: Bearing,
}

/// All frames of a system.
#[derive(Debug, Clone)]
pub struct Frames {
    slab: Vec<Frame>,
    /// The first of the list of vacant places.
    vacant: u32,
    in_use: usize,
    peak: usize,
    /// How many may be in flight.
    limit: usize,
    /// Whether there were ever more.
    crowded: bool,
}

impl Frames {
    /// No frames, of which so many may be in flight.
    pub const fn new(limit: usize) -> Self {
        Frames { slab: Vec::new(), vacant: NONE, in_use: 0, peak: 0, limit, crowded: false }
    }

    /// Starts a frame that is about to run; returns its index and the frame. Fields that are set before they are read
    /// (those of queues, siblings, stages) keep what the last user of the place left.
    #[inline]
    pub fn start(&mut self, now: Nanos, start: Start) -> (u32, &mut Frame) {
        let Start { role, owner, instance, key, place, bearing } = start;
        let index = if self.vacant == NONE { self.grow() } else { self.vacant };
        self.in_use += if role == Role::Direct { 2 } else { 1 };
        if self.in_use > self.peak {
            self.peak = self.in_use;
            self.crowded = self.peak > self.limit;
        }
        let frame = &mut self.slab[index as usize];
        self.vacant = frame.queue[1];
        frame.key = key;
        frame.started = now;
        frame.place = place;
        frame.instance = instance;
        frame.parent = NONE;
        frame.ledger.clear();
        frame.rounds = [0; LOOP_DEPTH];
        frame.owner = owner;
        frame.role = role;
        frame.stage = Stage::Running;
        frame.outcome = Outcome::Success;
        frame.answered = false;
        frame.retries = 0;
        (frame.deadline, frame.item, frame.priority) = (bearing.deadline, bearing.item, bearing.priority);
        (index, frame)
    }

    /// Adds a vacant place; returns its index.
    #[cold]
    fn grow(&mut self) -> u32 {
        self.slab.push(Frame::VACANT);
        self.slab.len() as u32 - 1
    }

    /// Frees a frame; its generation grows, so that nothing old concerns the next user of the place. Returns what it was,
    /// and the place, where all else is still as the frame left it.
    #[inline]
    pub fn remove(&mut self, index: u32) -> (Role, &mut Frame) {
        let frame = &mut self.slab[index as usize];
        let role = std::mem::replace(&mut frame.role, Role::Vacant);
        frame.generation = frame.generation.wrapping_add(1);
        frame.queue[1] = self.vacant;
        self.vacant = index;
        self.in_use -= if role == Role::Direct { 2 } else { 1 };
        (role, frame)
    }

    /// Lets the attempt of a direct request go on for nobody: the request has ended.
    pub fn abandon(&mut self, index: u32) {
        let frame = &mut self.slab[index as usize];
        frame.role = Role::Attempt;
        // A caller that waits no more: the frame itself, before it began.
        frame.parent = index;
        frame.parent_generation = frame.parent_generation.wrapping_sub(1);
        self.in_use -= 1;
    }

    /// How many requests, attempts and branches are in flight; a direct request is two of them.
    #[inline]
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// Whether more were in flight at once than may be.
    #[inline]
    pub fn crowded(&self) -> bool {
        self.crowded
    }

    /// The most that were ever in flight at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Two different frames at once.
    #[inline(always)]
    pub fn both(&mut self, one: u32, other: u32) -> [&mut Frame; 2] {
        self.slab.get_disjoint_mut([one as usize, other as usize]).expect("two different frames of the slab")
    }

    /// The frames in use.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.slab.iter().filter(|frame| frame.role != Role::Vacant)
    }

    /// The places of the frames in use, in their order in the slab.
    pub fn places(&self) -> impl Iterator<Item = u32> {
        (0..self.slab.len() as u32).filter(|index| self.slab[*index as usize].role != Role::Vacant)
    }
}

impl std::ops::Index<u32> for Frames {
    type Output = Frame;

    #[inline]
    fn index(&self, index: u32) -> &Frame {
        &self.slab[index as usize]
    }
}

impl std::ops::IndexMut<u32> for Frames {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Frame {
        &mut self.slab[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(key: u64) -> Start {
        Start { role: Role::Attempt, owner: 0, instance: 0, key, place: 0, bearing: Bearing::PLAIN }
    }

    #[test]
    fn a_frame_with_its_ledger_of_four_entries_takes_three_cache_lines() {
        assert_eq!(size_of::<Frame>(), 192);
        let ends = [std::mem::offset_of!(Frame, ledger), std::mem::offset_of!(Frame, key)];
        assert_eq!(ends, [64, 128], "what belongs together lies in one line");
    }

    #[test]
    fn a_reused_place_has_a_new_generation() {
        let mut frames = Frames::new(9);
        let (first, _) = frames.start(0, plain(1));
        let generation = frames[first].generation;
        frames.remove(first);
        let (second, _) = frames.start(0, plain(2));
        assert_eq!(first, second);
        assert_ne!(generation, frames[second].generation);
        assert_eq!((frames.in_use(), frames.peak()), (1, 1));
    }
}
