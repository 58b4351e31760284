//! Clusters over brokers: one in memory, with all faults on a clock that is not real, and servers
//! on loopback that the tests start and stop.

#![allow(clippy::unwrap_used)]

mod log;
mod memory;
mod node;
mod over_memory;

#[cfg(feature = "nats")]
mod nats_server;
#[cfg(feature = "nats")]
mod over_nats;
