//! Locks: mutexes, semaphores and read-write locks.
//!
//! A lock has a number of permits (one, unless it is a semaphore). Who *writes* holds one permit alone; of a read-write lock
//! any number of readers hold it together. Writers wait in one line and readers in another, both in order of arrival, as
//! doubly linked lists through the waiting frames.
//!
//! Whose turn it is follows Go's `sync.RWMutex`: a waiting writer keeps new readers out; when a writer leaves, all readers
//! who wait go first; when the last reader leaves, the first writer goes. So neither side starves. A mutex and a semaphore have
//! writers only: first come, first served. Handing a lock over takes no time.
//!
//! Source: Go 1.22, `src/sync/rwmutex.go`. Go's plain mutex lets a running task overtake those who sleep (for at most 1 ms);
//! here nobody overtakes.
//!
//! Invariants: nobody waits for a permit that could be had; a writer and a reader never hold a lock at once.

use crate::engine::time::Nanos;
use crate::measure::Level;
use crate::model::frame::{Frames, NONE};

/// A line of waiting frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    head: u32,
    tail: u32,
}

impl Line {
    /// Nobody.
    pub(super) const EMPTY: Line = Line { head: NONE, tail: NONE };

    /// Whether nobody is in it.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Adds a frame behind all others.
    pub(super) fn push(&mut self, now: Nanos, frame: u32, frames: &mut Frames) {
        let entering = &mut frames[frame];
        entering.since = now;
        entering.queue = [self.tail, NONE];
        match self.tail {
            NONE => self.head = frame,
            tail => frames[tail].queue[1] = frame,
        }
        self.tail = frame;
    }

    /// Takes the first frame out.
    pub(super) fn pop(&mut self, frames: &mut Frames) -> Option<u32> {
        let first = self.head;
        (first != NONE).then(|| {
            self.unlink(first, frames);
            first
        })
    }

    /// Takes a frame out, wherever it stands.
    pub(super) fn unlink(&mut self, frame: u32, frames: &mut Frames) {
        let [before, behind] = frames[frame].queue;
        match before {
            NONE => self.head = behind,
            before => frames[before].queue[1] = behind,
        }
        match behind {
            NONE => self.tail = before,
            behind => frames[behind].queue[0] = before,
        }
    }

    /// The frames in it, first to last.
    pub(super) fn iter<'a>(&self, frames: &'a Frames) -> impl Iterator<Item = u32> + 'a {
        let mut place = self.head;
        std::iter::from_fn(move || {
            let this = place;
            (this != NONE).then(|| {
                place = frames[this].queue[1];
                this
            })
        })
    }
}

/// One lock, or one shard of a sharded lock.
#[derive(Debug, Clone)]
pub struct Lock {
    permits: u32,
    readers: u32,
    writers: u32,
    /// Permits in use; readers together use one.
    held: Level,
    waiting: Level,
    reading: Line,
    writing: Line,
    /// Total time waited by those who left a line [ns].
    waited: u128,
}

impl Lock {
    /// A lock with so many permits (at least one).
    pub fn new(permits: u32) -> Self {
        Lock {
            permits,
            readers: 0,
            writers: 0,
            held: Level::default(),
            waiting: Level::default(),
            reading: Line::EMPTY,
            writing: Line::EMPTY,
            waited: 0,
        }
    }

    /// Asks for the lock; whether the frame has it. If not, it waits, and its `since` is set to now.
    pub fn enter(&mut self, now: Nanos, frame: u32, writes: bool, frames: &mut Frames) -> bool {
        if writes && self.readers == 0 && self.writers < self.permits {
            self.writers += 1;
            self.held.up(now);
            return true;
        }
        if !writes && self.writers == 0 && self.writing.is_empty() {
            self.admit_reader(now);
            return true;
        }
        self.waiting.up(now);
        let line = if writes { &mut self.writing } else { &mut self.reading };
        line.push(now, frame, frames);
        false
    }

    fn admit_reader(&mut self, now: Nanos) {
        self.readers += 1;
        if self.readers == 1 {
            self.held.up(now);
        }
    }

    /// Gives the lock back. Ask [`Lock::next`] then who has it now.
    pub fn leave(&mut self, now: Nanos, writes: bool) {
        if writes {
            self.writers -= 1;
            self.held.down(now);
        } else {
            self.readers -= 1;
            if self.readers == 0 {
                self.held.down(now);
            }
        }
    }

