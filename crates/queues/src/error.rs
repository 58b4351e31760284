//! Why a queue cannot be opened, and why jobs are not in it.

use crate::Job;

/// Options that can never work.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This binary was built without the driver.
    #[error("queue.driver is {0:?}, but this binary was built without the cargo feature {0:?}")]
    NotBuiltIn(&'static str),
    /// The options of a connection to Redis fit no server.
    #[cfg(feature = "redis")]
    #[error("queue.redis.redisOptions: {0}")]
    Redis(#[from] redis_connections::OptionError),
    /// An option that fits no queue.
    #[error("{option} is {value}, it must be {right}")]
    Option {
        /// Its key.
        option: &'static str,
        /// What it is; a secret's value is not shown.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

/// Why jobs are not in the queue.
#[derive(Debug, thiserror::Error)]
#[error("{} jobs are not in the queue: {reason}", jobs.len())]
pub struct PushError {
    /// Those that are not in, in order. All others of the same push are.
    pub jobs: Vec<Job>,
    /// Why not.
    pub reason: QueueError,
}

/// Why a queue does not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// It is away; it may be back soon.
    #[error("the queue is away: {0}")]
    Away(String),
    /// It refuses what was asked for.
    #[error("the queue refuses: {0}")]
    Refused(String),
    /// A job is larger than what the queue takes. Trying again is of no use.
    #[error("the job is too large: the queue takes {limit} bytes")]
    TooLarge {
        /// What it takes, with the names of lane and group.
        limit: usize,
    },
    /// There are as many jobs of a lane as there may be.
    #[error("the queue is full: {limit} jobs of a lane wait already, which is the limit")]
    Full {
        /// `queue.redis.maxPendingJobs`.
        limit: u64,
    },
}
