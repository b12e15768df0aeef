//! Sharing: capacity divided evenly among those present.
//!
//! A station of m lanes (cores) gives every one of n jobs the rate min(1, m/n). It keeps *virtual time*: the work that
//! a job present since the beginning of the busy period would have had done. A job that enters at virtual time v with
//! work w leaves at virtual time v + w, so the order of leaving is known at entry and a heap of leaving times suffices;
//! entering and leaving cost O(log n).
//!
//! Units: work and virtual time are nanoseconds at full speed, as `f64`; virtual time restarts at 0 with every busy
//! period, so its resolution stays far below a nanosecond. Leaving times are rounded to the nearest nanosecond.
//!
//! Ties: jobs with equal leaving time leave in order of entry.
//!
//! What makes a station slower than that, such as a brake that others put on ([`Sharing::set_speed`]), context switches or a
//! quota, is its [`Pace`]: it gives the rate instead, and virtual time goes on as before. A station that nothing slows down
//! has none and pays nothing for it. Lanes can also be given in
//! order of arrival: m jobs are served, each at full speed, and the others wait.
//!
//! The number of lanes may change at any instant ([`Sharing::resize`]): virtual time goes on at another rate. Where lanes are given in order
//! it changes only while nobody is there.
//!
//! Source: virtual time for processor sharing as in A. Parekh, R. Gallager, "A generalized processor sharing approach
//! to flow control" (1993); at most one lane per job as in J. Cohen, "The multiple phase service network with
//! generalized processor sharing" (1979).

use super::pace::{Brake, Pace};
use crate::engine::heap::{Heap, Ranked};
use crate::engine::time::{NEVER, Nanos, round};
use crate::measure::Level;

#[derive(Debug, Clone, Copy)]
struct Job {
    /// Virtual time of leaving [ns].
    leaves: f64,
    order: u64,
    frame: u32,
}

impl Ranked for Job {
    const LAST: Job = Job { leaves: f64::INFINITY, order: u64::MAX, frame: u32::MAX };

    /// Virtual times are not negative, and the bits of such numbers are ordered as they are.
    #[inline]
    fn rank(&self) -> (u64, u64) {
        (self.leaves.to_bits(), self.order)
    }
}

/// One station that shares its lanes.
#[derive(Debug, Clone)]
pub struct Sharing {
    lanes: f64,
    /// Its own work for each unit of work that is asked for: less than 1 for fast lanes.
    work: f64,
    jobs: Heap<Job>,
    virtual_now: f64,
    /// When `virtual_now` was true.
    updated: Nanos,
    /// How many jobs are served, and the rate of each.
    count: f64,
    rate: f64,
    order: u64,
    present: Level,
    /// Work done so far, by integration of the rate [lane·ns].
    done: f64,
    /// Work of all jobs that left [ns].
    served: u128,
    /// What slows it down, if anything can.
    pace: Option<Box<Pace>>,
    /// What it was before its lanes changed last.
    before: Before,
}

/// What a station was before its lanes changed last.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// When that was [ns].
    until: Nanos,
    /// Its lanes until then, integrated from the start of the run [lane·ns].
    area: f64,
    /// The most lanes until then.
    most: f64,
}

/// A length of time as a real number [ns]; quicker than from an unsigned number.
#[inline]
fn real(nanos: Nanos) -> f64 {
    nanos as i64 as f64
}

impl Sharing {
    /// A station with so many lanes (more than 0; parts of a lane are allowed: the rate of a job is then at most that
    /// part).
    pub fn new(lanes: f64) -> Self {
        Sharing {
            lanes,
            work: 1.0,
            jobs: Heap::new(),
            virtual_now: 0.0,
            updated: 0,
            count: 0.0,
            rate: 1.0,
            order: 0,
            present: Level::default(),
            done: 0.0,
            served: 0,
            pace: None,
            before: Before::default(),
        }
    }

    /// A station with so many lanes and this pace.
    pub fn with_pace(lanes: f64, pace: Pace) -> Self {
        Sharing { pace: Some(Box::new(pace)), ..Sharing::new(lanes) }
    }

    /// With so much work of its own for each unit of work that is asked for.
    pub fn with_work(self, work: f64) -> Self {
        Sharing { work, ..self }
    }

    /// How long it works on so much, if nobody else is there [ns].
    #[inline]
    pub fn work_of(&self, asked: f64) -> Nanos {
        round(asked * self.work)
    }

    /// How much was asked for, if so much is the station's work [ns].
    pub fn asked(&self, work: Nanos) -> f64 {
        work as f64 / self.work
    }

