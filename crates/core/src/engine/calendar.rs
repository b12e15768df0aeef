//! The calendar: what happens when.
//!
//! A 4-ary heap of 24-byte entries ordered by (time, insertion), with a first-in-first-out *lane* for every
//! constant delay: events scheduled at a constant distance are sorted already, so a lane takes them at both ends and only
//! its first one stands in the heap. A million timeouts that will be cancelled cost a million queue operations and
//! next to nothing in the heap.
//!
//! A heap of more than [`NEAR`] entries is split: only the next ones stay in it, the others wait unsorted in buckets
//! ([`Far`]) until their time comes. So the cost of an event hardly grows any further, and a small model does not know of it.
//!
//! Contract: events at one instant come out in the order in which they were scheduled; those of the *late* class
//! (arrivals from outside) come after all others of that instant, so that what ends at an instant makes room for what
//! begins at it. The late class has a heap of its own. What an event causes at its own instant is not scheduled here at
//! all: its handler does it at once.
//!
//! An event whose time changes with everything that happens is an *alarm* ([`Alarms`]): its owner moves it.
//!
//! Cancelling: the calendar does not search. An event carries a generation number which its receiver compares; a lane
//! drops dead events at its head when asked who is alive.

use std::collections::VecDeque;
use std::marker::PhantomData;

use super::alarms::Alarms;
use super::far::{Far, Timed};
use super::heap::{Heap, Ranked};
use super::time::{NEVER, Nanos};

/// How many entries the heap may hold before it is split.
const NEAR: usize = 2048;

/// How many entries come back to the heap at once.
const BATCH: usize = 512;

/// A lane of the calendar: all events that are scheduled with one constant delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneId(u32);

/// An event as the calendar keeps it: a kind and what it is about, in two numbers.
///
/// Numbers stay in registers on their way into the calendar and out of it. An enum is written in parts and copied as a whole, and
/// the copy waits until the parts have been written.
pub trait Packed: Copy {
    /// The kind, which is less than `u8::MAX`, and what it is about.
    fn pack(self) -> (u8, u64);

    /// The event with this kind, about this.
    fn unpack(kind: u8, about: u64) -> Self;

    /// The event that an owner's alarm rings.
    fn alarm(owner: u32) -> Self;
}

/// No owner of an alarm.
const NOBODY: u32 = u32::MAX;

/// The kind of entries that say that the head of a lane is due.
const LANE: u8 = u8::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: Nanos,
    about: u64,
    /// The order number, and in the lowest byte the kind.
    tag: u64,
}

impl Entry {
    #[inline(always)]
    fn new(time: Nanos, order: u64, kind: u8, about: u64) -> Self {
        Entry { time, about, tag: order << u8::BITS | u64::from(kind) }
    }

    #[inline(always)]
    fn kind(self) -> u8 {
        self.tag as u8
    }

    #[inline(always)]
    fn event<E: Packed>(self) -> E {
        E::unpack(self.kind(), self.about)
    }
}

impl Ranked for Entry {
    const LAST: Entry = Entry { time: NEVER, about: 0, tag: u64::MAX };

    #[inline]
    fn rank(&self) -> (u64, u64) {
        (self.time, self.tag)
    }
}

impl Timed for Entry {
    #[inline]
    fn time(&self) -> Nanos {
        self.time
    }
}

#[derive(Debug, Clone)]
struct Lane {
    delay: Nanos,
    events: VecDeque<Entry>,
}

/// What [`Calendar::pop`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Popped {
    /// This event, as it is packed: its kind, and what it is about.
    Event(u8, u64),
    /// No event that is early enough.
    Nothing,
    /// Something has to be done before the next event is known.
    Held,
}

/// The pending events of one simulation, and its clock.
#[derive(Debug, Clone)]
pub struct Calendar<E> {
    now: Nanos,
    /// The order number of the next event; both classes count on.
    order: u64,
    heap: Heap<Entry>,
    /// The last instant whose events stand in the heap; those behind it are far.
    near_until: Nanos,
    /// How many entries the heap may hold at present, and how many it may after a split.
    limit: usize,
    near: usize,
    batch: usize,
    far: Far<Entry>,
    late: Heap<Entry>,
    lanes: Vec<Lane>,
    alarms: Alarms,
    /// Whose alarm rings and has not been set anew; [`NOBODY`] if none does.
    ringing: u32,
    events: PhantomData<E>,
}

impl<E: Packed> Calendar<E> {
    /// An empty calendar at time 0.
    pub fn new() -> Self {
        Self::sized(NEAR, BATCH)
    }

