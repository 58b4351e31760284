//! The last events of cache channels (W43, W44), where all nodes keep them: Redis. What a node itself
//! has, and who waits, is the `channels` crate's; what Redis has yet to be told and asked is in
//! `shared_cache`.
//!
//! ```text
//!   waiting   what follows when Redis has answered, or does not
//!   redis     the connection, on the background runtime
//!   stored    an event as it stands in Redis
//! ```
//!
//! With the driver `redis` an event is kept in memory first and written behind; Redis is only read
//! for channels whose last event this node cannot know. No shard waits for it, and without it
//! everything goes on in memory.

mod redis;
mod stored;
mod waiting;

pub(crate) use redis::{finish as finish_redis_cache, serve as serve_redis_cache};
pub(crate) use waiting::last_is_known;
