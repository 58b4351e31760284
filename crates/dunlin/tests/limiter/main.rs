//! Rate limits that hold over all nodes, and whoever keeps them is killed or frozen: handshakes and
//! requests go on, each node by its share, until it is back.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod dealer;
mod flood;
mod redis;
