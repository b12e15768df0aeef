//! `cpu`: work for the CPU of the instance, in core·time.
//!
//! The cores are shared among all that work at the instance (processor sharing, at most one core each). Without
//! `machine: { cores: … }` cores are not limited and the step takes its time at full speed. Where memory is paged to a disk, what
//! the work touches and does not find in memory is read when the work is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::Instruction;
use crate::quantity::Duration;

/// Work for the CPU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// Time that the work takes on one core that does nothing else.
    pub cpu: Random<Duration>,
}

impl Cpu {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let demand = compiler.at(".cpu", |compiler| compiler.demand("cpu", &self.cpu));
        emit_cpu(compiler, demand);
    }
}

/// Adds work for the CPU, and the page faults that it causes.
pub fn emit_cpu(compiler: &mut Compiler, demand: u32) {
    let service = compiler.account("cpu", Kind::Service);
    match compiler.stations.sharing("cpu") {
        Some(slot) => {
            let waiting = compiler.account("cpu", Kind::Waiting);
            compiler.emit(Instruction::Share { slot, demand, waiting, service });
            super::disk::page_in(compiler, slot);
        }
        None => {
            compiler.emit(Instruction::Delay { demand, account: service });
        }
    }
}
