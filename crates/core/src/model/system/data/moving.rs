//! Items that move to other shards while the database runs.
//!
//! A statement that is under way at the old shard when its item moves sees and changes what the new shard has: a redirect that
//! costs nothing.

use super::super::System;
use super::super::balancers::Placed;
use super::database::Database;
use crate::model::data::DatabasePlan;

impl Database {
    /// The shard that has an item now.
    #[inline]
    pub(super) fn shard(&self, plan: &DatabasePlan, item: u32) -> u32 {
        match &plan.reshard {
            Some(reshard) if self.moved.get(item as usize) == Some(&true) => reshard.after.shard(item, reshard.shards),
            _ => plan.shard(item),
        }
    }

    /// The node that stands for this one for an item: itself, or its like in the shard that the item has moved to.
    #[inline]
    pub(super) fn holder(&self, plan: &DatabasePlan, node: u32, item: u32) -> u32 {
        if self.moved.is_empty() {
            return node;
        }
        let (old, own) = (node / plan.nodes, node % plan.nodes);
        let shard = self.shard(plan, item);
        let alike = if own == self.primaries[old as usize].0 { self.primaries[shard as usize].0 } else { own };
        if shard == old { node } else { shard * plan.nodes + alike }
    }
}

impl System<'_> {
    /// The primary of the shard that a batch comes from, or goes to; `None` if it is down.
    pub(super) fn moving_node(&mut self, number: u32, batch: u32, to: bool) -> Option<Placed> {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let batch = plan.reshard.as_ref()?.batches[batch as usize];
        let shard = if to { batch.to } else { batch.from };
        self.elect(number, shard);
        let primary = self.data.databases[number as usize].primaries[shard as usize].0;
        let now = self.calendar.now();
        self.services[plan.service as usize].choose_number(shard * plan.nodes + primary, now)
    }

    /// The items of a batch belong to their new shard, whose nodes have what those of the old one had.
    pub(super) fn move_items(&mut self, index: u32, number: u32) {
        let plan = &self.blueprint.program.data.databases[number as usize];
        let Some(reshard) = &plan.reshard else { return };
        let batch = reshard.batches[self.frames[index].item as usize];
        let now = self.calendar.now();
        let data = &mut self.data.databases[number as usize];
        for &item in reshard.items(batch) {
            for node in 0..plan.nodes {
                let old = batch.from * plan.nodes + node;
                let version = data.version(old, item);
                if item as usize >= data.moved.len() {
                    data.moved.resize(item as usize + 1, false);
                }
                // What stands for the old node from now on.
                data.moved[item as usize] = true;
                let new = data.holder(plan, old, item);
                data.set_version(new, item, version);
            }
        }
        data.book.moved += u64::from(batch.count);
        if data.book.moved == reshard.moved.len() as u64 {
            data.book.settled = Some(now);
        }
    }
}
