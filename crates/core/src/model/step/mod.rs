//! Steps: what an operation does, one after the other.
//!
//! One file per step: its parameters as written in a model file, and how it is compiled. A step is a map with the step's
//! own key and, for some, keys that go with it: `{ call: orders.read, timeout: 300ms }`.

mod cache;
mod call;
mod choose;
mod codec;
mod cpu;
mod disk;
mod each;
mod fail;
mod inner;
mod invalidate;
mod lock;
mod parallel;
mod pool;
mod protect;
mod publish;
mod put;
mod repeat;
mod reply;
mod send;
mod statement;
mod wait;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compile::Compiler;
pub use cache::Cache;
pub use call::{Call, emit_call_to, emit_routed};
pub use choose::{Choose, ROUNDING, Way, emit as emit_choice};
pub use codec::{Decode, Encode};
pub use cpu::{Cpu, emit_cpu};
pub use disk::{Accesses, Disk, Order};
pub use each::Each;
pub use fail::Fail;
pub use inner::Inner;
pub use invalidate::Invalidate;
pub use lock::{Critical, Lock, Mode, Shard};
pub use parallel::{Branch, Need, NeedWord, Parallel};
pub use pool::Pool;
pub use protect::{FallbackSpec, Protection};
pub use publish::Publish;
pub use put::{Put, Writing};
pub use repeat::{Repeat, Rounds};
pub use reply::{Reply, ReplySize};
pub use send::Send;
pub use statement::{Change, Lock as RowLock, Read, Spreading, Statement, Write};
pub use wait::Wait;

/// One step of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Step {
    /// Work for the CPU.
    Cpu(Cpu),
    /// Let time pass.
    Wait(Wait),
    /// Call another operation.
    Call(Box<Call>),
    /// Do several things at once.
    Parallel(Parallel),
    /// Do one of several things, at random.
    Choose(Choose),
    /// Do something several times.
    Repeat(Repeat),
    /// Hold a worker of a pool.
    Pool(Pool),
    /// Fail, perhaps.
    Fail(Fail),
    /// Answer the caller.
    Reply(Reply),
    /// Ask a cache.
    Cache(Cache),
    /// Change the item, with a cache in between.
    Put(Put),
    /// Take the item out of a cache.
    Invalidate(Invalidate),
    /// Hand a message to a queue.
    Publish(Publish),
    /// Do something for every message of a batch.
    Each(Each),
    /// Read rows of a table.
    Read(Read),
    /// Change rows of a table.
    Write(Write),
    /// An operation of a database; cannot be written.
    #[serde(skip)]
    Statement(Statement),
    /// Touch the state of a part; cannot be written.
    #[serde(skip)]
    Inner(Inner),
    /// Read from the disk and write to it.
    Disk(Disk),
    /// Do something while holding a lock.
    Lock(Lock),
    /// Put an item into a channel.
    Send(Send),
    /// Write a message.
    Encode(Encode),
    /// Read a message.
    Decode(Decode),
}

impl Step {
    /// Whether this marks what a node does by itself: applying writes, moving items.
    pub fn is_own_work(&self) -> bool {
        matches!(self, Step::Inner(Inner::Apply(_) | Inner::Own | Inner::Obtain(_)))
    }

    /// Adds the step's code.
    pub fn compile(&self, compiler: &mut Compiler) {
        match self {
            Step::Cpu(step) => step.compile(compiler),
            Step::Wait(step) => step.compile(compiler),
            Step::Call(step) => step.compile(compiler),
            Step::Parallel(step) => step.compile(compiler),
            Step::Choose(step) => step.compile(compiler),
            Step::Repeat(step) => step.compile(compiler),
            Step::Pool(step) => step.compile(compiler),
            Step::Fail(step) => step.compile(compiler),
            Step::Reply(step) => step.compile(compiler),
            Step::Cache(step) => step.compile(compiler),
            Step::Put(step) => step.compile(compiler),
            Step::Invalidate(step) => step.compile(compiler),
            Step::Publish(step) => step.compile(compiler),
            Step::Each(step) => step.compile(compiler),
            Step::Read(step) => step.compile(compiler),
            Step::Write(step) => step.compile(compiler),
            Step::Statement(step) => step.compile(compiler),
            Step::Inner(step) => step.compile(compiler),
            Step::Disk(step) => step.compile(compiler),
            Step::Lock(step) => step.compile(compiler),
            Step::Send(step) => step.compile(compiler),
            Step::Encode(step) => step.compile(compiler),
            Step::Decode(step) => step.compile(compiler),
        }
    }

    /// Whether this step answers the caller.
    pub fn is_reply(&self) -> bool {
        matches!(self, Step::Reply(_))
    }
}

/// Notes a problem for every `reply` among nested steps.
pub(super) fn refuse_reply(compiler: &mut Compiler, steps: &[Step]) {
    if steps.iter().any(Step::is_reply) {
        compiler.problem("`reply` may only stand directly in the list of an operation's steps");
    }
}