    /// An empty calendar whose heap is split beyond so many entries and filled by so many.
    fn sized(near: usize, batch: usize) -> Self {
        Calendar {
            now: 0,
            order: 0,
            heap: Heap::new(),
            near_until: NEVER,
            limit: near,
            near,
            batch,
            far: Far::new(),
            late: Heap::new(),
            lanes: Vec::new(),
            alarms: Alarms::default(),
            ringing: NOBODY,
            events: PhantomData,
        }
    }

    /// The present instant.
    #[inline]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// How many events are pending, dead ones included.
    pub fn len(&self) -> usize {
        let in_lanes: usize = self.lanes.iter().map(|lane| lane.events.len().saturating_sub(1)).sum();
        self.heap.len() + self.far.len() + self.late.len() + in_lanes + self.alarms.len()
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
        let entry = self.entry(time.max(self.now), event);
        self.put(entry);
    }

    /// Schedules `event` after `delay`.
    #[inline(always)]
    pub fn after(&mut self, delay: Nanos, event: E) {
        let entry = self.entry(self.now.saturating_add(delay), event);
        self.put(entry);
    }

    /// Schedules `event` at `time`, behind all events of that instant that are not late.
    #[inline(always)]
    pub fn late_at(&mut self, time: Nanos, event: E) {
        let entry = self.entry(time.max(self.now), event);
        if !self.late.put_first(entry) {
            self.put_late(entry.time, entry.about, entry.tag);
        }
    }

    /// Adds a late entry that is not the first.
    #[inline(never)]
    fn put_late(&mut self, time: Nanos, about: u64, tag: u64) {
        self.late.push(Entry { time, about, tag });
    }

    /// Schedules `event` after the lane's delay.
    #[inline]
    pub fn in_lane(&mut self, lane: LaneId, event: E) {
        let entry = self.entry(self.now.saturating_add(self.lanes[lane.0 as usize].delay), event);
        let events = &mut self.lanes[lane.0 as usize].events;
        events.push_back(entry);
        if events.len() == 1 {
            self.put_head(lane.0);
        }
    }

    /// Puts the head of a lane into the heap, if there is one.
    #[inline(never)]
    fn put_head(&mut self, lane: u32) {
        if let Some(head) = self.lanes[lane as usize].events.front() {
            let entry = Entry { about: lane.into(), tag: head.tag | u64::from(LANE), ..*head };
            self.put(entry);
        }
    }

    /// Lets an owner's alarm ring at `time` and not before (now if that is past), or not at all. An alarm that would ring then anyway
    /// keeps its place among the events of that instant. An alarm that rings must be set before the next event.
    #[inline]
    pub fn set_alarm(&mut self, owner: u32, time: Option<Nanos>) {
        let rings = self.ringing == owner;
        if rings {
            self.ringing = NOBODY;
        }
        let Some(time) = time.map(|time| time.max(self.now)) else { return self.alarms.clear(owner) };
        if rings || self.alarms.time_of(owner) != Some(time) {
            let order = self.next_order();
            self.alarms.set(owner, time, order);
        }
    }

    /// Takes the next event before `until` and moves the clock to it, as a main loop would.
    #[cfg(test)]
    fn next(&mut self, until: Nanos, alive: impl Fn(&E) -> bool) -> Option<E> {
        loop {
            match self.pop(until) {
                Popped::Event(kind, about) => return Some(E::unpack(kind, about)),
                Popped::Nothing => return None,
                Popped::Held => {
                    if let Some((kind, about)) = self.look_further(&alive, &|_| {}) {
                        return Some(E::unpack(kind, about));
                    }
                }
            }
        }
    }

    /// Takes the next event before `until` and moves the clock to it. What is seldom needed to find it is a step of its own,
    /// [`Calendar::look_further`], after which the calendar is asked again. A dead event may be returned.
    #[inline(always)]
    pub fn pop(&mut self, until: Nanos) -> Popped {
        let first = self.heap.first_or_last();
        let time = first.time;
        if time == NEVER && !self.far.is_empty() {
            return Popped::Held;
        }
        let late = self.late.first_or_last().time;
        if let Some(alarm) = self.alarms.first()
            && (alarm.time, alarm.order << u8::BITS) < first.rank()
            && alarm.time <= late
        {
            if alarm.time >= until {
                return Popped::Nothing;
            }
            debug_assert_eq!(self.ringing, NOBODY, "whoever is rung sets the alarm anew");
            (self.now, self.ringing) = (alarm.time, alarm.owner);
            let (kind, about) = E::alarm(alarm.owner).pack();
            return Popped::Event(kind, about);
        }
        if late < time {
            if late >= until {
                return Popped::Nothing;
            }
            self.now = late;
            let entry = self.late.take_first();
            return Popped::Event(entry.kind(), entry.about);
        }
        if time >= until {
            return Popped::Nothing;
        }
        debug_assert!(time >= self.now, "time runs backwards");
        if first.kind() == LANE {
            return Popped::Held;
        }
        self.now = time;
        let entry = self.heap.take_first();
        Popped::Event(entry.kind(), entry.about)
    }

