//! `fail`: the operation fails with some probability.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choose;
use crate::model::compile::Compiler;
use crate::model::program::Instruction;
use crate::quantity::Share;

/// Fail, perhaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// How often; `100%` for always.
    pub fail: Share,
}

impl Fail {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        choose::emit(compiler, "fail", std::iter::once(self.fail.fraction()), |compiler, _| {
            compiler.emit(Instruction::Fail);
        });
    }
}
