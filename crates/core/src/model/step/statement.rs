//! Statements of a database, and what surrounds them in its operations.
//!
//! `read` costs `row` of CPU time for every row that is looked at: all of the table for a scan; log₂ of it and the rows found
//! with an index (a B-tree: D. Comer, "The ubiquitous B-tree", 1979). `write` costs `row` for every row and `index` for every
//! index of every row. An operation with a `write` in its list changes the request's item; it goes to the primary and is
//! replicated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::{beside, data};
use super::{Cpu, Step};
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::distribution::Random;
use crate::model::program::{Fork, Instruction, Route};
use crate::quantity::Duration;

/// Read rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// What is read, and how.
    pub read: Select,
}

/// What is read, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Rows that are found and returned: a page; 1 if left out.
    #[serde(default = "one")]
    pub rows: u64,
    /// Rows of the table.
    #[schemars(range(min = 1))]
    pub of: u64,
    /// How they are found; by `index` if left out.
    #[serde(default)]
    pub by: Access,
    /// CPU time to look at one row; 1 µs if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Duration>,
}

/// How rows are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// By an index: log₂ of the table, and the rows found.
    #[default]
    Index,
    /// By looking at all rows.
    Scan,
}

/// Change rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// What is written, and how.
    pub write: Change,
}

/// What is written, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Rows that are written; 1 if left out.
    #[serde(default = "one")]
    pub rows: u64,
    /// CPU time to write one row; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Duration>,
    /// Indexes that are kept up to date; none if left out.
    #[serde(default)]
    pub indexes: u32,
    /// CPU time to keep one index up to date for one row; a fifth of `row` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Duration>,
    /// What is locked from the beginning of the operation to its end; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
}

/// What an operation locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// The row of the request's item.
    Row,
    /// The whole table.
    Table,
}

fn one() -> u64 {
    1
}

impl Read {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Select { rows, of, by, row } = &self.read;
        let looked = match by {
            Access::Scan => *of as f64,
            Access::Index => libm::log2((*of).max(1) as f64).max(1.0) + *rows as f64,
        };
        cpu(compiler, row.map_or(1e3, |row| row.as_nanos() as f64) * looked);
    }
}

impl Write {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Change { rows, row, indexes, index, .. } = &self.write;
        let row = row.map_or(0.0, |row| row.as_nanos() as f64);
        let index = index.map_or(row / 5.0, |index| index.as_nanos() as f64);
        cpu(compiler, *rows as f64 * (row + f64::from(*indexes) * index));
    }
}

fn cpu(compiler: &mut Compiler, nanos: f64) {
    let nanos = crate::engine::time::round(nanos);
    if nanos > 0 {
        Cpu { cpu: Random::Constant(Duration::from_nanos(nanos)) }.compile(compiler);
    }
}

/// How writes reach the other nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum Spreading {
    /// There are no others.
    None,
    /// After the answer, each after a delay.
    Later(Random<Duration>),
    /// Before the answer: so many of them must have it, each after a delay.
    Needed(u32, Random<Duration>),
    /// All nodes are equal: so many must have it; delays of sending and of acknowledging.
    Quorum(u32, Random<Duration>, Random<Duration>),
}

/// An operation of a database: its steps, and what its nodes do for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The database.
    pub database: u32,
    /// Its name.
    pub name: String,
    /// Its nodes of every shard.
    pub nodes: u32,
    /// What the operation does.
    pub steps: Vec<Step>,
    /// How a write spreads; `None` for a read.
    pub write: Option<Spreading>,
    /// What it locks.
    pub lock: Option<Lock>,
    /// With quorums: how many answers a read needs; delays of asking and of answering.
    pub read: Option<(u32, Random<Duration>, Random<Duration>)>,
}

impl Statement {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let database = self.database;
        let account = compiler.account("lock", Kind::Waiting);
        if let Some(lock) = self.lock {
            data(compiler, DataStep::Lock { database, table: lock == Lock::Table, account });
        }
        compiler.scoped(|compiler| {
            data(compiler, DataStep::Snapshot { database });
            compiler.steps(&self.steps);
            match &self.write {
                Some(spreading) => {
                    data(
                        compiler,
                        DataStep::Commit { database, everywhere: matches!(spreading, Spreading::Quorum(..)) },
                    );
                    self.spread(compiler, spreading);
                    data(compiler, DataStep::Acknowledge { database });
                }
                None => {
                    if let Some((needed, ask, answer)) = &self.read {
                        self.fork(compiler, *needed, 0, "fetch", ask, Some(answer));
                    }
                    data(compiler, DataStep::Judge { database, own: self.read.is_none() });
                }
            }
        });
        if let Some(lock) = self.lock {
            data(compiler, DataStep::Unlock { database, table: lock == Lock::Table });
        } else {
            compiler.emit(Instruction::Raise);
        }
    }

    fn spread(&self, compiler: &mut Compiler, spreading: &Spreading) {
        match spreading {
            Spreading::None => {}
            Spreading::Needed(needed, delay) => self.fork(compiler, *needed, 1, "apply", delay, None),
            Spreading::Quorum(needed, delay, back) => self.fork(compiler, *needed, 0, "apply", delay, Some(back)),
            Spreading::Later(delay) => {
                let account = compiler.account("lag", Kind::Network);
                for node in 1..self.nodes {
                    let demand = compiler.demand("lag", delay);
                    let place = beside(compiler, |compiler| {
                        compiler.emit(Instruction::Delay { demand, account });
                        super::call::emit_routed(
                            compiler,
                            &format!("{}.apply", self.name),
                            Route::Node { database: self.database, node, primary: true },
                        );
                    });
                    data(compiler, DataStep::Ship { place });
                }
            }
        }
    }

    /// Calls an operation at nodes from `first` on, at once, and waits for so many of them.
    fn fork(
        &self,
        compiler: &mut Compiler,
        needed: u32,
        first: u32,
        operation: &str,
        there: &Random<Duration>,
        back: Option<&Random<Duration>>,
    ) {
        let fork = compiler.program.forks.len() as u32;
        compiler.program.forks.push(Fork { need: Some(needed as u16), ..Fork::default() });
        compiler.emit(Instruction::Fork { fork });
        let over = compiler.emit(Instruction::Jump { to: 0 });
        let account = compiler.account("replication", Kind::Network);
        let primary = first == 1;
        let branches = (first..self.nodes).map(|node| {
            let salt = compiler.salt("node");
            let entry = compiler.here();
            compiler.scoped(|compiler| {
                let demand = compiler.demand("there", there);
                compiler.emit(Instruction::Delay { demand, account });
                let operation = format!("{}.{operation}", self.name);
                super::call::emit_routed(compiler, &operation, Route::Node { database: self.database, node, primary });
                if let Some(back) = back {
                    let demand = compiler.demand("back", back);
                    compiler.emit(Instruction::Delay { demand, account });
                }
            });
            compiler.emit(Instruction::Finish);
            (entry, salt)
        });
        let branches = branches.collect();
        compiler.program.forks[fork as usize].branches = branches;
        compiler.program.code[over as usize] = Instruction::Jump { to: compiler.here() };
    }
}
