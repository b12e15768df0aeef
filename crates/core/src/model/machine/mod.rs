//! What an instance runs on, as written in a model file: its CPU, its memory, its disk, its runtime.

pub mod cpu;
pub mod disk;
pub mod memory;
pub mod runtime;
