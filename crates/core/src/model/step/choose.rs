//! `choose`: one of several ways, at random; with the probability that the shares leave over, none of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Step, refuse_reply};
use crate::model::compile::Compiler;
use crate::model::program::{Choice, Instruction};
use crate::quantity::Share;

/// Do one of several things, at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// The ways; their shares add up to 100 % or less.
    #[schemars(length(min = 1))]
    pub choose: Vec<Way>,
}

/// One way of a `choose`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// How often it is taken.
    pub share: Share,
    /// What is done then.
    pub steps: Vec<Step>,
}

/// How far shares may miss 100 % by rounding.
pub const ROUNDING: f64 = 1e-9;

impl Choose {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let total: f64 = self.choose.iter().map(|way| way.share.fraction()).sum();
        if total > 1.0 + ROUNDING {
            compiler.at(".choose", |compiler| {
                let percent = (total * 1e8).round() / 1e6;
                compiler.problem(format!("the shares add up to {percent} %, more than 100 %"));
            });
        }
        let ways = self.choose.iter().map(|way| way.share.fraction());
        emit(compiler, "choose", ways, |compiler, number| {
            let steps = &self.choose[number].steps;
            compiler.at(format!(".choose[{number}].steps"), |compiler| {
                refuse_reply(compiler, steps);
                compiler.steps(steps);
            });
        });
    }
}

/// Adds the code of a choice: `body` adds that of each way.
pub fn emit(
    compiler: &mut Compiler,
    kind: &'static str,
    shares: impl Iterator<Item = f64>,
    mut body: impl FnMut(&mut Compiler, usize),
) {
    let salt = compiler.salt(kind);
    let choice = compiler.program.choices.len() as u32;
    compiler.program.choices.push(Choice::new(salt));
    compiler.emit(Instruction::Choose { choice });
    let (mut end, mut ways, mut exits) = (0.0, Vec::new(), Vec::new());
    for (number, share) in shares.enumerate() {
        end += share;
        ways.push((end, compiler.here()));
        body(compiler, number);
        exits.push(compiler.emit(Instruction::Jump { to: 0 }));
    }
    let past = compiler.here();
    match ways.last_mut() {
        Some(last) if end >= 1.0 - ROUNDING => last.0 = 1.0,
        _ => ways.push((1.0, past)),
    }
    for exit in exits {
        compiler.program.code[exit as usize] = Instruction::Jump { to: past };
    }
    compiler.program.choices[choice as usize].set(ways);
}
