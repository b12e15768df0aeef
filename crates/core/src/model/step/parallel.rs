//! `parallel`: several branches begin at once; the next step follows when enough of them have ended.
//!
//! The branches belong to the same attempt: they share its worker and its instance. All are awaited unless `need` says how
//! many successes are enough; then the step ends with the last of these, or fails as soon as they cannot be reached. After
//! `within` it goes on with the partial results there are. Branches that are not awaited any more go on for nobody, or
//! are stopped (`stop_rest`). The time of the branch that decided is the time of the step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::protect::emit_fork;
use super::{Step, refuse_reply};
use crate::model::compile::Compiler;
use crate::model::program::{Fork, Late};
use crate::quantity::Duration;

/// Do several things at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// The branches; each is a step, or a list of steps.
    #[schemars(length(min = 1, max = 10000))]
    pub parallel: Vec<Branch>,
    /// How many must succeed: `all`, `first`, or a number; `all` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// After this time it goes on with the results there are; without limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// How many results are enough after `within`; it fails as timed out with fewer; 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u16>,
    /// Whether branches that are not awaited any more are stopped; if not, they go on for nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop_rest: bool,
}

/// How many branches of a `parallel` must succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Need {
    /// So many.
    Number(#[schemars(range(min = 1, max = 10000))] u16),
    /// All or the first.
    Word(NeedWord),
}

/// All or the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NeedWord {
    /// All of them; all are awaited, even if one fails.
    All,
    /// The first that succeeds.
    First,
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
        let need = match self.need {
            None | Some(Need::Word(NeedWord::All)) => None,
            Some(Need::Word(NeedWord::First)) => Some(1),
            Some(Need::Number(number)) => Some(number),
        };
        let branches = self.parallel.len();
        if need.is_some_and(|need| need == 0 || usize::from(need) > branches) {
            let message = format!("there are {branches} branches");
            compiler.at(".need", |compiler| compiler.problem(message));
        }
        if self.within == Some(Duration::ZERO) {
            compiler.at(".within", |compiler| compiler.problem("it must be longer than 0"));
        }
        if self.at_least.is_some() && self.within.is_none() {
            compiler.at(".at_least", |compiler| compiler.problem("it goes with `within`"));
        }
        let limit = self.within.map(|within| (within.as_nanos(), Late::Partial(self.at_least.unwrap_or(0))));
        let fork = Fork { need, limit, stops: self.stop_rest, ..Fork::default() };
        emit_fork(compiler, fork, |compiler| self.branches(compiler));
    }

    fn branches(&self, compiler: &mut Compiler) -> Vec<(u32, u64)> {
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
        branches.collect()
    }
}
