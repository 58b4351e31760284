//! Queues over real servers: what is pushed is done, in order, whatever fails.

#![allow(clippy::unwrap_used)]

#[path = "../../../redis-client/tests/servers/mod.rs"]
mod servers;

mod house;
#[path = "../moto/mod.rs"]
mod moto;
mod redis;
mod sqs;
mod stand_in;
mod suite;
