//! The calendar: what happens when.
//!
//! A 4-ary heap of 24-byte entries ordered by (time, insertion), with a first-in-first-out *lane* for every
//! constant delay: events scheduled at a constant distance are sorted already, so a lane takes them at both ends and only
//! its first one stands in the heap. A million timeouts that will be cancelled cost a million queue operations and
//! next to nothing in the heap.
//!
//! Contract: events at one instant come out in the order in which they were scheduled; those of the *late* class
//! (arrivals from outside) come after all others of that instant, so that what ends at an instant makes room for what
//! begins at it. The late class has a heap of its own. What an event causes at its own instant is not scheduled here at
//! all: its handler does it at once.
//!
//! Cancelling: the calendar does not search. An event carries a generation number which its receiver compares; a lane
//! drops dead events at its head when asked who is alive.

use std::collections::VecDeque;

use super::heap::{Heap, Ranked};
use super::time::{NEVER, Nanos};

/// A lane of the calendar: all events that are scheduled with one constant delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneId(u32);

#[derive(Debug, Clone, Copy)]
enum Slot<E> {
    Event(E),
    /// The head of this lane is due.
    Lane(u32),
}

#[derive(Debug, Clone, Copy)]
struct Entry<T> {
    time: Nanos,
    order: u32,
    what: T,
}

impl<T: Copy> Ranked for Entry<T> {
    #[inline]
    fn rank(&self) -> u128 {
        (u128::from(self.time) << 64) | u128::from(self.order)
    }
}

#[derive(Debug, Clone)]
struct Lane<E> {
    delay: Nanos,
    events: VecDeque<Entry<E>>,
}

/// The pending events of one simulation, and its clock.
#[derive(Debug, Clone)]
pub struct Calendar<E> {
    now: Nanos,
    /// The order number of the next event; both classes count on.
    order: u32,
    heap: Heap<Entry<Slot<E>>>,
    late: Heap<Entry<E>>,
    lanes: Vec<Lane<E>>,
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar at time 0.
    pub fn new() -> Self {
        Calendar { now: 0, order: 0, heap: Heap::new(), late: Heap::new(), lanes: Vec::new() }
    }

