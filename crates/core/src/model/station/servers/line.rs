//! Servers whose queue has another order than that of arrival, or turns requests away.
//!
//! The list through the waiting frames is kept as for any other queue; disciplines with ranks have a heap beside it. Disciplines
//! that interrupt know who is being served, and with what rank. A limit in bytes counts the sizes of the requests that wait
//! ([`Frame::size`](crate::model::frame::Frame::size)).
//!
//! Invariants: those of the station; who is interrupted waits with what is left of its work, and nobody who is served has a
//! greater rank than one who waits, except where a step cannot be interrupted.

use super::ranks::{Entry as Waiting, Ranks};
use super::{Entry, Servers};
use crate::engine::time::Nanos;
use crate::model::discipline::codel::Codel;
use crate::model::discipline::fair::Fair;
use crate::model::discipline::red::Red;
use crate::model::discipline::{QueueDiscipline, RankBy, WhenFull};
use crate::model::frame::{Frames, NONE, Wait};

/// What decides the order.
#[derive(Debug, Clone)]
enum Order {
    Arrival,
    Last,
    /// The last one while so many wait or more.
    LastFrom(u32),
    Rank,
    Fair(Fair),
}

/// What turns requests away besides the limit.
#[derive(Debug, Clone)]
enum Drop {
    Never,
    Codel(Codel),
    Red(Red),
}

/// One that is being served.
#[derive(Debug, Clone, Copy)]
struct Served {
    frame: u32,
    rank: u64,
    arrival: u64,
    since: Nanos,
}

/// What a queue needs beside the list of those waiting.
#[derive(Debug, Clone)]
pub(super) struct Line {
    order: Order,
    drop: Drop,
    when_full: WhenFull,
    rank_by: RankBy,
    ranks: Ranks,
    /// Those being served, if they can be interrupted.
    serving: Option<Vec<Served>>,
    /// Whether ranks are work, which shrinks while it is done.
    shrinking: bool,
    arrivals: u64,
    /// The bytes of those waiting, and how many there may be.
    bytes: u64,
    most_bytes: u64,
}

impl Line {
    /// A line in order of arrival that turns away whoever finds it full.
    pub(super) fn of_arrival() -> Self {
        Line {
            order: Order::Arrival,
            drop: Drop::Never,
            when_full: WhenFull::Reject,
            rank_by: RankBy::Nothing,
            ranks: Ranks::default(),
            serving: None,
            shrinking: false,
            arrivals: 0,
            bytes: 0,
            most_bytes: u64::MAX,
        }
    }

    /// The same line with so many bytes at most; one where nobody is turned away has no limit.
    pub(super) fn within_bytes(mut self, most: u64) -> Self {
        self.most_bytes = if self.when_full == WhenFull::Block { u64::MAX } else { most };
        self
    }

    /// Checks that those waiting are as many bytes as was counted.
    pub(super) fn check_bytes(&self, found: u64) -> Result<(), String> {
        match self.most_bytes < u64::MAX && found != self.bytes {
            true => Err(format!("requests of {found} bytes wait, {} were counted", self.bytes)),
            false => Ok(()),
        }
    }

    /// The line of a discipline; `None` if it is that of arrival and needs none.
    pub(super) fn new(discipline: &QueueDiscipline, when_full: WhenFull) -> Option<Self> {
        let (mut order, mut drop, mut preemptive) = (Order::Arrival, Drop::Never, false);
        match discipline {
            QueueDiscipline::Fifo if when_full != WhenFull::DropOldest => return None,
            QueueDiscipline::Fifo => {}
            QueueDiscipline::Lifo => order = Order::Last,
            QueueDiscipline::AdaptiveLifo(parameters) => order = Order::LastFrom(parameters.threshold),
            QueueDiscipline::Priority(parameters) => (order, preemptive) = (Order::Rank, parameters.preemptive),
            QueueDiscipline::ShortestRemaining => (order, preemptive) = (Order::Rank, true),
            QueueDiscipline::ShortestFirst | QueueDiscipline::Deadline => order = Order::Rank,
            QueueDiscipline::WeightedFair(parameters) => order = Order::Fair(Fair::new(parameters)),
            QueueDiscipline::Codel(parameters) => drop = Drop::Codel(Codel::new(*parameters)),
            QueueDiscipline::Red(parameters) => drop = Drop::Red(Red::new(*parameters)),
        }
        Some(Line {
            order,
            drop,
            when_full,
            rank_by: discipline.rank_by(),
            serving: preemptive.then(Vec::new),
            shrinking: *discipline == QueueDiscipline::ShortestRemaining,
            ..Line::of_arrival()
        })
    }

