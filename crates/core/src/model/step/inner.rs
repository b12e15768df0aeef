//! Steps that cannot be written: those with which the operations of caches, databases and queues touch their state.

use super::cache::data;
use crate::model::compile::Compiler;
use crate::model::data::DataStep;
use crate::model::program::Route;

/// Touches the state of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// Ask the cache of this number at the own instance.
    Ask(u32),
    /// Put the item into the cache at the own instance.
    Fill(u32),
    /// Take the item out of the cache at the own instance.
    Drop(u32),
    /// A write arrives at the own node of the database of this number.
    Apply(u32),
    /// The own node answers a read.
    Fetch(u32),
    /// Nothing; marks an operation as the node's own work.
    Own,
    /// The old shard of a batch of moving items of the database of this number gives them.
    Obtain(u32),
    /// They belong to their new shard.
    Move(u32),
}

impl Inner {
    pub(super) fn compile(self, compiler: &mut Compiler) {
        let step = match self {
            Inner::Ask(cache) => DataStep::Ask { cache },
            Inner::Fill(cache) => DataStep::Fill { cache, salt: compiler.salt("fill") },
            Inner::Apply(database) => DataStep::Apply { database },
            Inner::Fetch(database) => DataStep::Fetch { database },
            Inner::Drop(cache) => DataStep::Drop { cache },
            Inner::Own => return,
            Inner::Move(database) => DataStep::Move { database },
            Inner::Obtain(database) => {
                let name = format!("{}.give", compiler.program.data.databases[database as usize].name);
                return super::call::emit_routed(compiler, &name, Route::Moving { database, to: false });
            }
        };
        data(compiler, step);
    }
}
