//! The model: what a system is made of, and its simulation.
//!
//! A request is a small program ([`program`]), a running attempt a frame ([`frame`]), everything that makes it wait a
//! [`station`], everything that chooses a policy ([`balancer`]), everything that comes from outside a process
//! ([`arrival`]). A [`Blueprint`] is the checked and compiled description; a [`System`] simulates it.
//!
//! This floor knows no file, no wall clock and no thread.

pub mod arrival;
pub mod autoscaler;
pub mod balancer;
pub mod balancing;
pub mod batch;
pub mod blueprint;
pub mod cache;
pub mod channels;
pub mod compile;
pub mod connections;
pub mod cycles;
pub mod data;
pub mod discipline;
pub mod distribution;
pub mod fault;
pub mod formats;
pub mod frame;
pub mod holdings;
pub mod keys;
pub mod life;
pub mod limiter;
pub mod locks;
pub mod machine;
pub mod network;
pub mod nodes;
pub mod program;
pub mod queue;
pub mod resilience;
pub mod rollout;
pub mod slo;
pub mod station;
pub mod step;
pub mod system;
pub mod vertical;

pub use blueprint::Blueprint;
pub use frame::Outcome;
pub use system::{Ending, Plan, Record, System};
