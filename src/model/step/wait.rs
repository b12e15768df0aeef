//! `wait`: time passes without using anything; what is held stays held.
//!
//! Stands for everything that takes time and is not modelled further: a device, a remote system, a sleep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::Instruction;
use crate::quantity::Duration;

/// Let time pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// How long.
    pub wait: Random<Duration>,
}

impl Wait {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let demand = compiler.at(".wait", |compiler| compiler.demand("wait", &self.wait));
        let account = compiler.account("wait", Kind::Delay);
        compiler.emit(Instruction::Delay { demand, account });
    }
}