    /// The next frame that has the lock from now on, with the time it waited [ns]. Ask again until there is none.
    /// `after_write` tells whether a writer has just left: then the readers who wait go first.
    pub fn next(&mut self, now: Nanos, after_write: bool, frames: &mut Frames) -> Option<(u32, Nanos)> {
        let readers_may = self.writers == 0 && (after_write || self.writing.is_empty());
        let first = if readers_may && let Some(first) = self.reading.pop(frames) {
            self.admit_reader(now);
            first
        } else if self.readers == 0 && self.writers < self.permits {
            let first = self.writing.pop(frames)?;
            self.writers += 1;
            self.held.up(now);
            first
        } else {
            return None;
        };
        Some((first, self.left(now, first, frames)))
    }

    /// Takes a frame that gives up out of its line and returns the time it waited [ns]. Ask [`Lock::next`] then: readers may
    /// have waited for a writer that is gone.
    pub fn abandon(&mut self, now: Nanos, frame: u32, writes: bool, frames: &mut Frames) -> Nanos {
        let line = if writes { &mut self.writing } else { &mut self.reading };
        line.unlink(frame, frames);
        self.left(now, frame, frames)
    }

    fn left(&mut self, now: Nanos, frame: u32, frames: &Frames) -> Nanos {
        self.waiting.down(now);
        let waited = now - frames[frame].since;
        self.waited += u128::from(waited);
        waited
    }

    /// Permits in use; readers together use one.
    pub fn held(&self) -> &Level {
        &self.held
    }

    /// Frames waiting.
    pub fn waiting(&self) -> &Level {
        &self.waiting
    }

