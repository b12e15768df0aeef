//! What a fleet tells the balancers of its service, and asks them.

use super::balance::Service;
use super::fleet::Gauge;
use crate::engine::Nanos;

impl Service {
    /// Takes note that an instance is ready for calls, or gets no more.
    pub(super) fn set_member(&mut self, number: u32, member: bool, now: Nanos) {
        self.bring_up_to_date(now);
        self.knowledge.member[number as usize] = member;
        self.knowledge.came[number as usize] = member.then_some(now);
        self.tell_members(now);
    }

    /// An instance has so many cores from now on.
    pub(super) fn set_lanes(&mut self, number: usize, lanes: f64, now: Nanos) {
        self.bring_up_to_date(now);
        let capacity = lanes.min(self.workers);
        self.balancers.iter_mut().for_each(|one| one.members.capacity[number] = capacity);
        self.tell_members(now);
    }

    /// An instance begins with the old or the new version.
    pub(super) fn set_new(&mut self, number: u32, new: bool) {
        if let Some(versions) = &mut self.versions {
            versions.new[number as usize] = new;
        }
    }

    /// The new version gets this share of the calls; with `None` all instances are alike.
    pub(super) fn split(&mut self, share: Option<f64>, now: Nanos) {
        if let Some(versions) = &mut self.versions
            && versions.split != share
        {
            versions.split = share;
            self.tell_members(now);
        }
    }

    /// Calls to the new version, and all since its first.
    pub(super) fn exposed(&self) -> [u64; 2] {
        self.versions.as_ref().map_or([0; 2], |versions| versions.calls)
    }

    /// Calls sent to, answered and failed at instances of the new version.
    pub(super) fn counts_of_new(&self) -> [u64; 3] {
        self.versions.as_ref().map_or([0; 3], |versions| versions.counts)
    }

    /// The 95th percentile of the response times of the new version since the last look [ns], which begins anew.
    pub(super) fn latency_of_new(&mut self) -> Option<f64> {
        let latencies = &mut self.versions.as_mut()?.latencies;
        let p95 = latencies.quantile(0.95);
        latencies.clear();
        p95
    }

    /// Whether no call is at an instance.
    pub(super) fn is_empty(&self, number: u32) -> bool {
        self.in_flight(number as usize) == 0
    }

    /// The calls that are at an instance.
    pub(super) fn in_flight(&self, number: usize) -> u32 {
        *self.present.get(number).unwrap_or_else(|| &self.balancers[0].in_flight[number])
    }

    /// The counters of an instance: calls sent, answered, failed.
    pub(super) fn counts(&self, number: usize) -> [u64; 3] {
        self.gauge.as_ref().map_or([0; 3], |gauge| gauge.counts[number])
    }

    /// The counters for an autoscaler.
    pub(super) fn gauge(&mut self) -> &mut Gauge {
        let instances = self.sent.len();
        self.gauge.get_or_insert_with(|| Box::new(Gauge::new(instances)))
    }
}