    /// From `now` on the station has only so much of its speed (0 to 1), as far as this cause goes; 0 stops it. The wake-up
    /// has to be arranged anew.
    pub fn set_speed(&mut self, now: Nanos, cause: Brake, speed: f64) {
        self.advance(now);
        self.pace.get_or_insert_default().brake(cause, speed);
        self.change(0.0);
    }

    /// From `now` on the station has so many lanes. The wake-up has to be arranged anew.
    pub fn resize(&mut self, now: Nanos, lanes: f64) {
        self.advance(now);
        self.before = Before { until: now, area: self.lane_area(now), most: self.before.most.max(self.lanes) };
        self.lanes = lanes;
        self.change(0.0);
    }

    /// Lanes from the start of the run to `now`, integrated [lane·ns].
    fn lane_area(&self, now: Nanos) -> f64 {
        self.before.area + (now - self.before.until) as f64 * self.lanes
    }

    /// Brings virtual time up to `now`.
    #[inline(always)]
    fn advance(&mut self, now: Nanos) {
        let passed = real(now - self.updated);
        let progress = passed * self.rate;
        self.virtual_now += progress;
        self.done += progress * self.count;
        self.updated = now;
        if let Some(pace) = &mut self.pace {
            pace.advance(now, passed, self.count, self.rate);
        }
    }

    /// Takes note that so many jobs more (or fewer) are present.
    #[inline(always)]
    fn change(&mut self, jobs: f64) {
        self.count += jobs;
        self.rate = match &mut self.pace {
            None if self.count <= self.lanes => 1.0,
            None => self.lanes / self.count,
            Some(pace) => pace.rate(self.count, self.lanes),
        };
    }

    /// Lets a frame enter with `work` [ns at full speed].
    #[inline]
    pub fn enter(&mut self, now: Nanos, frame: u32, work: Nanos) {
        self.advance(now);
        if self.count == 0.0 {
            self.virtual_now = 0.0;
        }
        self.present.up(now);
        self.served += u128::from(work);
        if let Some(pace) = &mut self.pace {
            pace.begin(now);
            if let Some(line) = &mut pace.line
                && self.count >= self.lanes
            {
                line.push_back((frame, work));
                return;
            }
        }
        self.serve(frame, work);
    }

    /// Lets a frame have a lane, or its part of them.
    #[inline(always)]
    fn serve(&mut self, frame: u32, work: Nanos) {
        self.change(1.0);
        let leaves = self.virtual_now + real(work);
        self.add(leaves, self.order, frame);
        self.order += 1;
    }

    #[inline(never)]
    fn add(&mut self, leaves: f64, order: u64, frame: u32) {
        self.jobs.push(Job { leaves, order, frame });
    }

    /// Lets the first of those who wait for a lane have one that became free.
    fn serve_next(&mut self) {
        let line = self.pace.as_mut().and_then(|pace| pace.line.as_mut());
        if let Some((frame, work)) = line.and_then(std::collections::VecDeque::pop_front) {
            self.serve(frame, work);
        }
    }

    /// The frame whose work is done now, if there is one; it leaves. Virtual time must be up to date ([`Sharing::woken`]).
    /// Ask again until there is none.
    #[inline]
    pub fn leave(&mut self, now: Nanos) -> Option<u32> {
        let Job { leaves, frame, .. } = self.jobs.first_or_last();
        // Half a nanosecond of wall time is what rounding may have cut off.
        if leaves - self.virtual_now > 0.5 * self.rate + 1e-6 {
            return None;
        }
        self.jobs.take_first();
        self.change(-1.0);
        self.virtual_now = self.virtual_now.max(leaves);
        self.present.down(now);
        if self.pace.is_some() {
            self.serve_next();
        }
        Some(frame)
    }

    /// Takes a present frame out before its work is done; returns how much of it was done [ns at full speed]. The wake-up may
    /// have to be arranged anew.
    pub fn withdraw(&mut self, now: Nanos, frame: u32, work: Nanos) -> Nanos {
        self.advance(now);
        let done = match self.jobs.remove(|job| job.frame == frame) {
            Some(job) => {
                self.change(-1.0);
                round((work as f64 - (job.leaves - self.virtual_now)).clamp(0.0, work as f64))
            }
            None => {
                if let Some(line) = self.pace.as_mut().and_then(|pace| pace.line.as_mut()) {
                    line.retain(|(waiting, _)| *waiting != frame);
                }
                self.served -= u128::from(work);
                self.present.down(now);
                return 0;
            }
        };
        self.served -= u128::from(work - done);
        self.present.down(now);
        self.serve_next();
        done
    }

