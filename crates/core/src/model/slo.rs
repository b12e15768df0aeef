//! Service level objectives: a percentile and a share of failures, judged period by period.
//!
//! A period is bad if too many of the requests that ended in it were slow or failed. "The p95 is below 200 ms" is the same as "at least
//! 95 % are faster than 200 ms", so that counts are enough. Source: B. Beyer et al., *The Site Reliability Workbook*, ch. 2 (window-based
//! indicators); the scenario "p95 < 200 ms for 99 % of minutes".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::{Duration, Share};

/// What a client's requests should be like in every period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Slo")]
#[serde(deny_unknown_fields)]
pub struct SloSpec {
    /// A request that takes longer is slow.
    pub latency: Duration,
    /// The share of the successful requests that must not be slow; 95% if left out, which makes `latency` a bound on the p95.
    #[serde(default = "most")]
    pub share: Share,
    /// The share of the requests that may fail; 0.5% if left out.
    #[serde(default = "few")]
    pub failures: Share,
    /// The length of a period; 1 min if left out.
    #[serde(default = "minute")]
    pub every: Duration,
}

fn most() -> Share {
    Share::from_fraction(0.95).unwrap_or_default()
}

fn few() -> Share {
    Share::from_fraction(0.005).unwrap_or_default()
}

fn minute() -> Duration {
    Duration::from_nanos(60_000_000_000)
}

/// How the periods of the window were.
#[derive(Debug, Clone, PartialEq)]
pub struct SloBook {
    spec: SloSpec,
    window: [Nanos; 2],
    /// The number of the present period; its requests, those that failed and those that were slow.
    period: u64,
    counts: [u64; 3],
    /// Periods that are over, and the bad ones among them.
    pub periods: u64,
    /// See `periods`.
    pub bad: u64,
    /// Bad periods in a row until now, and the most.
    run: u64,
    longest: u64,
    /// The first bad period, from the beginning of the window.
    first: Option<u64>,
}

impl SloBook {
    /// For a window that begins and ends then [ns].
    pub fn new(spec: SloSpec, window: [Nanos; 2]) -> Self {
        SloBook { spec, window, period: 0, counts: [0; 3], periods: 0, bad: 0, run: 0, longest: 0, first: None }
    }

    /// The length of a period [ns].
    fn every(&self) -> Nanos {
        self.spec.every.as_nanos().max(1)
    }

    /// A request ended.
    #[inline]
    pub fn ended(&mut self, now: Nanos, response: Nanos, success: bool) {
        if now < self.window[0] || now >= self.window[1] {
            return;
        }
        self.pass(now);
        self.counts[0] += 1;
        self.counts[1] += u64::from(!success);
        self.counts[2] += u64::from(success && response > self.spec.latency.as_nanos());
    }

    /// Judges the periods that are over by `now`.
    pub fn pass(&mut self, now: Nanos) {
        let present = (now.min(self.window[1]) - self.window[0].min(now)) / self.every();
        while self.period < present {
            let [all, failed, slow] = std::mem::take(&mut self.counts);
            let succeeded = all - failed;
            let too_slow = slow as f64 > (1.0 - self.spec.share.fraction()) * succeeded as f64 + 1e-9;
            let too_many = failed as f64 > self.spec.failures.fraction() * all as f64 + 1e-9;
            self.periods += 1;
            if too_slow || too_many {
                self.bad += 1;
                self.run += 1;
                self.longest = self.longest.max(self.run);
                self.first.get_or_insert(self.period);
            } else {
                self.run = 0;
            }
            self.period += 1;
        }
    }

    /// How long the longest row of bad periods was [s].
    pub fn longest(&self) -> f64 {
        self.longest as f64 * self.spec.every.as_secs_f64()
    }

    /// How long the bad periods were altogether [s].
    pub fn total(&self) -> f64 {
        self.bad as f64 * self.spec.every.as_secs_f64()
    }

    /// When the first bad period was over, from the beginning of the window [s].
    pub fn noticed(&self) -> Option<f64> {
        self.first.map(|first| (first + 1) as f64 * self.spec.every.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_bad_if_too_many_were_slow_or_failed() {
        const S: Nanos = 1_000_000_000;
        let spec = SloSpec {
            latency: Duration::from_nanos(S / 5),
            share: most(),
            failures: few(),
            every: Duration::from_nanos(10 * S),
        };
        let mut book = SloBook::new(spec, [100 * S, 150 * S]);
        let mut period = |number: u64, fast: u32, slow: u32, failed: u32| {
            let at = (100 + 10 * number) * S;
            (0..fast).for_each(|_| book.ended(at, S / 5, true));
            (0..slow).for_each(|_| book.ended(at, S / 5 + 1, true));
            (0..failed).for_each(|_| book.ended(at, 0, false));
        };
        period(0, 95, 5, 0);
        period(1, 94, 6, 0);
        period(2, 199, 0, 2);
        // Nothing happens in period 3: good.
        period(4, 199, 0, 1);
        period(5, 0, 9, 0);
        book.pass(200 * S);
        assert_eq!((book.periods, book.bad, book.longest(), book.noticed()), (5, 2, 20.0, Some(20.0)));
        assert_eq!(book.total(), 20.0);
    }
}
