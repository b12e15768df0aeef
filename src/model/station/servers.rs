//! Servers: a number of slots and one queue in order of arrival.
//!
//! The queue is a doubly linked list through the waiting frames, so that entering, leaving and giving up cost the same
//! whatever its length.
//!
//! Invariants: nobody waits while a slot is free; at most `limit` wait. A limit counts those waiting, not those being
//! served (the K of M/M/c/K is slots + limit).

use crate::engine::time::Nanos;
use crate::measure::Level;
use crate::model::frame::{Frames, NONE};

/// What happened to a frame that asked for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It has a slot.
    Served,
    /// It waits.
    Queued,
    /// The queue is full.
    Refused,
}

/// One station with n slots.
#[derive(Debug, Clone)]
pub struct Servers {
    slots: u32,
    limit: u32,
    head: u32,
    tail: u32,
    busy: Level,
    waiting: Level,
    /// Total time waited by those who left the queue [ns].
    waited: u128,
}

impl Servers {
    /// A station with so many slots (at least one) and places in its queue (`u32::MAX` for no limit).
    pub fn new(slots: u32, limit: u32) -> Self {
        Servers { slots, limit, head: NONE, tail: NONE, busy: Level::default(), waiting: Level::default(), waited: 0 }
    }

    /// Asks for a slot. A frame that must wait has `since` set to now.
    #[inline]
    pub fn enter(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> Entry {
        if self.busy.value() < self.slots {
            self.busy.up(now);
            return Entry::Served;
        }
        if self.waiting.value() >= self.limit {
            return Entry::Refused;
        }
        self.waiting.up(now);
        let entering = &mut frames[frame];
        entering.since = now;
        entering.queue = [self.tail, NONE];
        match self.tail {
            NONE => self.head = frame,
            tail => frames[tail].queue[1] = frame,
        }
        self.tail = frame;
        Entry::Queued
    }

    /// Gives a slot back. If somebody waits, the first in the queue has the slot now: it is returned with the time it
    /// waited [ns].
    #[inline]
    pub fn leave(&mut self, now: Nanos, frames: &mut Frames) -> Option<(u32, Nanos)> {
        let first = self.head;
        if first == NONE {
            self.busy.down(now);
            return None;
        }
        let waited = self.unlink(now, first, frames);
        Some((first, waited))
    }

    /// Takes a frame that gives up out of the queue and returns the time it waited [ns].
    pub fn abandon(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> Nanos {
        self.unlink(now, frame, frames)
    }

    #[inline]
    fn unlink(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> Nanos {
        let [before, behind] = frames[frame].queue;
        match before {
            NONE => self.head = behind,
            before => frames[before].queue[1] = behind,
        }
        match behind {
            NONE => self.tail = before,
            behind => frames[behind].queue[0] = before,
        }
        self.waiting.down(now);
        let waited = now - frames[frame].since;
        self.waited += u128::from(waited);
        waited
    }

    /// The number of slots.
    pub fn slots(&self) -> u32 {
        self.slots
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
        let (mut length, mut waited, mut place) = (0u32, self.waited, self.head);
        while place != NONE {
            length += 1;
            waited += u128::from(now - frames[place].since);
            place = frames[place].queue[1];
        }
        let (busy, slots) = (self.busy.value(), self.slots);
        if length != self.waiting.value() {
            return Err(format!("the queue holds {length} attempts, its level says {}", self.waiting.value()));
        }
        if busy > slots || (length > 0 && busy < slots) {
            return Err(format!("{busy} of {slots} slots are busy while {length} attempts wait"));
        }
        let area = self.waiting.area(now);
        if area != waited {
            return Err(format!("Little's law fails: the queue's area is {area} ns, the time waited {waited} ns"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use crate::model::frame::{Bearing, Role, Start};
    use std::collections::VecDeque;

    fn frames(count: u32) -> Frames {
        let mut frames = Frames::default();
        (0..count).for_each(|number| {
            frames.start(
                0,
                Start {
                    role: Role::Attempt,
                    owner: 0,
                    instance: 0,
                    key: number.into(),
                    place: 0,
                    bearing: Bearing::PLAIN,
                },
            );
        });
        frames
    }

    #[test]
    fn slots_are_given_in_order_of_arrival_and_a_full_queue_refuses() {
        let mut frames = frames(4);
        let mut station = Servers::new(1, 2);
        let entries: Vec<Entry> = (0..4).map(|frame| station.enter(frame.into(), frame, &mut frames)).collect();
        assert_eq!(entries, [Entry::Served, Entry::Queued, Entry::Queued, Entry::Refused]);
        assert_eq!(station.leave(10, &mut frames), Some((1, 9)));
        assert_eq!(station.leave(12, &mut frames), Some((2, 10)));
        assert_eq!(station.leave(13, &mut frames), None);
        assert_eq!((station.busy().value(), station.waiting().value()), (0, 0));
        assert_eq!(station.check(20, &frames), Ok(()));
    }

    #[test]
    fn the_linked_queue_agrees_with_an_obvious_one_on_random_comings_and_goings() {
        let mut random = Stream::new(11);
        let mut frames = frames(200);
        let mut station = Servers::new(3, 20);
        let (mut queue, mut busy, mut free) = (VecDeque::new(), 0, (0..200).collect::<Vec<u32>>());
        for now in 0..20_000 {
            match below(&mut random, 5) {
                0..3 => {
                    let Some(frame) = free.pop() else { continue };
                    match station.enter(now, frame, &mut frames) {
                        Entry::Served => {
                            busy += 1;
                            free.push(frame);
                        }
                        Entry::Queued => queue.push_back(frame),
                        Entry::Refused => {
                            assert_eq!((busy, queue.len()), (3, 20));
                            free.push(frame);
                        }
                    }
                }
                3 if busy > 0 => match station.leave(now, &mut frames) {
                    None => busy -= 1,
                    Some((frame, _)) => {
                        assert_eq!(Some(frame), queue.pop_front());
                        free.push(frame);
                    }
                },
                _ if !queue.is_empty() => {
                    let frame = queue.remove(below(&mut random, queue.len() as u64) as usize).unwrap();
                    station.abandon(now, frame, &mut frames);
                    free.push(frame);
                }
                _ => {}
            }
            assert_eq!((station.busy().value(), station.waiting().value() as usize), (busy, queue.len()));
            assert_eq!(station.check(now, &frames), Ok(()));
        }
    }
}
