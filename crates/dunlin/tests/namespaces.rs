//! Nodes on hosts of their own, as network namespaces stand for them: how they find each other on
//! different networks, and what happens when a network fails.
//!
//! Everything is sent between namespaces that the test makes and removes. Where that is not allowed
//! the tests say that they are skipped.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![cfg(target_os = "linux")]

mod process;
#[path = "../../server/tests/support/mod.rs"]
mod support;

#[allow(dead_code, reason = "another test uses the rest of it")]
#[path = "cluster/roster.rs"]
mod roster;

#[path = "namespaces/brokers.rs"]
mod brokers;
#[path = "namespaces/discovery.rs"]
mod discovery;
#[path = "namespaces/names.rs"]
mod names;
#[path = "namespaces/network.rs"]
mod network;
#[path = "namespaces/nodes.rs"]
mod nodes;
#[path = "namespaces/partition.rs"]
mod partition;
#[path = "namespaces/space.rs"]
mod space;
#[path = "namespaces/vanishing.rs"]
mod vanishing;
