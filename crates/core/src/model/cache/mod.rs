//! Caches: what they hold and who goes when room is needed.
//!
//! A [`Store`] is the contents of one cache over a compact index; an [`eviction`] policy decides who goes. Nothing here knows
//! of requests or services.

pub mod belady;
mod clock;
pub mod eviction;
mod fifo;
mod ghost;
mod index;
mod lfu;
mod lru;
pub mod order;
mod random;
mod s3_fifo;
mod sieve;
mod slru;
pub mod store;
mod tiny_lfu;
mod two_q;

#[cfg(test)]
mod tests;

pub use eviction::Policy;
pub use store::{Found, Gone, Store};
