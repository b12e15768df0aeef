//! Stations: everything that can make an attempt wait.
//!
//! There are few kinds. [`Servers`]: n slots and a queue (worker pools, connection pools, disks). [`Sharing`]:
//! capacity divided among those present (CPU cores, network cards). [`Lock`]: a permit for one, or for readers together.
//! [`Channel`]: hand-over through a bounded buffer. A delay without contention needs no station: the
//! calendar holds the attempt.
//!
//! Stations hold frame indexes and know nothing of what the frames do.

pub mod channel;
pub mod lock;
mod pace;
mod quota;
pub mod servers;
pub mod sharing;
mod space;

pub use channel::{Channel, Room};
pub use lock::Lock;
pub use pace::{Brake, Contention, Pace, Switching};
pub use quota::Quota;
pub use servers::{Entry, Servers};
pub use sharing::Sharing;
pub use space::{Space, SpacePlan};
