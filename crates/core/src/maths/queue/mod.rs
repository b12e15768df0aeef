//! Queueing formulas, one file per family.
//!
//! Symbols used throughout: λ = `arrival_rate` [1/s], 1/μ = `service_time` \[s\], c = `servers`, ρ = `utilization`,
//! L = `mean_number` (waiting and in service), Lq = `mean_queue_length` (waiting only), W = `mean_response_time` \[s\],
//! Wq = `mean_waiting_time` \[s\]. Order of service is first come first served unless a file says otherwise.

pub mod birth_death;
pub mod bounds;
pub mod client_timeout;
pub mod closed;
pub mod erlang_a;
pub mod fork_join;
pub mod ggc;
pub mod gim1;
pub mod jackson;
pub mod mdc;
pub mod mg1;
pub mod mm1;
pub mod mmc;
pub mod mmck;
pub mod priority;
pub mod processor_sharing;
pub mod queue_timeout;
pub mod repairman;
pub mod service;
pub mod setup;
pub mod size_based;
