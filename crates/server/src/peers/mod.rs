//! This node's part in its cluster: joining, and the configured way to the other nodes. What nodes tell
//! each other, and what follows from it, is the `channels` crate's; how entries reach a peer is the
//! `cluster` crate's.

mod adapter;
mod certificates;
mod losses;
mod membership;
mod transport;

pub(crate) use membership::{Membership, Status};
pub(crate) use transport::Counters as TransportCounters;
