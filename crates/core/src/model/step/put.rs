//! `put`: change the request's item, with a cache in between.
//!
//! `through`: the origin first, then the cache. `around`: the origin, and the cached copy is dropped. `behind`: the cache at
//! once, the origin after `delay`; changes within it are written together, and what is not yet written is lost when the cache
//! dies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::{beside, data, find, store};
use super::{Step, refuse_reply};
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::distribution::Random;
use crate::model::program::{Instruction, Route};
use crate::quantity::Duration;

/// Change the item, with a cache in between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The cache.
    pub put: String,
    /// How the change gets to the origin; `through` if left out.
    #[serde(default)]
    pub write: Writing,
    /// With `behind`: how long after the first change the origin is written; 1 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Random<Duration>>,
    /// What writes to the origin, such as a call of the database.
    pub origin: Vec<Step>,
}

/// How a change gets to the origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Writing {
    /// The origin first, then the cache.
    #[default]
    Through,
    /// The origin; the cached copy is dropped.
    Around,
    /// The cache at once, the origin later.
    Behind,
}

impl Put {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Some(cache) = find(compiler, ".put", &self.put) else { return };
        refuse_reply(compiler, &self.origin);
        let plan = compiler.program.data.caches[cache as usize].clone();
        let origin = |compiler: &mut Compiler| compiler.at(".origin", |compiler| compiler.steps(&self.origin));
        match self.write {
            Writing::Through => {
                origin(compiler);
                store(compiler, cache, &plan);
            }
            Writing::Around => {
                origin(compiler);
                drop_copy(compiler, cache);
            }
            Writing::Behind => {
                if !plan.local {
                    compiler.problem(format!(
                        "only a cache in the caller can write behind; give `{}` `local: true`",
                        plan.name
                    ));
                }
                let delay = Random::Constant(Duration::from_nanos(1_000_000_000));
                let delay = compiler.demand("behind", self.delay.as_ref().unwrap_or(&delay));
                let account = compiler.program.account(&plan.name, "behind", Kind::Service);
                store(compiler, cache, &plan);
                let flush = beside(compiler, |compiler| {
                    compiler.emit(Instruction::Delay { demand: delay, account });
                    let wash = data(compiler, DataStep::Wash { cache, past: 0 });
                    origin(compiler);
                    let here = compiler.here();
                    if let Instruction::Data { step } = compiler.program.code[wash as usize] {
                        compiler.program.data.steps[step as usize] = DataStep::Wash { cache, past: here };
                    }
                });
                data(compiler, DataStep::Soil { cache, flush });
            }
        }
    }
}

/// Takes the item out of a cache.
pub(super) fn drop_copy(compiler: &mut Compiler, cache: u32) {
    let plan = compiler.program.data.caches[cache as usize].clone();
    if plan.local {
        data(compiler, DataStep::Drop { cache });
    } else {
        compiler.guarded(
            |compiler| super::call::emit_routed(compiler, &format!("{}.delete", plan.name), Route::Item),
            |compiler| {
                compiler.emit(Instruction::Recover);
            },
        );
    }
}
