//! What makes a sharing station slower than its lanes: brakes that are put on and taken off while it runs, laws by which
//! many at once slow each other down, and a quota.
//!
//! - **Brakes**: each cause has a speed of its own between 0 and 1; they multiply. 0 stops the station. One takes lanes instead
//!   of speed, so that it slows nobody down as long as enough are idle.
//! - **Context switches**: with more runnable jobs than lanes each lane goes round its jobs, and every change costs time. A
//!   round takes the scheduler's period as long as slices do not get shorter than the granularity, so that the part of the
//!   time that is lost grows with the jobs per lane and then stays. Source: the slices of Linux' completely fair scheduler,
//!   `sched_latency` and `sched_min_granularity` (W. Mauerer, *Professional Linux Kernel Architecture* (2008), § 2.6).
//! - **Contention and coherency**: the Universal Scalability Law. n jobs that run at once do the work of
//!   n / (1 + α(n−1) + βn(n−1)). Jobs beyond the lanes do not run, so they do not count. Source: N. Gunther, *Guerrilla
//!   Capacity Planning* (2007), ch. 4 to 6.
//! - **Quota**: see [`Quota`].

use std::collections::VecDeque;

use super::quota::Quota;
use crate::engine::time::Nanos;

/// A cause of slowness that comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// An injected fault.
    Fault,
    /// A neighbor on the same host takes part of the cores.
    Steal,
    /// The garbage collector has stopped the world.
    Garbage,
    /// The machine is slower than the others.
    Machine,
    /// The process has begun lately: caches are cold, code is not compiled yet.
    WarmUp,
    /// A garbage collector marks beside the work: it takes lanes, and leaves so many of them.
    Marking,
}

impl Brake {
    /// How many causes there are.
    const COUNT: usize = 6;
}

/// The cost of changing from one job to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switching {
    /// Time that a change takes [ns].
    pub cost: f64,
    /// Time in which every runnable job should have had its turn [ns].
    pub period: f64,
    /// The shortest turn [ns].
    pub granularity: f64,
    /// The most jobs among which lanes are switched: the threads there are; more than that take turns in them for nothing.
    pub threads: f64,
}

impl Switching {
    /// The part of the time that is left for work if so many jobs are present.
    fn efficiency(&self, jobs: f64, lanes: f64) -> f64 {
        let jobs = jobs.min(self.threads);
        if jobs <= lanes {
            return 1.0;
        }
        let slice = (self.period * lanes / jobs).max(self.granularity);
        slice / (slice + self.cost)
    }
}

/// How jobs that run at once slow each other down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contention {
    /// α: the part of the work that only one can do at a time.
    pub alpha: f64,
    /// β: what keeping each pair consistent costs.
    pub beta: f64,
}

impl Contention {
    /// The part of its speed that each of so many has.
    pub fn efficiency(&self, running: f64) -> f64 {
        let others = (running - 1.0).max(0.0);
        1.0 / (1.0 + self.alpha * others + self.beta * running * others)
    }
}

/// All of it for one station.
#[derive(Debug, Clone)]
pub struct Pace {
    speeds: [f64; Brake::COUNT],
    /// The product of the speeds.
    speed: f64,
    switching: Option<Switching>,
    contention: Option<Contention>,
    quota: Option<Quota>,
    /// Jobs that wait for a lane, with their work, if lanes are not shared.
    pub(super) line: Option<VecDeque<(u32, Nanos)>>,
    /// Lanes busy now. State.
    pub(super) busy: f64,
    /// Lanes busy so far that did no work: the area between busy lanes and work done [lane·ns].
    pub(super) lost: f64,
    /// Time so far in which jobs were present and nothing moved [ns].
    pub(super) stopped: f64,
}

impl Default for Pace {
    /// Nothing slows it down.
    fn default() -> Self {
        Pace {
            speeds: [1.0; Brake::COUNT],
            speed: 1.0,
            switching: None,
            contention: None,
            quota: None,
            line: None,
            busy: 0.0,
            lost: 0.0,
            stopped: 0.0,
        }
    }
}

impl Pace {
    /// With lanes that are given in order of arrival or shared, and perhaps context switches, contention, a quota.
    pub fn new(
        in_order: bool,
        switching: Option<Switching>,
        contention: Option<Contention>,
        quota: Option<Quota>,
    ) -> Self {
        Pace { line: in_order.then(VecDeque::new), switching, contention, quota, ..Pace::default() }
    }

    /// Sets the speed that a cause leaves, between 0 and 1.
    pub(super) fn brake(&mut self, cause: Brake, speed: f64) {
        self.speeds[cause as usize] = speed.clamp(0.0, 1.0);
        self.speed = self.speeds[..Brake::Marking as usize].iter().product();
    }

