//! Redis as a broker. It must not know what a message means.
//!
//! ```text
//!   bus          what the cluster sees of it
//!   session      the subscriptions to the hello channel and to our inbox, again and again
//!   inbox          the one to our inbox, where that is on another server
//!   listener       one connection that messages come from, into the `queue`
//!   publishers   a connection to every server that messages go to, again and again
//!   publisher      one of them, pipelined
//!   routes       which server has which channel
//! ```
//!
//! **Channels.** `{prefix}dunlin:hello` for everybody, `{prefix}dunlin:node:{incarnation}` for one
//! node. The prefix is taken as it is. The number of the database and the prefix of keys make no
//! difference to channels.
//!
//! **Redis Cluster.** Where the servers know them (since 7), the channels are sharded: each belongs
//! to one slot and so to one master, and the load is spread. A master that is gone takes the
//! inboxes with it that it has, until its slots are elsewhere. Nobody is blind then unless it has
//! the hello channel, too: hellos go on, so nobody is dead for the others, and what was lost
//! meanwhile the links send again. A prefix with a hash tag, `{tag}`, puts all channels in one
//! slot. Older servers pass on every message to all of them, so there it matters only for the load.
//!
//! **A dead connection** shows when for [`silence`](RedisConfig::silence) nothing has come, although
//! a `PING` goes out four times as often. A server that refuses something ends the connection, and
//! the next one is made with what the servers say then; so moved slots are found, too.
//!
//! **What users need** where there are ACLs: the channels (`&{prefix}dunlin:*`) and `PING`,
//! `SUBSCRIBE`, `PUBLISH`; in a Redis Cluster `SSUBSCRIBE`, `SPUBLISH`, `CLUSTER SLOTS`, and
//! `COMMAND INFO` if it may be older than 7; behind sentinels `ROLE`, if they may be late.

mod bus;
mod config;
mod inbox;
mod listener;
mod names;
mod publisher;
mod publishers;
mod queue;
mod routes;
mod session;

use std::time::Duration;

use failures::Backoff;

pub use bus::RedisBus;
pub use config::RedisConfig;
pub use redis_client::{OptionError, RedisOptions};

/// Pauses between attempts to connect. The longest is short, because a broker that is back should
/// be found at once, and an attempt costs it little.
fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(100), Duration::from_secs(1))
}
