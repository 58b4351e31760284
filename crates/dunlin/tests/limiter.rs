//! Rate limits that hold over all nodes, and whoever keeps them is killed or frozen: handshakes and
//! requests go on, each node by its share, until it is back.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod process;
#[path = "../../server/tests/support/mod.rs"]
mod support;

#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "cluster/probe.rs"]
mod probe;
#[allow(dead_code, reason = "another test uses the rest of it")]
#[path = "cluster/roster.rs"]
mod roster;
#[path = "brokers/server.rs"]
mod server;

#[path = "limiter/dealer.rs"]
mod dealer;
#[path = "limiter/flood.rs"]
mod flood;
#[path = "limiter/redis.rs"]
mod redis;
