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
//! Source: virtual time for processor sharing as in A. Parekh, R. Gallager, "A generalized processor sharing approach
//! to flow control" (1993); at most one lane per job as in J. Cohen, "The multiple phase service network with
//! generalized processor sharing" (1979).

use crate::engine::heap::{Heap, Ranked};
use crate::engine::time::{Nanos, round};
use crate::measure::Level;

#[derive(Debug, Clone, Copy)]
struct Job {
    /// Virtual time of leaving [ns].
    leaves: f64,
    order: u64,
    frame: u32,
}

impl Ranked for Job {
    /// Virtual times are not negative, and the bits of such numbers are ordered as they are.
    #[inline]
    fn rank(&self) -> u128 {
        (u128::from(self.leaves.to_bits()) << 64) | u128::from(self.order)
    }
}

/// One station that shares its lanes.
#[derive(Debug, Clone)]
pub struct Sharing {
    lanes: f64,
    jobs: Heap<Job>,
    virtual_now: f64,
    /// When `virtual_now` was true.
    updated: Nanos,
    /// How many jobs are present, and the rate of each.
    count: f64,
    rate: f64,
    order: u64,
    present: Level,
    /// Work done so far, by integration of the rate [lane·ns].
    done: f64,
    /// Work of all jobs that left [ns].
    served: u128,
    /// Generation of the pending wake-up, and its instant.
    generation: u32,
    pending: Option<Nanos>,
}

impl Sharing {
    /// A station with so many lanes (more than 0; parts of a lane are allowed: the rate of a job is then at most that
    /// part).
    pub fn new(lanes: f64) -> Self {
        Sharing {
            lanes,
            jobs: Heap::new(),
            virtual_now: 0.0,
            updated: 0,
            count: 0.0,
            rate: 1.0,
            order: 0,
            present: Level::default(),
            done: 0.0,
            served: 0,
            generation: 0,
            pending: None,
        }
    }

    /// Brings virtual time up to `now`.
    #[inline]
    fn advance(&mut self, now: Nanos) {
        let progress = (now - self.updated) as f64 * self.rate;
        self.virtual_now += progress;
        self.done += progress * self.count;
        self.updated = now;
    }

    /// Takes note that so many jobs more (or fewer) are present.
    #[inline]
    fn change(&mut self, jobs: f64) {
        self.count += jobs;
        self.rate = if self.count <= self.lanes { 1.0 } else { self.lanes / self.count };
    }

    /// Lets a frame enter with `work` [ns at full speed].
    #[inline]
    pub fn enter(&mut self, now: Nanos, frame: u32, work: Nanos) {
        self.advance(now);
        if self.count == 0.0 {
            self.virtual_now = 0.0;
        }
        self.change(1.0);
        let leaves = self.virtual_now + work as f64;
        self.jobs.push(Job { leaves, order: self.order, frame });
        self.order += 1;
        self.present.up(now);
        self.served += u128::from(work);
    }

    /// The frame whose work is done now, if there is one; it leaves. Virtual time must be up to date ([`Sharing::woken`]).
    /// Ask again until there is none.
    #[inline]
    pub fn leave(&mut self, now: Nanos) -> Option<u32> {
        let Job { leaves, frame, .. } = *self.jobs.first()?;
        // Half a nanosecond of wall time is what rounding may have cut off.
        if leaves - self.virtual_now > 0.5 * self.rate + 1e-6 {
            return None;
        }
        self.jobs.remove_first();
        self.change(-1.0);
        self.virtual_now = self.virtual_now.max(leaves);
        self.present.down(now);
        Some(frame)
    }

    /// When the station must be woken next, if that is not arranged yet: the instant and the generation of the wake-up.
    /// Virtual time must be up to date.
    ///
    /// A wake-up that became too early is kept: the station then sees that nobody is done and arranges the next.
    #[inline]
    pub fn arrange(&mut self, now: Nanos) -> Option<(Nanos, u32)> {
        let first = self.jobs.first()?;
        let left = (first.leaves - self.virtual_now).max(0.0);
        // Nobody is faster than at full speed: that often decides without a division.
        if self.pending.is_some_and(|pending| pending <= now.saturating_add(round(left))) {
            return None;
        }
        let time = now.saturating_add(round(left / self.rate));
        if self.pending.is_some_and(|pending| pending <= time) {
            return None;
        }
        self.pending = Some(time);
        self.generation = self.generation.wrapping_add(1);
        Some((time, self.generation))
    }

    /// Whether a wake-up of this generation is the pending one.
    #[inline]
    pub fn expects(&self, generation: u32) -> bool {
        self.pending.is_some() && self.generation == generation
    }

    /// A wake-up has come; `false` if it is not the pending one. Brings virtual time up to date.
    #[inline]
    pub fn woken(&mut self, now: Nanos, generation: u32) -> bool {
        if !self.expects(generation) {
            return false;
        }
        self.pending = None;
        self.advance(now);
        true
    }

