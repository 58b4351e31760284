//! What the tests of several crates need: servers that a test starts and ends, clients, and bytes of
//! strangers. It must not know the crates that are tested, but for the protocols.
//!
//! What fails in here fails the test.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(missing_docs, reason = "what has no comment does what its name says")]
#![allow(clippy::new_without_default, reason = "a new one opens a port, or makes a folder or keys")]
#![allow(clippy::should_implement_trait, reason = "the next frame or number has no end to come to")]

mod allocation;
pub mod broker;
#[cfg(feature = "databases")]
pub mod databases;
mod folder;
mod hostile;
pub mod http;
pub mod metrics;
pub mod moto;
pub mod nodes;
pub mod probe;
pub mod process;
pub mod publisher;
pub mod redis;
pub mod roster;
pub mod simulated;
pub mod target;
pub mod tls;
mod waiting;
pub mod ws;

pub use allocation::{CountingAllocator, peak};
pub use folder::Folder;
pub use hostile::{HostileTarget, hostile_bytes};
pub use waiting::{TEST_TIMEOUT, eventually};
