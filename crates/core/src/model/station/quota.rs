//! A CPU quota as containers have it: so much CPU time per period, and none beyond until the next.
//!
//! All lanes together may be busy for `cores × period` in every period. When that is used up, everything stands still
//! until the period ends: a service with a mean demand far below its quota can so be stopped for most of a period when
//! several requests come at once. What is not used is lost with the period.
//!
//! The first period begins with the first work; the others follow it without gaps.
//!
//! Simplified: the kernel hands the quota to its CPUs in slices of 5 ms, of which idle CPUs may hold some back.
//!
//! Source: P. Turner, B. Rao, N. Rao, "CPU bandwidth control for CFS" (2010); Linux, `Documentation/scheduler/sched-bwc.rst`.
//! The period of 100 ms is its default, and Kubernetes'.

use crate::engine::time::{Nanos, round};

/// The state of a quota.
#[derive(Debug, Clone)]
pub struct Quota {
    period: Nanos,
    /// What a period allows [lane·ns].
    full: f64,
    /// What is left of it. State [lane·ns].
    left: f64,
    /// When the present period ends; `None` before the first work. State [ns].
    ends: Option<Nanos>,
    throttled: bool,
}

impl Quota {
    /// A quota of so many cores (more than 0) with this period (more than 0) [ns].
    pub fn new(cores: f64, period: Nanos) -> Self {
        let full = cores * period as f64;
        Quota { period, full, left: full, ends: None, throttled: false }
    }

    /// Whether it is used up.
    #[inline]
    pub fn is_throttled(&self) -> bool {
        self.throttled
    }

    /// Takes note that so many lanes were busy in the `passed` time [ns] before `now`.
    pub fn advance(&mut self, now: Nanos, passed: f64, busy: f64) {
        let Some(ends) = self.ends else { return };
        if now < ends {
            self.left -= passed * busy;
        } else {
            // A period in which it would have been used up ended at an instant of its own, so only the last one counts.
            let begun = now - (now - ends) % self.period;
            self.left = self.full - ((now - begun) as f64).min(passed) * busy;
            self.ends = Some(begun + self.period);
            self.throttled = false;
        }
        // Half a nanosecond is what rounding the instant may have left over.
        if self.left <= 0.5 * busy {
            self.throttled |= busy > 0.0;
        }
    }

    /// Work begins, perhaps the first.
    #[inline]
    pub fn begin(&mut self, now: Nanos) {
        self.ends.get_or_insert(now + self.period);
    }

    /// When it is used up, or usable again, if so many lanes stay busy from `now` on; `None` if never.
    pub fn next(&self, now: Nanos, busy: f64) -> Option<Nanos> {
        let ends = self.ends?;
        if self.throttled {
            return Some(ends);
        }
        if busy <= 0.0 {
            return None;
        }
        let here = now + round(self.left / busy);
        let later = round(self.full / busy);
        if here < ends { Some(here) } else { (later < self.period).then_some(ends + later) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Nanos = 100_000_000;
    const MS: Nanos = 1_000_000;

    /// Lets so many lanes be busy from `from` to `to`.
    fn work(quota: &mut Quota, from: Nanos, to: Nanos, busy: f64) {
        quota.advance(to, (to - from) as f64, busy);
    }

    #[test]
    fn four_lanes_use_a_quota_of_one_core_up_in_a_quarter_of_the_period() {
        let mut quota = Quota::new(1.0, PERIOD);
        assert_eq!(quota.next(7, 4.0), None, "no period has begun");
        quota.begin(7);
        assert_eq!(quota.next(7, 4.0), Some(7 + 25 * MS));
        work(&mut quota, 7, 7 + 25 * MS, 4.0);
        assert!(quota.is_throttled());
        assert_eq!(quota.next(7 + 25 * MS, 0.0), Some(7 + PERIOD));
        work(&mut quota, 7 + 25 * MS, 7 + PERIOD, 0.0);
        assert!(!quota.is_throttled());
        assert_eq!(quota.next(7 + PERIOD, 4.0), Some(7 + PERIOD + 25 * MS));
    }

    #[test]
    fn what_fits_the_quota_never_meets_it() {
        let mut quota = Quota::new(2.0, PERIOD);
        quota.begin(0);
        assert_eq!(quota.next(0, 2.0), None);
        work(&mut quota, 0, 7 * PERIOD + 10 * MS, 2.0);
        assert!(!quota.is_throttled());
        // 180 ms are left for the other 90 ms: three lanes use them up in 60 ms.
        assert_eq!(quota.next(7 * PERIOD + 10 * MS, 3.0), Some(7 * PERIOD + 70 * MS));
    }

    #[test]
    fn a_quota_that_lasts_this_period_may_not_last_the_next() {
        let mut quota = Quota::new(1.0, PERIOD);
        quota.begin(0);
        work(&mut quota, 0, 90 * MS, 0.0);
        // 20 ms of two lanes fit into what is left; the next period has enough for 50 ms.
        assert_eq!(quota.next(90 * MS, 2.0), Some(150 * MS));
        work(&mut quota, 90 * MS, 150 * MS, 2.0);
        assert!(quota.is_throttled());
        assert_eq!(quota.next(150 * MS, 0.0), Some(200 * MS));
    }

    #[test]
    fn what_is_not_used_is_lost() {
        let mut quota = Quota::new(1.0, PERIOD);
        quota.begin(0);
        work(&mut quota, 0, 950 * MS, 0.0);
        assert_eq!(quota.next(950 * MS, 4.0), Some(950 * MS + 25 * MS));
    }
}
