//! Which instances have a new version, and which calls they get.

use crate::engine::Nanos;
use crate::measure::Histogram;

/// A new version of a service: it has balancers of its own, behind those of the old one.
#[derive(Debug)]
pub(in super::super) struct Versions {
    /// Per instance: whether it has the new version.
    pub(in super::super) new: Vec<bool>,
    /// The share of the calls that the new version gets, while both are told apart.
    pub(in super::super) split: Option<f64>,
    /// Calls to the new version, and all since it began to come.
    pub(in super::super) calls: [u64; 2],
    /// Calls sent to, answered and failed at the new version.
    pub(in super::super) counts: [u64; 3],
    /// Response times of the successful calls to the new version since the last look at them.
    pub(in super::super) latencies: Histogram,
}

impl Versions {
    pub(in super::super) fn new(instances: usize) -> Self {
        Versions {
            new: vec![false; instances],
            split: None,
            calls: [0; 2],
            counts: [0; 3],
            latencies: Histogram::new(),
        }
    }

    pub(in super::super) fn sent(&mut self, number: u32) {
        let new = u64::from(self.new[number as usize]);
        self.calls[0] += new;
        // All are counted from the first call to the new version on.
        self.calls[1] += u64::from(self.calls[0] > 0);
        self.counts[0] += new;
    }

    pub(in super::super) fn answered(&mut self, number: u32, latency: Nanos, success: bool) {
        if self.new[number as usize] {
            self.counts[1] += 1;
            self.counts[2] += u64::from(!success);
            if success {
                self.latencies.record(latency);
            }
        }
    }
}
