//! What nodes tell each other: facts, events, leases and claims as entries of the cluster's
//! streams, and what a peer's entries do to the registry.
//!
//! The one place where the registry and the cluster meet, for the server as for the simulation. It
//! must not know sockets, shards, the Pusher protocol, or how entries reach a peer.
//!
//! ```text
//!   registry --own transitions--> PeerStreams --Log--> cluster ... cluster --entry--> Replica --> registry
//!                                    ^                                                 |
//!                                 Snapshots (a new stream begins with everything)      `-> transitions
//! ```
//!
//! Every fact is absolute ("so many subscriptions", "this member is here"), so it may be told once
//! more at any time. That makes a snapshot simple: it and the changes that happen meanwhile go into
//! the same stream in any order that each channel's lock allows, and at its end the peer sweeps out
//! what was not mentioned.

mod claim;
mod codec;
mod everything;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod lease;
mod message;
mod peer_streams;
mod replica;
mod snapshots;
mod unconfirmed;

pub use claim::Union;
pub use codec::Malformed;
pub use everything::{Entries, everything};
pub use message::{
    ChannelName, EventFrame, LastEventInfo, PeerMessage, RateAnswer, RateWish, Stamp,
};
pub use peer_streams::{AckHandle, AckHandles, PeerStreams};
pub use replica::{Applied, Follow, Replica};
pub use snapshots::Snapshots;
pub use unconfirmed::Unconfirmed;