    /// The present instant.
    #[inline]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// How many events are pending, dead ones included.
    pub fn len(&self) -> usize {
        let in_lanes: usize = self.lanes.iter().map(|lane| lane.events.len().saturating_sub(1)).sum();
        self.heap.len() + self.late.len() + in_lanes
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lane of a constant delay; made at its first mention.
    pub fn lane(&mut self, delay: Nanos) -> LaneId {
        let known = self.lanes.iter().position(|lane| lane.delay == delay);
        let index = known.unwrap_or_else(|| {
            self.lanes.push(Lane { delay, events: VecDeque::new() });
            self.lanes.len() - 1
        });
        LaneId(index as u32)
    }

    /// Schedules `event` at `time`; a time in the past is now.
    #[inline]
    pub fn at(&mut self, time: Nanos, event: E) {
        let order = self.next_order();
        self.heap.push(Entry { time: time.max(self.now), order, what: Slot::Event(event) });
    }

    /// Schedules `event` after `delay`.
    #[inline]
    pub fn after(&mut self, delay: Nanos, event: E) {
        let order = self.next_order();
        self.heap.push(Entry { time: self.now.saturating_add(delay), order, what: Slot::Event(event) });
    }

    /// Schedules `event` at `time`, behind all events of that instant that are not late.
    #[inline]
    pub fn late_at(&mut self, time: Nanos, event: E) {
        let order = self.next_order();
        self.late.push(Entry { time: time.max(self.now), order, what: event });
    }

    /// Schedules `event` after the lane's delay.
    #[inline]
    pub fn in_lane(&mut self, lane: LaneId, event: E) {
        let order = self.next_order();
        let queue = &mut self.lanes[lane.0 as usize];
        let time = self.now.saturating_add(queue.delay);
        queue.events.push_back(Entry { time, order, what: event });
        if queue.events.len() == 1 {
            self.heap.push(Entry { time, order, what: Slot::Lane(lane.0) });
        }
    }

    /// Takes the next event before `until` and moves the clock to it; `None` if there is none. `alive` tells whether an
    /// event still matters; dead events may be dropped unseen, but a dead event may also be returned.
    #[inline]
    pub fn next(&mut self, until: Nanos, alive: impl Fn(&E) -> bool) -> Option<E> {
        loop {
            let time = self.heap.first().map_or(NEVER, |entry| entry.time);
            let late = self.late.first().map_or(NEVER, |entry| entry.time);
            if time.min(late) >= until {
                return None;
            }
            debug_assert!(time.min(late) >= self.now, "time runs backwards");
            if late < time {
                self.now = late;
                return Some(self.late.remove_first().what);
            }
            match self.heap.remove_first().what {
                Slot::Event(event) => {
                    self.now = time;
                    return Some(event);
                }
                Slot::Lane(lane) => {
                    let head = self.advance_lane(lane, &alive);
                    if alive(&head) {
                        self.now = time;
                        return Some(head);
                    }
                }
            }
        }
    }

    /// Moves the clock to `time`, before which nothing is pending any more.
    pub fn advance(&mut self, time: Nanos) {
        debug_assert!(time >= self.now, "time runs backwards");
        self.now = self.now.max(time);
    }

    /// Takes the due head of a lane and puts the next living one into the heap.
    fn advance_lane(&mut self, lane: u32, alive: &impl Fn(&E) -> bool) -> E {
        let events = &mut self.lanes[lane as usize].events;
        let head = events.pop_front().expect("a lane in the heap has a head").what;
        while events.front().is_some_and(|next| !alive(&next.what)) {
            events.pop_front();
        }
        if let Some(next) = events.front() {
            self.heap.push(Entry { time: next.time, order: next.order, what: Slot::Lane(lane) });
        }
        head
    }

    #[inline]
    fn next_order(&mut self) -> u32 {
        if self.order == u32::MAX {
            self.renumber();
        }
        let order = self.order;
        self.order = order + 1;
        order
    }

    /// Gives the pending events small order numbers again, in the same order; once in 2³² events.
    #[cold]
    fn renumber(&mut self) {
        // An event at the head of a lane stands in the heap too, under the same number.
        let pending = |calendar: &mut Self, change: &mut dyn FnMut(&mut u32)| {
            calendar.heap.iter_mut().for_each(|entry| change(&mut entry.order));
            calendar.late.iter_mut().for_each(|entry| change(&mut entry.order));
            for lane in &mut calendar.lanes {
                lane.events.iter_mut().for_each(|entry| change(&mut entry.order));
            }
        };
        let mut numbers = Vec::new();
        pending(self, &mut |order| numbers.push(*order));
        numbers.sort_unstable();
        numbers.dedup();
        pending(self, &mut |order| *order = numbers.partition_point(|number| number < order) as u32);
        self.order = numbers.len() as u32;
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use std::collections::BTreeMap;

    fn drain(calendar: &mut Calendar<u32>) -> Vec<(Nanos, u32)> {
        std::iter::from_fn(|| calendar.next(Nanos::MAX, |_| true).map(|event| (calendar.now(), event))).collect()
    }

    #[test]
    fn events_of_one_instant_come_in_the_order_of_scheduling_and_late_ones_last() {
        let mut calendar = Calendar::new();
        let lane = calendar.lane(5);
        calendar.late_at(5, 0);
        calendar.at(5, 1);
        calendar.in_lane(lane, 2);
        calendar.at(5, 3);
        calendar.in_lane(lane, 4);
        calendar.late_at(5, 5);
        assert_eq!(drain(&mut calendar), [(5, 1), (5, 2), (5, 3), (5, 4), (5, 0), (5, 5)]);
    }

    #[test]
    fn a_time_in_the_past_is_now() {
        let mut calendar = Calendar::new();
        calendar.at(10, 1);
        assert_eq!(calendar.next(Nanos::MAX, |_| true), Some(1));
        calendar.at(3, 2);
        assert_eq!((calendar.next(Nanos::MAX, |_| true), calendar.now()), (Some(2), 10));
    }

    #[test]
    fn dead_events_in_a_lane_do_not_move_the_clock() {
        let mut calendar = Calendar::new();
        let lane = calendar.lane(100);
        for event in 0..10 {
            calendar.in_lane(lane, event);
        }
        calendar.at(7, 77);
        assert_eq!(calendar.next(Nanos::MAX, |&event| event > 9), Some(77));
        assert_eq!(calendar.next(Nanos::MAX, |&event| event > 9), None);
        assert_eq!(calendar.now(), 7);
        assert!(calendar.is_empty());
    }

    /// The obvious twin: an ordered map from (time, class, insertion) to event.
    #[test]
    fn the_calendar_agrees_with_an_ordered_map_on_random_schedules() {
        for seed in 0..20 {
            let mut random = Stream::new(seed);
            let mut calendar = Calendar::new();
            let mut twin = BTreeMap::new();
            let lanes: Vec<(LaneId, Nanos)> = [3, 17, 17, 90].map(|delay| (calendar.lane(delay), delay)).to_vec();
            let start = if seed % 2 == 0 { 0 } else { u32::MAX - 500 };
            calendar.order = start;
            for number in 0..4_000u32 {
                let now = calendar.now();
                match below(&mut random, 8) {
                    0..2 => {
                        let time = now + below(&mut random, 50);
                        calendar.at(time, number);
                        twin.insert((time, false, number), number);
                    }
                    2 => {
                        let time = now + below(&mut random, 50);
                        calendar.late_at(time, number);
                        twin.insert((time, true, number), number);
                    }
                    3..5 => {
                        let (lane, delay) = lanes[below(&mut random, 4) as usize];
                        calendar.in_lane(lane, number);
                        twin.insert((now + delay, false, number), number);
                    }
                    _ => {
                        let expected = twin.pop_first().map(|((time, _, _), event)| (time, event));
                        let got = calendar.next(Nanos::MAX, |_| true).map(|event| (calendar.now(), event));
                        assert_eq!(got, expected);
                    }
                }
                assert_eq!(calendar.len(), twin.len());
            }
            let rest: Vec<_> = twin.into_iter().map(|((time, _, _), event)| (time, event)).collect();
            assert_eq!(drain(&mut calendar), rest);
        }
    }

    #[test]
    fn an_entry_takes_24_bytes() {
        #[derive(Clone, Copy)]
        #[allow(dead_code)]
        enum Sample {
            One(u32, u32),
            Two(u32),
        }
        assert_eq!(size_of::<Entry<Slot<Sample>>>(), 24);
    }
}
