//! The client rate limiter of the AWS SDKs' adaptive retry mode: after the first answer that says "too many requests" tries wait
//! for tokens, whose rate follows CUBIC.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Retry behavior", adaptive mode; botocore `retries/adaptive.py`
//! (`ClientRateLimiter`, `RateClocker`), `retries/throttling.py` (`CubicCalculator`) and `retries/bucket.py` (`TokenBucket`),
//! with their constants: the measured rate is smoothed over half seconds by 0.8; a refusal sets the rate to 0.7 of what it was,
//! other answers to 0.4·(t − K)³ + w with K = ∛(0.3·w/0.4), t seconds after the last refusal at rate w; never more than twice the
//! measured rate, never less than 0.5 per second; the bucket holds a second's worth, one token at least, and is empty at first.
//!
//! What says so: limited and shed. Those that wait look again when the token that they saw coming is due, as the library's
//! threads do; who looks first gets it.

use crate::engine::time::{Nanos, round};

const SMOOTHING: f64 = 0.8;
const BUCKETS_PER_SECOND: f64 = 2.0;
const SCALE: f64 = 0.4;
const BETA: f64 = 0.7;
const LEAST_RATE: f64 = 0.5;
const MOST_OF_MEASURED: f64 = 2.0;

/// The limiter. Rates per second, times in seconds.
#[derive(Debug)]
pub struct AdaptiveRate {
    /// Whether a refusal was seen.
    enabled: bool,
    /// CUBIC: the rate and the time of the last refusal.
    last_rate: f64,
    last_refusal: f64,
    /// The measured rate, the half second it was last measured in, and the answers since.
    measured: f64,
    bucket: f64,
    count: f64,
    /// Tokens, when they were counted, how fast they come, how many there may be.
    tokens: f64,
    counted: f64,
    rate: f64,
    capacity: f64,
}

impl Default for AdaptiveRate {
    fn default() -> Self {
        AdaptiveRate {
            enabled: false,
            last_rate: 0.0,
            last_refusal: 0.0,
            measured: 0.0,
            bucket: 0.0,
            count: 0.0,
            tokens: 0.0,
            counted: 0.0,
            rate: 1.0,
            capacity: 1.0,
        }
    }
}

impl AdaptiveRate {
    /// Takes a token for a try that is to be sent now; or tells how long to wait before asking again [ns].
    pub fn acquire(&mut self, now: Nanos) -> Option<Nanos> {
        if !self.enabled {
            return None;
        }
        self.refill(now as f64 / 1e9);
        // What is missing by rounding only is not missing.
        if self.tokens >= 1.0 - 1e-9 {
            self.tokens -= 1.0;
            return None;
        }
        Some(round((1.0 - self.tokens) / self.rate * 1e9).max(1))
    }

    /// An answer has come; whether it says that there were too many requests.
    pub fn answered(&mut self, now: Nanos, refused: bool) {
        let now = now as f64 / 1e9;
        self.measure(now);
        let rate = if refused {
            let rate = if self.enabled { self.measured.min(self.rate) } else { self.measured };
            (self.last_rate, self.last_refusal, self.enabled) = (rate, now, true);
            rate * BETA
        } else {
            let offset = now - self.last_refusal - libm::cbrt(self.last_rate * (1.0 - BETA) / SCALE);
            SCALE * offset * offset * offset + self.last_rate
        };
        let rate = rate.min(MOST_OF_MEASURED * self.measured);
        self.refill(now);
        self.rate = rate.max(LEAST_RATE);
        self.capacity = rate.max(1.0);
        self.tokens = self.tokens.min(self.capacity);
    }

    fn measure(&mut self, now: f64) {
        let bucket = libm::floor(now * BUCKETS_PER_SECOND) / BUCKETS_PER_SECOND;
        self.count += 1.0;
        if bucket > self.bucket {
            let rate = self.count / (bucket - self.bucket);
            self.measured = rate * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            (self.count, self.bucket) = (0.0, bucket);
        }
    }

    fn refill(&mut self, now: f64) {
        self.tokens = (self.tokens + (now - self.counted) * self.rate).min(self.capacity);
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    /// A limiter that has seen 100 answers per second for two seconds, none of them a refusal.
    fn warm() -> AdaptiveRate {
        let mut limiter = AdaptiveRate::default();
        (1..=200).for_each(|number| limiter.answered(number * SECOND / 100, false));
        limiter
    }

    #[test]
    fn nothing_waits_before_the_first_refusal() {
        let mut limiter = warm();
        assert!((0..10_000).all(|_| limiter.acquire(2 * SECOND).is_none()));
    }

    #[test]
    fn the_rate_is_measured_in_half_seconds_and_smoothed() {
        let mut limiter = AdaptiveRate::default();
        (1..=50).for_each(|number| limiter.answered(number * SECOND / 100, false));
        // 50 answers up to the start of the second half second: 100/s, of which 80 % count.
        assert!((limiter.measured - 80.0).abs() < 1e-9, "{}", limiter.measured);
        (51..=100).for_each(|number| limiter.answered(number * SECOND / 100, false));
        assert!((limiter.measured - 96.0).abs() < 1e-9, "{}", limiter.measured);
    }

    #[test]
    fn a_refusal_sets_the_rate_to_seven_tenths_and_cubic_brings_it_back() {
        let mut limiter = warm();
        let measured = limiter.measured;
        limiter.answered(2 * SECOND, true);
        assert!((limiter.rate - 0.7 * measured).abs() < 1e-9, "{} of {measured}", limiter.rate);
        // The bucket is empty or holds at most a second's worth; then one token per 1/rate.
        while limiter.acquire(2 * SECOND).is_none() {}
        let wait = limiter.acquire(2 * SECOND).expect("it is empty");
        assert!(wait as f64 <= 1e9 / limiter.rate + 1.0);
        // K seconds after the refusal the curve is back at the rate of the refusal.
        let k = libm::cbrt(0.3 * measured / 0.4);
        let then = 2.0 + k;
        limiter.bucket = then.floor() + 10.0;
        limiter.answered(round(then * 1e9), false);
        assert!((limiter.rate / measured - 1.0).abs() < 1e-6, "{} of {measured}", limiter.rate);
    }

    #[test]
    fn a_second_refusal_counts_from_the_lower_of_the_two_rates() {
        let mut limiter = warm();
        limiter.answered(2 * SECOND, true);
        let lower = limiter.rate;
        limiter.answered(2 * SECOND, true);
        assert!((limiter.rate - 0.7 * lower).abs() < 1e-9);
        (0..200).for_each(|_| limiter.answered(2 * SECOND, true));
        assert_eq!((limiter.rate, limiter.capacity), (0.5, 1.0), "never less than one in two seconds");
    }
}
