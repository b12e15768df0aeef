//! A group of consumers at work.
//!
//! Invariants: every message that was accepted is in a lane, held back, buffered or in a slot, or was counted at its end, once
//! ([`Group::check`]); a slot processes one batch; of a partition one batch is processed at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::book::GroupBook;
use super::lane::{Lane, Message};
use super::plan::{GroupPlan, Lanes};
use crate::engine::Nanos;
use crate::engine::random::mix;
use crate::model::frame::NONE;

/// What happened to a message in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was processed.
    Delivered,
    /// It will not be.
    Gone,
}

/// A batch to begin, or a time to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// This slot begins.
    Slot(u32),
    /// Nothing yet; this lane should be looked at again at this time.
    Later(u32, Nanos),
    /// Nothing.
    Nothing,
}

#[derive(Debug, Clone)]
struct Member {
    up: bool,
    free: Vec<u32>,
    buffer: VecDeque<Message>,
    paused: bool,
    /// The lane to look at first, among those it owns.
    turn: u32,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    member: u32,
    lane: u32,
    messages: Vec<Message>,
    generation: u32,
    /// Whether its messages were given to others too.
    shared: bool,
}

/// A group at work.
#[derive(Debug, Clone)]
pub struct Group {
    plan: GroupPlan,
    lanes: Vec<Lane>,
    owners: Vec<u32>,
    members: Vec<Member>,
    slots: Vec<Slot>,
    /// Messages held back after a failure, with the time they come back.
    held: VecDeque<(Nanos, Message)>,
    /// Of messages that exist several times: how often, and whether one was processed.
    copies: BTreeMap<u64, (u32, bool)>,
    paused_until: Nanos,
    turn: u32,
    next_id: u64,
    next_lane: u32,
    /// Messages that ended while others were looked at: who waits for them, and how they ended.
    ended: Vec<((u32, u32), Verdict)>,
    /// Messages that left the lanes since this was last asked.
    pub freed: u32,
    /// The counts.
    pub book: GroupBook,
}

impl Group {
    /// A group with nothing to do.
    pub fn new(plan: GroupPlan) -> Self {
        let lanes = match plan.lanes {
            Lanes::Shared => 1,
            Lanes::Partitions(count) => count.max(1),
            Lanes::Each => plan.members,
        };
        let member = |number: u32| Member {
            up: true,
            free: (0..plan.slots).rev().map(|slot| number * plan.slots + slot).collect(),
            buffer: VecDeque::new(),
            paused: false,
            turn: 0,
        };
        let slot = |number: u32| Slot { member: number / plan.slots, ..Slot::default() };
        Group {
            lanes: (0..lanes).map(|_| Lane::new(plan.levels)).collect(),
            owners: (0..lanes).map(|lane| lane % plan.members).collect(),
            members: (0..plan.members).map(member).collect(),
            slots: (0..plan.members * plan.slots).map(slot).collect(),
            held: VecDeque::new(),
            copies: BTreeMap::new(),
            paused_until: 0,
            turn: 0,
            next_id: 0,
            next_lane: 0,
            ended: Vec::new(),
            freed: 0,
            book: GroupBook::default(),
            plan,
        }
    }

    /// The number of lanes, of members, of slots.
    pub fn sizes(&self) -> [u32; 3] {
        [self.lanes.len() as u32, self.plan.members, self.slots.len() as u32]
    }

    /// How many messages wait.
    pub fn waiting(&self) -> u32 {
        self.book.waiting.value()
    }

    /// How long the oldest waiting message has waited [ns].
    pub fn oldest(&self, now: Nanos) -> Nanos {
        self.lanes.iter().filter_map(Lane::oldest).min().map_or(0, |published| now - published)
    }

    /// The messages of a slot.
    pub fn batch(&self, slot: u32) -> &[Message] {
        &self.slots[slot as usize].messages
    }

    /// The member that a slot belongs to, and the slot's generation.
    pub fn slot(&self, slot: u32) -> (u32, u32) {
        let slot = &self.slots[slot as usize];
        (slot.member, slot.generation)
    }

