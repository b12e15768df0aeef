//! What the parts of a system did within the window, as books of its record.

use super::System;
use super::record::{AccountBook, ChannelBook, ClientBook, CostBook, StationBook};
use super::spots::ChannelState;
use crate::measure::Kind;
use crate::model::frame::Outcome;

impl System<'_> {
    /// What is paid for: by every client for all services, then for each service that has a price.
    pub(super) fn cost_books(&self) -> Vec<CostBook> {
        let services = self.blueprint.services.iter().enumerate();
        let prices: Vec<f64> = services
            .filter_map(|(number, service)| service.price.map(|price| price * self.mean_paid(number)))
            .collect();
        let all = prices.iter().sum::<f64>() + self.price_of_nodes();
        let successes = |book: &ClientBook| Some(book.window_outcomes[Outcome::Success as usize]);
        let clients = self.books.clients.iter().filter(|_| self.blueprint.is_priced());
        let clients = clients.map(|book| CostBook { price: all, successes: successes(book) });
        clients.chain(prices.iter().map(|price| CostBook { price: *price, successes: None })).collect()
    }

    /// The book of a station's waiting, if anything can wait there.
    pub(super) fn waits(&self, service: &str, station: &str) -> Option<AccountBook> {
        let mut accounts = self.blueprint.program.accounts.iter();
        let account = accounts.position(|account| {
            account.part == service && account.resource == station && account.kind == Kind::Waiting
        });
        account.map(|account| {
            let mut book = self.books.accounts[account].clone();
            book.times.record_many(0, book.zeros);
            book
        })
    }

    pub(super) fn station_books(&self) -> Vec<StationBook> {
        let [before, after] = &self.books.marks;
        let mut books = Vec::new();
        for (number, service) in self.blueprint.services.iter().enumerate() {
            let instances = self.instances_of(number);
            for spot in self.spots(number) {
                let each = |what: usize| {
                    instances.iter().map(move |instance| self.growth(&spot, instance, what, before, after))
                };
                books.push(StationBook {
                    service: number as u32,
                    name: spot.name.to_owned(),
                    capacity: spot.capacity,
                    instances: self.mean_serving(number, spot.name, spot.capacity),
                    busy: each(0).sum(),
                    // Where sizes change there is no busiest instance of one size.
                    busy_worst: if spot.name == "cpu" && service.is_resized() {
                        f64::NAN
                    } else {
                        each(0).fold(0.0, f64::max)
                    },
                    // The difference of two sums may be a rounding error below nothing.
                    waiting: each(1).sum::<f64>().max(0.0),
                    stopped: each(2).sum(),
                    waits: self.waits(&service.name, spot.name),
                });
            }
        }
        books
    }

    /// All channels of all services now.
    pub(super) fn channel_states(&self) -> Vec<ChannelState> {
        let services = self.blueprint.services.iter().enumerate();
        services
            .flat_map(|(number, service)| (0..service.channels.len()).map(move |slot| self.channel_state(number, slot)))
            .collect()
    }

    pub(super) fn channel_books(&self) -> Vec<ChannelBook> {
        let [before, after] = &self.books.channels;
        let book = |(before, after): (&ChannelState, &ChannelState)| ChannelBook {
            sent: after.sent - before.sent,
            received: after.received - before.received,
            lost: after.lost - before.lost,
            dropped: after.dropped - before.dropped,
            stored: (after.stored - before.stored) as f64,
        };
        before.iter().zip(after).map(book).collect()
    }
}
