//! Queues at work: publishing, delivering, and what happens by the clock.
//!
//! A group of consumers is a client: its requests begin when a slot begins a batch. Their item, their priority and the request
//! they go back to are those of the batch's first message.

use std::collections::VecDeque;

use super::super::{Event, System};
use super::Waiter;
use super::books::QueueBook;
use crate::engine::Nanos;
use crate::model::blueprint::{Blueprint, Traffic};
use crate::model::data::WhenFull;
use crate::model::frame::{NONE, Outcome};
use crate::model::program::Place;
use crate::model::queue::{Group, Message, Start, Verdict};

/// What happens by the clock.
#[derive(Debug, Clone, Copy)]
enum Alarm {
    Lane { group: u32, lane: u32 },
    Overdue { group: u32, slot: u32 },
    Fetch { group: u32, member: u32 },
    Restart { group: u32, member: u32 },
    Held { group: u32 },
    Resume { group: u32 },
    Relay { queue: u32 },
}

/// A queue at work.
#[derive(Debug, Default)]
struct Queue {
    /// Publishers that wait for room.
    blocked: VecDeque<Waiter>,
    /// Messages that wait for the relay.
    outbox: Vec<Message>,
    book: QueueBook,
}

/// All queues of a system.
#[derive(Debug)]
pub(in super::super) struct Queues {
    queues: Vec<Queue>,
    pub(super) groups: Vec<Group>,
    /// Per group: its client.
    clients: Vec<u32>,
    /// Per group: the first instance of its members.
    first: Vec<u32>,
    alarms: Vec<Alarm>,
    /// Per group: the first of its alarms: lanes, slots, fetches, restarts, held, resume.
    alarms_of: Vec<u32>,
}

impl Queues {
    pub(super) fn new(blueprint: &Blueprint) -> Self {
        let parts = &blueprint.program.data;
        let groups: Vec<Group> = parts.groups.iter().map(|plan| Group::new(plan.group.clone())).collect();
        let (mut alarms, mut alarms_of) = (Vec::new(), Vec::new());
        for (group, state) in (0..).zip(&groups) {
            alarms_of.push(alarms.len() as u32);
            let [lanes, members, slots] = state.sizes();
            alarms.extend((0..lanes).map(|lane| Alarm::Lane { group, lane }));
            alarms.extend((0..slots).map(|slot| Alarm::Overdue { group, slot }));
            alarms.extend((0..members).map(|member| Alarm::Fetch { group, member }));
            alarms.extend((0..members).map(|member| Alarm::Restart { group, member }));
            alarms.extend([Alarm::Held { group }, Alarm::Resume { group }]);
        }
        alarms_of.push(alarms.len() as u32);
        alarms.extend((0..parts.queues.len() as u32).map(|queue| Alarm::Relay { queue }));
        let client = |group: u32| {
            let found = blueprint
                .clients
                .iter()
                .position(|client| matches!(client.traffic, Traffic::Consumers { group: own, .. } if own == group));
            found.map_or(NONE, |client| client as u32)
        };
        let first = |service: u32| blueprint.services[..service as usize].iter().map(|before| before.instances).sum();
        Queues {
            queues: parts.queues.iter().map(|_| Queue::default()).collect(),
            clients: (0..groups.len() as u32).map(client).collect(),
            first: parts.groups.iter().map(|plan| first(plan.service)).collect(),
            groups,
            alarms,
            alarms_of,
        }
    }

    fn alarm(&self, alarm: Alarm) -> u32 {
        let (group, offset) = match alarm {
            Alarm::Relay { queue } => (self.groups.len(), queue),
            Alarm::Lane { group, lane } => (group as usize, lane),
            Alarm::Overdue { group, slot } => (group as usize, self.groups[group as usize].sizes()[0] + slot),
            Alarm::Fetch { group, member } => {
                let [lanes, _, slots] = self.groups[group as usize].sizes();
                (group as usize, lanes + slots + member)
            }
            Alarm::Restart { group, member } => {
                let [lanes, members, slots] = self.groups[group as usize].sizes();
                (group as usize, lanes + slots + members + member)
            }
            Alarm::Held { group } => {
                let [lanes, members, slots] = self.groups[group as usize].sizes();
                (group as usize, lanes + slots + 2 * members)
            }
            Alarm::Resume { group } => {
                let [lanes, members, slots] = self.groups[group as usize].sizes();
                (group as usize, lanes + slots + 2 * members + 1)
            }
        };
        self.alarms_of[group] + offset
    }

    /// Checks the law of conservation of every group; the name of the first that breaks it, and how.
    pub(super) fn check(&self) -> Result<(), (usize, String)> {
        self.groups.iter().enumerate().try_for_each(|(number, group)| group.check().map_err(|what| (number, what)))
    }

    /// The window opens (`false`) or closes (`true`).
    pub(super) fn mark(&mut self, closes: bool, now: Nanos) {
        for group in &mut self.groups {
            let oldest = group.oldest(now);
            group.book.mark(closes, now, oldest);
        }
        self.queues.iter_mut().for_each(|queue| queue.book.open = !closes);
    }