    /// Takes a message in; `now` is when it is published. Tells which lanes it is in by [`Group::start`].
    pub fn put(&mut self, now: Nanos, mut message: Message) -> std::ops::Range<u32> {
        let lanes = match self.plan.lanes {
            Lanes::Shared => 0..1,
            Lanes::Each => 0..self.lanes.len() as u32,
            Lanes::Partitions(count) => {
                let lane = if message.item == NONE {
                    self.next_lane = (self.next_lane + 1) % count;
                    self.next_lane
                } else {
                    ((u128::from(mix(u64::from(message.item) + 1)) * u128::from(count)) >> 64) as u32
                };
                lane..lane + 1
            }
        };
        for lane in lanes.clone() {
            message.id = self.next_id;
            self.next_id += 1;
            self.book.accepted += 1;
            if self.plan.lanes == Lanes::Each && !self.members[lane as usize].up {
                self.book.lost += 1;
                self.finish(&message, Verdict::Gone);
                continue;
            }
            self.book.waiting.up(now);
            self.lanes[lane as usize].push(message);
        }
        lanes
    }

    /// Throws the oldest message of the fullest lane away.
    pub fn push_out(&mut self, now: Nanos) {
        let fullest = (0..self.lanes.len()).max_by_key(|&lane| (self.lanes[lane].len(), std::cmp::Reverse(lane)));
        if let Some(message) = fullest.and_then(|lane| self.lanes[lane].pop()) {
            self.book.waiting.down(now);
            if self.leave(&message) {
                self.book.lost += 1;
                self.finish(&message, Verdict::Gone);
            }
        }
    }

    /// Begins what can begin in a lane: a batch, or nothing yet.
    pub fn start(&mut self, now: Nanos, lane: u32) -> Start {
        if now < self.paused_until {
            return Start::Nothing;
        }
        if self.plan.buffer.is_some() {
            return self.start_buffered(now, lane % self.plan.members);
        }
        let Some(member) = self.member_for(lane) else { return Start::Nothing };
        let ordered = matches!(self.plan.lanes, Lanes::Partitions(_));
        let waiting = &mut self.lanes[lane as usize];
        if waiting.len() == 0 || (ordered && waiting.busy) {
            return Start::Nothing;
        }
        let linger = self.plan.linger;
        if self.plan.ticks {
            if !now.is_multiple_of(linger) {
                return Start::Later(lane, now - now % linger + linger);
            }
        } else if waiting.len() < self.plan.batch as usize && linger > 0 {
            let ready = waiting.oldest().map_or(now, |oldest| oldest + linger);
            if ready > now {
                return Start::Later(lane, ready);
            }
        }
        let Some(slot) = self.members[member as usize].free.pop() else { return Start::Nothing };
        let most = if self.plan.ticks { usize::MAX } else { self.plan.batch as usize };
        let mut messages = std::mem::take(&mut self.slots[slot as usize].messages);
        while messages.len() < most
            && let Some(message) = self.take(now, lane)
        {
            messages.push(message);
        }
        if messages.is_empty() {
            self.slots[slot as usize].messages = messages;
            self.members[member as usize].free.push(slot);
            return Start::Nothing;
        }
        self.lanes[lane as usize].busy = true;
        self.begin(slot, lane, messages)
    }

    fn begin(&mut self, slot: u32, lane: u32, messages: Vec<Message>) -> Start {
        if self.book.open {
            self.book.batches[0] += 1;
            self.book.batches[1] += messages.len() as u64;
        }
        let place = &mut self.slots[slot as usize];
        (place.messages, place.lane, place.shared) = (messages, lane, false);
        Start::Slot(slot)
    }

