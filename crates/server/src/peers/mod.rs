//! This node's part in its cluster: joining, and the configured way to the other nodes. What nodes tell
//! each other, and what follows from it, is the `channels` crate's; how entries reach a peer is the
//! `cluster` crate's. It must not know what the node serves, nor to whom.

mod adapter;
mod certificates;
mod join_error;
mod losses;
mod membership;
mod transport;

pub use join_error::JoinError;
pub(crate) use membership::{Membership, Participant, Status};
pub(crate) use transport::TransportCounters;
