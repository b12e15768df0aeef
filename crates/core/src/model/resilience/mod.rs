//! What callers and services do about failing dependencies: small state machines, one file each.
//!
//! Around a call: [`backoff`] between tries, a [`budget`] for retries, the AWS SDKs' [`adaptive_rate`], a [`breaker`], adaptive client [`throttle`]s, the
//! [`recent`] response times that hedging waits by. At a service: adaptive concurrency [`limit`]s and [`shed`]ding.
//!
//! Invariants: a machine is given `now` and what a real one could see; it reads no clock and draws only what it is
//! handed. What is named after a library follows that library's published rules, with its constants as defaults.

pub mod adaptive_rate;
pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod limit;
pub mod recent;
pub mod retry;
pub mod shed;
pub mod throttle;
pub mod window;