    /// How much of its work a present frame has had done at `now` [ns at full speed].
    pub fn attained(&self, now: Nanos, frame: u32, work: Nanos) -> Nanos {
        let virtual_now = self.virtual_now + (now - self.updated) as f64 * self.rate;
        let job = self.jobs.iter().find(|job| job.frame == frame);
        job.map_or(work, |job| round((work as f64 - (job.leaves - virtual_now)).clamp(0.0, work as f64)))
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

    /// Checks the station's own laws at `now`: it did the work of all who came, less what is left of those present, and
    /// no more than its lanes allow.
    pub fn check(&self, now: Nanos) -> Result<(), String> {
        if self.jobs.len() != self.present.value() as usize {
            return Err(format!("{} jobs are present, the level says {}", self.jobs.len(), self.present.value()));
        }
        let virtual_now = self.virtual_now + (now - self.updated) as f64 * self.rate;
        let left: f64 = self.jobs.iter().map(|job| (job.leaves - virtual_now).max(0.0)).sum();
        let (done, asked) = (self.done(now), self.served as f64 - left);
        // Every leaving is rounded to a nanosecond, of which each lane may lose or win half.
        let tolerance = 1.0 + self.order as f64 * self.lanes.max(1.0) + 1e-9 * asked;
        if (done - asked).abs() > tolerance {
            return Err(format!("work is not conserved: {done} ns done, {asked} ns asked for"));
        }
        if done > self.lanes * now as f64 * (1.0 + 1e-9) + 1.0 {
            return Err(format!("{done} ns of work done by {} lanes in {now} ns", self.lanes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};

    /// Runs jobs (arrival, work) through the station; returns when each left.
    fn run(lanes: f64, jobs: &[(Nanos, Nanos)]) -> Vec<Nanos> {
        let mut station = Sharing::new(lanes);
        let mut left = vec![0; jobs.len()];
        let (mut next, mut wake) = (0, None::<(Nanos, u32)>);
        loop {
            let arrival = jobs.get(next).map(|job| job.0);
            let now = match (arrival, wake) {
                (Some(arrival), Some((time, _))) => arrival.min(time),
                (Some(arrival), None) => arrival,
                (None, Some((time, _))) => time,
                (None, None) => break,
            };
            if wake.is_some_and(|(time, _)| time == now) {
                assert!(wake.take().is_some_and(|(time, generation)| station.woken(time, generation)));
                while let Some(frame) = station.leave(now) {
                    left[frame as usize] = now;
                }
            } else {
                station.enter(now, next as u32, jobs[next].1);
                next += 1;
            }
            wake = station.arrange(now).or(wake);
            assert_eq!(station.check(now), Ok(()));
        }
        left
    }

    /// The obvious twin: steps of the smallest remaining work, all jobs touched at every step.
    fn twin(lanes: f64, jobs: &[(Nanos, Nanos)]) -> Vec<f64> {
        let mut left = vec![0.0; jobs.len()];
        let mut present: Vec<(usize, f64)> = Vec::new();
        let (mut now, mut next) = (0.0, 0);
        while next < jobs.len() || !present.is_empty() {
            let rate = (lanes / present.len().max(1) as f64).min(1.0);
            let finish = present.iter().map(|job| now + job.1 / rate).fold(f64::INFINITY, f64::min);
            let arrival = jobs.get(next).map_or(f64::INFINITY, |job| job.0 as f64);
            let then = finish.min(arrival);
            present.iter_mut().for_each(|job| job.1 -= (then - now) * rate);
            now = then;
            if arrival <= finish {
                present.push((next, jobs[next].1 as f64));
                next += 1;
            }
            present.retain(|&(number, work)| {
                if work <= 1e-6 {
                    left[number] = now;
                }
                work > 1e-6
            });
        }
        left
    }

    #[test]
    fn the_published_trace_leaves_at_the_exact_times() {
        let ms = |times: &[f64]| -> Vec<Nanos> { times.iter().map(|time| (time * 1e6) as Nanos).collect() };
        let jobs = [(0, 10), (2, 4), (5, 1), (5, 6)].map(|(arrival, work)| (arrival * 1_000_000, work * 1_000_000));
        assert_eq!(run(1.0, &jobs), ms(&[21.0, 13.5, 9.0, 20.5]));
        assert_eq!(run(2.0, &jobs), ms(&[11.0, 7.0, 7.0, 12.0]));
    }

    #[test]
    fn virtual_time_agrees_with_the_obvious_twin_on_random_jobs() {
        for seed in 0..40 {
            let mut random = Stream::new(seed);
            let lanes = [1.0, 2.0, 4.0, 0.5, 2.5][seed as usize % 5];
            let mut time = 0;
            let jobs: Vec<(Nanos, Nanos)> = (0..300)
                .map(|_| {
                    time += below(&mut random, 2_000_000) / if lanes > 1.0 { 2 } else { 1 };
                    (time, 1 + below(&mut random, 1_500_000))
                })
                .collect();
            for (number, (fast, slow)) in run(lanes, &jobs).into_iter().zip(twin(lanes, &jobs)).enumerate() {
                // Each leaving is rounded to a nanosecond; the shifts add up within a busy period.
                assert!((fast as f64 - slow).abs() < 200.0, "seed {seed} job {number}: {fast} against {slow}");
            }
        }
    }

    #[test]
    fn attained_work_grows_with_the_rate() {
        let mut station = Sharing::new(1.0);
        station.enter(0, 0, 100);
        station.enter(50, 1, 100);
        assert_eq!(station.attained(50, 0, 100), 50);
        assert_eq!(station.attained(70, 0, 100), 60);
        assert_eq!(station.attained(70, 1, 100), 10);
    }
}
