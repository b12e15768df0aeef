//! Channels: hand-over from senders to receivers through a buffer of limited size.
//!
//! An item that is sent goes to a receiver that is free; else into the buffer, if there is room; else the channel is full, and
//! its sender waits in a line, in order of arrival, until its item has room. Without a buffer a sender so waits until a receiver takes its
//! item (rendezvous). This is how Go's channels work (The Go Programming Language Specification, "Channel types" and "Send
//! statements"): a channel of capacity 16 holds 16 items beside those in the receivers' hands.
//!
//! Items in the buffer and blocked senders are frames in two lines.
//!
//! Invariants: no item lies in the buffer while a receiver is free; no sender is blocked while the buffer has room.

use super::lock::Line;
use crate::engine::time::Nanos;
use crate::measure::Level;
use crate::model::frame::Frames;

/// Where there is room for one more item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// A receiver is free.
    Receiver,
    /// In the buffer.
    Buffer,
    /// Nowhere.
    None,
}

/// One channel of one instance.
#[derive(Debug, Clone)]
pub struct Channel {
    buffer: u32,
    receivers: u32,
    busy: Level,
    stored: Level,
    blocked: Level,
    items: Line,
    senders: Line,
    /// Total time waited by senders who were blocked [ns].
    waited: u128,
    /// Items ever put in, taken out by receivers, lost in the buffer, lost with a receiver, and thrown away because there was no room.
    counts: Counts,
}

/// What happened to a channel's items since the start of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Put in.
    pub sent: u64,
    /// Taken by a receiver.
    pub received: u64,
    /// Lost in the buffer, with their instance.
    pub lost: u64,
    /// Thrown away because the channel was full.
    pub dropped: u64,
}

impl Channel {
    /// An empty channel with so many places in its buffer and so many receivers.
    pub fn new(buffer: u32, receivers: u32) -> Self {
        Channel {
            buffer,
            receivers,
            busy: Level::default(),
            stored: Level::default(),
            blocked: Level::default(),
            items: Line::EMPTY,
            senders: Line::EMPTY,
            waited: 0,
            counts: Counts::default(),
        }
    }

    /// Where the next item would go.
    pub fn room(&self) -> Room {
        if self.busy.value() < self.receivers && self.items.is_empty() {
            Room::Receiver
        } else if self.stored.value() < self.buffer {
            Room::Buffer
        } else {
            Room::None
        }
    }

    /// A free receiver takes an item that was just sent.
    pub fn take(&mut self, now: Nanos) {
        self.counts.sent += 1;
        self.counts.received += 1;
        self.busy.up(now);
    }

    /// Puts an item into the buffer, which has room.
    pub fn store(&mut self, now: Nanos, item: u32, frames: &mut Frames) {
        self.counts.sent += 1;
        self.stored.up(now);
        self.items.push(now, item, frames);
    }

    /// An item is thrown away because there is no room.
    pub fn drop_item(&mut self) {
        self.counts.dropped += 1;
    }

    /// Lets a sender wait for room.
    pub fn block(&mut self, now: Nanos, sender: u32, frames: &mut Frames) {
        self.blocked.up(now);
        self.senders.push(now, sender, frames);
    }

    /// A receiver is free again.
    pub fn free(&mut self, now: Nanos) {
        self.busy.down(now);
    }

    /// The first item of the buffer, if a receiver is free; that receiver has it now.
    pub fn receive(&mut self, now: Nanos, frames: &mut Frames) -> Option<u32> {
        if self.busy.value() >= self.receivers {
            return None;
        }
        let item = self.items.pop(frames)?;
        self.stored.down(now);
        self.counts.received += 1;
        self.busy.up(now);
        Some(item)
    }

    /// The first blocked sender, if there is room for its item, with the time it waited [ns].
    pub fn unblock(&mut self, now: Nanos, frames: &mut Frames) -> Option<(u32, Nanos)> {
        if self.room() == Room::None {
            return None;
        }
        let sender = self.senders.pop(frames)?;
        Some((sender, self.unblocked(now, sender, frames)))
    }

    fn unblocked(&mut self, now: Nanos, sender: u32, frames: &Frames) -> Nanos {
        self.blocked.down(now);
        let waited = now - frames[sender].since;
        self.waited += u128::from(waited);
        waited
    }

    /// Takes a sender that gives up out of the line and returns the time it waited [ns].
    pub fn abandon(&mut self, now: Nanos, sender: u32, frames: &mut Frames) -> Nanos {
        self.senders.unlink(sender, frames);
        self.unblocked(now, sender, frames)
    }

    /// Loses an item of the buffer.
    pub fn lose(&mut self, now: Nanos, item: u32, frames: &mut Frames) {
        self.items.unlink(item, frames);
        self.stored.down(now);
        self.counts.lost += 1;
    }

    /// Receivers at work.
    pub fn busy(&self) -> &Level {
        &self.busy
    }

