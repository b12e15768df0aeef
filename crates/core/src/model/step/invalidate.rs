//! `invalidate`: take the request's item out of a cache, because it has changed.
//!
//! Of a cache that every instance has for itself, the own copy goes at once and those of the other instances as soon as the
//! message reaches them, each after a `delay` of its own, as with pub-sub. Until then they are stale.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::{beside, data, find};
use super::put::drop_copy;
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::distribution::Random;
use crate::model::program::Instruction;
use crate::quantity::Duration;

/// Take the item out of a cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invalidate {
    /// The cache.
    pub invalidate: String,
    /// How long the message takes to each of the other instances; if left out, they are not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Random<Duration>>,
}

impl Invalidate {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Some(cache) = find(compiler, ".invalidate", &self.invalidate) else { return };
        let plan = &compiler.program.data.caches[cache as usize];
        let (dataset, local, name) = (plan.dataset, plan.local, plan.name.clone());
        data(compiler, DataStep::Change { dataset });
        drop_copy(compiler, cache);
        if let Some(delay) = &self.delay {
            if !local {
                compiler
                    .problem(format!("`{name}` is one for all; only copies in the callers are told (`local: true`)"));
            }
            let demand = compiler.at(".delay", |compiler| compiler.demand("invalidate", delay));
            let account = compiler.program.account(&name, "delivery", Kind::Network);
            let drop = beside(compiler, |compiler| {
                compiler.emit(Instruction::Delay { demand, account });
                data(compiler, DataStep::Drop { cache });
            });
            data(compiler, DataStep::Spread { cache, drop });
        }
    }
}
