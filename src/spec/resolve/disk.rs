//! Disks: the stations of an instance's disk, and the memory left over for its pages.

use super::names::quoted;
use crate::model::blueprint::{self, PacePlan, ServersPlan, SharingPlan};
use crate::model::compile::Problem;
use crate::model::machine::disk::DiskPlan;
use crate::spec::model_file::ServiceSpec;

/// Adds the stations of a service's disk; returns its plan if it has one.
pub(super) fn add_disk(
    service: &mut blueprint::Service,
    problems: &mut Vec<Problem>,
    spec: &ServiceSpec,
) -> Option<DiskPlan> {
    let disk = spec.machine.as_ref()?.disk.as_ref()?;
    let path = format!("services.{}.machine.disk", quoted(&service.name));
    if disk.iops.is_some_and(|iops| iops.get() == 0) {
        problems.push(Problem::new(format!("{path}.iops"), "a disk does at least one operation per second"));
    }
    if disk.bandwidth.is_some_and(|bandwidth| bandwidth.bytes_per_second() <= 0.0) {
        problems.push(Problem::new(format!("{path}.bandwidth"), "a bandwidth must be above 0"));
    }
    if disk.queue_depth.is_some() && disk.iops.is_none() {
        problems.push(Problem {
            path: format!("{path}.queue_depth"),
            message: "a queue depth needs operations per second".to_owned(),
            help: Some("add `iops: 3000`".to_owned()),
        });
    }
    let mut plan = disk.plan();
    let memory = spec.machine.as_ref().and_then(|machine| machine.memory);
    if let (None, Some(memory)) = (disk.cache, memory) {
        plan.cache = memory.as_u64();
        plan.left_over = service.memory.is_some();
    }
    if let Some((slots, _)) = plan.operations {
        service.servers.push(ServersPlan::plain("disk", slots, u32::MAX));
    }
    if plan.nanos_per_byte.is_some() {
        let name = "disk_bandwidth".to_owned();
        service.sharing.push(SharingPlan { name, lanes: 1.0, pace: PacePlan::default() });
    }
    Some(plan)
}
