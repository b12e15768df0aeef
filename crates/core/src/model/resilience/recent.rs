//! The latest response times of a call, for hedging after a percentile.
//!
//! Source of the rule: J. Dean and L. A. Barroso, "The Tail at Scale", CACM 56(2), 2013: send the second request when the
//! first has been outstanding for longer than the 95th percentile of what is expected, which adds 5 % of load. The
//! percentile is that of the latest 500 successful calls (own rule), and there is none before the first 50.

use crate::engine::time::Nanos;

/// How many response times are remembered.
const KEPT: usize = 500;

/// How many there must be before a percentile is given.
const ENOUGH: usize = 50;

/// The latest response times.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// In the order in which they came; a ring once it is full.
    ring: Vec<Nanos>,
    /// The same, sorted.
    sorted: Vec<Nanos>,
    next: usize,
}

impl Recent {
    /// Adds one; forgets the oldest if there are enough.
    pub fn record(&mut self, time: Nanos) {
        if self.ring.len() < KEPT {
            self.ring.push(time);
        } else {
            let old = std::mem::replace(&mut self.ring[self.next], time);
            self.next = (self.next + 1) % KEPT;
            let place = self.sorted.partition_point(|known| *known < old);
            self.sorted.remove(place);
        }
        let place = self.sorted.partition_point(|known| *known < time);
        self.sorted.insert(place, time);
    }

    /// The percentile (nearest rank), if enough is known.
    pub fn percentile(&self, share: f64) -> Option<Nanos> {
        let count = self.sorted.len();
        if count < ENOUGH {
            return None;
        }
        let rank = libm::ceil(share * count as f64) as usize;
        self.sorted.get(rank.clamp(1, count) - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::below;

    #[test]
    fn percentiles_are_those_of_the_latest_sorted_anew() {
        let (mut recent, mut all, mut random) = (Recent::default(), Vec::new(), Stream::new(3));
        for number in 0..3000 {
            let time = below(&mut random, 1000);
            recent.record(time);
            all.push(time);
            let mut last = all[all.len().saturating_sub(KEPT)..].to_vec();
            last.sort_unstable();
            for share in [0.5, 0.95, 0.99] {
                let rank = (share * last.len() as f64).ceil() as usize;
                let expected = (number + 1 >= ENOUGH).then(|| last[rank - 1]);
                assert_eq!(recent.percentile(share), expected);
            }
        }
    }
}
