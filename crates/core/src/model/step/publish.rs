//! `publish`: hand a message about the request's item to a queue.
//!
//! The request goes on as soon as the queue has taken the message; with `wait_for_result` when a consumer of the queue's first
//! group has processed it. With an `outbox` the message is stored first and handed over by a relay at the next multiple of that
//! time, so that it is not lost when the instance dies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::data;
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::program::Route;
use crate::quantity::Duration;

/// Hand a message to a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The queue.
    pub publish: String,
    /// Whether to wait until the message has been processed; its failure is then the request's.
    #[serde(default)]
    pub wait_for_result: bool,
    /// Store the message and let a relay hand it over at the next multiple of this time; at once if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox: Option<Duration>,
}

impl Publish {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Some(queue) = compiler.program.data.queue(&self.publish) else {
            let known: Vec<String> = compiler.program.data.queues.iter().map(|plan| plan.name.clone()).collect();
            compiler.at(".publish", |compiler| {
                compiler.unknown("queue", &self.publish, known.iter().map(String::as_str));
            });
            return;
        };
        if self.outbox.is_some() && self.wait_for_result {
            compiler.problem("a message in an outbox is not waited for; remove `wait_for_result`");
        }
        if self.outbox == Some(Duration::ZERO) {
            compiler.at(".outbox", |compiler| compiler.problem("the time between relays must be longer than 0"));
        }
        let every = self.outbox.map_or(0, Duration::as_nanos);
        if every == 0 {
            super::call::emit_routed(compiler, &format!("{}.publish", self.publish), Route::Balanced);
        }
        let room = compiler.program.account(&self.publish, "room", Kind::Waiting);
        let result = compiler.program.account(&self.publish, "result", Kind::Waiting);
        data(compiler, DataStep::Publish { queue, wait: self.wait_for_result, every, room, result });
    }
}
