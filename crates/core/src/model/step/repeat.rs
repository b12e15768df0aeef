//! `repeat`: the same steps several times, one round after the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::Instruction;
use crate::quantity::Count;

/// Do something several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// What, and how often.
    pub repeat: Rounds,
}

/// The rounds of a `repeat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// How often; at most 65 535 times.
    pub times: Random<Count>,
    /// What is done in every round.
    pub steps: Vec<Step>,
}

impl Repeat {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Rounds { times, steps } = &self.repeat;
        if let Random::Constant(count) = times
            && count.get() > u64::from(u16::MAX)
        {
            compiler.at(".repeat.times", |compiler| compiler.problem("at most 65535 rounds are possible"));
        }
        let demand = compiler.at(".repeat.times", |compiler| compiler.demand("repeat", times));
        compiler.at(".repeat.steps", |compiler| {
            refuse_reply(compiler, steps);
            compiler.looped(|compiler, depth| {
                let head = compiler.emit(Instruction::Repeat { demand, depth, past: 0 });
                let body = compiler.here();
                compiler.steps(steps);
                compiler.emit(Instruction::Again { depth, body });
                let past = compiler.here();
                compiler.program.code[head as usize] = Instruction::Repeat { demand, depth, past };
            });
        });
    }
}
