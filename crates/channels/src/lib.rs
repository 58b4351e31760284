//! What happens on channels, over all nodes.

pub mod announcer;
pub mod leases;
pub mod registry;
pub mod replication;
pub mod reservations;