    /// Does what holds the next event up: gets what is next out of that which is far, or looks into the lane that is due. Returns
    /// the event of a lane if it is alive, and moves the clock to it. `alive` tells whether an event still matters; dead ones at
    /// the head of a lane are dropped unseen. `soon` is told of events that have been far and are among the
    /// next few hundred now, many at a time: what it looks at is in the caches when they happen.
    #[inline(never)]
    pub fn look_further(&mut self, alive: &impl Fn(&E) -> bool, soon: &impl Fn(&E)) -> Option<(u8, u64)> {
        let Some(first) = self.heap.first().copied() else {
            self.fetch(soon);
            return None;
        };
        debug_assert_eq!(first.kind(), LANE, "nothing else holds events up");
        self.heap.take_first();
        let lane = first.about as u32;
        let events = &mut self.lanes[lane as usize].events;
        let head = events.pop_front().expect("a lane in the heap has a head");
        let dead = events.iter().position(|next| alive(&next.event())).unwrap_or(events.len());
        events.drain(..dead);
        self.put_head(lane);
        let lives = alive(&head.event());
        lives.then(|| {
            self.now = first.time;
            (head.kind(), head.about)
        })
    }

    /// Moves the clock to `time`, before which nothing is pending any more.
    pub fn advance(&mut self, time: Nanos) {
        debug_assert!(time >= self.now, "time runs backwards");
        self.now = self.now.max(time);
    }

    /// Adds an entry where it belongs.
    #[inline(always)]
    fn put(&mut self, entry: Entry) {
        if entry.time > self.near_until || !self.heap.put_first(entry) {
            self.put_behind(entry.time, entry.about, entry.tag);
        }
    }

    /// Adds an entry that is not the first.
    #[inline(never)]
    fn put_behind(&mut self, time: Nanos, about: u64, tag: u64) {
        let entry = Entry { time, about, tag };
        if time > self.near_until || self.heap.behind() >= self.limit {
            return self.put_aside(entry);
        }
        self.heap.push(entry);
    }

    /// Adds an entry that is far, or to a heap that is full.
    #[inline(never)]
    fn put_aside(&mut self, entry: Entry) {
        if entry.time > self.near_until {
            return self.far.push(entry);
        }
        self.heap.push(entry);
        if self.heap.len() < self.far.len() {
            // Splitting costs a look at all that is far: not before as many have come.
            self.limit *= 2;
        } else {
            self.limit = self.near;
            self.far.rebase(self.now, self.heap.drain());
            self.fetch(&|_| {});
        }
    }

    /// Fills the empty heap with what is next among that which is far.
    #[inline(never)]
    fn fetch(&mut self, soon: &impl Fn(&E)) {
        let heap = &mut self.heap;
        let take = |entry: Entry| {
            if entry.kind() != LANE {
                soon(&entry.event());
            }
            heap.push(entry);
        };
        let last = self.far.take(self.batch, take);
        self.near_until = last.filter(|_| !self.far.is_empty()).unwrap_or(NEVER);
    }

    /// The entry of an event, with the next order number.
    #[inline(always)]
    fn entry(&mut self, time: Nanos, event: E) -> Entry {
        let (kind, about) = event.pack();
        Entry::new(time, self.next_order(), kind, about)
    }

    /// The next order number. No run has 2⁵⁶ events.
    #[inline(always)]
    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }
}

