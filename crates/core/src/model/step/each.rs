//! `each`: the steps once for every message of the batch that is being processed; once where there is no batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::data;
use super::{Step, refuse_reply};
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::program::Instruction;

/// Do something for every message of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// What is done for every message, one after the other.
    pub each: Vec<Step>,
}

impl Each {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        compiler.at(".each", |compiler| {
            refuse_reply(compiler, &self.each);
            compiler.looped(|compiler, depth| {
                data(compiler, DataStep::Rounds { depth });
                let body = compiler.here();
                compiler.steps(&self.each);
                compiler.emit(Instruction::Again { depth, body });
            });
        });
    }
}
