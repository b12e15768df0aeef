//! The simulation kernel: integer time, the calendar of events, random numbers, the fingerprint.
//!
//! Purpose: everything a discrete-event simulation needs before it knows what it simulates. There is no word of
//! requests, services or stations here.
//!
//! Invariants: time never runs backwards; two runs with the same seed make the same draws and meet the same events in
//! the same order on every machine and any number of threads.
//!
//! Limits: time is `u64` nanoseconds (584 years); at most 2⁵⁶ events may be scheduled in a run.

pub mod alarms;
pub mod calendar;
pub mod far;
pub mod fingerprint;
pub mod hash;
pub mod heap;
pub mod random;
pub mod time;
pub mod ziggurat;

pub use calendar::{Calendar, LaneId, Packed, Popped};
pub use fingerprint::Fingerprint;
pub use random::{Draw, Stream};
pub use time::Nanos;
