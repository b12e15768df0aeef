//! The laws that every run must obey, checked at its end.
//!
//! Conservation: what began has ended or is in flight, for every client and operation. Little's law, L = λW, for every
//! client and queue, to the nanosecond: the area under a level equals the time spent in it by those who left and those
//! who are still there. Memory: what was taken was given back, lost, or is held. Capacity: no station did more than it can.
//! Messages: what a group of consumers accepted was delivered, died, expired, was lost, or is still there, once. The ledger's sum
//! is checked for every request as
//! it ends.

use super::{System, Violation};
use crate::model::frame::Role;

impl System<'_> {
    /// Checks all laws at the end of the run.
    pub(super) fn check_laws(&self) -> Result<(), Violation> {
        self.check_clients()?;
        self.check_operations()?;
        self.check_stations()?;
        self.check_links()?;
        let broken = |(part, what)| Violation { part, what, of_model: false };
        self.data.check(&self.blueprint.program.data).map_err(broken)
    }

    fn check_clients(&self) -> Result<(), Violation> {
        let now = self.calendar.now();
        let clients = self.blueprint.clients.len();
        let (mut in_flight, mut time) = (vec![0u64; clients], vec![0u128; clients]);
        for frame in self.frames.iter() {
            if let Some(client) = frame.client() {
                in_flight[client as usize] += 1;
                time[client as usize] += u128::from(now - frame.started);
            }
        }
        for (number, book) in self.books.clients.iter().enumerate() {
            let broken = |what| {
                let part = self.blueprint.clients[number].name.clone();
                Err(Violation { part, what, of_model: false })
            };
            let (begun, ended) = (book.begun, book.ended.iter().sum::<u64>());
            if begun != ended + in_flight[number] {
                return broken(format!(
                    "{begun} requests began, {ended} ended and {} are in flight",
                    in_flight[number]
                ));
            }
            let (area, spent) = (book.in_flight.area(now), book.time_in_flight + time[number]);
            if area != spent {
                return broken(format!(
                    "Little's law fails: the area in flight is {area} ns, the time spent {spent} ns"
                ));
            }
        }
        Ok(())
    }

    fn check_operations(&self) -> Result<(), Violation> {
        let mut in_flight = vec![0u64; self.blueprint.operations.len()];
        let attempt = |role| matches!(role, Role::Attempt | Role::Direct);
        for frame in self.frames.iter().filter(|frame| attempt(frame.role) && !frame.answered) {
            in_flight[frame.owner as usize] += 1;
        }
        for (number, book) in self.books.operations.iter().enumerate() {
            let (begun, ended) = (book.begun, book.ended.iter().sum::<u64>());
            if begun != ended + in_flight[number] {
                let operation = &self.blueprint.operations[number];
                let service = &self.blueprint.services[operation.service as usize].name;
                let flying = in_flight[number];
                return Err(Violation {
                    part: format!("{service}.{}", operation.name),
                    what: format!("{begun} attempts began, {ended} were answered and {flying} are in flight"),
                    of_model: false,
                });
            }
        }
        Ok(())
    }

    fn check_stations(&self) -> Result<(), Violation> {
        let now = self.calendar.now();
        for (number, instance) in self.instances.iter().enumerate() {
            let service = &self.blueprint.services[instance.service as usize];
            let broken = |name: &str, what| {
                let part = format!("{}/{} {name}", service.name, instance.number);
                Violation { part, what, of_model: false }
            };
            self.check_memory(number).map_err(|what| broken("memory", what))?;
            for (slot, plan) in service.servers.iter().enumerate() {
                let station = &self.servers[instance.servers as usize + slot];
                station.check(now, &self.frames).map_err(|what| broken(&plan.name, what))?;
            }
            for (slot, plan) in service.sharing.iter().enumerate() {
                let station = &self.sharing[instance.sharing as usize + slot];
                station.check(now).map_err(|what| broken(&plan.name, what))?;
            }
            let mut first = instance.locks as usize;
            for plan in &service.locks {
                for lock in &self.locks[first..first + plan.shards as usize] {
                    lock.check(now, &self.frames).map_err(|what| broken(&plan.name, what))?;
                }
                first += plan.shards as usize;
            }
            for (slot, plan) in service.channels.iter().enumerate() {
                let channel = &self.channels[instance.channels as usize + slot];
                channel.check(now, &self.frames).map_err(|what| broken(&plan.name, what))?;
            }
        }
        Ok(())
    }
}
