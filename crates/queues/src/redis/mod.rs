//! Jobs in Redis: one stream for each partition, and for each partition one worker that reads it.
//!
//! ```text
//!   keys, script    what is kept in Redis, and the steps in which it is changed
//!   link            the connection
//!   push            into the queue
//!   worker          out of it: which partitions are ours, reading them, telling what is done
//!   calls           what it asks of Redis
//!   partitions           what a worker knows of its partitions
//!   hints           being woken by others
//! ```
//!
//! **Who reads a partition.** Workers say every two seconds that they live, and with that they get their
//! share of the partitions that nobody has; with each partition comes an epoch, higher than every one before. A
//! partition believes the highest epoch that it has seen, so a worker that was held up, and whose partitions went
//! to others in the meantime, reads nothing more. A worker that has two partitions more than another leaves
//! some, as soon as nothing of them is in hand. So the jobs of a partition are read by one worker at a time,
//! and in order; only a worker that stops for longer than eight seconds may still have jobs in hand
//! that others have, too.
//!
//! **Nothing waits for a poll, and nothing depends on being woken.** A push to a partition whose reader
//! waits wakes it, and one to a partition without a reader wakes the worker with the fewest partitions. What
//! wakes is a published message, which may be lost: every partition is looked at every five seconds anyway.
//! A partition that is empty for a minute is let go.

mod calls;
mod hints;
mod keys;
mod link;
mod partitions;
mod push;
mod script;
mod worker;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use failures::LogThrottle;
use parking_lot::Mutex;
use redis::cmd;
use redis_client::RedisOptions;

use self::keys::Keys;
use self::link::RedisLink;
pub(crate) use self::worker::work;
use crate::counters::Tally;
use crate::many::many;
use crate::{Depth, QueueError, QueueOpenError};

/// How many calls for different partitions are under way at a time.
const MAX_CALLS: usize = 64;
/// How many jobs of a partition are in hand at a time, for each 1 of `queue.redis.concurrency`.
const JOBS: usize = 8;

/// How many wait at least beside those in hand.
const AHEAD: usize = 64;
/// No arguments.
const NONE: &[&str] = &[];

/// A queue in Redis.
pub(crate) struct RedisQueue {
    link: RedisLink,
    keys: Keys,
    /// Partitions that were pushed to, and that nobody reads as far as we know.
    unannounced: Mutex<HashSet<String>>,
    complaints: LogThrottle,
    /// How many jobs of a partition may wait.
    limit: u64,
    /// How many jobs of a partition are in hand at a time, and how many wait beside them.
    pub(crate) width: (usize, usize),
}

impl RedisQueue {
    pub(crate) fn new(config: &Config, tally: Arc<Tally>) -> Result<Self, QueueOpenError> {
        let queue = &config.queue.redis;
        let options = RedisOptions::configured(config, queue.cluster_mode, &queue.options)?;
        let keys = Keys::new(&options.key_prefix);
        let width = JOBS * queue.concurrency as usize;
        Ok(RedisQueue {
            link: RedisLink::new(options, tally),
            keys,
            unannounced: Mutex::default(),
            complaints: LogThrottle::default(),
            limit: queue.max_pending_jobs,
            width: (width, width.max(AHEAD)),
        })
    }

    /// Redis does not do what was asked for; it is asked again later.
    fn refused(&self, error: &QueueError) {
        if self.complaints.may_log() {
            tracing::error!(%error, "a queue in Redis cannot be used as it should");
        }
    }

    pub(crate) async fn depth(self: &Arc<Self>) -> Result<Depth, QueueError> {
        let partitions: Vec<String> = self.link.call(cmd("HKEYS").arg(&self.keys.all[0])).await?;
        let (seconds, micros): (u64, u64) = self.link.call(&cmd("TIME")).await?;
        let now = Duration::new(seconds, 1000 * micros as u32);
        let of_partition = |partition: String| {
            let queue = self.clone();
            async move {
                let keys = &queue.keys.partition(&partition)[..1];
                queue.link.run::<(u64, String)>(script::DEPTH.call(keys, NONE)).await
            }
        };
        let mut depth = Depth::default();
        for answer in many(MAX_CALLS, partitions.into_iter().map(of_partition)).await {
            let (jobs, oldest) = answer?;
            depth.jobs += jobs;
            // An id begins with the time at which it was given.
            let since = oldest.split('-').next().and_then(|millis| millis.parse().ok());
            let age = since.map(|since| now.saturating_sub(Duration::from_millis(since)));
            depth.oldest = depth.oldest.max(age);
        }
        Ok(depth)
    }
}