    /// The member that would process the next batch of a lane.
    fn member_for(&mut self, lane: u32) -> Option<u32> {
        let able = |member: &Member| member.up && !member.free.is_empty();
        if self.plan.lanes != Lanes::Shared {
            let owner = self.owners[lane as usize];
            return able(&self.members[owner as usize]).then_some(owner);
        }
        let count = self.plan.members;
        let turns = (0..count).map(|step| (self.turn + step) % count);
        let member = turns.into_iter().find(|member| able(&self.members[*member as usize]))?;
        self.turn = (member + 1) % count;
        Some(member)
    }

    /// Takes the next message of a lane that is still worth processing.
    fn take(&mut self, now: Nanos, lane: u32) -> Option<Message> {
        loop {
            let message = self.lanes[lane as usize].pop()?;
            self.book.waiting.down(now);
            self.freed += 1;
            if self.copies.get(&message.id).is_some_and(|(_, done)| *done) {
                self.leave(&message);
                continue;
            }
            if self.plan.retention.is_some_and(|retention| now - message.published >= retention) {
                if self.leave(&message) {
                    self.book.expired += 1;
                    self.finish(&message, Verdict::Gone);
                }
                continue;
            }
            if self.book.open && message.tries == 0 {
                self.book.waits.record(now - message.published);
                self.book.wait.record(now - message.published);
            }
            return Some(message);
        }
    }

    /// One of a message's copies is no more; whether it was the last one and none was processed.
    fn leave(&mut self, message: &Message) -> bool {
        let Some((copies, done)) = self.copies.get_mut(&message.id) else { return true };
        *copies -= 1;
        let (last, done) = (*copies == 0, *done);
        if last {
            self.copies.remove(&message.id);
        }
        last && !done
    }

    fn finish(&mut self, message: &Message, verdict: Verdict) {
        if let Some(waiter) = message.waiter {
            self.ended.push((waiter, verdict));
        }
    }

    /// Those who waited for messages that have ended, and how they ended.
    pub fn take_ended(&mut self) -> Option<((u32, u32), Verdict)> {
        self.ended.pop()
    }

