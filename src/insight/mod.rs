//! Why a system is as fast as it is: operational laws, what-if by intervention, and the verdict in sentences.

pub mod data;

pub use data::Insight;
