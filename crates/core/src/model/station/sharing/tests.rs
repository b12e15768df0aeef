//! Tests of sharing: hand-counted traces, and lock-step against the obvious twin.

use super::*;
use crate::engine::random::{Stream, below};
use crate::model::station::{Contention, Quota, Switching};

/// Runs jobs (arrival, work) through the station; returns when each left.
fn run(lanes: f64, jobs: &[(Nanos, Nanos)]) -> Vec<Nanos> {
    run_braked(Sharing::new(lanes), jobs, &[])
}

/// The same for any station, with brakes put on at some times.
fn run_braked(mut station: Sharing, jobs: &[(Nanos, Nanos)], brakes: &[(Nanos, Brake, f64)]) -> Vec<Nanos> {
    let mut left = vec![0; jobs.len()];
    let (mut next, mut brake, mut wake) = (0, 0, None);
    loop {
        let arrival = jobs.get(next).map_or(NEVER, |job| job.0);
        let change = brakes.get(brake).map_or(NEVER, |brake| brake.0);
        let woken = wake.unwrap_or(NEVER);
        let now = arrival.min(change).min(woken);
        if now == NEVER {
            break;
        }
        if woken == now {
            station.woken(now);
            while let Some(frame) = station.leave(now) {
                left[frame as usize] = now;
            }
        } else if change == now {
            station.set_speed(now, brakes[brake].1, brakes[brake].2);
            brake += 1;
        } else {
            station.enter(now, next as u32, jobs[next].1);
            next += 1;
        }
        wake = station.wakes(now);
        assert_eq!(station.check(now), Ok(()));
    }
    left
}

/// The causes of slowness that the tests put on and take off.
const CAUSES: [Brake; 4] = [Brake::Fault, Brake::Garbage, Brake::Machine, Brake::Marking];

/// What the obvious twin knows of a station.
#[derive(Default)]
struct Rules {
    lanes: f64,
    in_order: bool,
    switching: Option<Switching>,
    contention: Option<Contention>,
    /// Lane·ns per period, and the period [ns].
    quota: Option<(f64, f64)>,
}

impl Rules {
    fn station(&self) -> Sharing {
        let quota = self.quota.map(|(full, period)| Quota::new(full / period, period as Nanos));
        Sharing::with_pace(self.lanes, Pace::new(self.in_order, self.switching, self.contention, quota))
    }

    /// How many of so many lanes are busy with so many jobs, and the rate of each job.
    fn rate(&self, jobs: usize, lanes: f64) -> (f64, f64) {
        let jobs = jobs as f64;
        let running = jobs.min(lanes);
        let mut rate = if jobs > 0.0 { running / jobs } else { 0.0 };
        if let (Some(switching), true) =
            (self.switching, jobs.min(self.switching.map_or(jobs, |switching| switching.threads)) > lanes)
        {
            let runnable = jobs.min(switching.threads);
            let slice = (switching.period / (runnable / lanes)).max(switching.granularity);
            rate *= slice / (slice + switching.cost);
        }
        if let Some(contention) = self.contention {
            // Where marking leaves less than a lane, nobody else runs.
            let others = (running - 1.0).max(0.0);
            rate /= 1.0 + contention.alpha * others + contention.beta * running * others;
        }
        (running, rate)
    }
}

