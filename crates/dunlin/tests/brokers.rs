//! Nodes that are joined through a broker, as real processes, and what happens to the broker: it is
//! killed, frozen, not there, or behind a door.
//!
//! What is true is what the clients saw.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod process;
#[path = "../../server/tests/support/mod.rs"]
mod support;

#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "cluster/probe.rs"]
mod probe;
#[path = "cluster/publisher.rs"]
mod publisher;
#[allow(dead_code, reason = "another test uses the rest of it")]
#[path = "cluster/roster.rs"]
mod roster;

#[path = "brokers/absence.rs"]
mod absence;
#[path = "brokers/certificates.rs"]
mod certificates;
#[path = "brokers/doors.rs"]
mod doors;
#[path = "brokers/failover.rs"]
mod failover;
#[path = "brokers/groups.rs"]
mod groups;
#[path = "brokers/guests.rs"]
mod guests;
#[path = "brokers/load.rs"]
mod load;
#[path = "brokers/nats.rs"]
mod nats;
#[path = "brokers/outage.rs"]
mod outage;
#[path = "brokers/redis.rs"]
mod redis;
#[path = "brokers/server.rs"]
mod server;
