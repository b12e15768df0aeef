//! `reply`: answer the caller and give the worker back; the steps after it run in the background.
//!
//! An operation without it replies at its end. The size is counted as bytes sent; with a `format` of the service the message is
//! written first, and has the size that it has then.

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
    /// The size of the answer, of its content if the service has a `format`.
    pub reply: Random<Bytes>,
}

impl Reply {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let content = compiler.at(".reply", |compiler| compiler.demand("reply", &self.reply));
        let demand = compiler.written(content);
        compiler.emit(Instruction::Reply { bytes: Some(demand) });
    }
}