/// The obvious twin: steps to whatever comes first, all jobs touched at every step, every period of the quota its own step.
fn twin(rules: &Rules, jobs: &[(Nanos, Nanos)], brakes: &[(Nanos, Brake, f64)]) -> Vec<f64> {
    let mut left = vec![0.0; jobs.len()];
    let mut speeds = [1.0f64; 6];
    let mut present: Vec<(usize, f64)> = Vec::new();
    let (mut now, mut next, mut brake) = (0.0, 0, 0);
    let mut budget = rules.quota.map_or(f64::INFINITY, |(full, _)| full);
    let mut period_ends = f64::INFINITY;
    while next < jobs.len() || !present.is_empty() {
        let served = if rules.in_order { present.len().min(rules.lanes.ceil() as usize) } else { present.len() };
        let taken = rules.lanes * (1.0 - speeds[Brake::Marking as usize]);
        let (running, mut rate) = rules.rate(served, rules.lanes - taken);
        let mut busy = running + taken;
        let speed: f64 =
            CAUSES.iter().filter(|cause| **cause != Brake::Marking).map(|cause| speeds[*cause as usize]).product();
        rate *= speed;
        if budget <= 1e-6 || speed == 0.0 {
            (busy, rate) = (0.0, 0.0);
        }
        let finish = |job: &(usize, f64)| if rate > 0.0 { now + job.1 / rate } else { f64::INFINITY };
        let finish = present[..served].iter().map(finish).fold(f64::INFINITY, f64::min);
        let arrival = jobs.get(next).map_or(f64::INFINITY, |job| job.0 as f64);
        let change = brakes.get(brake).map_or(f64::INFINITY, |brake| brake.0 as f64);
        let used_up = if busy > 0.0 { now + budget / busy } else { f64::INFINITY };
        let then = finish.min(arrival).min(change).min(used_up).min(period_ends);
        present[..served].iter_mut().for_each(|job| job.1 -= (then - now) * rate);
        // Before the first job no period has begun.
        budget -= if period_ends.is_finite() || rules.quota.is_none() { (then - now) * busy } else { 0.0 };
        now = then;
        if now == period_ends {
            let (full, period) = rules.quota.expect("only a quota has periods");
            (budget, period_ends) = (full, period_ends + period);
        }
        if arrival == now {
            if next == 0 {
                period_ends = rules.quota.map_or(f64::INFINITY, |(_, period)| now + period);
            }
            present.push((next, jobs[next].1 as f64));
            next += 1;
        }
        if change == now {
            speeds[brakes[brake].1 as usize] = brakes[brake].2;
            brake += 1;
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

/// Random jobs that keep so many lanes busy about three quarters of the time.
fn random_jobs(random: &mut Stream, lanes: f64) -> Vec<(Nanos, Nanos)> {
    let mut time = 0;
    let gap = (2_000_000.0 / lanes.max(1.0)) as Nanos;
    let mut job = || {
        time += below(random, gap);
        (time, 1 + below(random, 1_500_000))
    };
    (0..300).map(|_| job()).collect()
}

fn compare(seed: u64, rules: &Rules, jobs: &[(Nanos, Nanos)], brakes: &[(Nanos, Brake, f64)], tolerance: f64) {
    let fast = run_braked(rules.station(), jobs, brakes);
    for (number, (fast, slow)) in fast.into_iter().zip(twin(rules, jobs, brakes)).enumerate() {
        assert!((fast as f64 - slow).abs() < tolerance, "seed {seed} job {number}: {fast} against {slow}");
    }
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
        let jobs = random_jobs(&mut random, lanes);
        let rules = Rules { lanes, ..Rules::default() };
        for (number, (fast, slow)) in run(lanes, &jobs).into_iter().zip(twin(&rules, &jobs, &[])).enumerate() {
            // Each leaving is rounded to a nanosecond; the shifts add up within a busy period.
            assert!((fast as f64 - slow).abs() < 200.0, "seed {seed} job {number}: {fast} against {slow}");
        }
        compare(seed, &rules, &jobs, &[], 200.0);
    }
}

#[test]
fn a_station_with_all_kinds_of_slowness_agrees_with_the_obvious_twin() {
    for seed in 0..120 {
        let mut random = Stream::new(seed);
        let mut coin = |ways: u64| below(&mut random, ways) == 0;
        let lanes = if coin(2) { 4.0 } else { 1.0 };
        let switching = coin(2).then_some(Switching { cost: 50e3, period: 1e6, granularity: 200e3, threads: 6.0 });
        let contention = coin(2).then_some(Contention { alpha: 0.05, beta: 0.01 });
        let quota = coin(2).then_some((0.6 * lanes * 5e6, 5e6));
        let in_order = coin(2);
        let rules = Rules { lanes, in_order, switching, contention, quota };
        let jobs = random_jobs(&mut random, lanes);
        let mut time = 0;
        let mut change = || {
            time += 1 + below(&mut random, 30_000_000);
            let speed: f64 = [0.0, 0.5, 0.7, 1.0, 1.0][below(&mut random, 5) as usize];
            let cause = CAUSES[below(&mut random, 4) as usize];
            // Marking leaves some lanes.
            let speed = if cause == Brake::Marking { speed.max(0.5) } else { speed };
            (time, cause, speed)
        };
        let mut brakes: Vec<_> = (0..20).map(|_| change()).collect();
        // In the end nothing is braked, so that all jobs end.
        brakes.extend((0..4).map(|cause| (time + 1 + cause, CAUSES[cause as usize], 1.0)));
        // A job that ended a few nanoseconds early is ahead by many times that when all go at a fraction of their speed.
        compare(seed, &rules, &jobs, &brakes, 20_000.0);
    }
}

#[test]
fn a_stopped_station_goes_on_where_it_was() {
    let brakes = [(4, Brake::Garbage, 0.0), (10, Brake::Garbage, 1.0)];
    assert_eq!(run_braked(Sharing::new(1.0), &[(0, 10), (2, 2), (5, 1)], &brakes), [19, 13, 13]);
}

#[test]
fn in_order_whoever_came_first_is_served_first() {
    let rules = Rules { lanes: 2.0, in_order: true, ..Rules::default() };
    assert_eq!(run_braked(rules.station(), &[(0, 10), (1, 3), (2, 4), (3, 1)], &[]), [10, 4, 8, 9]);
}

#[test]
fn a_quota_stops_a_burst_until_the_next_period() {
    // 200 ms of work on four lanes with a quota of one core: 100 ms are done in 25 ms, the rest from 100 ms on.
    let rules = Rules { lanes: 4.0, quota: Some((100e6, 100e6)), ..Rules::default() };
    let mut station = rules.station();
    (0..4).for_each(|frame| station.enter(0, frame, 50_000_000));
    let mut wakes = Vec::new();
    let mut now = 0;
    while let Some(time) = station.wakes(now) {
        now = time;
        wakes.push(now / 1_000_000);
        station.woken(now);
        while station.leave(now).is_some() {}
    }
    assert_eq!(wakes, [25, 100, 125]);
    assert_eq!((station.busy(now), station.stopped(now), station.done(now)), (200e6, 75e6, 200e6));
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

#[test]
fn whoever_waits_in_order_can_be_withdrawn_too() {
    let mut station = Rules { lanes: 1.0, in_order: true, ..Rules::default() }.station();
    (0..4).for_each(|frame| station.enter(0, frame, 10));
    assert_eq!(station.withdraw(4, 2, 10), 0);
    assert_eq!(station.withdraw(4, 0, 10), 4);
    assert_eq!((station.attained(6, 1, 10), station.attained(6, 3, 10)), (2, 0));
    assert_eq!(station.check(6), Ok(()));
}

#[test]
fn lanes_that_change_are_shared_from_then_on() {
    let mut station = Sharing::new(1.0);
    station.enter(0, 0, 10);
    station.enter(0, 1, 20);
    let woken = |station: &mut Sharing, now| {
        let time = station.wakes(now).expect("somebody is there");
        station.woken(time);
        let left = station.leave(time).expect("somebody is done");
        assert_eq!(station.check(time), Ok(()));
        (time, left)
    };
    // Two units of work each are done at 4; from then on both have a lane.
    station.resize(4, 2.0);
    assert_eq!(woken(&mut station, 4), (12, 0));
    // Half a lane is left for the ten units that the other one still asks for.
    station.resize(12, 0.5);
    assert_eq!(woken(&mut station, 12), (32, 1));
    assert_eq!((station.done(32), station.busy(32), station.lane_area(32)), (30.0, 30.0, 4.0 + 16.0 + 10.0));
}
