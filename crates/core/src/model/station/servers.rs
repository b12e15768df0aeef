//! Servers: a number of slots and one queue, in order of arrival unless it has another discipline ([`line`]).
//!
//! The queue is a doubly linked list through the waiting frames, so that entering, leaving and giving up cost the same
//! whatever its length. What its first frame has before it and its last one behind it says nothing, nor does `tail` of an empty
//! queue: so serving the first touches no other frame.
//!
//! Invariants: nobody waits while a slot is free; at most `limit` wait. A limit counts those waiting, not those being
//! served (the K of M/M/c/K is slots + limit).

mod line;
mod ranks;
#[cfg(test)]
mod tests;

use crate::engine::time::Nanos;
use crate::measure::Level;
use crate::model::discipline::{QueueDiscipline, WhenFull};
use crate::model::frame::{Frame, Frames, NONE, Wait};
use line::Line;

/// What happened to a frame that asked for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It has a slot.
    Served,
    /// It waits.
    Queued,
    /// The queue is full.
    Refused,
    /// It is turned away although there is room.
    Shed,
    /// It waits, and this one is turned away in its place.
    Displaces(u32),
    /// It has the slot of this one, which must stop and wait ([`Servers::interrupted`]).
    Interrupts(u32),
}

/// One station with n slots. What is touched while nobody waits lies in the first of its two cache lines.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Servers {
    busy: Level,
    slots: u32,
    limit: u32,
    head: u32,
    tail: u32,
    /// The order of the queue if it is not simply that of arrival.
    line: Option<Box<Line>>,
    limits_wait: bool,
    /// Whether entering is a matter of free slots and places: the order is that of arrival and nobody gives up.
    plain: bool,
    waiting: Level,
    /// Total time waited by those who left the queue [ns].
    waited: u128,
}

const _: () = assert!(size_of::<Servers>() == 128);

impl Servers {
    /// A station with so many slots (at least one) and places in its queue (`u32::MAX` for no limit).
    pub fn new(slots: u32, limit: u32) -> Self {
        let (busy, waiting) = (Level::default(), Level::default());
        let (line, limits_wait, plain) = (None, false, true);
        Servers { slots, limit, head: NONE, tail: NONE, busy, waiting, waited: 0, line, limits_wait, plain }
    }

    /// The same station with another order.
    pub fn ordered(mut self, discipline: &QueueDiscipline, when_full: WhenFull) -> Self {
        self.line = Line::new(discipline, when_full).map(Box::new);
        self.plain &= self.line.is_none();
        if when_full == WhenFull::Block {
            self.limit = u32::MAX;
        }
        self
    }

    /// The same station whose waiting requests are so many bytes at most.
    pub fn within_bytes(mut self, bytes: u64) -> Self {
        let line = self.line.take().unwrap_or_else(|| Box::new(Line::of_arrival()));
        self.line = Some(Box::new(line.within_bytes(bytes)));
        self.plain = false;
        self
    }

    /// The same station where those who wait give up some day.
    pub fn limiting_wait(mut self) -> Self {
        (self.limits_wait, self.plain) = (true, false);
        self
    }

    /// Whether those who wait give up some day.
    pub fn limits_wait(&self) -> bool {
        self.limits_wait
    }

    /// Whether [`Servers::enter`] is all there is to entering.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether the queue is simply in order of arrival.
    #[inline]
    pub fn is_in_order(&self) -> bool {
        self.line.is_none()
    }

    /// Asks for a slot. A frame that must wait does so from now on.
    #[inline]
    pub fn enter(&mut self, now: Nanos, frame: u32, wait: Wait, frames: &mut Frames) -> Entry {
        if self.busy.value() < self.slots {
            self.busy.up(now);
            return Entry::Served;
        }
        if self.waiting.value() >= self.limit {
            return Entry::Refused;
        }
        self.link(now, frame, wait, frames);
        Entry::Queued
    }

    /// Adds a frame at the end of the list of those waiting.
    #[inline]
    fn link(&mut self, now: Nanos, frame: u32, wait: Wait, frames: &mut Frames) {
        self.waiting.up(now);
        let entering = &mut frames[frame];
        entering.wait(now, wait);
        entering.queue[0] = self.tail;
        match self.head {
            NONE => self.head = frame,
            _ => frames[self.tail].queue[1] = frame,
        }
        self.tail = frame;
    }

    /// Gives a slot back. If somebody waits, the first in the queue has the slot now: it is returned with the time it
    /// waited [ns].
    #[inline]
    pub fn leave<'f>(&mut self, now: Nanos, frames: &'f mut Frames) -> Option<(u32, Nanos, &'f mut Frame)> {
        let first = self.head;
        if first == NONE {
            self.busy.down(now);
            return None;
        }
        let frame = &mut frames[first];
        self.head = if first == self.tail { NONE } else { frame.queue[1] };
        let waited = self.waited(now, frame);
        Some((first, waited, frame))
    }

    /// Takes a frame that gives up out of the queue and returns the time it waited [ns].
    pub fn abandon(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> Nanos {
        if self.line.is_some() { self.take(now, frame, frames).0 } else { self.unlink(now, frame, frames) }
    }

    fn unlink(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> Nanos {
        let [before, behind] = frames[frame].queue;
        match (frame == self.head, frame == self.tail) {
            (true, true) => self.head = NONE,
            (true, false) => self.head = behind,
            (false, true) => self.tail = before,
            (false, false) => {
                frames[before].queue[1] = behind;
                frames[behind].queue[0] = before;
            }
        }
        self.waited(now, &frames[frame])
    }

    /// Counts a frame that does not wait any more, and returns the time it waited [ns].
    #[inline]
    fn waited(&mut self, now: Nanos, frame: &Frame) -> Nanos {
        self.waiting.down(now);
        let waited = now - frame.since;
        self.waited += u128::from(waited);
        waited
    }

    /// Slots in use.
    pub fn busy(&self) -> &Level {
        &self.busy
    }

    /// Frames waiting.
    pub fn waiting(&self) -> &Level {
        &self.waiting
    }

    /// How long the one at the head of the queue has waited [ns].
    pub fn oldest_wait(&self, now: Nanos, frames: &Frames) -> Nanos {
        if self.head == NONE { 0 } else { now - frames[self.head].since }
    }

    /// Checks the station's own laws at `now`: the list is as long as the level says, nobody waits beside a free slot,
    /// and Little's law holds to the nanosecond: the area under the queue's length is the time waited by all who left
    /// and all who are still there.
    pub fn check(&self, now: Nanos, frames: &Frames) -> Result<(), String> {
        let (mut length, mut waited, mut place, mut bytes) = (0u32, self.waited, self.head, 0u64);
        while place != NONE {
            length += 1;
            bytes += u64::from(frames[place].size);
            waited += u128::from(now - frames[place].since);
            place = if place == self.tail { NONE } else { frames[place].queue[1] };
        }
        let (busy, slots) = (self.busy.value(), self.slots);
        if length != self.waiting.value() {
            return Err(format!("the queue holds {length} attempts, its level says {}", self.waiting.value()));
        }
        if busy > slots || (length > 0 && busy < slots) {
            return Err(format!("{busy} of {slots} slots are busy while {length} attempts wait"));
        }
        if let Some(line) = &self.line {
            line.check_bytes(bytes)?;
        }
        let area = self.waiting.area(now);
        if area != waited {
            return Err(format!("Little's law fails: the queue's area is {area} ns, the time waited {waited} ns"));
        }
        Ok(())
    }
}
