//! What the tests of several crates need: servers that a test starts and ends, clients, and bytes of
//! strangers. It must not know the crates that are tested, but for the protocols.
//!
//! What fails in here fails the test.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod allocation;
#[cfg(feature = "databases")]
pub mod databases;
mod hostile;
pub mod moto;
pub mod redis;

pub use allocation::{CountingAllocator, peak};
pub use hostile::{Target, hostile_bytes};
