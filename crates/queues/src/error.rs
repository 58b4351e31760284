//! Why a queue cannot be opened, and why jobs are not in it.

use crate::Job;

/// Options that can never work.
#[derive(Debug, thiserror::Error)]
pub enum QueueOpenError {
    /// This binary was built without the driver.
    #[error("queue.driver is {0:?}, but this binary was built without the cargo feature {0:?}")]
    NotBuiltIn(&'static str),
    /// The options of a connection to Redis fit no server.
    #[cfg(feature = "redis")]
    #[error("queue.redis.redisOptions: {0}")]
    Redis(#[from] redis_client::OptionError),
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

impl PushError {
    /// What came of several pushes, as of one. If some of the jobs may be taken a little later, that
    /// is the reason: who keeps them then loses none of those over another partition's being full.
    #[cfg_attr(
        not(any(feature = "redis", feature = "sqs")),
        allow(dead_code, reason = "there is no queue to push to")
    )]
    pub(crate) fn of_all(pushes: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let failed = pushes.into_iter().filter_map(Result::err);
        failed
            .reduce(|mut all, next| {
                all.jobs.extend(next.jobs);
                if !matches!(all.reason, QueueError::Away(_)) {
                    all.reason = next.reason;
                }
                all
            })
            .map_or(Ok(()), Err)
    }
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
        /// What it takes, with the names of partition and group.
        limit: usize,
    },
    /// There are as many jobs of a partition as there may be.
    #[error(
        "the queue is full: {limit} jobs of one app for one target wait already, which is the limit"
    )]
    Full {
        /// `queue.redis.maxPendingJobs`.
        limit: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_may_be_taken_later_are_not_lost_over_a_partition_that_is_full() {
        let failed = |partition: &str, reason| {
            let job = Job {
                partition: partition.into(),
                group: String::new(),
                payload: Default::default(),
            };
            Err(PushError { jobs: vec![job], reason })
        };
        let away = || failed("a", QueueError::Away("gone".into()));
        let full = || failed("b", QueueError::Full { limit: 1 });
        for pushes in [[away(), full(), Ok(())], [Ok(()), full(), away()]] {
            let error = PushError::of_all(pushes).expect_err("two failed");
            assert!(matches!(error.reason, QueueError::Away(_)), "{error}");
            assert_eq!(error.jobs.len(), 2);
        }
        let error = PushError::of_all([full(), Ok(())]).expect_err("one failed");
        assert!(matches!(error.reason, QueueError::Full { limit: 1 }), "{error}");
        assert!(PushError::of_all([Ok(()), Ok(())]).is_ok());
    }
}
