//! `cache`: ask a cache for the request's item; on a miss do something else and store what it brought.
//!
//! A cache that cannot be asked (down, unreachable, too slow for its own timeout) counts as a miss; storing is then given
//! up silently. With `single_flight`, of those who miss the same item only one fetches, and the others go on with what it
//! brings or fail as it does (as Go's `singleflight` does, at the calling instance; for a cache that is a service among all callers).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::data::{CachePlan, DataStep};
use crate::model::program::{Instruction, Place, Route};

/// Ask a cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// The cache to ask for the request's item.
    pub cache: String,
    /// What is done when it is not there, such as asking the database; afterwards the item is stored.
    #[serde(default)]
    pub on_miss: Vec<Step>,
}

impl Cache {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Some(cache) = find(compiler, ".cache", &self.cache) else { return };
        refuse_reply(compiler, &self.on_miss);
        let plan = compiler.program.data.caches[cache as usize].clone();
        if plan.ratio.is_some() {
            return self.by_chance(compiler, cache, &plan);
        }
        let mut tests = vec![(ask(compiler, cache, &plan), cache)];
        let mut tier = plan.clone();
        let mut lower_hits = Vec::new();
        while let Some(lower) = tier.lower {
            tier = compiler.program.data.caches[lower as usize].clone();
            lower_hits.push((ask(compiler, lower, &tier), lower));
        }
        if plan.single_flight {
            let waiting = compiler.program.account(&plan.name, "flight", Kind::Waiting);
            tests.push((data(compiler, DataStep::Board { cache, hit: 0, waiting }), cache));
        }
        let fetch = |compiler: &mut Compiler| compiler.at(".on_miss", |compiler| compiler.steps(&self.on_miss));
        compiler.scoped(|compiler| {
            fetch(compiler);
            for (test, _) in lower_hits {
                let here = compiler.here();
                set_hit(compiler, test, here);
            }
            store(compiler, cache, &plan);
        });
        if plan.single_flight {
            data(compiler, DataStep::Land { cache });
        } else {
            compiler.emit(Instruction::Raise);
        }
        let refreshing = plan.stale > 0 || plan.early > 0.0;
        let refresh = refreshing.then(|| {
            beside(compiler, |compiler| {
                fetch(compiler);
                store(compiler, cache, &plan);
            })
        });
        let past = compiler.here();
        for (test, _) in tests {
            set_hit(compiler, test, past);
            set_refresh(compiler, test, refresh);
        }
    }

    fn by_chance(&self, compiler: &mut Compiler, cache: u32, plan: &CachePlan) {
        cost(compiler, plan, "get", &plan.get);
        let salt = compiler.salt("cache");
        data(compiler, DataStep::Chance { cache, salt });
        let test = data(compiler, DataStep::Test { cache, hit: 0, refresh: None });
        compiler.at(".on_miss", |compiler| compiler.steps(&self.on_miss));
        cost(compiler, plan, "set", &plan.set);
        let past = compiler.here();
        set_hit(compiler, test, past);
    }
}

/// The number of a cache; an unknown name is a problem.
pub(super) fn find(compiler: &mut Compiler, key: &str, name: &str) -> Option<u32> {
    let found = compiler.program.data.cache(name);
    if found.is_none() {
        let known: Vec<String> = compiler.program.data.caches.iter().map(|plan| plan.name.clone()).collect();
        compiler.at(key, |compiler| compiler.unknown("cache", name, known.iter().map(String::as_str)));
    }
    found
}

/// Adds a data step; returns the place of its instruction.
pub(super) fn data(compiler: &mut Compiler, step: DataStep) -> Place {
    compiler.program.data.steps.push(step);
    let step = compiler.program.data.steps.len() as u32 - 1;
    compiler.emit(Instruction::Data { step })
}

fn step_at<'a>(compiler: &'a mut Compiler<'_>, place: Place) -> Option<&'a mut DataStep> {
    match compiler.program.code[place as usize] {
        Instruction::Data { step } => compiler.program.data.steps.get_mut(step as usize),
        _ => None,
    }
}

fn set_hit(compiler: &mut Compiler, place: Place, to: Place) {
    if let Some(DataStep::Test { hit, .. } | DataStep::Board { hit, .. }) = step_at(compiler, place) {
        *hit = to;
    }
}

fn set_refresh(compiler: &mut Compiler, place: Place, to: Option<Place>) {
    if let Some(DataStep::Test { refresh, .. }) = step_at(compiler, place) {
        *refresh = to;
    }
}

/// Compiles code that frames of their own run beside; returns where it begins.
pub(super) fn beside(compiler: &mut Compiler, body: impl FnOnce(&mut Compiler)) -> Place {
    let over = compiler.emit(Instruction::Jump { to: 0 });
    let entry = compiler.here();
    compiler.scoped(body);
    compiler.emit(Instruction::Finish);
    compiler.program.code[over as usize] = Instruction::Jump { to: compiler.here() };
    entry
}

/// The cost of an operation of a cache: steps in the caller, or a call.
fn cost(compiler: &mut Compiler, plan: &CachePlan, operation: &str, steps: &[Step]) {
    if plan.local {
        compiler.steps(steps);
    } else {
        let route = if plan.ratio.is_some() { Route::Balanced } else { Route::Item };
        super::call::emit_routed(compiler, &format!("{}.{operation}", plan.name), route);
    }
}

/// Asks a cache; returns the place of the test of what it answered.
fn ask(compiler: &mut Compiler, cache: u32, plan: &CachePlan) -> Place {
    if plan.local {
        compiler.steps(&plan.get);
        data(compiler, DataStep::Ask { cache });
    } else {
        compiler.guarded(
            |compiler| cost(compiler, plan, "get", &[]),
            |compiler| {
                compiler.emit(Instruction::Recover);
                data(compiler, DataStep::Missed { cache });
            },
        );
    }
    data(compiler, DataStep::Test { cache, hit: 0, refresh: None })
}

/// Stores what was fetched.
pub(super) fn store(compiler: &mut Compiler, cache: u32, plan: &CachePlan) {
    if plan.local {
        compiler.steps(&plan.set);
        let salt = compiler.salt("fill");
        data(compiler, DataStep::Fill { cache, salt });
    } else {
        compiler.guarded(
            |compiler| cost(compiler, plan, "set", &[]),
            |compiler| {
                compiler.emit(Instruction::Recover);
            },
        );
    }
}