    /// A slot's batch has been processed, with success or not. The slot is free; its member's lanes should be looked at.
    pub fn done(&mut self, now: Nanos, slot: u32, success: bool) {
        let place = &mut self.slots[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        let (lane, member) = (place.lane, place.member);
        let mut messages = std::mem::take(&mut place.messages);
        self.lanes[lane as usize].busy = false;
        // Those that failed go back in their order, so the last one goes back first.
        for message in messages.drain(..).rev() {
            if success { self.succeeded(now, &message) } else { self.failed(now, lane, message) }
        }
        self.slots[slot as usize].messages = messages;
        self.members[member as usize].free.push(slot);
    }

    fn succeeded(&mut self, now: Nanos, message: &Message) {
        let first = match self.copies.get_mut(&message.id) {
            None => true,
            Some((_, done)) => !std::mem::replace(done, true),
        };
        if !first {
            self.book.duplicates += 1;
            self.leave(message);
            return;
        }
        self.book.delivered += 1;
        if self.book.open {
            let (delay, age) = (now - message.published, now - message.origin);
            self.book.delays.record(delay);
            self.book.delay.record(delay);
            self.book.ages.record(age);
            self.book.age.record(age);
        }
        self.leave(message);
        self.finish(message, Verdict::Delivered);
    }

    fn failed(&mut self, now: Nanos, lane: u32, mut message: Message) {
        message.tries = message.tries.saturating_add(1);
        let done = self.copies.get(&message.id).is_some_and(|(_, done)| *done);
        let again = !done && !self.plan.early && (self.plan.tries == 0 || message.tries < self.plan.tries);
        if !again {
            if self.leave(&message) {
                if self.plan.early {
                    self.book.lost += 1
                } else {
                    self.book.dead += 1
                }
                self.finish(&message, Verdict::Gone);
            }
            return;
        }
        self.book.redelivered += 1;
        if self.plan.lanes == Lanes::Shared && self.plan.hold > 0 {
            self.held.push_back((now + self.plan.hold, message));
        } else {
            self.book.waiting.up(now);
            self.lanes[lane as usize].push_front(message);
        }
    }

    /// When the next message that is held back returns [ns].
    pub fn next_held(&self) -> Option<Nanos> {
        self.held.front().map(|(time, _)| *time)
    }

    /// Brings messages back that were held back until now.
    pub fn release_held(&mut self, now: Nanos) {
        while self.held.front().is_some_and(|(time, _)| *time <= now) {
            if let Some((_, message)) = self.held.pop_front() {
                self.book.waiting.up(now);
                self.lanes[0].push(message);
            }
        }
    }

    /// A slot has processed too long: its messages are given to others as well.
    pub fn overdue(&mut self, now: Nanos, slot: u32, generation: u32) {
        let place = &mut self.slots[slot as usize];
        if place.generation != generation || place.shared || place.messages.is_empty() {
            return;
        }
        place.shared = true;
        let (lane, messages) = (place.lane, place.messages.clone());
        for mut message in messages {
            message.tries = message.tries.saturating_add(1);
            if self.plan.tries > 0 && message.tries >= self.plan.tries {
                continue;
            }
            self.copies.entry(message.id).or_insert((1, false)).0 += 1;
            self.book.redelivered += 1;
            self.book.waiting.up(now);
            self.lanes[lane as usize].push(message);
        }
    }

    /// A member comes or goes. What it fetched and did not begin goes back; what it processes is told by [`Group::done`].
    /// Returns until when the group pauses [ns].
    pub fn set_up(&mut self, now: Nanos, member: u32, up: bool) -> Option<Nanos> {
        let changed = std::mem::replace(&mut self.members[member as usize].up, up) != up;
        if !changed {
            return None;
        }
        if !up {
            let buffer = std::mem::take(&mut self.members[member as usize].buffer);
            self.pause(now, member, false);
            for message in buffer.into_iter().rev() {
                self.book.buffered.down(now);
                self.book.waiting.up(now);
                let lane = self.lane_of(&message, member);
                self.lanes[lane as usize].push_front(message);
            }
        }
        if !matches!(self.plan.lanes, Lanes::Partitions(_)) {
            return None;
        }
        let here: Vec<u32> = (0..self.plan.members).filter(|member| self.members[*member as usize].up).collect();
        if !here.is_empty() {
            for (lane, owner) in self.owners.iter_mut().enumerate() {
                *owner = here[lane % here.len()];
            }
        }
        self.paused_until = now + self.plan.pause;
        Some(self.paused_until)
    }

    fn lane_of(&self, message: &Message, member: u32) -> u32 {
        match self.plan.lanes {
            Lanes::Shared => 0,
            Lanes::Each => member,
            Lanes::Partitions(_) if message.item == NONE => {
                self.owners.iter().position(|owner| *owner == member).unwrap_or(0) as u32
            }
            Lanes::Partitions(count) => {
                ((u128::from(mix(u64::from(message.item) + 1)) * u128::from(count)) >> 64) as u32
            }
        }
    }

    /// The lanes that a slot's member could go on with.
    pub fn lanes_of(&mut self, slot: u32) -> impl Iterator<Item = u32> + use<> {
        let member = self.slots[slot as usize].member;
        let shared = self.plan.lanes == Lanes::Shared || self.plan.buffer.is_some();
        let own: Vec<u32> = if shared {
            vec![if self.plan.buffer.is_some() { member } else { 0 }]
        } else {
            let mut own: Vec<u32> =
                (0..self.lanes.len() as u32).filter(|lane| self.owners[*lane as usize] == member).collect();
            let turn = &mut self.members[member as usize].turn;
            let count = own.len().max(1);
            own.rotate_left(*turn as usize % count);
            *turn = turn.wrapping_add(1);
            own
        };
        own.into_iter()
    }

    /// A member fetches; whether its memory overflowed.
    pub fn fetch(&mut self, now: Nanos, member: u32) -> bool {
        let Some(buffer) = self.plan.buffer else { return false };
        if !self.members[member as usize].up || self.members[member as usize].paused || now < self.paused_until {
            return false;
        }
        let mut left = buffer.fetch;
        for lane in 0..self.lanes.len() as u32 {
            if self.plan.lanes != Lanes::Shared && self.owners[lane as usize] != member {
                continue;
            }
            while left > 0
                && let Some(message) = self.take(now, lane)
            {
                left -= 1;
                self.book.buffered.up(now);
                self.members[member as usize].buffer.push_back(message);
            }
        }
        let held = self.members[member as usize].buffer.len();
        self.pause(now, member, held >= buffer.pause_at as usize);
        let overflow = held as u64 > buffer.room;
        if overflow {
            self.book.overflows += 1;
            self.book.first_overflow.get_or_insert(now);
        }
        overflow
    }

    /// A member pauses fetching, or goes on.
    fn pause(&mut self, now: Nanos, member: u32, pauses: bool) {
        let before = std::mem::replace(&mut self.members[member as usize].paused, pauses);
        match (before, pauses) {
            (false, true) => {
                self.book.paused.up(now);
                self.book.pauses += u64::from(self.book.open);
                self.book.first_pause.get_or_insert(now);
            }
            (true, false) => self.book.paused.down(now),
            _ => {}
        }
    }

    /// Begins the next batch from a member's own memory.
    fn start_buffered(&mut self, now: Nanos, member: u32) -> Start {
        let Some(buffer) = self.plan.buffer else { return Start::Nothing };
        let at = &mut self.members[member as usize];
        if !at.up || at.buffer.is_empty() {
            return Start::Nothing;
        }
        let Some(slot) = at.free.pop() else { return Start::Nothing };
        let mut messages = std::mem::take(&mut self.slots[slot as usize].messages);
        messages.extend(at.buffer.drain(..at.buffer.len().min(self.plan.batch as usize)));
        if at.buffer.len() <= buffer.resume_at as usize {
            self.pause(now, member, false);
        }
        self.begin(slot, member.min(self.lanes.len() as u32 - 1), messages)
    }

    /// Takes note of messages that left a member's memory for a slot.
    pub fn unbuffered(&mut self, now: Nanos, slot: u32) {
        if self.plan.buffer.is_some() {
            (0..self.slots[slot as usize].messages.len()).for_each(|_| self.book.buffered.down(now));
        }
    }

    /// Notes that a lane will be looked at again at `time`; whether that was not known yet.
    pub fn alarm(&mut self, lane: u32, time: Nanos) -> bool {
        std::mem::replace(&mut self.lanes[lane as usize].alarm, time) != time
    }

    /// The plan.
    pub fn plan(&self) -> &GroupPlan {
        &self.plan
    }

    /// Checks that every message accepted is there or was counted at its end, once.
    ///
    /// # Errors
    /// The figures that do not add up.
    pub fn check(&self) -> Result<(), String> {
        let lanes = self.lanes.iter().flat_map(Lane::iter);
        let held = self.held.iter().map(|(_, message)| message);
        let buffers = self.members.iter().flat_map(|member| &member.buffer);
        let slots = self.slots.iter().flat_map(|slot| &slot.messages);
        let here: BTreeSet<u64> = lanes.chain(held).chain(buffers).chain(slots).map(|message| message.id).collect();
        let pending = here.iter().filter(|id| !self.copies.get(id).is_some_and(|(_, done)| *done)).count() as u64;
        let [accepted, delivered, dead, expired, lost, ..] = self.book.counts();
        if accepted != delivered + dead + expired + lost + pending {
            return Err(format!(
                "{accepted} messages were accepted; {delivered} were delivered, {dead} are dead, {expired} expired, \
                 {lost} were lost and {pending} are pending"
            ));
        }
        let waiting: usize = self.lanes.iter().map(Lane::len).sum();
        if waiting != self.book.waiting.value() as usize {
            return Err(format!("{waiting} messages wait, the level says {}", self.book.waiting.value()));
        }
        Ok(())
    }
}
