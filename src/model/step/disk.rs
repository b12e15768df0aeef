//! `disk`: read from the instance's disk and write to it, one operation after the other.
//!
//! Reads that find their page in memory take no time. Writes always go to the disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Kind;
use crate::model::compile::Compiler;
use crate::model::distribution::{Distribution, Random};
use crate::model::machine::disk::{DiskPlan, operations};
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
    /// The data that reads are spread over evenly: `machine.disk.cache` holds its share of it.
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
        let hit = hit.map_or(0.0, |hit| hit.fraction());
        let hit = working_set.map_or(hit, |set| disk.hit(set.as_u64()));
        let size = size.map_or(SIZE, Bytes::as_u64);
        let sequential = *order == Order::Sequential;
        for (accesses, hit) in [(reads, hit), (writes, 0.0)] {
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

/// Compiles several operations, one after the other.
fn several(compiler: &mut Compiler, disk: &DiskPlan, count: u64, each: u64, hit: f64) {
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

/// Compiles one operation of so many bytes.
fn one(compiler: &mut Compiler, disk: &DiskPlan, bytes: u64, hit: f64) {
    let salt = compiler.salt("page");
    let choice = (hit > 0.0).then(|| {
        compiler.program.choices.push(Choice { ways: Vec::new(), salt });
        let choice = compiler.program.choices.len() as u32 - 1;
        compiler.emit(Instruction::Choose { choice });
        choice
    });
    let miss = compiler.here();
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
    if let Some(choice) = choice {
        let past = compiler.here();
        compiler.program.choices[choice as usize].ways = vec![(hit, past), (1.0, miss)];
    }
}

/// A time that is always the same [ns].
fn constant(compiler: &mut Compiler, nanos: f64) -> u32 {
    compiler.program.demands.push(Demand { distribution: Distribution::Constant(nanos), salt: 0 });
    compiler.program.demands.len() as u32 - 1
}
