//! The measured window: what is noted when it begins and when it ends, and the record that is made of the books afterwards.

use super::System;
use super::balance::Service;
use super::record::{ClientBook, Ending, Record};
use crate::model::frame::Outcome;

/// Counts what happens within the window, of which there were so many in all at its end 0 or 1.
fn count(end: usize, within: &mut u64, all: u64) {
    *within = if end == 0 { all } else { all - *within };
}

impl System<'_> {
    /// The window begins.
    pub(super) fn open_window(&mut self) {
        self.books.open = true;
        self.services.iter_mut().for_each(Service::open_window);
        self.mark(0);
    }

    /// The window ends.
    pub(super) fn close_window(&mut self) {
        if !self.books.closed {
            self.books.open = false;
            self.books.closed = true;
            self.services.iter_mut().for_each(Service::close_window);
            self.mark(1);
            let waits = |book: &ClientBook| book.measured - book.outcomes.iter().sum::<u64>();
            self.books.awaited = self.books.clients.iter().map(waits).sum();
        }
    }

    /// Notes the areas of all levels at one end of the window.
    fn mark(&mut self, end: usize) {
        let now = self.calendar.now();
        for book in &mut self.books.clients {
            book.areas[end] = book.in_flight.area(now);
            book.backlog[end] = book.in_flight.value();
            count(end, &mut book.measured, book.begun);
            book.window_outcomes.iter_mut().zip(book.ended).for_each(|(within, all)| count(end, within, all));
            if let Some(slo) = &mut book.slo {
                slo.pass(now);
            }
        }
        for book in &mut self.books.operations {
            count(end, &mut book.attempts, book.begun);
            book.window_outcomes.iter_mut().zip(book.ended).for_each(|(within, all)| count(end, within, all));
        }
        self.data.mark(end == 1, now);
        self.books.marks[end] = self.areas();
        self.books.memory_marks[end] = self.memory_marks();
        self.books.channels[end] = self.channel_states();
        self.books.fleets[end] = self.fleet_states();
        self.books.pools[end] = self.pool_states();
        self.books.closed_at = now;
    }

    /// Turns the books into the run's record.
    pub(super) fn finish(mut self, ending: Ending) -> Record {
        // A run that ended before its window began has an empty one at its end.
        if !self.books.open && !self.books.closed {
            self.open_window();
        }
        self.close_window();
        for book in &mut self.books.clients {
            book.settle();
            book.latency.count = book.outcomes[Outcome::Success as usize];
        }
        let start = self.books.opened_at();
        let pools = self.pool_books();
        let fleets = self.fleet_books([start, self.books.closed_at]);
        let requests = self.books.clients.iter().map(|book| book.measured).sum();
        self.books.operations.iter_mut().for_each(|book| book.requests = requests);
        let (memories, costs) = (self.memory_books(), self.cost_books());
        let databases = self.data.database_books();
        let (queues, groups) = self.data.queue_books();
        let caches = self.data.cache_books(&self.blueprint.program.data);
        let (stations, channels) = (self.station_books(), self.channel_books());
        let links = self.link_books(&self.books.marks[0], &self.books.marks[1]);
        Record {
            fingerprint: self.fingerprint.value(),
            ending,
            events: self.books.events(),
            peak_in_flight: self.frames.peak(),
            window: [start, self.books.closed_at],
            clients: self.books.clients,
            services: self.services.iter().map(Service::book).collect(),
            operations: self.books.operations,
            accounts: self.books.accounts,
            guards: self.books.guards,
            stations,
            memories,
            costs,
            fleets,
            pools,
            caches,
            databases,
            queues,
            groups,
            channels,
            links,
            series: self.books.series,
            detail: self.books.detail,
        }
    }
}
