//! Alarms: events of which each owner has one at most, and which it moves as it likes.
//!
//! Whoever must be woken at an instant that changes with everything that happens, such as a station that shares its lanes, would
//! fill a calendar with events that are too early or dead. Here the one event moves.
//!
//! A 4-ary heap that knows where each owner's alarm stands, so moving costs as much as adding. An alarm that rings stays until its owner
//! moves or clears it, which it must before the next event; so ringing and being set again is one pass.
//!
//! Ties: alarms of one instant come in the order of their order numbers, which the calendar gives out.

use super::time::Nanos;

/// The heap's arity.
const ARITY: usize = 4;

/// No place in the heap.
const NOWHERE: u32 = u32::MAX;

/// One alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// When it rings [ns].
    pub time: Nanos,
    /// Its place among the events of that instant.
    pub order: u64,
    /// Whose it is.
    pub owner: u32,
}

impl Alarm {
    #[inline]
    fn rank(&self) -> (Nanos, u64) {
        (self.time, self.order)
    }
}

/// The alarms of all owners.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    heap: Vec<Alarm>,
    /// Per owner: where its alarm stands in the heap.
    places: Vec<u32>,
}

impl Alarms {
    /// How many alarms are set.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The alarm that rings first.
    #[inline(always)]
    pub fn first(&self) -> Option<Alarm> {
        self.heap.first().copied()
    }

    /// When an owner's alarm rings, if it is set.
    #[inline]
    pub fn time_of(&self, owner: u32) -> Option<Nanos> {
        let place = *self.places.get(owner as usize)?;
        self.heap.get(place as usize).map(|alarm| alarm.time)
    }

    /// Sets an owner's alarm, or moves it.
    #[inline]
    pub fn set(&mut self, owner: u32, time: Nanos, order: u64) {
        // There is no other: a model of one machine.
        if let [alone] = self.heap.as_mut_slice()
            && alone.owner == owner
        {
            (alone.time, alone.order) = (time, order);
            return;
        }
        self.set_among(Alarm { time, order, owner });
    }

    #[inline(never)]
    fn set_among(&mut self, alarm: Alarm) {
        let owner = alarm.owner as usize;
        if owner >= self.places.len() {
            self.places.resize(owner + 1, NOWHERE);
        }
        let mut place = self.places[owner] as usize;
        if place >= self.heap.len() {
            place = self.heap.len();
            self.heap.push(alarm);
        }
        self.put(place, alarm);
    }

    /// Takes an owner's alarm back, if it is set.
    pub fn clear(&mut self, owner: u32) {
        let Some(place) = self.places.get_mut(owner as usize) else { return };
        let place = std::mem::replace(place, NOWHERE) as usize;
        if place >= self.heap.len() {
            return;
        }
        self.heap.swap_remove(place);
        if let Some(&moved) = self.heap.get(place) {
            self.put(place, moved);
        }
    }

    /// Moves an alarm from a place that is free up or down to where it belongs.
    #[inline]
    fn put(&mut self, mut place: usize, alarm: Alarm) {
        let rank = alarm.rank();
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if rank >= self.heap[parent].rank() {
                break;
            }
            self.stand(place, self.heap[parent]);
            place = parent;
        }
        loop {
            let first = place * ARITY + 1;
            let end = self.heap.len().min(first + ARITY);
            let Some(least) = (first..end).min_by_key(|child| self.heap[*child].rank()) else { break };
            if rank < self.heap[least].rank() {
                break;
            }
            self.stand(place, self.heap[least]);
            place = least;
        }
        self.stand(place, alarm);
    }

    /// Lets an alarm stand at a place.
    #[inline]
    fn stand(&mut self, place: usize, alarm: Alarm) {
        self.heap[place] = alarm;
        self.places[alarm.owner as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use std::collections::BTreeMap;

    #[test]
    fn alarms_agree_with_a_map_on_random_moves() {
        for seed in 0..20 {
            let mut random = Stream::new(seed);
            let (mut alarms, mut twin) = (Alarms::default(), BTreeMap::new());
            for order in 0..5_000 {
                let owner = below(&mut random, 60) as u32;
                match below(&mut random, 4) {
                    0 => {
                        alarms.clear(owner);
                        twin.remove(&owner);
                    }
                    1 => {
                        // The one that rings is set again.
                        let Some(Alarm { time, owner, .. }) = alarms.first() else { continue };
                        let alarm = Alarm { time: time + below(&mut random, 90), order, owner };
                        alarms.set(alarm.owner, alarm.time, alarm.order);
                        twin.insert(owner, alarm);
                    }
                    _ => {
                        let alarm = Alarm { time: below(&mut random, 100), order, owner };
                        alarms.set(alarm.owner, alarm.time, alarm.order);
                        twin.insert(owner, alarm);
                    }
                }
                assert_eq!(alarms.first(), twin.values().copied().min_by_key(Alarm::rank));
                assert_eq!((alarms.len(), alarms.is_empty()), (twin.len(), twin.is_empty()));
                assert_eq!(alarms.time_of(owner), twin.get(&owner).map(|alarm| alarm.time));
            }
        }
    }
}
