//! A deployment as it happens: three nodes are restarted one after another under many clients, and
//! the backend that is told by webhooks hears nothing of it.
//!
//! In a binary of its own, so that nothing else runs meanwhile.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod process;
#[path = "../../server/tests/support/mod.rs"]
mod support;

#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "cluster/publisher.rs"]
mod publisher;
#[allow(dead_code, reason = "another test uses the rest of it")]
#[path = "cluster/roster.rs"]
mod roster;

#[path = "restart/crowd.rs"]
mod crowd;
#[path = "restart/deployment.rs"]
mod deployment;
#[path = "restart/histogram.rs"]
mod histogram;
