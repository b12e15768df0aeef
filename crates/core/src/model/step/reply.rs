//! `reply`: answer the caller and give the worker back; the steps after it run in the background.
//!
//! An operation without it replies at its end. The size is counted as bytes sent; with a `format` of the service the message is
//! written first, and has the size that it has then. A `recorded` one is as large as the access log says of the request that is
//! played again (`%b`), and was written already.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::{Instruction, Size};
use crate::quantity::Bytes;

/// Answer the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The size of the answer, of its content if the service has a `format`; or `recorded`, as large as the replayed access log says.
    pub reply: ReplySize,
}

/// How large an answer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReplySize {
    /// As recorded.
    Recorded(RecordedWord),
    /// So many bytes.
    Bytes(Random<Bytes>),
}

/// As recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedWord {
    /// As large as the replayed access log says of the request.
    Recorded,
}

impl Reply {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let size = match &self.reply {
            ReplySize::Recorded(RecordedWord::Recorded) => {
                compiler.program.recorded = true;
                Size::Recorded
            }
            ReplySize::Bytes(bytes) => {
                let content = compiler.at(".reply", |compiler| compiler.demand("reply", bytes));
                Size::Drawn(compiler.written(content))
            }
        };
        compiler.emit(Instruction::Reply { size });
    }
}
