//! Where time went in more detail than every run keeps: per operation, and over simulated time.
//!
//! Kept only if the plan asks for it ([`super::Plan::detailed`]); otherwise it costs one branch per answer.

use super::System;
use crate::engine::time::Nanos;
use crate::measure::ledger::Ledger;
use crate::measure::{Attribution, Binned};
use crate::model::blueprint::Blueprint;
use crate::model::frame::Outcome;

/// Ledgers added up per operation and per interval of the time series.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Per operation: its successful attempts that were answered within the window to someone who still waited.
    pub operations: Vec<Attribution>,
    /// Per client: a row per interval; how many requests succeeded in it, and per account their time [ns].
    pub intervals: Vec<Vec<Vec<u64>>>,
    /// Length of an interval [ns].
    interval: Nanos,
    accounts: usize,
}

impl Detail {
    pub(super) fn new(blueprint: &Blueprint, interval: Nanos) -> Self {
        let accounts = blueprint.program.accounts.len();
        Detail {
            operations: blueprint.operations.iter().map(|_| Attribution::new(accounts)).collect(),
            intervals: vec![Vec::new(); blueprint.clients.len()],
            interval: interval.max(1),
            accounts,
        }
    }

    /// A request of a client succeeded.
    fn succeeded(&mut self, client: u32, now: Nanos, entries: impl Iterator<Item = (u32, Nanos)>) {
        let rows = &mut self.intervals[client as usize];
        let number = (now / self.interval) as usize;
        if rows.len() <= number {
            rows.resize(number + 1, vec![0; self.accounts + 1]);
        }
        let row = &mut rows[number];
        row[0] += 1;
        entries.for_each(|(account, nanos)| row[1 + account as usize] += nanos);
    }
}

impl System<'_> {
    /// Adds the ledger of an attempt that was answered to someone who waited for it.
    #[cold]
    pub(super) fn detail_attempt(&mut self, index: u32, operation: u32, response: Binned) {
        let open = self.books.is_open();
        let Some(detail) = self.books.detail.as_mut().filter(|_| open) else { return };
        detail.operations[operation as usize].record(response, &self.frames[index].ledger, &self.pool);
    }

    /// Adds the ledger of a client's request to its interval.
    #[cold]
    pub(super) fn detail_request(&mut self, client: u32, outcome: Outcome, ledger: &Ledger) {
        let now = self.calendar.now();
        let Some(detail) = self.books.detail.as_mut().filter(|_| outcome == Outcome::Success) else { return };
        detail.succeeded(client, now, self.pool.entries(ledger));
    }

    /// Adds the ledger of a direct request, whose attempt and it are one.
    #[cold]
    pub(super) fn detail_direct(&mut self, index: u32, client: u32, response: Binned) {
        let frame = &self.frames[index];
        let (outcome, ledger) = (frame.outcome, frame.ledger);
        if outcome == Outcome::Success {
            self.detail_attempt(index, frame.owner, response);
        }
        self.detail_request(client, outcome, &ledger);
    }
}