    /// Adds the values of the end of an interval of the time series.
    pub(super) fn sample(&self, now: Nanos, row: &mut Vec<f64>) {
        for group in &self.groups {
            row.push(f64::from(group.waiting()));
            row.push(group.oldest(now) as f64 / 1e9);
            row.push(f64::from(group.book.buffered.value()));
        }
    }

    pub(super) fn books(&self) -> Vec<QueueBook> {
        self.queues.iter().map(|queue| queue.book.clone()).collect()
    }

    /// The member that works for a consumer's request.
    pub(super) fn member_of(&self, group: u32, slot: u32) -> u32 {
        self.groups[group as usize].slot(slot).0
    }
}

impl System<'_> {
    /// Schedules what happens by the clock from the start.
    pub(in super::super) fn start_queues(&mut self) {
        for group in 0..self.data.queues.groups.len() as u32 {
            let plan = &self.data.queues.groups[group as usize].plan();
            let (buffer, members) = (plan.buffer, plan.members);
            if let Some(buffer) = buffer {
                (0..members).for_each(|member| self.set_alarm(Alarm::Fetch { group, member }, buffer.every, 0));
            }
        }
    }

    fn set_alarm(&mut self, alarm: Alarm, time: Nanos, generation: u32) {
        let alarm = self.data.queues.alarm(alarm);
        self.calendar.at(time, Event::Queue { alarm, generation });
    }

    /// Something happens by the clock.
    pub(in super::super) fn queue_alarm(&mut self, alarm: u32, generation: u32) {
        let now = self.calendar.now();
        match self.data.queues.alarms[alarm as usize] {
            Alarm::Lane { group, lane } => self.pump(group, lane),
            Alarm::Overdue { group, slot } => {
                self.data.queues.groups[group as usize].overdue(now, slot, generation);
                self.pump_all(group);
            }
            Alarm::Fetch { group, member } => self.fetch(group, member),
            Alarm::Restart { group, member } => {
                let instance = self.data.queues.first[group as usize] + member;
                self.open(instance);
            }
            Alarm::Held { group } => {
                self.data.queues.groups[group as usize].release_held(now);
                self.pump(group, 0);
            }
            Alarm::Resume { group } => self.pump_all(group),
            Alarm::Relay { queue } => {
                let messages = std::mem::take(&mut self.data.queues.queues[queue as usize].outbox);
                messages.into_iter().for_each(|message| self.accept(queue, message));
            }
        }
    }

    /// Hands a message to a queue; whether the frame goes on at once.
    pub(super) fn publish(
        &mut self,
        index: u32,
        place: Place,
        queue: u32,
        wait: bool,
        every: Nanos,
        accounts: [u32; 2],
    ) -> bool {
        let [room, result] = accounts;
        let now = self.calendar.now();
        let plan = &self.blueprint.program.data.queues[queue as usize];
        let origin = self.data.carry(index).origin;
        let frame = &self.frames[index];
        let mut message = Message {
            id: 0,
            published: now,
            origin,
            waiter: None,
            item: frame.item,
            tries: 0,
            priority: frame.priority,
        };
        if every > 0 {
            let outbox = &mut self.data.queues.queues[queue as usize].outbox;
            outbox.push(message);
            if outbox.len() == 1 {
                self.set_alarm(Alarm::Relay { queue }, now - now % every + every, 0);
            }
            return true;
        }
        let waiting = plan.groups.clone().map(|group| self.data.queues.groups[group as usize].waiting()).max();
        if waiting.unwrap_or(0) >= plan.limit {
            let book = &mut self.data.queues.queues[queue as usize].book;
            match plan.when_full {
                WhenFull::Block => {
                    book.blocked += u64::from(book.open);
                    self.frames[index].place = place;
                    let waiter = self.await_waking(index, room);
                    self.data.queues.queues[queue as usize].blocked.push_back(waiter);
                    return false;
                }
                WhenFull::Reject => {
                    book.rejected += u64::from(book.open);
                    self.fail(index, place, Outcome::Rejected);
                    return true;
                }
                WhenFull::DropNewest => {
                    book.dropped += u64::from(book.open);
                    return true;
                }
                WhenFull::DropOldest => {
                    book.dropped += u64::from(book.open);
                    book.pushed_out += u64::from(book.open);
                    for group in plan.groups.clone() {
                        let group = &mut self.data.queues.groups[group as usize];
                        if group.waiting() >= plan.limit {
                            group.push_out(now);
                        }
                    }
                }
            }
        }
        if wait {
            let Waiter { frame, generation } = self.await_waking(index, result);
            message.waiter = Some((frame, generation));
        }
        self.accept(queue, message);
        !wait
    }

    /// Takes a message into all groups of a queue.
    fn accept(&mut self, queue: u32, mut message: Message) {
        let now = self.calendar.now();
        let book = &mut self.data.queues.queues[queue as usize].book;
        book.published += u64::from(book.open);
        for group in self.blueprint.program.data.queues[queue as usize].groups.clone() {
            let lanes = self.data.queues.groups[group as usize].put(now, message);
            message.waiter = None;
            for lane in lanes {
                self.pump(group, lane);
            }
        }
    }

    /// Begins all that can begin in a lane.
    fn pump(&mut self, group: u32, lane: u32) {
        let now = self.calendar.now();
        loop {
            match self.data.queues.groups[group as usize].start(now, lane) {
                Start::Slot(slot) => self.deliver(group, slot),
                Start::Later(lane, time) => {
                    if self.data.queues.groups[group as usize].alarm(lane, time) {
                        self.set_alarm(Alarm::Lane { group, lane }, time, 0);
                    }
                    break;
                }
                Start::Nothing => break,
            }
        }
        self.settle_group(group);
    }

    fn pump_all(&mut self, group: u32) {
        let group_state = &self.data.queues.groups[group as usize];
        let [lanes, members, _] = group_state.sizes();
        // What is in the members' own memory begins by member.
        let count = if group_state.plan().buffer.is_some() { members } else { lanes };
        (0..count).for_each(|lane| self.pump(group, lane));
    }

    /// Lets those go on who waited for room or for messages that ended.
    fn settle_group(&mut self, group: u32) {
        let queue = self.blueprint.program.data.groups[group as usize].queue;
        let freed = std::mem::take(&mut self.data.queues.groups[group as usize].freed);
        for _ in 0..freed {
            while let Some(waiter) = self.data.queues.queues[queue as usize].blocked.pop_front() {
                if self.wake(waiter) {
                    break;
                }
            }
        }
        while let Some(((frame, generation), verdict)) = self.data.queues.groups[group as usize].take_ended() {
            if self.wake(Waiter { frame, generation }) && verdict == Verdict::Gone {
                let waiting = &mut self.frames[frame];
                (waiting.outcome, waiting.reason) = (Outcome::Error, Outcome::Error);
                waiting.place = self.blueprint.program.unwind[waiting.place as usize - 1];
            }
        }
    }

    /// Begins the processing of a slot's batch.
    fn deliver(&mut self, group: u32, slot: u32) {
        let now = self.calendar.now();
        let state = &mut self.data.queues.groups[group as usize];
        state.unbuffered(now, slot);
        let batch = state.batch(slot);
        let (count, first) = (batch.len() as u32, batch[0]);
        let (visibility, generation) = (state.plan().visibility, state.slot(slot).1);
        if let Some(visibility) = visibility {
            self.set_alarm(Alarm::Overdue { group, slot }, now.saturating_add(visibility), generation);
        }
        let client = self.data.queues.clients[group as usize];
        if let Some(frame) = self.begin_request(client, slot) {
            (self.frames[frame].item, self.frames[frame].priority) = (first.item, first.priority);
            let carry = self.data.carry(frame);
            (carry.origin, carry.batch) = (first.origin, count);
            self.ready.push(frame);
        }
    }

    /// A consumer's request has ended.
    pub(in super::super) fn delivered(&mut self, group: u32, slot: u32, outcome: Outcome) {
        let now = self.calendar.now();
        let state = &mut self.data.queues.groups[group as usize];
        state.done(now, slot, outcome == Outcome::Success);
        let held = state.next_held();
        let lanes = state.lanes_of(slot);
        if let Some(time) = held
            && outcome != Outcome::Success
        {
            self.set_alarm(
                Alarm::Held { group },
                time.max(now + self.data.queues.groups[group as usize].plan().hold),
                0,
            );
        }
        for lane in lanes {
            self.pump(group, lane);
        }
        self.settle_group(group);
    }

    /// A member fetches into its memory; if that overflows, it dies.
    fn fetch(&mut self, group: u32, member: u32) {
        let now = self.calendar.now();
        let state = &mut self.data.queues.groups[group as usize];
        let Some(buffer) = state.plan().buffer else { return };
        let overflow = state.fetch(now, member);
        self.set_alarm(Alarm::Fetch { group, member }, now + buffer.every, 0);
        if overflow {
            let instance = self.data.queues.first[group as usize] + member;
            self.close(instance);
            self.crash(instance);
            self.set_alarm(Alarm::Restart { group, member }, now + buffer.restart, 0);
        }
        self.pump(group, member);
    }

    /// An instance comes or goes: groups whose member it is take note.
    pub(in super::super) fn members_changed(&mut self, instance: u32, up: bool) {
        let now = self.calendar.now();
        self.node_changed(instance, up);
        for group in 0..self.data.queues.groups.len() as u32 {
            let first = self.data.queues.first[group as usize];
            let state = &mut self.data.queues.groups[group as usize];
            if instance < first || instance >= first + state.sizes()[1] {
                continue;
            }
            if let Some(until) = state.set_up(now, instance - first, up) {
                self.set_alarm(Alarm::Resume { group }, until, 0);
            }
            self.pump_all(group);
        }
    }

    /// Lets a loop run once for every message of the batch.
    pub(super) fn rounds(&mut self, index: u32, depth: u8) {
        let batch = self.data.carry(index).batch.clamp(1, u32::from(u16::MAX)) as u16;
        let frame = &mut self.frames[index];
        let depth = usize::from(depth) % frame.rounds.len();
        frame.rounds[depth] = batch;
    }
}
