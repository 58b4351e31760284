//! What the tests of several crates need. It must not know any of those crates.

mod allocation;
mod hostile;

pub use allocation::{CountingAllocator, peak};
pub use hostile::{Target, hostile_bytes};
