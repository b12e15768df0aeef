//! `encode` and `decode`: work for the CPU on a message, as much as the service's `format` takes for so many bytes of content.
//!
//! What a `reply` or a `call` with a `request` sends is written without a step of its own; reading is always a step, and so is
//! what goes to queues, caches and disks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::quantity::Bytes;

/// Write a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encode {
    /// Its content.
    pub encode: Random<Bytes>,
}

/// Read a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    /// Its content.
    pub decode: Random<Bytes>,
}

impl Encode {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        compiler.at(".encode", |compiler| compiler.coded("encode", &self.encode, |format| format.encode));
    }
}

impl Decode {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        compiler.at(".decode", |compiler| compiler.coded("decode", &self.decode, |format| format.decode));
    }
}
