//! `send`: put an item into a channel of the instance.
//!
//! The item is about the same data as the request. What its receiver does with it is said where the channel is; the sender does
//! not wait for that, only for room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::channels::Sending;
use crate::model::compile::Compiler;
use crate::model::program::Instruction;

/// Put an item into a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The name of one of the service's `channels`.
    pub send: String,
}

impl Send {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let salt = compiler.salt("send");
        let Some(found) = compiler.stations.channel(&self.send) else {
            let known = compiler.stations.channel_names();
            compiler.at(".send", |compiler| compiler.unknown("channel", &self.send, known.iter().map(String::as_str)));
            return;
        };
        let waiting = compiler.account(&self.send, Kind::Waiting);
        let (channel, when_full) = found;
        compiler.program.sendings.push(Sending { channel, when_full, salt, waiting });
        let sending = compiler.program.sendings.len() as u32 - 1;
        compiler.emit(Instruction::Send { sending });
    }
}
