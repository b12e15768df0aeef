//! `parallel`: several branches begin at once; the next step follows when all have ended.
//!
//! The branches belong to the same attempt: they share its worker and its instance. If one fails, the operation fails
//! after all have ended. The time of the branch that ended last is the time of the step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::model::compile::Compiler;
use crate::model::program::{Fork, Instruction};

/// Do several things at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// The branches; each is a step, or a list of steps.
    #[schemars(length(min = 1, max = 10000))]
    pub parallel: Vec<Branch>,
}

/// A branch of a `parallel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Branch {
    /// Steps, one after the other.
    List(Vec<Step>),
    /// A single step.
    One(Box<Step>),
}

impl Parallel {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let fork = compiler.program.forks.len() as u32;
        compiler.program.forks.push(Fork { branches: Vec::new(), needed: None });
        compiler.emit(Instruction::Fork { fork });
        let over = compiler.emit(Instruction::Jump { to: 0 });
        let branches = self.parallel.iter().enumerate().map(|(number, branch)| {
            let salt = compiler.salt("parallel");
            let entry = compiler.at(format!(".parallel[{number}]"), |compiler| match branch {
                Branch::List(steps) => {
                    refuse_reply(compiler, steps);
                    compiler.branch(steps)
                }
                Branch::One(step) => {
                    refuse_reply(compiler, std::slice::from_ref(&**step));
                    compiler.single(step)
                }
            });
            (entry, salt)
        });
        let branches = branches.collect();
        compiler.program.forks[fork as usize].branches = branches;
        compiler.program.code[over as usize] = Instruction::Jump { to: compiler.here() };
    }
}
