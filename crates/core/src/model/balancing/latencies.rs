//! What instances know of their own response times, by the calls that were there before.
//!
//! A call is tagged with the calls in flight that it finds at its instance; when it is answered, its response time is kept
//! under that number. Who asks is told the median of the latest ones at the number that is there now, or at the nearest
//! number of which something recent is known. All balancers' calls count: it is the instance that keeps them.
//!
//! Source: B. Wydrowski et al., "Load is not what you should balance: introducing Prequal", NSDI 2024, section 4, which does
//! not say how many count and for how long. Here: the latest 16 at a number, for 10 s; numbers from 16 on share a
//! place with those nearby, four to an octave. Only successes count, or whoever fails fast would be
//! thought fast. Of whom nothing recent is known, 0 is said, so that somebody tries it.

use std::collections::VecDeque;

use crate::engine::Nanos;

/// How many response times count at a number of calls.
const LATEST: usize = 16;
/// How long a response time counts [ns].
const RECENT: Nanos = 10_000_000_000;
/// Numbers of calls below this have a place of their own.
const SINGLE: u32 = 16;

/// The place of a number of calls in flight.
fn place(calls: u32) -> usize {
    if calls < SINGLE {
        return calls as usize;
    }
    let octave = calls.ilog2();
    (SINGLE + (octave - SINGLE.ilog2()) * 4 + (calls >> (octave - 2) & 3)) as usize
}

/// The latest response times of the calls that found so many others.
#[derive(Debug, Clone, Default)]
struct Level {
    /// When they were answered, and after how long.
    seen: Vec<[Nanos; 2]>,
    next: usize,
}

impl Level {
    fn add(&mut self, now: Nanos, latency: Nanos) {
        if self.seen.len() < LATEST {
            self.seen.push([now, latency]);
        } else {
            self.seen[self.next % LATEST] = [now, latency];
        }
        self.next += 1;
    }

    fn recent(&self, oldest: Nanos) -> impl Iterator<Item = Nanos> {
        self.seen.iter().filter(move |[at, _]| *at >= oldest).map(|[_, latency]| *latency)
    }
}

/// What one instance knows.
#[derive(Debug, Clone, Default)]
struct Known {
    /// When its calls were sent that are not answered, and how many others they found; in the order of time.
    sent: VecDeque<(Nanos, u32)>,
    levels: Vec<Level>,
}

/// What all instances of a service know.
#[derive(Debug, Clone)]
pub struct Latencies {
    instances: Vec<Known>,
}

impl Latencies {
    /// So many instances that know nothing.
    pub fn new(instances: usize) -> Self {
        Latencies { instances: vec![Known::default(); instances] }
    }

    /// A call goes to an instance, where it finds so many others.
    pub fn sent(&mut self, instance: u32, now: Nanos, found: u32) {
        self.instances[instance as usize].sent.push_back((now, found));
    }

    /// A call was answered that was sent so long ago.
    pub fn answered(&mut self, instance: u32, now: Nanos, latency: Nanos, success: bool) {
        let Known { sent, levels } = &mut self.instances[instance as usize];
        let begun = now - latency;
        let first = sent.partition_point(|(at, _)| *at < begun);
        let call = if sent.get(first).is_some_and(|(at, _)| *at == begun) { sent.remove(first) } else { None };
        if let Some((_, found)) = call
            && success
        {
            let place = place(found);
            if place >= levels.len() {
                levels.resize(place + 1, Level::default());
            }
            levels[place].add(now, latency);
        }
    }

    /// The response time [ns] that an instance expects for a call that finds so many others; 0 if it knows nothing recent.
    pub fn estimate(&self, instance: u32, calls: u32, now: Nanos) -> Nanos {
        let levels = &self.instances[instance as usize].levels;
        let (here, oldest) = (place(calls), now.saturating_sub(RECENT));
        let (mut times, mut count) = ([0; 2 * LATEST], 0);
        for distance in 0..levels.len().max(here + 1) {
            let beside = [here.checked_sub(distance), (distance > 0).then_some(here + distance)];
            for level in beside.into_iter().flatten().filter_map(|place| levels.get(place)) {
                for latency in level.recent(oldest) {
                    times[count] = latency;
                    count += 1;
                }
            }
            if count > 0 {
                break;
            }
        }
        let times = &mut times[..count];
        times.sort_unstable();
        times.get(count / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_at_the_load_that_its_call_found() {
        let mut latencies = Latencies::new(1);
        (0..3).for_each(|found| latencies.sent(0, 10 * u64::from(found), found));
        // The last to be answered leaves nobody behind, but it found two.
        latencies.answered(0, 110, 100, true);
        latencies.answered(0, 100, 100, true);
        latencies.answered(0, 300, 280, true);
        assert_eq!([0, 1, 2].map(|calls| latencies.estimate(0, calls, 300)), [100, 100, 280]);
        assert_eq!(latencies.estimate(0, 900, 300), 280, "the nearest of which something is known");
    }

    #[test]
    fn the_median_of_the_latest_sixteen_is_told() {
        let mut latencies = Latencies::new(1);
        for latency in 1..=40 {
            latencies.sent(0, 1000 * latency, 0);
            latencies.answered(0, 1000 * latency + latency, latency, true);
        }
        // Of 25 to 40.
        assert_eq!(latencies.estimate(0, 0, 41_000), 33);
    }

    #[test]
    fn what_is_old_is_forgotten_and_failures_say_nothing() {
        let mut latencies = Latencies::new(2);
        latencies.sent(1, 0, 0);
        latencies.answered(1, 50, 50, true);
        assert_eq!([50, RECENT + 50, RECENT + 51].map(|now| latencies.estimate(1, 0, now)), [50, 50, 0]);
        latencies.sent(0, 0, 0);
        latencies.answered(0, 1, 1, false);
        assert_eq!(latencies.estimate(0, 0, 1), 0);
        assert!(latencies.instances[0].sent.is_empty());
    }

    #[test]
    fn places_follow_each_other_without_gaps() {
        let places: Vec<usize> = (0..100_000).map(place).collect();
        assert!(places.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        assert_eq!([15, 16, 19, 20, 31, 32].map(place), [15, 16, 16, 17, 19, 20]);
    }
}
