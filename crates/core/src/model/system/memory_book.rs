//! What is known of memory after a run.

use crate::engine::time::Nanos;

/// What is known of the memory of a service over the window, all instances together.
#[derive(Debug, Clone)]
pub struct MemoryBook {
    /// What an instance has [B]; `None` if it is not limited.
    pub limit: Option<f64>,
    /// Instances.
    pub instances: u32,
    /// In use, integrated over the window, summed over the instances [B·ns].
    pub area: f64,
    /// The most that was ever in use at an instance, since the start of the run [B].
    pub peak: f64,
    /// Processes killed.
    pub kills: f64,
    /// When the first was killed, since the start of the run [ns].
    pub first_kill: Option<Nanos>,
    /// Requests rejected for lack of memory.
    pub refused: f64,
    /// Garbage collections.
    pub collections: f64,
    /// Pages that were read from disk because they were not in memory.
    pub faults: f64,
}
