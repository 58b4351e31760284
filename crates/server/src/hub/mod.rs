//! Shards and fan-out: how a frame that was encoded once reaches every connection that follows its
//! channel. One shard is one thread with its own connections and its own channel table; nothing on
//! the delivery path is locked or shared. It must not know how a connection came to be, nor what its
//! client may do: whoever reads it decides that.
//!
//! What is decided on a channel comes through `inbox`, in the order of decisions; `turn` is where a
//! shard carries it out; `outbox` writes.

mod arrival;
mod channels;
mod connection;
mod departure;
mod liveness;
mod outbox;
mod shard;
mod turn;
mod wheel;

pub(crate) use arrival::Presence;
pub(crate) use connection::{Phase, SignedIn, live};
pub(crate) use shard::{Shard, ShardState};
