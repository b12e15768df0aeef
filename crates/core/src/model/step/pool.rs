//! `pool`: hold a worker of a named pool while some steps are done.
//!
//! The pools are those of the service's runtime. Whoever finds no free worker waits; beyond the pool's limit it is rejected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::program::Instruction;

/// Hold a worker of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The pool, one of `runtime.pools`.
    pub pool: String,
    /// What is done while the worker is held.
    pub steps: Vec<Step>,
}

impl Pool {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let slot = compiler.at(".pool", |compiler| compiler.pool(&self.pool));
        let waiting = compiler.account(&self.pool, Kind::Waiting);
        compiler.emit(Instruction::Acquire { slot, waiting });
        compiler.at(".steps", |compiler| {
            refuse_reply(compiler, &self.steps);
            compiler.scope(&self.steps);
        });
        compiler.emit(Instruction::Release { slot });
    }
}
