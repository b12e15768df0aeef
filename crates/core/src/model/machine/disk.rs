//! Disks, as written in a model file, and what their steps take.
//!
//! A disk is two limits, which an operation passes one after the other: operations per second, and bytes per second. The first is a station of
//! as many servers as the disk works on operations at once (its queue depth); each holds one for depth/IOPS, so that one operation
//! alone takes that long and as many as the depth together use up the IOPS. The second is shared among all transfers.
//!
//! Sources. Amazon EBS user guide, "I/O characteristics and monitoring": operations of up to 256 KiB count as one on SSD volumes, larger
//! ones as several, and small ones that follow each other on the disk are merged up to that size; a queue depth of one per 1,000 IOPS
//! is recommended, which is the latency of 1 ms that such volumes have. A hard disk is `{ iops: 120, queue_depth: 1 }`.
//!
//! Page cache: of a working set of W bytes, read evenly, C bytes of memory hold C/W (as any replacement rule does).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::{Bandwidth, Bytes, Count};

/// The greatest size of one operation [B]: 256 KiB.
pub const LARGEST: u64 = 256 << 10;

/// The disk of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskSpec {
    /// Operations per second; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iops: Option<Count>,
    /// Bytes per second; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
    /// How many operations it works on at once, each for queue_depth / iops; 1 per 1,000 IOPS, at least 1, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue_depth: Option<u32>,
    /// Memory that holds pages of the disk, for reads that name their `working_set`; if left out, what is not in use at the moment
    /// of `machine.memory`, or none without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Bytes>,
}

/// What steps need to know of their instance's disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiskPlan {
    /// Slots of the station of operations, and how long each holds one [ns].
    pub operations: Option<(u32, f64)>,
    /// Time per byte [ns].
    pub nanos_per_byte: Option<f64>,
    /// Memory for pages [B].
    pub cache: u64,
    /// Whether it is not that but the memory left over at the moment.
    pub left_over: bool,
}

impl DiskSpec {
    /// The plan of a disk.
    pub fn plan(&self) -> DiskPlan {
        let operations = self.iops.map(|iops| {
            let iops = iops.get().max(1) as f64;
            let depth = self.queue_depth.unwrap_or(((iops / 1000.0).round() as u32).max(1));
            (depth, f64::from(depth) * 1e9 / iops)
        });
        DiskPlan {
            operations,
            nanos_per_byte: self.bandwidth.map(|bandwidth| 1e9 / bandwidth.bytes_per_second().max(1e-9)),
            cache: self.cache.map_or(0, Bytes::as_u64),
            left_over: false,
        }
    }
}

impl DiskPlan {
    /// The share of reads that find their page in memory.
    pub fn hit(&self, working_set: u64) -> f64 {
        if working_set == 0 { 1.0 } else { (self.cache as f64 / working_set as f64).min(1.0) }
    }
}

/// How many operations so many accesses of this size [B] are, and the size of each [B].
pub fn operations(accesses: u64, size: u64, sequential: bool) -> (u64, u64) {
    let count = if sequential {
        accesses.saturating_mul(size).div_ceil(LARGEST).max(accesses.min(1))
    } else {
        accesses.saturating_mul(size.div_ceil(LARGEST).max(1))
    };
    let each = accesses.saturating_mul(size).checked_div(count).unwrap_or(0);
    (count, each)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1 << 10;

    #[test]
    fn neighbors_are_merged_up_to_256_kib_and_large_accesses_are_split() {
        assert_eq!(operations(32, 16 * KIB, false), (32, 16 * KIB));
        assert_eq!(operations(32, 16 * KIB, true), (2, 256 * KIB));
        assert_eq!(operations(1, 1024 * KIB, false), (4, 256 * KIB));
        assert_eq!(operations(1, 4 * KIB, true), (1, 4 * KIB));
        assert_eq!((operations(0, 4 * KIB, true), operations(0, 4 * KIB, false)), ((0, 0), (0, 0)));
    }

    #[test]
    fn a_volume_of_3000_iops_takes_1_ms_and_a_hard_disk_one_over_its_iops() {
        let disk = |iops, queue_depth| {
            let spec = DiskSpec { iops: Some(Count::new(iops)), bandwidth: None, queue_depth, cache: None };
            spec.plan().operations
        };
        assert_eq!(disk(3000, None), Some((3, 1e6)));
        assert_eq!(disk(125, None), Some((1, 8e6)));
        assert_eq!(disk(3000, Some(6)), Some((6, 2e6)));
    }

    #[test]
    fn a_page_cache_holds_its_share_of_the_working_set() {
        let plan = DiskPlan { operations: None, nanos_per_byte: None, cache: 8 * KIB, left_over: false };
        assert_eq!((plan.hit(32 * KIB), plan.hit(4 * KIB), plan.hit(0)), (0.25, 1.0, 1.0));
    }
}