    fn ranked(&self) -> bool {
        matches!(self.order, Order::Rank | Order::Fair(_))
    }
}

impl Servers {
    /// What requests must be ranked by when they ask for a slot; `None` if they need not be.
    #[inline]
    pub fn rank_by(&self) -> Option<RankBy> {
        self.line.as_ref().map(|line| line.rank_by)
    }

    /// Asks for a slot with a rank (a fraction of 2⁶⁴ where it is a chance); `can_stop` tells who can be interrupted.
    pub fn enter_ranked(
        &mut self,
        now: Nanos,
        frame: u32,
        rank: u64,
        wait: Wait,
        frames: &mut Frames,
        can_stop: &dyn Fn(&Frames, u32) -> bool,
    ) -> Entry {
        let waiting = self.waiting.value();
        let Some(line) = &mut self.line else { return self.enter(now, frame, wait, frames) };
        let arrival = line.arrivals;
        line.arrivals += 1;
        if self.busy.value() < self.slots {
            self.busy.up(now);
            if let Order::Fair(fair) = &mut line.order {
                let rank = fair.rank(rank);
                fair.served(rank);
            }
            if let Some(serving) = &mut line.serving {
                serving.push(Served { frame, rank, arrival, since: now });
            }
            return Entry::Served;
        }
        if let Drop::Red(red) = &mut line.drop
            && red.drops(waiting, rank as f64 / 2f64.powi(64))
        {
            return Entry::Shed;
        }
        if let Some(victim) = line.victim(now, rank, frames, can_stop) {
            let serving = line.serving.get_or_insert_default();
            serving.push(Served { frame, rank, arrival, since: now });
            return Entry::Interrupts(victim);
        }
        let rank = match &mut line.order {
            Order::Fair(fair) => fair.rank(rank),
            _ => rank,
        };
        let size = u64::from(frames[frame].size);
        let full = (waiting >= self.limit && line.when_full != WhenFull::Block) || line.bytes + size > line.most_bytes;
        // Nobody makes room for one that does not fit into an empty queue.
        let hopeless = waiting == 0 || size > line.most_bytes;
        if full && (line.when_full != WhenFull::DropOldest || hopeless) {
            return Entry::Refused;
        }
        let oldest = self.head;
        self.wait(now, Waiting { rank, arrival, frame, left: 0 }, wait, frames);
        if full { Entry::Displaces(oldest) } else { Entry::Queued }
    }

    /// Who must be turned away next for those waiting to be within the limits.
    pub fn surplus(&self) -> Option<u32> {
        let beyond = self.line.as_ref().is_some_and(|line| line.bytes > line.most_bytes);
        (beyond || self.waiting.value() > self.limit).then_some(self.head)
    }

    /// Lets a frame wait, with what is left of the step it was interrupted at.
    fn wait(&mut self, now: Nanos, waiting: Waiting, wait: Wait, frames: &mut Frames) {
        self.link(now, waiting.frame, wait, frames);
        let Some(line) = &mut self.line else { return };
        line.bytes += u64::from(frames[waiting.frame].size);
        if line.ranked() {
            line.ranks.push(waiting, frames);
        }
    }

