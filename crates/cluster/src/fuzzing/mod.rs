//! What is done with the bytes of strangers by the fuzz targets, and by the property tests, which
//! are run with every other test. Each function panics if its property does not hold.

mod link;
mod packet;
#[cfg(test)]
mod tests;

pub use crate::broker::fuzzing::broker_messages;
pub use crate::mesh::fuzzing::{mesh_handshake, mesh_hello, mesh_messages};
pub use link::link;
pub use packet::packet;
