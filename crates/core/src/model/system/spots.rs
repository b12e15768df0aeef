//! Where the stations of a service are among all stations of the system, for books and time series.

use std::ops::Range;

use super::{Instance, System};
use crate::engine::time::Nanos;
use crate::measure::Level;

/// Areas of a station from the start of the run: busy [slot·ns], waiting [attempt·ns], stopped [ns].
pub(super) type Areas = [f64; 3];

/// A station that every instance of a service has; of a lock, all its shards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) name: &'a str,
    /// Slots, lanes, permits or receivers of one instance.
    pub(super) capacity: f64,
    kind: Kind,
    offset: usize,
    count: usize,
}

/// The kinds of stations, in the order of their areas.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Servers,
    Sharing,
    Locks,
    Channels,
}

impl System<'_> {
    /// The areas of all stations now: servers, sharing, locks, channels.
    pub(super) fn areas(&self) -> Vec<Areas> {
        let now = self.calendar.now();
        let level = |busy: &Level, waiting: &Level| [busy.area(now) as f64, waiting.area(now) as f64, 0.0];
        let servers = self.servers.iter().map(|station| level(station.busy(), station.waiting()));
        let sharing = self.sharing.iter().map(|station| {
            let busy = station.busy(now);
            [busy, (station.present().area(now) as f64 - busy).max(0.0), station.stopped(now)]
        });
        let locks = self.locks.iter().map(|lock| level(lock.held(), lock.waiting()));
        let channels = self.channels.iter().map(|channel| level(channel.busy(), channel.blocked()));
        servers.chain(sharing).chain(locks).chain(channels).collect()
    }

    /// The stations of a service, in the order of their books.
    pub(super) fn spots(&self, service: usize) -> Vec<Spot<'_>> {
        let service = &self.blueprint.services[service];
        let mut spots = Vec::new();
        let mut add = |kind, name, capacity, offset, count| spots.push(Spot { name, capacity, kind, offset, count });
        for (slot, plan) in service.servers.iter().enumerate() {
            add(Kind::Servers, plan.name.as_str(), f64::from(plan.slots), slot, 1);
        }
        for (slot, plan) in service.sharing.iter().enumerate() {
            add(Kind::Sharing, plan.name.as_str(), plan.capacity(), slot, 1);
        }
        let mut first = 0;
        for plan in &service.locks {
            let count = plan.shards as usize;
            add(Kind::Locks, plan.name.as_str(), f64::from(plan.permits) * f64::from(plan.shards), first, count);
            first += count;
        }
        for (slot, plan) in service.channels.iter().enumerate() {
            add(Kind::Channels, plan.name.as_str(), f64::from(plan.receivers), slot, 1);
        }
        spots
    }

    /// The instances of a service.
    pub(super) fn instances_of(&self, service: usize) -> &[Instance] {
        let first = self.services[service].first_instance as usize;
        &self.instances[first..first + self.blueprint.services[service].instances as usize]
    }

    /// The places of an instance's station among all areas.
    fn places(&self, spot: &Spot<'_>, instance: &Instance) -> Range<usize> {
        let (before, first) = match spot.kind {
            Kind::Servers => (0, instance.servers),
            Kind::Sharing => (self.servers.len(), instance.sharing),
            Kind::Locks => (self.servers.len() + self.sharing.len(), instance.locks),
            Kind::Channels => (self.servers.len() + self.sharing.len() + self.locks.len(), instance.channels),
        };
        let start = before + first as usize + spot.offset;
        start..start + spot.count
    }

    /// How much an area of an instance's station has grown.
    pub(super) fn growth(
        &self,
        spot: &Spot<'_>,
        instance: &Instance,
        what: usize,
        before: &[Areas],
        after: &[Areas],
    ) -> f64 {
        let old = |place: usize| before.get(place).map_or(0.0, |areas| areas[what]);
        self.places(spot, instance).map(|place| after[place][what] - old(place)).sum()
    }

    /// What happened to the items of a service's channels since the start of the run, and how long they lay in buffers [item·ns],
    /// all instances together.
    pub(super) fn channel_state(&self, service: usize, slot: usize) -> ChannelState {
        let now: Nanos = self.calendar.now();
        let mut state = ChannelState::default();
        for instance in self.instances_of(service) {
            let channel = &self.channels[instance.channels as usize + slot];
            let counts = channel.counts();
            state.sent += counts.sent;
            state.received += counts.received;
            state.lost += counts.lost;
            state.dropped += counts.dropped;
            state.stored += channel.stored().area(now);
        }
        state
    }
}

/// What is known of a channel at an instant, all instances together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelState {
    /// Items put in.
    pub sent: u64,
    /// Items taken by receivers.
    pub received: u64,
    /// Items lost in the buffer, with their instance.
    pub lost: u64,
    /// Items thrown away because the channel was full.
    pub dropped: u64,
    /// Items in the buffer, integrated [item·ns].
    pub stored: u128,
}
