//! `reply`: answer the caller and give the worker back; the steps after it run in the background.
//!
//! An operation without it replies at its end. The size is counted as bytes sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::Instruction;
use crate::quantity::Bytes;

/// Answer the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The size of the answer.
    pub reply: Random<Bytes>,
}

impl Reply {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let demand = compiler.at(".reply", |compiler| compiler.demand("reply", &self.reply));
        compiler.emit(Instruction::Reply { bytes: Some(demand) });
    }
}
