//! Queues: messages between those who publish and those who consume.
//!
//! A [`Group`] of consumers is a state machine over lanes of messages and slots that process them. It knows no requests: it is
//! told what happens and when, and says which slot starts with which messages. Every group of a queue gets every message.
//!
//! Semantics follow the brokers: a shared lane is a work queue with acknowledgment, visibility timeout and dead letters
//! (Amazon SQS, RabbitMQ); partitions are processed in order, one batch at a time, each by one member of the group, with a pause
//! when members come and go (Kafka's eager rebalancing); a lane per member is publish-subscribe without storage (Redis).

mod book;
mod group;
mod lane;
mod plan;

#[cfg(test)]
mod tests;

pub use book::GroupBook;
pub use group::{Group, Start, Verdict};
pub use lane::{Message, Waiter};
pub use plan::{Buffer, GroupPlan, Lanes};
