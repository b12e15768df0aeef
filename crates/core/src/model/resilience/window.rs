//! Counts over a sliding window of time, in slices.
//!
//! A window of so many slices forgets a whole slice at a time, as Hystrix's rolling statistics, Finagle's windowed adder
//! and resilience4j's time-based window do: what is counted lies between (slices − 1) and slices slice lengths back.

use crate::engine::time::Nanos;

/// `N` sums over the same window.
#[derive(Debug, Clone)]
pub struct Window<const N: usize> {
    /// Length of a slice. Constant [ns].
    slice: Nanos,
    /// The sums of each slice, the slice's number modulo their number deciding the place.
    slices: Vec<[i64; N]>,
    /// The number of the newest slice.
    newest: u64,
    /// The sums of all slices.
    total: [i64; N],
}

impl<const N: usize> Window<N> {
    /// An empty window of this length [ns] in so many slices.
    pub fn new(length: Nanos, slices: usize) -> Self {
        let slices = slices.max(1);
        Window { slice: (length / slices as u64).max(1), slices: vec![[0; N]; slices], newest: 0, total: [0; N] }
    }

    /// Forgets what is too old.
    fn turn(&mut self, now: Nanos) {
        let number = now / self.slice;
        if number - self.newest >= self.slices.len() as u64 {
            self.slices.fill([0; N]);
            self.total = [0; N];
            self.newest = number;
        }
        while self.newest < number {
            self.newest += 1;
            let place = (self.newest % self.slices.len() as u64) as usize;
            let old = std::mem::replace(&mut self.slices[place], [0; N]);
            for (total, old) in self.total.iter_mut().zip(old) {
                *total -= old;
            }
        }
    }

    /// Adds to one of the sums.
    pub fn add(&mut self, now: Nanos, which: usize, amount: i64) {
        self.turn(now);
        let place = (self.newest % self.slices.len() as u64) as usize;
        self.slices[place][which] += amount;
        self.total[which] += amount;
    }

    /// The sums over the window.
    pub fn sums(&mut self, now: Nanos) -> [i64; N] {
        self.turn(now);
        self.total
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slices.fill([0; N]);
        self.total = [0; N];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::below;

    #[test]
    fn it_agrees_with_a_list_of_all_that_happened() {
        let (length, slices) = (100u64, 10u64);
        let mut window = Window::<2>::new(length, slices as usize);
        let (mut random, mut all, mut now) = (Stream::new(7), Vec::new(), 0u64);
        for _ in 0..5000 {
            let most = if below(&mut random, 50) == 0 { 300 } else { 8 };
            now += below(&mut random, most);
            let (which, amount) = (below(&mut random, 2) as usize, below(&mut random, 9) as i64 - 3);
            window.add(now, which, amount);
            all.push((now, which, amount));
            let slice = length / slices;
            let kept = |time: u64| time / slice + slices > now / slice;
            let sum =
                |which| -> i64 { all.iter().filter(|(at, of, _)| kept(*at) && *of == which).map(|(_, _, n)| *n).sum() };
            assert_eq!(window.sums(now), [sum(0), sum(1)]);
        }
    }
}