    /// One that was being served waits with what is left of its work: another one has its slot already.
    pub fn interrupted(&mut self, now: Nanos, frame: u32, left: Nanos, wait: Wait, frames: &mut Frames) {
        let Some(line) = &mut self.line else { return };
        let Some(serving) = &mut line.serving else { return };
        let Some(place) = serving.iter().position(|served| served.frame == frame) else { return };
        let Served { rank, arrival, since, .. } = serving.swap_remove(place);
        let rank = if line.shrinking { rank.saturating_sub(now - since) } else { rank };
        self.wait(now, Waiting { rank, arrival, frame, left }, wait, frames);
    }

    /// Gives the slot of a frame back. Those that are turned away now are added to `dropped` with the time they waited [ns].
    /// If somebody is left, the next has the slot now: it is returned with the time it waited and the work left of the
    /// step at which it was interrupted (0 if it was not) [ns].
    pub fn leave_ranked(
        &mut self,
        now: Nanos,
        frame: u32,
        frames: &mut Frames,
        dropped: &mut Vec<(u32, Nanos)>,
    ) -> Option<(u32, Nanos, Nanos)> {
        if let Some(serving) = self.line.as_mut().and_then(|line| line.serving.as_mut()) {
            // One that was interrupted while it waited in vain holds no slot.
            let place = serving.iter().position(|served| served.frame == frame)?;
            serving.swap_remove(place);
        }
        let mut first = true;
        loop {
            let Some(next) = self.next(frames) else {
                self.busy.down(now);
                return None;
            };
            let (waited, left, rank, arrival) = self.take(now, next, frames);
            let behind = self.waiting.value();
            let Some(line) = &mut self.line else { return Some((next, waited, left)) };
            if let Drop::Codel(codel) = &mut line.drop
                && codel.drops(now, waited, behind, first)
            {
                dropped.push((next, waited));
                first = false;
                continue;
            }
            if let Order::Fair(fair) = &mut line.order {
                fair.served(rank);
            }
            if let Some(serving) = &mut line.serving {
                serving.push(Served { frame: next, rank, arrival, since: now });
            }
            return Some((next, waited, left));
        }
    }

    /// Who is served next.
    fn next(&self, _frames: &Frames) -> Option<u32> {
        let line = self.line.as_ref()?;
        let next = match &line.order {
            Order::Arrival => self.head,
            Order::Last if self.head != NONE => self.tail,
            Order::LastFrom(threshold) if self.head != NONE && self.waiting.value() >= *threshold => self.tail,
            Order::Last | Order::LastFrom(_) => self.head,
            Order::Rank | Order::Fair(_) => line.ranks.first().map_or(NONE, |entry| entry.frame),
        };
        (next != NONE).then_some(next)
    }

    /// Takes a frame out of the queue: time waited, work left, rank, number of arrival.
    pub(super) fn take(&mut self, now: Nanos, frame: u32, frames: &mut Frames) -> (Nanos, Nanos, u64, u64) {
        let entry = self.line.as_mut().and_then(|line| {
            line.bytes -= u64::from(frames[frame].size);
            if line.ranked() { line.ranks.remove(frame, frames) } else { None }
        });
        let waited = self.unlink(now, frame, frames);
        entry.map_or((waited, 0, 0, 0), |entry| (waited, entry.left, entry.rank, entry.arrival))
    }
}

impl Line {
    /// Who has to give way to one with this rank: the one with the greatest rank, the latest of equals, if that is greater.
    fn victim(&self, now: Nanos, rank: u64, frames: &Frames, can_stop: &dyn Fn(&Frames, u32) -> bool) -> Option<u32> {
        let present = |served: &Served| match self.shrinking {
            true => served.rank.saturating_sub(now - served.since),
            false => served.rank,
        };
        let candidates = self.serving.as_ref()?.iter().filter(|served| can_stop(frames, served.frame));
        let worst = candidates.max_by_key(|served| (present(served), served.arrival))?;
        (present(worst) > rank).then_some(worst.frame)
    }
}
