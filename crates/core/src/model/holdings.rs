//! Compiling the memory that requests hold: from arrival to end, and their stacks while they run.

use super::compile::Compiler;
use super::distribution::Random;
use super::program::{Holding, Instruction};
use crate::quantity::Bytes;

/// The memory that each request of a service takes while it is there.
#[derive(Debug, Clone, Default)]
pub struct MemoryUse {
    /// Whether memory is modeled at all.
    pub modeled: bool,
    /// Whether what does not fit is paged to the disk.
    pub swaps: bool,
    /// What it holds from its arrival to its end.
    pub amount: Option<Random<Bytes>>,
    /// What it holds while it runs [B].
    pub stack: u64,
    /// What it leaves behind [B].
    pub leak: u64,
    /// What it allocates in all, for a garbage collector.
    pub garbage: Option<Random<Bytes>>,
}

impl Compiler<'_> {
    /// Compiles a body during which a request holds its memory, if memory is modeled.
    pub(super) fn with_request_memory(&mut self, body: impl FnOnce(&mut Self)) {
        if !self.memory.modeled {
            return body(self);
        }
        let MemoryUse { amount, leak, garbage, .. } = self.memory.clone();
        let amount = amount.map(|amount| self.demand("memory", &amount));
        let garbage = garbage.map(|garbage| self.demand("garbage", &garbage));
        self.holding(Holding { amount, fixed: 0, leak, garbage, from: 0, until: 0 }, body);
    }

    /// Compiles a body during which a request has a stack.
    pub(super) fn with_stack(&mut self, body: impl FnOnce(&mut Self)) {
        match self.memory.stack {
            stack if stack > 0 && self.memory.modeled => {
                let fixed = Holding { amount: None, fixed: stack, leak: 0, garbage: None, from: 0, until: 0 };
                self.holding(fixed, body);
            }
            _ => body(self),
        }
    }

    /// Compiles a body during which memory is held.
    fn holding(&mut self, holding: Holding, body: impl FnOnce(&mut Self)) {
        let number = self.program.holdings.len() as u32;
        self.program.holdings.push(holding);
        let from = self.emit(Instruction::Allocate { holding: number });
        self.scoped(body);
        let until = self.emit(Instruction::Free { holding: number });
        let holding = &mut self.program.holdings[number as usize];
        (holding.from, holding.until) = (from, until);
    }
}
