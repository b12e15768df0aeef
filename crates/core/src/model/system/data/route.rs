//! Which instance gets a call that is about data.

use super::super::System;
use super::super::balancers::Placed;
use super::cache::shard_of;
use crate::model::program::Route;

impl System<'_> {
    /// Chooses the instance of a call that no balancer chooses; `None` if it is down.
    pub(in super::super) fn route(&mut self, caller: u32, site: u32) -> Option<Placed> {
        let target = &self.targets[site as usize];
        let (service, route) = (target.service as usize, target.route);
        let item = self.frames[caller].item;
        let count = self.blueprint.services[service].instances;
        let now = self.calendar.now();
        match route {
            Route::Balanced => None,
            Route::Member { group } => {
                let slot = self.frames[caller].instance;
                let member = self.data.queues.member_of(group, slot);
                self.services[service].choose_number(member, now)
            }
            Route::Database { database, write } => self.choose_node(caller, database, write),
            Route::Node { database, node, primary } => self.other_node(caller, database, node, primary),
            Route::Moving { database, to } => self.moving_node(database, item, to),
            Route::Item => self.services[service].choose_number(shard_of(item, count), now),
        }
    }
}
