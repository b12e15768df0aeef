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
    /// How much longer for each request that is in this step at the instance when it begins, itself included: what a crowd costs a
    /// system that is only known from outside. Nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_request: Option<Duration>,
}

/// More requests than a run may have in flight.
const ALL: u32 = 1_000_000_000;

impl Wait {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let demand = compiler.at(".wait", |compiler| compiler.demand("wait", &self.wait));
        let account = compiler.account("wait", Kind::Delay);
        let Some(each) = self.per_request else {
            compiler.emit(Instruction::Delay { demand, account });
            return;
        };
        let Ok(each) = u32::try_from(each.as_nanos() / 1000) else {
            return compiler.at(".per_request", |compiler| compiler.problem("at most an hour per request".to_owned()));
        };
        // Those in the step are counted by a station that has room for all.
        let Some(slot) = compiler.add_servers("crowd", ALL, 0) else { return };
        let waiting = compiler.account("crowd", Kind::Waiting);
        compiler.emit(Instruction::Acquire { slot, waiting });
        compiler.scoped(|compiler| {
            compiler.emit(Instruction::Crowd { slot, demand, account, each });
        });
        compiler.emit(Instruction::Release { slot });
    }
}
