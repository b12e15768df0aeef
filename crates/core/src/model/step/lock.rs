//! `lock`: do steps while holding a lock of the instance.
//!
//! The lock is given back at the end of the steps, however they end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::locks::Section;
use crate::model::program::Instruction;

/// Do something while holding a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The name of one of the service's `locks`, and what is done while holding it.
    pub lock: Critical,
}

/// A critical section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Critical {
    /// The name of one of the service's `locks`.
    pub name: String,
    /// Whether others may hold the lock meanwhile; `write` if left out. Only an `rwlock` can be read.
    #[serde(default)]
    pub mode: Mode,
    /// Which shard of the lock; `key` if left out.
    #[serde(default)]
    pub shard: Shard,
    /// What is done while holding it.
    pub steps: Vec<Step>,
}

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Together with other readers.
    Read,
    /// Alone.
    #[default]
    Write,
}

/// Which shard of a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shard {
    /// That of the request's data item; a random one if it is about none.
    #[default]
    Key,
    /// A random one.
    Random,
}

impl Lock {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Critical { name, mode, shard, steps } = &self.lock;
        let salt = compiler.salt("lock");
        let Some(found) = compiler.stations.lock(name) else {
            let known = compiler.stations.lock_names();
            compiler.at(".lock.name", |compiler| compiler.unknown("lock", name, known.iter().map(String::as_str)));
            return;
        };
        if *mode == Mode::Read && !found.shared {
            compiler.at(".lock.mode", |compiler| {
                compiler.problem(format!("only an `rwlock` can be held by readers together, and `{name}` is none"));
            });
        }
        let section = Section {
            first: found.first,
            shards: found.shards,
            writes: *mode == Mode::Write,
            by_item: *shard == Shard::Key,
            salt,
            depth: compiler.loop_depth(),
            waiting: compiler.account(name, Kind::Waiting),
        };
        compiler.program.sections.push(section);
        let section = compiler.program.sections.len() as u32 - 1;
        compiler.emit(Instruction::Lock { section });
        compiler.at(".lock.steps", |compiler| {
            refuse_reply(compiler, steps);
            compiler.scope(steps);
        });
        compiler.emit(Instruction::Unlock { section });
    }
}
