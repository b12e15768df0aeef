//! Random draws of the hand-written loops: xoshiro256++ and the ziggurat exponential of `rand_distr`.
//!
//! Every use (interarrival times, service times, …) has its own generator, 2¹²⁸ draws apart from the next one, so that two
//! methods for the same workload meet the same customers.

use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// `N` generators whose sequences do not overlap, from one seed.
#[must_use]
pub fn streams<const N: usize>(seed: u64) -> [Xoshiro256PlusPlus; N] {
    let mut next = Xoshiro256PlusPlus::seed_from_u64(seed);
    std::array::from_fn(|_| {
        let stream = next.clone();
        next.jump();
        stream
    })
}

/// Exponentially distributed durations of one fixed mean.
pub struct Exponential {
    rng: Xoshiro256PlusPlus,
    mean_ns: f64,
}

impl Exponential {
    /// Draws from `rng` durations of mean `mean_ns` \[ns\].
    #[must_use]
    pub fn new(rng: Xoshiro256PlusPlus, mean_ns: f64) -> Self {
        Self { rng, mean_ns }
    }

    /// The next duration \[ns\]. Rounded down, which shortens the mean by half a nanosecond.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        let unit: f64 = Exp1.sample(&mut self.rng);
        (unit * self.mean_ns) as u64
    }
}
