//! Sliding window: so many requests within the last interval, estimated from the counters of this and the previous interval: that of
//! the previous one counts with the share of it that is still within reach.
//!
//! Source: J. Graham-Cumming, "How we built rate limiting capable of scaling to millions of domains", Cloudflare (2017).

use super::Verdict;
pub use super::fixed_window::Parameters;
use crate::engine::Nanos;

/// The counters. State: the number of the interval, and requests that passed in it and in the one before.
#[derive(Debug, Clone, Copy)]
pub struct SlidingWindow {
    most: f64,
    length: Nanos,
    interval: u64,
    passed: u32,
    before: u32,
}

impl SlidingWindow {
    /// Counters that have seen nothing.
    pub fn new(parameters: Parameters) -> Self {
        let length = parameters.per.as_nanos().max(1);
        SlidingWindow { most: f64::from(parameters.requests), length, interval: 0, passed: 0, before: 0 }
    }

    /// Asks to pass.
    pub fn ask(&mut self, now: Nanos) -> Verdict {
        let interval = now / self.length;
        if interval != self.interval {
            self.before = if interval == self.interval + 1 { self.passed } else { 0 };
            (self.interval, self.passed) = (interval, 0);
        }
        let reach = 1.0 - (now % self.length) as f64 / self.length as f64;
        if f64::from(self.before) * reach + f64::from(self.passed) + 1.0 > self.most + 1e-9 {
            return Verdict::Refused;
        }
        self.passed += 1;
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Duration;

    #[test]
    fn the_last_interval_counts_as_far_as_it_is_in_reach() {
        let mut window = SlidingWindow::new(Parameters { requests: 10, per: Duration::from_nanos(1000) });
        let passed = |window: &mut SlidingWindow, now| (0..20).filter(|_| window.ask(now) == Verdict::Pass).count();
        assert_eq!(passed(&mut window, 900), 10);
        assert_eq!(passed(&mut window, 1000), 0, "all ten count still");
        assert_eq!(passed(&mut window, 1500), 5, "half of them do");
        assert_eq!(passed(&mut window, 5000), 10, "none does");
    }
}
