//! `disk`: read from the instance's disk and write to it, one operation after the other.
//!
//! Reads that find their page in memory take no time. Writes always go to the disk. What is paged of an instance's memory goes
//! there as well, behind the `cpu` steps that touch it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::distribution::{Distribution, Random};
use crate::model::machine::disk::{DiskPlan, operations};
use crate::model::machine::memory::PAGED;
use crate::model::program::{Choice, Demand, Instruction};
use crate::quantity::{Bytes, Count, Share};

/// Read from the disk and write to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// What is read and written.
    pub disk: Accesses,
}

/// Reads and writes, one after the other: first the reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accesses {
    /// How many reads; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Count>,
    /// How many writes; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Count>,
    /// The size of each; 16 KiB if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    /// Where they are on the disk; `random` if left out.
    #[serde(default)]
    pub order: Order,
    /// The share of reads that find their page in memory; none if left out, or by the `working_set`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<Share>,
    /// The data that reads are spread over evenly: the page cache holds its share of it, which is `machine.disk.cache`, or without
    /// it the memory that is not in use at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_set: Option<Bytes>,
}

/// Where accesses are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Anywhere: each is an operation.
    #[default]
    Random,
    /// One behind the other: they are merged to operations of up to 256 KiB.
    Sequential,
}

/// The size of an access that does not say it [B]: 16 KiB.
const SIZE: u64 = 16 << 10;

impl Disk {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let Some(disk) = compiler.stations.disk() else {
            compiler.at(".disk", |compiler| {
                compiler
                    .problem("the machine has no disk; add `machine: { disk: { iops: 3000, bandwidth: 125MB/s } }`");
            });
            return;
        };
        let Accesses { reads, writes, size, order, hit, working_set } = &self.disk;
        if hit.is_some() && working_set.is_some() {
            compiler.at(".disk", |compiler| compiler.problem("give either `hit` or `working_set`, not both"));
        }
        let hit = match (hit, working_set) {
            (_, Some(set)) if disk.left_over => Hit::LeftOver(set.as_u64()),
            (_, Some(set)) => Hit::Share(disk.hit(set.as_u64())),
            (Some(hit), None) => Hit::Share(hit.fraction()),
            (None, None) => Hit::Share(0.0),
        };
        let size = size.map_or(SIZE, Bytes::as_u64);
        let sequential = *order == Order::Sequential;
        for (accesses, hit) in [(reads, hit), (writes, Hit::Share(0.0))] {
            let (count, each) = operations(accesses.map_or(0, Count::get), size, sequential);
            match count {
                0 => {}
                1 => one(compiler, &disk, each, hit),
                2..=65_535 => several(compiler, &disk, count, each, hit),
                _ => {
                    compiler.at(".disk", |compiler| compiler.problem("at most 65535 operations are possible in a step"))
                }
            }
        }
    }
}

/// Whether a read finds its page in memory.
#[derive(Debug, Clone, Copy)]
enum Hit {
    /// With this probability.
    Share(f64),
    /// As far as the memory left over at the moment holds this working set [B].
    LeftOver(u64),
}

/// Adds the code that pages in what the latest work at a sharing station touched and did not find in memory: something is
/// written to make room for it, then it is read.
pub(super) fn page_in(compiler: &mut Compiler, slot: u16) {
    let Some(disk) = compiler.stations.disk().filter(|_| compiler.memory.swaps) else { return };
    compiler.looped(|compiler, depth| {
        let head = compiler.emit(Instruction::PageFaults { slot, depth, past: 0 });
        let body = compiler.here();
        (0..2).for_each(|_| operation(compiler, &disk, PAGED));
        compiler.emit(Instruction::Again { depth, body });
        let past = compiler.here();
        compiler.program.code[head as usize] = Instruction::PageFaults { slot, depth, past };
    });
}

/// Compiles several operations, one after the other.
fn several(compiler: &mut Compiler, disk: &DiskPlan, count: u64, each: u64, hit: Hit) {
    let demand = compiler.demand("disk", &Random::Constant(Count::new(count)));
    compiler.looped(|compiler, depth| {
        let head = compiler.emit(Instruction::Repeat { demand, depth, past: 0 });
        let body = compiler.here();
        one(compiler, disk, each, hit);
        compiler.emit(Instruction::Again { depth, body });
        let past = compiler.here();
        compiler.program.code[head as usize] = Instruction::Repeat { demand, depth, past };
    });
}

/// Compiles one operation of so many bytes, unless its page is in memory.
fn one(compiler: &mut Compiler, disk: &DiskPlan, bytes: u64, hit: Hit) {
    match hit {
        Hit::LeftOver(working_set) => {
            let look = compiler.emit(Instruction::PageCached { working_set, past: 0 });
            operation(compiler, disk, bytes);
            let past = compiler.here();
            compiler.program.code[look as usize] = Instruction::PageCached { working_set, past };
        }
        Hit::Share(hit) if hit > 0.0 => {
            let salt = compiler.salt("page");
            compiler.program.choices.push(Choice::new(salt));
            let choice = compiler.program.choices.len() as u32 - 1;
            compiler.emit(Instruction::Choose { choice });
            let miss = compiler.here();
            operation(compiler, disk, bytes);
            let past = compiler.here();
            compiler.program.choices[choice as usize].set(vec![(hit, past), (1.0, miss)]);
        }
        Hit::Share(_) => operation(compiler, disk, bytes),
    }
}

/// Compiles one operation of so many bytes.
fn operation(compiler: &mut Compiler, disk: &DiskPlan, bytes: u64) {
    if let (Some((_, nanos)), Some(slot)) = (disk.operations, compiler.stations.servers("disk")) {
        let (waiting, account) = (compiler.account("disk", Kind::Waiting), compiler.account("disk", Kind::Service));
        compiler.emit(Instruction::Acquire { slot, waiting });
        compiler.scoped(|compiler| {
            let demand = constant(compiler, nanos);
            compiler.emit(Instruction::Delay { demand, account });
        });
        compiler.emit(Instruction::Release { slot });
    }
    if let (Some(nanos), Some(slot)) = (disk.nanos_per_byte, compiler.stations.sharing("disk_bandwidth")) {
        let demand = constant(compiler, nanos * bytes as f64);
        let waiting = compiler.account("disk_bandwidth", Kind::Waiting);
        let service = compiler.account("disk_bandwidth", Kind::Service);
        compiler.emit(Instruction::Share { slot, demand, waiting, service });
    }
}

/// A time that is always the same [ns].
fn constant(compiler: &mut Compiler, nanos: f64) -> u32 {
    compiler.program.demands.push(Demand { distribution: Distribution::Constant(nanos), salt: 0 });
    compiler.program.demands.len() as u32 - 1
}
