//! Nodes that are joined through a broker, as real processes, and what happens to the broker: it is
//! killed, frozen, not there, or behind a door.
//!
//! What is true is what the clients saw.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod absence;
mod certificates;
mod doors;
mod failover;
mod groups;
mod guests;
mod load;
mod nats;
mod outage;
mod redis;
