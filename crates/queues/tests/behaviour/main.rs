//! Queues over real servers: what is pushed is done, in order, whatever fails.

#![allow(clippy::unwrap_used)]

mod house;
mod redis;
mod sqs;
mod stand_in;
mod suite;