    /// Checks the lock's own laws at `now`: who holds it together may; nobody waits without need; Little's law holds to the
    /// nanosecond.
    pub fn check(&self, now: Nanos, frames: &Frames) -> Result<(), String> {
        let in_line = || self.writing.iter(frames).chain(self.reading.iter(frames));
        let (readers, writers) = (self.readers, self.writers);
        if writers > self.permits || (readers > 0 && writers > 0) {
            return Err(format!("{readers} readers and {writers} writers hold {} permits", self.permits));
        }
        let length = in_line().count();
        if length != self.waiting.value() as usize {
            return Err(format!("{length} attempts wait, the level says {}", self.waiting.value()));
        }
        if length > 0 && readers == 0 && writers == 0 {
            return Err(format!("{length} attempts wait for a lock that nobody holds"));
        }
        let waited = self.waited + in_line().map(|frame| u128::from(now - frames[frame].since)).sum::<u128>();
        let area = self.waiting.area(now);
        if area != waited {
            return Err(format!("Little's law fails: the area of waiting is {area} ns, the time waited {waited} ns"));
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
        let mut frames = Frames::new(usize::MAX);
        for key in 0..u64::from(count) {
            let bearing = Bearing::PLAIN;
            frames.start(0, Start { role: Role::Attempt, owner: 0, instance: 0, key, place: 0, bearing });
        }
        frames
    }

    fn admitted(lock: &mut Lock, now: Nanos, after_write: bool, frames: &mut Frames) -> Vec<u32> {
        std::iter::from_fn(|| lock.next(now, after_write, frames).map(|(frame, _)| frame)).collect()
    }

    #[test]
    fn a_mutex_is_held_by_one_and_passed_on_in_order() {
        let mut frames = frames(3);
        let mut lock = Lock::new(1);
        let got: Vec<bool> = (0..3).map(|frame| lock.enter(frame.into(), frame, true, &mut frames)).collect();
        assert_eq!(got, [true, false, false]);
        lock.leave(10, true);
        assert_eq!(lock.next(10, true, &mut frames), Some((1, 9)));
        assert_eq!(lock.next(10, true, &mut frames), None);
        assert_eq!(lock.check(12, &frames), Ok(()));
    }

    #[test]
    fn a_semaphore_is_held_by_as_many_as_it_has_permits() {
        let mut frames = frames(4);
        let mut lock = Lock::new(3);
        let got: Vec<bool> = (0..4).map(|frame| lock.enter(0, frame, true, &mut frames)).collect();
        assert_eq!(got, [true, true, true, false]);
        lock.leave(5, true);
        assert_eq!(admitted(&mut lock, 5, true, &mut frames), [3]);
    }

    #[test]
    fn readers_share_a_waiting_writer_keeps_new_ones_out_and_readers_go_first_after_a_writer() {
        let mut frames = frames(8);
        let mut lock = Lock::new(1);
        assert!(lock.enter(0, 0, false, &mut frames) && lock.enter(0, 1, false, &mut frames));
        assert!(!lock.enter(1, 2, true, &mut frames), "a writer waits for the readers");
        assert!(!lock.enter(2, 3, false, &mut frames), "a reader waits behind the writer");
        assert!(!lock.enter(2, 4, true, &mut frames));
        assert!(!lock.enter(2, 5, false, &mut frames));
        lock.leave(3, false);
        assert_eq!(admitted(&mut lock, 3, false, &mut frames), [] as [u32; 0]);
        lock.leave(4, false);
        assert_eq!(admitted(&mut lock, 4, false, &mut frames), [2]);
        lock.leave(5, true);
        assert_eq!(admitted(&mut lock, 5, true, &mut frames), [3, 5], "both readers, before the second writer");
        assert!(!lock.enter(6, 6, false, &mut frames), "the second writer keeps new readers out");
        lock.abandon(7, 4, true, &mut frames);
        assert_eq!(admitted(&mut lock, 7, false, &mut frames), [6], "it gave up; nobody keeps them out");
        assert_eq!(lock.check(9, &frames), Ok(()));
    }

    /// The same rules with lists that are searched.
    #[derive(Default)]
    struct Obvious {
        holders: Vec<(u32, bool)>,
        line: VecDeque<(u32, bool)>,
    }

    impl Obvious {
        fn may(&self, writes: bool, permits: usize) -> bool {
            let writers = self.holders.iter().filter(|(_, writes)| *writes).count();
            let readers = self.holders.len() - writers;
            if writes { readers == 0 && writers < permits } else { writers == 0 }
        }

        fn enter(&mut self, frame: u32, writes: bool, permits: usize) -> bool {
            let kept_out = !writes && self.line.iter().any(|(_, writes)| *writes);
            let may = self.may(writes, permits) && !kept_out;
            if may {
                self.holders.push((frame, writes))
            } else {
                self.line.push_back((frame, writes))
            }
            may
        }

        fn admit(&mut self, after_write: bool, permits: usize) -> Vec<u32> {
            let mut admitted = Vec::new();
            loop {
                let writer_waits = self.line.iter().any(|(_, writes)| *writes);
                let reader = self.line.iter().position(|(_, writes)| !*writes);
                let reader = reader.filter(|_| self.may(false, permits) && (after_write || !writer_waits));
                let writer = self.line.iter().position(|(_, writes)| *writes).filter(|_| self.may(true, permits));
                let Some(place) = reader.or(writer) else { return admitted };
                let next = self.line.remove(place).unwrap();
                self.holders.push(next);
                admitted.push(next.0);
            }
        }
    }

    #[test]
    fn the_lock_agrees_with_an_obvious_one_on_random_comings_and_goings() {
        for permits in [1, 3] {
            let mut random = Stream::new(5);
            let mut frames = frames(60);
            let (mut lock, mut twin) = (Lock::new(permits), Obvious::default());
            let mut free: Vec<u32> = (0..60).collect();
            for now in 0..30_000 {
                let pick = |random: &mut Stream, length: usize| below(random, length as u64) as usize;
                match below(&mut random, 5) {
                    0 | 1 => {
                        let Some(frame) = free.pop() else { continue };
                        let writes = permits > 1 || below(&mut random, 3) == 0;
                        let has = lock.enter(now, frame, writes, &mut frames);
                        assert_eq!(has, twin.enter(frame, writes, permits as usize));
                    }
                    2 | 3 if !twin.holders.is_empty() => {
                        let place = pick(&mut random, twin.holders.len());
                        let (frame, writes) = twin.holders.remove(place);
                        lock.leave(now, writes);
                        free.push(frame);
                        let next = twin.admit(writes, permits as usize);
                        assert_eq!(admitted(&mut lock, now, writes, &mut frames), next);
                    }
                    _ if !twin.line.is_empty() => {
                        let place = pick(&mut random, twin.line.len());
                        let (frame, writes) = twin.line.remove(place).unwrap();
                        lock.abandon(now, frame, writes, &mut frames);
                        free.push(frame);
                        let next = twin.admit(false, permits as usize);
                        assert_eq!(admitted(&mut lock, now, false, &mut frames), next);
                    }
                    _ => {}
                }
                assert_eq!(lock.check(now, &frames), Ok(()));
                assert_eq!(lock.waiting().value() as usize, twin.line.len());
            }
        }
    }
}
