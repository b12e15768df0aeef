//! Calls that belong together, by key or session, and whether they stay with an instance.

use crate::model::balancer::{By, Call};
use crate::model::frame::NONE;

/// Where calls went that belong together.
#[derive(Debug)]
pub(super) struct Followed {
    by: By,
    /// Per key or user: the instance of the last call; [`NONE`] before the first.
    last: Vec<u32>,
    /// Calls that were not the first, and those of them that went to another instance.
    pub(super) again: u64,
    pub(super) elsewhere: u64,
}

impl Followed {
    /// Nothing went anywhere yet.
    pub(super) fn new(by: By) -> Self {
        Followed { by, last: Vec::new(), again: 0, elsewhere: 0 }
    }

    /// A call went to an instance.
    pub(super) fn went(&mut self, call: &Call, instance: u32) {
        let Some(who) = call.by(self.by) else { return };
        let who = who as usize;
        if who >= self.last.len() {
            self.last.resize((who + 1).next_power_of_two(), NONE);
        }
        let last = std::mem::replace(&mut self.last[who], instance);
        self.again += u64::from(last != NONE);
        self.elsewhere += u64::from(last != NONE && last != instance);
    }
}
