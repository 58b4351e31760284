//! Nodes on hosts of their own, as network namespaces stand for them: how they find each other on
//! different networks, and what happens when a network fails.
//!
//! Everything is sent between namespaces that the test makes and removes. Where that is not allowed
//! the tests say that they are skipped.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![cfg(target_os = "linux")]

mod brokers;
mod discovery;
mod names;
mod network;
mod nodes;
mod partition;
mod space;
mod vanishing;
