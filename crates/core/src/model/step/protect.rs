//! What may surround a call, from the outside to the inside: fallback, deadline, retries with budget, throttle and
//! breaker, hedges, bulkhead and connection pool, and the call with its timeout.
//!
//! The order is that of resilience4j's decorators (retry around breaker around bulkhead). Compiled, a guarded call is
//!
//! ```text
//! Begin; again: Admit; what is tried; Settle (failures come here too) → again, on, or to the scope around
//! ```
//!
//! A deadline and hedges are forks: one branch with a limit, or several of which the first success counts.

use super::Step;
use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::{Fork, GuardPlan, HedgeDelay, Instruction, Late, Site};
use crate::model::resilience::backoff::Backoff;
use crate::model::resilience::breaker::BreakerSpec;
use crate::model::resilience::retry::{BulkheadSpec, HedgeSpec, Propagated, RetrySpec};
use crate::model::resilience::throttle::ThrottleSpec;
use crate::quantity::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done when a call has failed: `{ after: 1ms }` for a value at hand, or `{ steps: [...] }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FallbackSpec {
    /// How long it takes to have the value; no time if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Random<Duration>>,
    /// What is done instead, such as another call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
}

/// All that surrounds one call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Protection<'a> {
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long all attempts together may take.
    pub deadline: Option<Duration>,
    /// What the callee is told.
    pub propagate: &'a [Propagated],
    /// Whether it may be carried out more than once.
    pub idempotent: bool,
    /// Trying again.
    pub retry: Option<&'a RetrySpec>,
    /// Asking twice.
    pub hedge: Option<&'a HedgeSpec>,
    /// Not asking what fails.
    pub breaker: Option<&'a BreakerSpec>,
    /// Asking less what refuses.
    pub throttle: Option<&'a ThrottleSpec>,
    /// A limit on calls at once.
    pub bulkhead: Option<&'a BulkheadSpec>,
    /// The connection pool.
    pub through: Option<&'a str>,
    /// What is done when it has failed.
    pub fallback: Option<&'a FallbackSpec>,
}

impl Protection<'_> {
    /// Adds the code of the call of an operation, which is called `target` in the file.
    pub fn emit(&self, compiler: &mut Compiler, operation: u32, target: &str) {
        self.check(compiler);
        let site = self.site(compiler, operation);
        let guard = self.guard(compiler, target);
        match (self.fallback, guard) {
            (Some(fallback), Some(guard)) => compiler.guarded(
                |compiler| self.in_time(compiler, site, Some(guard), target),
                |compiler| {
                    compiler.emit(Instruction::Fallback { guard });
                    compiler.at(".fallback", |compiler| fall_back(compiler, fallback));
                },
            ),
            _ => self.in_time(compiler, site, guard, target),
        }
    }

    fn check(&self, compiler: &mut Compiler) {
        for (name, time) in [(".timeout", self.timeout), (".deadline", self.deadline)] {
            if time == Some(Duration::ZERO) {
                compiler.at(name, |compiler| compiler.problem(format!("a {} must be longer than 0", &name[1..])));
            }
        }
        if let Some(hedge) = self.hedge
            && hedge.after.is_some() == hedge.percentile.is_some()
        {
            compiler.at(".hedge", |compiler| compiler.problem("give either `after` or `percentile`"));
        }
        if let Some(breaker) = self.breaker
            && let Err(message) = breaker.build()
        {
            compiler.at(".breaker", |compiler| compiler.problem(message));
        }
    }

    fn tells(&self, what: Propagated) -> bool {
        self.propagate.contains(&what)
    }

    fn site(&self, compiler: &mut Compiler, operation: u32) -> u32 {
        let salt = compiler.salt("call");
        let cancels = self.tells(Propagated::Cancellation);
        let route = compiler.program.data.route(operation);
        let (from, request) = (compiler.part.clone(), compiler.request);
        compiler.program.sites.push(Site {
            from,
            request,
            operation,
            timeout: self.timeout.map(Duration::as_nanos),
            salt,
            tells_deadline: self.tells(Propagated::Deadline),
            cancels,
            passes_cancel: cancels || self.hedge.is_some_and(|hedge| hedge.cancel),
            route,
        });
        compiler.program.sites.len() as u32 - 1
    }

    /// The guard of the call, if it needs one.
    fn guard(&self, compiler: &mut Compiler, target: &str) -> Option<u32> {
        let tried = self.retry.is_some() || self.breaker.is_some() || self.throttle.is_some();
        if !tried && self.hedge.is_none() && self.fallback.is_none() {
            return None;
        }
        let backoff = self.retry.and_then(|retry| retry.backoff.as_ref()).map_or(Ok(Backoff::IMMEDIATE), Backoff::new);
        let backoff = backoff.unwrap_or_else(|message| {
            compiler.at(".retry.backoff", |compiler| compiler.problem(message));
            Backoff::IMMEDIATE
        });
        let hedge = self.hedge.map(|hedge| match (hedge.after, hedge.percentile) {
            (Some(after), _) => HedgeDelay::After(after.as_nanos()),
            (None, share) => HedgeDelay::Percentile(share.map_or(0.95, |share| share.fraction())),
        });
        let plain = format!("{} -> {target}", compiler.part);
        let same = |name: &str| compiler.program.guards.iter().any(|guard| guard.name == name);
        let name = (1..).map(|n| if n == 1 { plain.clone() } else { format!("{plain} {n}") }).find(|name| !same(name));
        let plan = GuardPlan {
            part: compiler.part.clone(),
            name: name.unwrap_or(plain),
            attempts: self.retry.map_or(1, |retry| retry.attempts),
            backoff,
            retryable: self.retry.map_or(Default::default(), |retry| retry.retryable(self.idempotent)),
            budget: self.retry.and_then(|retry| retry.budget.clone()),
            adaptive_rate: self.retry.is_some_and(|retry| retry.rate.is_some()),
            breaker: self.breaker.cloned(),
            throttle: self.throttle.cloned(),
            hedge,
            salt: compiler.salt("guard"),
            account: compiler.account("retry", Kind::Backoff),
        };
        compiler.program.guards.push(plan);
        Some(compiler.program.guards.len() as u32 - 1)
    }

    /// All tries, within the deadline.
    fn in_time(&self, compiler: &mut Compiler, site: u32, guard: Option<u32>, target: &str) {
        let Some(deadline) = self.deadline else { return self.tried(compiler, site, guard, target) };
        let fork = Fork {
            limit: Some((deadline.as_nanos(), Late::Fail)),
            stops: true,
            tells_deadline: self.tells(Propagated::Deadline),
            ..Fork::default()
        };
        emit_fork(compiler, fork, |compiler| {
            vec![(compiler.branch_of(|compiler| self.tried(compiler, site, guard, target)), 0)]
        });
    }

    /// All tries.
    fn tried(&self, compiler: &mut Compiler, site: u32, guard: Option<u32>, target: &str) {
        let Some(guard) = guard else { return self.attempt(compiler, site, target) };
        compiler.emit(Instruction::Begin { guard });
        let again = compiler.here();
        compiler.scoped(|compiler| {
            compiler.emit(Instruction::Admit { guard });
            self.hedged(compiler, site, guard, target);
        });
        compiler.emit(Instruction::Settle { guard, again });
    }

    /// One try: the attempt, perhaps with hedges.
    fn hedged(&self, compiler: &mut Compiler, site: u32, guard: u32, target: &str) {
        let Some(hedge) = self.hedge else { return self.attempt(compiler, site, target) };
        let fork = Fork { need: Some(1), stops: true, hedges: true, ..Fork::default() };
        let held = self.holds(compiler, target);
        emit_fork(compiler, fork, |compiler| {
            let branch = |number| {
                let entry = compiler.branch_of(|compiler| {
                    if number > 0 {
                        compiler.emit(Instruction::HedgeDelay { guard, number });
                        compiler.emit(Instruction::HedgeSent { guard });
                    }
                    connected(compiler, &held, site);
                });
                let salt = if number == 0 { 0 } else { compiler.salt("hedge") };
                (entry, salt)
            };
            (0..hedge.attempts).map(branch).collect()
        });
    }

    fn attempt(&self, compiler: &mut Compiler, site: u32, target: &str) {
        let held = self.holds(compiler, target);
        connected(compiler, &held, site);
    }

    /// What an attempt holds while it is under way: a place in the bulkhead, a connection.
    fn holds(&self, compiler: &mut Compiler, target: &str) -> Vec<Held> {
        let mut held = Vec::new();
        if let Some(bulkhead) = self.bulkhead {
            let name = format!("bulkhead {target}");
            held.extend(compiler.add_servers(&name, bulkhead.size, bulkhead.queue).map(|slot| Held {
                slot,
                waiting: compiler.account(&compiler.stations.name(slot), Kind::Waiting),
                limit: bulkhead.wait.map(|wait| compiler.limit(wait)),
                pool: None,
            }));
        }
        if let Some(name) = self.through {
            match compiler.connection_pool(name) {
                Some(pool) => held.push(Held {
                    slot: pool.slot,
                    waiting: compiler.account(name, Kind::Waiting),
                    limit: pool.wait.map(|wait| compiler.limit(wait)),
                    pool: pool.plan,
                }),
                None => compiler.at(".through", |compiler| compiler.unknown_pool(name)),
            }
        }
        held
    }
}

/// Something that an attempt holds.
struct Held {
    slot: u16,
    waiting: u32,
    limit: Option<u32>,
    pool: Option<u32>,
}

/// Adds the code of one attempt, which holds these.
fn connected(compiler: &mut Compiler, held: &[Held], site: u32) {
    let Some((first, rest)) = held.split_first() else {
        compiler.emit(Instruction::Call { site });
        return;
    };
    let &Held { slot, waiting, limit, pool } = first;
    compiler.emit(match limit {
        Some(limit) => Instruction::AcquireWithin { slot, waiting, limit },
        None => Instruction::Acquire { slot, waiting },
    });
    compiler.scoped(|compiler| match pool {
        None => connected(compiler, rest, site),
        Some(pool) => {
            compiler.emit(Instruction::Connect { pool });
            compiler.scoped(|compiler| connected(compiler, rest, site));
            compiler.emit(Instruction::Disconnect { pool });
        }
    });
    compiler.emit(Instruction::Release { slot });
}

/// Adds the code of a fork: `branches` adds that of each branch.
pub fn emit_fork(
    compiler: &mut Compiler,
    plan: Fork,
    branches: impl FnOnce(&mut Compiler) -> Vec<(crate::model::program::Place, u64)>,
) {
    let fork = compiler.program.forks.len() as u32;
    compiler.program.forks.push(plan);
    compiler.emit(Instruction::Fork { fork });
    let over = compiler.emit(Instruction::Jump { to: 0 });
    let branches = branches(compiler);
    compiler.program.forks[fork as usize].branches = branches;
    compiler.program.code[over as usize] = Instruction::Jump { to: compiler.here() };
}

/// Adds the code of a fallback.
fn fall_back(compiler: &mut Compiler, fallback: &FallbackSpec) {
    if let Some(after) = &fallback.after {
        let demand = compiler.at(".after", |compiler| compiler.demand("fallback", after));
        let account = compiler.account("fallback", Kind::Delay);
        compiler.emit(Instruction::Delay { demand, account });
    }
    if let Some(steps) = &fallback.steps {
        compiler.at(".steps", |compiler| {
            super::refuse_reply(compiler, steps);
            compiler.steps(steps);
        });
    }
}
