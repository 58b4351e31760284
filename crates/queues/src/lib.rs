//! Where jobs wait between the node that decided on them and whoever does them: in Redis or in SQS.
//! It must not know what a job is; to it, a job is bytes with a partition and a group.
//!
//! ```text
//!   queue       what others use: push, consume, depth
//!   scheduler   the jobs that a worker has, and which of them may be handed out; pure
//!   job_buffer  the scheduler, shared by the worker and whoever does its jobs
//!   delivery    a job in hand
//!   redis       a queue in Redis
//!   sqs         a queue in Amazon SQS
//! ```
//!
//! **At least once.** A job is in the queue until it is done. If a worker dies, or an answer is lost,
//! it may be done twice; it is never lost unless the queue's server loses it.
//!
//! **In order.** Of one partition and group, one job is in hand at a time, and the next one is the one that
//! was pushed next. Of a standard queue in SQS this is as good as SQS makes it.

#![cfg_attr(
    not(any(feature = "redis", feature = "sqs")),
    allow(dead_code, unreachable_code, unused_variables, reason = "there is no queue to open")
)]

use std::time::Duration;

mod counters;
mod delivery;
mod error;
mod job;
mod job_buffer;
mod many;
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod scheduler;
#[cfg(feature = "sqs")]
mod sqs;

pub use counters::{Depth, QueueCounters};
pub use delivery::Delivery;
pub use error::{PushError, QueueError, QueueOpenError};
pub use job::{Job, Room};
pub use queue::{Consumer, Queue};

/// Pauses between attempts while the queue's server is away.
fn backoff() -> failures::Backoff {
    failures::Backoff::new(Duration::from_millis(100), Duration::from_secs(5))
}