    /// Takes note of the time [ns] before `now`, in which `jobs` were present and each had the given rate.
    pub(super) fn advance(&mut self, now: Nanos, passed: f64, jobs: f64, rate: f64) {
        self.lost += passed * (self.busy - rate * jobs);
        if jobs > 0.0 && rate == 0.0 {
            self.stopped += passed;
        }
        if let Some(quota) = &mut self.quota {
            quota.advance(now, passed, self.busy);
        }
    }

    /// Work begins.
    pub(super) fn begin(&mut self, now: Nanos) {
        if let Some(quota) = &mut self.quota {
            quota.begin(now);
        }
    }

    /// The rate of each of so many jobs; notes how many lanes are busy with them.
    pub(super) fn rate(&mut self, jobs: f64, lanes: f64) -> f64 {
        let taken = lanes * (1.0 - self.speeds[Brake::Marking as usize]);
        let lanes = lanes - taken;
        let running = jobs.min(lanes);
        let stopped = self.speed == 0.0 || self.quota.as_ref().is_some_and(Quota::is_throttled);
        self.busy = if stopped { 0.0 } else { running + taken };
        if stopped || jobs == 0.0 {
            return if stopped { 0.0 } else { self.speed };
        }
        let mut rate = self.speed * running / jobs;
        if let Some(switching) = &self.switching {
            rate *= switching.efficiency(jobs, lanes);
        }
        if let Some(contention) = &self.contention {
            rate *= contention.efficiency(running);
        }
        rate
    }

    /// Whether somebody takes lanes.
    pub(super) fn takes_lanes(&self) -> bool {
        self.speeds[Brake::Marking as usize] < 1.0
    }

    /// When the pace changes by itself, if nothing else happens from `now` on.
    pub(super) fn next(&self, now: Nanos) -> Option<Nanos> {
        self.quota.as_ref().and_then(|quota| quota.next(now, self.busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::scalability::Usl;

    #[test]
    fn context_switches_cost_nothing_up_to_the_lanes_and_more_with_each_job_beyond() {
        let switching = Switching { cost: 5e3, period: 6e6, granularity: 750e3, threads: f64::INFINITY };
        assert_eq!(switching.efficiency(8.0, 8.0), 1.0);
        // Two jobs per lane: slices of 3 ms.
        assert_eq!(switching.efficiency(16.0, 8.0), 3e6 / 3.005e6);
        // From eight jobs per lane on slices stay at 0.75 ms.
        assert_eq!(switching.efficiency(64.0, 8.0), 750.0 / 755.0);
        assert_eq!(switching.efficiency(10_000.0, 8.0), 750.0 / 755.0);
        // Tasks on eight threads never make a core change its thread; on sixteen two per core do.
        let tasks = |threads| Switching { threads, ..switching };
        assert_eq!(tasks(8.0).efficiency(10_000.0, 8.0), 1.0);
        assert_eq!(tasks(16.0).efficiency(10_000.0, 8.0), 3e6 / 3.005e6);
    }

    #[test]
    fn contention_is_the_universal_scalability_law() {
        let contention = Contention { alpha: 0.03, beta: 0.0005 };
        let law = Usl::new(0.03, 0.0005, 1.0).expect("valid");
        for jobs in 1..200 {
            let jobs = f64::from(jobs);
            let capacity = jobs * contention.efficiency(jobs);
            assert!((capacity - law.throughput(jobs)).abs() < 1e-12, "{jobs}");
        }
    }

    #[test]
    fn who_takes_lanes_slows_nobody_down_while_others_are_idle() {
        let mut pace = Pace::default();
        pace.brake(Brake::Marking, 0.75);
        assert_eq!((pace.rate(0.0, 8.0), pace.busy), (1.0, 2.0));
        assert_eq!((pace.rate(6.0, 8.0), pace.busy), (1.0, 8.0));
        assert_eq!((pace.rate(8.0, 8.0), pace.busy), (0.75, 8.0));
    }

    #[test]
    fn brakes_multiply_and_are_taken_off_one_by_one() {
        let mut pace = Pace::default();
        pace.brake(Brake::Steal, 0.5);
        pace.brake(Brake::Fault, 0.5);
        assert_eq!(pace.rate(1.0, 1.0), 0.25);
        pace.brake(Brake::Garbage, 0.0);
        assert_eq!((pace.rate(4.0, 1.0), pace.busy), (0.0, 0.0));
        pace.brake(Brake::Garbage, 1.0);
        pace.brake(Brake::Steal, 1.0);
        assert_eq!((pace.rate(4.0, 1.0), pace.busy), (0.125, 1.0));
    }
}