impl<E: Packed> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};
    use std::collections::BTreeMap;

    /// The events of alarms come behind all others.
    const ALARM: u32 = 1 << 30;

    impl Packed for u32 {
        fn pack(self) -> (u8, u64) {
            (0, self.into())
        }

        fn unpack(_kind: u8, about: u64) -> Self {
            about as u32
        }

        fn alarm(owner: u32) -> Self {
            ALARM + owner
        }
    }

    fn drain(calendar: &mut Calendar<u32>) -> Vec<(Nanos, u32)> {
        let next = || {
            let event = calendar.next(Nanos::MAX, |_| true)?;
            event.checked_sub(ALARM).iter().for_each(|owner| calendar.set_alarm(*owner, None));
            Some((calendar.now(), event))
        };
        std::iter::from_fn(next).collect()
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

    type Twin = BTreeMap<(Nanos, bool, u32), u32>;

    /// Sets an alarm in the calendar and in its twin, where one that would ring then anyway keeps its place.
    fn set_alarm(calendar: &mut Calendar<u32>, twin: &mut Twin, number: u32, owner: u32, time: Option<Nanos>) {
        calendar.set_alarm(owner, time);
        let place = twin.iter().find(|(_, event)| **event == ALARM + owner).map(|(place, _)| *place);
        if let Some(place) = place.filter(|place| Some(place.0) != time) {
            twin.remove(&place);
        }
        if let Some(time) = time
            && place.is_none_or(|place| place.0 != time)
        {
            twin.insert((time, false, number), ALARM + owner);
        }
    }

    /// The obvious twin, an ordered map from (time, class, insertion) to event, in step with the calendar through random
    /// schedules: so many of 16 steps add an event, up to `reach` away.
    fn agrees_with_an_ordered_map(mut calendar: Calendar<u32>, seed: u64, adding: u64, reach: u64, steps: u32) {
        let mut random = Stream::new(seed);
        let mut twin = Twin::new();
        let lanes: Vec<(LaneId, Nanos)> = [3, 17, 17, 90].map(|delay| (calendar.lane(delay), delay)).to_vec();
        let adding = |number| if number < steps * 3 / 4 { adding } else { 4 };
        for number in 0..steps {
            let now = calendar.now();
            // As many near as far ones, with ties among both.
            let shorter = below(&mut random, reach.ilog2().into());
            let delay = below(&mut random, reach >> shorter);
            match below(&mut random, 16) {
                step if step >= adding(number) => {
                    let expected = twin.pop_first().map(|((time, _, _), event)| (time, event));
                    let got = calendar.next(Nanos::MAX, |_| true).map(|event| (calendar.now(), event));
                    assert_eq!(got, expected);
                    if let Some(owner) = got.and_then(|(_, event)| event.checked_sub(ALARM)) {
                        let again = (!seed.is_multiple_of(3) && adding(number) > 4).then(|| calendar.now() + delay);
                        set_alarm(&mut calendar, &mut twin, number, owner, again);
                    }
                }
                0 => {
                    let until = twin.first_key_value().map_or(now, |((time, _, _), _)| *time);
                    assert_eq!(calendar.next(until, |_| true), None);
                    calendar.advance(now + (until - now) / 2);
                }
                1 => {
                    calendar.late_at(now + delay, number);
                    twin.insert((now + delay, true, number), number);
                }
                4 => {
                    let (owner, time) =
                        (below(&mut random, 5) as u32, (seed.is_multiple_of(2) || delay > 1).then_some(now + delay));
                    set_alarm(&mut calendar, &mut twin, number, owner, time);
                }
                2..4 => {
                    let (lane, delay) = lanes[below(&mut random, 4) as usize];
                    calendar.in_lane(lane, number);
                    twin.insert((now + delay, false, number), number);
                }
                _ => {
                    calendar.at(now + delay, number);
                    twin.insert((now + delay, false, number), number);
                }
            }
            assert_eq!(calendar.len(), twin.len());
        }
        let rest: Vec<_> = twin.into_iter().map(|((time, _, _), event)| (time, event)).collect();
        assert_eq!(drain(&mut calendar), rest);
    }

    #[test]
    fn the_calendar_agrees_with_an_ordered_map_on_random_schedules() {
        for seed in 0..20 {
            agrees_with_an_ordered_map(Calendar::new(), seed, 8, 50, 4_000);
            agrees_with_an_ordered_map(Calendar::new(), seed, 11, 1 << 30, 20_000);
        }
    }

    #[test]
    fn a_calendar_that_is_split_agrees_with_an_ordered_map() {
        for (seed, reach) in (0..40).zip([2, 50, 1 << 12, 1 << 40].into_iter().cycle()) {
            agrees_with_an_ordered_map(Calendar::sized(8, 3), seed, 9 + seed % 4, reach, 4_000);
        }
    }

    #[test]
    fn events_at_the_end_of_time_stay_there() {
        let mut calendar = Calendar::sized(4, 2);
        (0..20).for_each(|event| calendar.at(Nanos::MAX - u64::from(event % 3), event));
        calendar.at(7, 77);
        assert_eq!(calendar.next(Nanos::MAX, |_| true), Some(77));
        let first: Vec<u32> = std::iter::from_fn(|| calendar.next(Nanos::MAX, |_| true)).collect();
        assert_eq!(first, [2, 5, 8, 11, 14, 17, 1, 4, 7, 10, 13, 16, 19]);
        assert_eq!(calendar.len(), 7);
    }

    #[test]
    fn an_entry_takes_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }
}