    /// Items in the buffer.
    pub fn stored(&self) -> &Level {
        &self.stored
    }

    /// Senders that wait for room.
    pub fn blocked(&self) -> &Level {
        &self.blocked
    }

    /// What happened to the items so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Checks the channel's own laws at `now`: no item is made or lost unseen, nobody waits without need, and Little's law holds
    /// for the blocked senders to the nanosecond.
    pub fn check(&self, now: Nanos, frames: &Frames) -> Result<(), String> {
        let Counts { sent, received, lost, .. } = self.counts;
        let stored = self.items.iter(frames).count() as u64;
        if stored != u64::from(self.stored.value()) || sent != received + lost + stored {
            return Err(format!("{sent} items were sent, {received} received, {lost} lost; {stored} are there"));
        }
        let (busy, blocked) = (self.busy.value(), self.senders.iter(frames).count());
        if blocked != self.blocked.value() as usize {
            return Err(format!("{blocked} senders are blocked, the level says {}", self.blocked.value()));
        }
        if busy > self.receivers || (stored > 0 && busy < self.receivers) {
            return Err(format!("{busy} of {} receivers are busy while {stored} items lie there", self.receivers));
        }
        if blocked > 0 && self.room() != Room::None {
            return Err(format!("{blocked} senders are blocked although there is room"));
        }
        let waits = self.senders.iter(frames).map(|sender| u128::from(now - frames[sender].since));
        let (waited, area) = (self.waited + waits.sum::<u128>(), self.blocked.area(now));
        if area != waited {
            return Err(format!(
                "Little's law fails: the area of blocked senders is {area} ns, they waited {waited} ns"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::{Bearing, Role, Start};

    fn frames(count: u32) -> Frames {
        let mut frames = Frames::new(usize::MAX);
        for key in 0..u64::from(count) {
            let bearing = Bearing::PLAIN;
            frames.start(0, Start { role: Role::Attempt, owner: 0, instance: 0, key, place: 0, bearing });
        }
        frames
    }

    /// Sends items 0, 1, … at time 0 until one would block; returns how many went in.
    fn sent_until_blocked(channel: &mut Channel, frames: &mut Frames) -> u32 {
        (0..100)
            .find(|item| match channel.room() {
                Room::Receiver => {
                    channel.take(0);
                    false
                }
                Room::Buffer => {
                    channel.store(0, *item, frames);
                    false
                }
                Room::None => true,
            })
            .unwrap_or(100)
    }

    #[test]
    fn a_buffer_of_16_takes_16_and_one_more_if_a_receiver_takes_one() {
        let mut frames = frames(100);
        assert_eq!(sent_until_blocked(&mut Channel::new(16, 0), &mut frames), 16);
        assert_eq!(sent_until_blocked(&mut Channel::new(16, 1), &mut frames), 17);
        assert_eq!(sent_until_blocked(&mut Channel::new(0, 0), &mut frames), 0);
        assert_eq!(sent_until_blocked(&mut Channel::new(0, 2), &mut frames), 2);
    }

    #[test]
    fn a_receiver_takes_the_oldest_item_and_lets_the_first_blocked_sender_in() {
        let mut frames = frames(20);
        let mut channel = Channel::new(2, 1);
        assert_eq!(sent_until_blocked(&mut channel, &mut frames), 3);
        channel.block(1, 10, &mut frames);
        channel.block(2, 11, &mut frames);
        assert_eq!(channel.receive(5, &mut frames), None, "it is busy");
        channel.free(5);
        assert_eq!(channel.receive(5, &mut frames), Some(1));
        assert_eq!(channel.unblock(5, &mut frames), Some((10, 4)));
        channel.store(5, 10, &mut frames);
        assert_eq!(channel.unblock(5, &mut frames), None, "it is full again");
        assert_eq!(channel.abandon(9, 11, &mut frames), 7);
        assert_eq!(channel.check(9, &frames), Ok(()));
    }

    #[test]
    fn what_is_lost_with_the_buffer_is_counted() {
        let mut frames = frames(20);
        let mut channel = Channel::new(16, 0);
        sent_until_blocked(&mut channel, &mut frames);
        (0..16).for_each(|item| channel.lose(3, item, &mut frames));
        assert_eq!(channel.counts(), Counts { sent: 16, lost: 16, ..Counts::default() });
        assert_eq!((channel.stored().value(), channel.check(4, &frames)), (0, Ok(())));
    }

    #[test]
    fn without_a_buffer_a_sender_waits_for_a_receiver() {
        let mut frames = frames(4);
        let mut channel = Channel::new(0, 1);
        assert_eq!(channel.room(), Room::Receiver);
        channel.take(0);
        assert_eq!(channel.room(), Room::None);
        channel.block(0, 1, &mut frames);
        channel.free(7);
        assert_eq!(channel.unblock(7, &mut frames), Some((1, 7)));
        channel.take(7);
        assert_eq!(channel.check(8, &frames), Ok(()));
    }
}
