//! Into the queue.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use redis::cmd;

use super::script::{ANNOUNCE, PUSH};
use super::{MAX_CALLS, RedisQueue};
use crate::counters::count;
use crate::many::many;
use crate::{Job, PushError, QueueError};

/// How many jobs, and how many bytes of them, go into one call.
const CALL: (usize, usize) = (128, 512 << 10);
/// How long a partition is on its way to the worker that was given it, in ms; a partition that still nobody
/// reads after that is given to a worker once more.
const ON_ITS_WAY: u64 = 2000;

/// How many partitions may wait to be announced.
const UNANNOUNCED: usize = 10_000;
/// How many of them are announced in one call.
const ANNOUNCED: usize = 1000;

impl RedisQueue {
    pub(crate) async fn push(self: &Arc<Self>, jobs: Vec<Job>) -> Result<(), PushError> {
        let mut partitions: HashMap<String, Vec<Job>> = HashMap::new();
        for job in jobs {
            match partitions.get_mut(&job.partition) {
                Some(jobs) => jobs.push(job),
                None => drop(partitions.insert(job.partition.clone(), vec![job])),
            }
        }
        let of_partition = |(partition, jobs)| {
            let queue = self.clone();
            async move { queue.push_partition(partition, jobs).await }
        };
        let pushed =
            PushError::of_all(many(MAX_CALLS, partitions.into_iter().map(of_partition)).await);
        self.announce().await;
        pushed
    }

    /// One call after the other, so that they are in order.
    async fn push_partition(&self, partition: String, mut jobs: Vec<Job>) -> Result<(), PushError> {
        let keys = self.keys.partition(&partition);
        let limit = self.limit.to_string();
        while !jobs.is_empty() {
            let (mut arguments, mut bytes, mut these) = (vec![limit.as_bytes()], 0, 0);
            for job in jobs.iter().take(CALL.0) {
                if bytes >= CALL.1 {
                    break;
                }
                bytes += job.payload.len();
                these += 1;
                arguments.extend([job.group.as_bytes(), &job.payload]);
            }
            let call = PUSH.call(&keys, arguments);
            let answer = self.link.run::<(usize, Option<String>)>(call).await;
            let reason = match answer {
                Ok((added, reader)) => {
                    count(&self.link.tally.pushed, added);
                    jobs.drain(..added.min(these));
                    match reader {
                        None => self.unannounced(&partition),
                        // It waits to be woken; without a name it will come across the jobs.
                        Some(worker) if !worker.is_empty() => self.wake(&worker, &partition).await,
                        Some(_) => {}
                    }
                    if added == these {
                        continue;
                    }
                    count(&self.link.tally.refused, jobs.len());
                    QueueError::Full { limit: self.limit }
                }
                Err(reason) => reason,
            };
            return Err(PushError { jobs, reason });
        }
        Ok(())
    }

    /// Nobody reads this partition, which has jobs. If this process ends before it could say so, they wait
    /// for the next push to the partition.
    fn unannounced(&self, partition: &str) {
        let mut partitions = self.unannounced.lock();
        if partitions.len() < UNANNOUNCED && !partitions.contains(partition) {
            partitions.insert(partition.into());
        }
    }

    /// Says which partitions nobody reads. What cannot be said now is said the next time.
    pub(super) async fn announce(&self) {
        let partitions: HashSet<String> =
            self.unannounced.lock().iter().take(ANNOUNCED).cloned().collect();
        if partitions.is_empty() {
            return;
        }
        let announced: Vec<&String> = partitions.iter().collect();
        let call = ANNOUNCE.call(&self.keys.all, (ON_ITS_WAY, announced));
        let Ok(wanted) = self.link.run::<Vec<String>>(call).await else { return };
        self.unannounced.lock().retain(|partition| !partitions.contains(partition));
        for worker in wanted {
            self.wake(&worker, "").await;
        }
    }

    /// Tells a worker that a partition has jobs, or, without a partition, that there are partitions to be had. It
    /// finds out by itself if this does not arrive.
    pub(super) async fn wake(&self, worker: &str, partition: &str) {
        let wake = self.keys.wake(worker);
        let _ = self.link.call::<()>(cmd("PUBLISH").arg(wake).arg(partition)).await;
    }
}
