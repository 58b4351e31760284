//! The last event of each cache channel (W43, W44). It must not know who is subscribed.
//!
//! ```text
//!   memory    what this node has, and all that a shard looks at
//!   shared    what Redis has yet to be told and asked, and who waits for that
//!   waiting   subscriptions and requests that wait for Redis: the only part that knows the node
//!   redis     the connection, on the background runtime
//!   stored    an event as it stands in Redis
//! ```
//!
//! With the driver `redis` an event is kept in memory first and written behind; Redis is only read
//! for channels whose last event this node cannot know. No shard waits for it, and without it
//! everything goes on in memory.

mod memory;
mod redis;
mod shared;
mod stored;
mod waiting;

pub(crate) use memory::{Cache, CachedEvent};
pub(crate) use redis::{finish as finish_redis_cache, serve as serve_redis_cache};
pub(crate) use shared::{Shared, SharedNumbers};

/// App and channel.
pub(crate) type Key = memory::Key;