    /// When the station must be woken next, as things stand; `None` if it need not be. Virtual time must be up to date.
    #[inline(always)]
    pub fn wakes(&mut self, now: Nanos) -> Option<Nanos> {
        if self.pace.is_some() {
            return self.wakes_paced(now);
        }
        let left = (self.jobs.first()?.leaves - self.virtual_now).max(0.0);
        // Alone, or all with a lane of their own, they need no division.
        let stretched = if self.rate == 1.0 { left } else { left / self.rate };
        Some(now.saturating_add(round(stretched)))
    }

    /// The same for a station with a pace. Without jobs only somebody who takes lanes can use a quota up.
    fn wakes_paced(&mut self, now: Nanos) -> Option<Nanos> {
        let pace = self.pace.as_ref()?;
        let Some(first) = self.jobs.first() else { return Some(pace).filter(|pace| pace.takes_lanes())?.next(now) };
        let left = (first.leaves - self.virtual_now).max(0.0);
        let done = now.saturating_add(round(left / self.rate));
        let time = pace.next(now).map_or(done, |next| done.min(next));
        (time < NEVER).then_some(time)
    }

    /// The station is woken: brings virtual time up to date.
    #[inline]
    pub fn woken(&mut self, now: Nanos) {
        self.advance(now);
        if self.pace.is_some() {
            self.change(0.0);
        }
    }

    /// How much of its work a present frame has had done at `now` [ns at full speed].
    pub fn attained(&self, now: Nanos, frame: u32, work: Nanos) -> Nanos {
        if self.line().any(|(waiting, _)| *waiting == frame) {
            return 0;
        }
        let virtual_now = self.virtual_now + (now - self.updated) as f64 * self.rate;
        let job = self.jobs.iter().find(|job| job.frame == frame);
        job.map_or(work, |job| round((work as f64 - (job.leaves - virtual_now)).clamp(0.0, work as f64)))
    }

    /// The frames that wait for a lane, with their work.
    fn line(&self) -> impl Iterator<Item = &(u32, Nanos)> {
        self.pace.iter().filter_map(|pace| pace.line.as_ref()).flatten()
    }

    /// Lanes of the station.
    pub fn lanes(&self) -> f64 {
        self.lanes
    }

    /// Frames present.
    pub fn present(&self) -> &Level {
        &self.present
    }

    /// Work done from the start of the run to `now` [lane·ns].
    pub fn done(&self, now: Nanos) -> f64 {
        self.done + (now - self.updated) as f64 * self.rate * self.count
    }

    /// Lanes busy, integrated from the start of the run to `now` [lane·ns]: more than the work done where lanes are slow.
    pub fn busy(&self, now: Nanos) -> f64 {
        let passed = (now - self.updated) as f64;
        let lost = |pace: &Pace| pace.lost + passed * (pace.busy - self.rate * self.count);
        self.done(now) + self.pace.as_deref().map_or(0.0, lost)
    }

    /// Time from the start of the run to `now` in which jobs were present and nothing moved [ns].
    pub fn stopped(&self, now: Nanos) -> f64 {
        let still = if self.count > 0.0 && self.rate == 0.0 { (now - self.updated) as f64 } else { 0.0 };
        self.pace.as_ref().map_or(0.0, |pace| pace.stopped + still)
    }

    /// Checks the station's own laws at `now`: it did the work of all who came, less what is left of those present, and
    /// no more than its lanes allow.
    pub fn check(&self, now: Nanos) -> Result<(), String> {
        let jobs = self.jobs.len() + self.line().count();
        if jobs != self.present.value() as usize {
            return Err(format!("{jobs} jobs are present, the level says {}", self.present.value()));
        }
        let virtual_now = self.virtual_now + (now - self.updated) as f64 * self.rate;
        let left: f64 = self.jobs.iter().map(|job| (job.leaves - virtual_now).max(0.0)).sum();
        let left = left + self.line().map(|(_, work)| *work as f64).sum::<f64>();
        let (done, asked) = (self.done(now), self.served as f64 - left);
        // Every leaving is rounded to a nanosecond, of which each lane may lose or win half.
        let tolerance = 1.0 + self.order as f64 * self.lanes.max(self.before.most).max(1.0) + 1e-9 * asked;
        if (done - asked).abs() > tolerance {
            return Err(format!("work is not conserved: {done} ns done, {asked} ns asked for"));
        }
        let busy = self.busy(now);
        if done > busy * (1.0 + 1e-9) + 1.0 || busy > self.lane_area(now) * (1.0 + 1e-9) + 1.0 {
            return Err(format!("{done} ns of work done and {busy} ns busy of {} lanes in {now} ns", self.lanes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
