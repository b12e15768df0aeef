//! Channels at work: items that are sent, stored, received and lost.
//!
//! An item is a frame of its own from the moment it is in the channel. Nobody waits for it.

use super::System;
use crate::engine::random::child;
use crate::engine::time::Nanos;
use crate::model::channels::{Sending, WhenFull};
use crate::model::frame::{Bearing, Outcome, Role, Stage, Start};
use crate::model::program::Instruction;
use crate::model::station::Room;

impl System<'_> {
    /// Puts an item into a channel; whether the frame goes on.
    pub(super) fn send(&mut self, index: u32, sending: u32, place: u32) -> bool {
        let now = self.calendar.now();
        let &Sending { channel, when_full, waiting, .. } = &self.blueprint.program.sendings[sending as usize];
        let instance = self.frames[index].instance;
        let station = self.instances[instance as usize].channels + u32::from(channel);
        if self.channels[station as usize].room() != Room::None {
            self.books.passed_at_once(waiting);
            self.put(index, sending, station);
            return true;
        }
        match when_full {
            WhenFull::Block => {
                self.channels[station as usize].block(now, index, &mut self.frames);
                let frame = &mut self.frames[index];
                frame.stage = Stage::Room;
                (frame.account, frame.account2) = (waiting, station);
                return false;
            }
            WhenFull::Reject => {
                self.books.refused(waiting);
                self.fail(index, place, Outcome::Rejected);
            }
            WhenFull::Drop => self.channels[station as usize].drop_item(),
        }
        true
    }

    /// Puts a sender's item where there is room for it.
    fn put(&mut self, sender: u32, sending: u32, station: u32) {
        let now = self.calendar.now();
        let &Sending { channel, salt, .. } = &self.blueprint.program.sendings[sending as usize];
        let from = &self.frames[sender];
        let (instance, owner) = (from.instance, from.owner);
        let service = &self.blueprint.services[self.instances[instance as usize].service as usize];
        let place = service.channels[channel as usize].entry;
        let key = child(from.key, salt, from.visit());
        let bearing = Bearing { deadline: Nanos::MAX, ..from.bearing() };
        let (item, frame) = self.frames.start(now, Start { role: Role::Attempt, owner, instance, key, place, bearing });
        // A caller that does not wait: the frame itself, before it began.
        frame.parent = item;
        frame.parent_generation = frame.generation.wrapping_sub(1);
        frame.answered = true;
        if self.channels[station as usize].room() == Room::Receiver {
            self.channels[station as usize].take(now);
            self.ready.push(item);
        } else {
            frame.place += 1;
            frame.stage = Stage::Buffer;
            frame.account2 = station;
            self.channels[station as usize].store(now, item, &mut self.frames);
        }
    }

    /// A receiver is done with an item and takes the next.
    pub(super) fn received(&mut self, index: u32, channel: u16) {
        let instance = self.frames[index].instance;
        let station = self.instances[instance as usize].channels + u32::from(channel);
        self.channels[station as usize].free(self.calendar.now());
        self.move_on(station);
    }

    /// Hands items to free receivers, and lets blocked senders put theirs where there is room.
    fn move_on(&mut self, station: u32) {
        let now = self.calendar.now();
        loop {
            let channel = &mut self.channels[station as usize];
            if let Some(item) = channel.receive(now, &mut self.frames) {
                self.frames[item].stage = Stage::Running;
                self.ready.push(item);
            } else if let Some((sender, waited)) = channel.unblock(now, &mut self.frames) {
                let frame = &mut self.frames[sender];
                frame.stage = Stage::Running;
                self.pool.add(&mut frame.ledger, frame.account, waited);
                self.books.passed(frame.account, waited);
                let place = frame.place as usize - 1;
                if let Instruction::Send { sending } = self.blueprint.program.code[place] {
                    self.put(sender, sending, station);
                }
                self.ready.push(sender);
            } else {
                return;
            }
        }
    }

    /// Takes a sender that gives up out of the line for a channel.
    pub(super) fn abandon_room(&mut self, index: u32) {
        let frame = &self.frames[index];
        let (account, station) = (frame.account, frame.account2);
        let waited = self.channels[station as usize].abandon(self.calendar.now(), index, &mut self.frames);
        self.books.passed(account, waited);
    }

    /// Loses an item of a buffer.
    pub(super) fn lose_item(&mut self, index: u32) {
        let station = self.frames[index].account2;
        self.channels[station as usize].lose(self.calendar.now(), index, &mut self.frames);
    }
}
