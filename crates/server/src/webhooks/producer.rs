//! Jobs on their way into the queue that the nodes share. While it is away they wait here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use ::webhooks::Job;
use failures::{Backoff, LogThrottle};
use queues::{PushError, Queue, QueueError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backlog::{Backlog, Waits};

/// The most bytes that wait; as many may be on their way.
const MAX_BYTES: usize = 64 << 20;
/// How many jobs are pushed at once.
const JOBS_PER_PUSH: usize = 100;
/// The pauses when the queue is away; the end of a node waits for the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

static REFUSED: LogThrottle = LogThrottle::new();

impl Waits for queues::Job {
    fn weight(&self) -> usize {
        self.partition.len() + self.group.len() + self.payload.len() + 128
    }
}

/// Owned by the delivery, shared with its task and the metrics.
pub(crate) struct JobProducer {
    queue: Queue,
    jobs: Backlog<queues::Job>,
    /// How many jobs are not in the queue yet.
    left: watch::Sender<usize>,
    refused: AtomicU64,
}

impl JobProducer {
    /// Starts to fill a queue, on the runtime that this is called on.
    pub(crate) fn start(queue: Queue) -> Arc<Self> {
        let (jobs, left) = (Backlog::new(MAX_BYTES), watch::Sender::new(0));
        let producer = Arc::new(JobProducer { queue, jobs, left, refused: AtomicU64::new(0) });
        tokio::spawn(producer.clone().run());
        producer
    }

    /// The queue that is fed.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn push(&self, job: &Job) {
        let (partition, group) = (job.partition().to_string(), job.group.to_string());
        let job = queues::Job { partition, group, payload: job.encode().into() };
        self.left.send_modify(|left| *left += 1);
        if self.jobs.push(job) {
            self.jobs.wake();
        } else {
            self.left.send_modify(|left| *left -= 1);
        }
    }

    /// Waits until everything is in the queue; returns how many jobs are not by the deadline.
    pub(super) async fn flush(&self, deadline: Instant) -> usize {
        let mut left = self.left.subscribe();
        // The sender lives as long as the producer.
        let _ = timeout_at(deadline, left.wait_for(|left| *left == 0)).await;
        *self.left.borrow()
    }

    /// Jobs that are not in the queue yet, those that were lost before it, and those that it
    /// refused.
    pub(crate) fn numbers(&self) -> (usize, u64, u64) {
        let (_, lost) = self.jobs.waiting_and_lost();
        (*self.left.borrow(), lost, self.refused.load(Relaxed))
    }

    async fn run(self: Arc<Self>) {
        loop {
            self.jobs.some().await;
            let mut jobs = self.jobs.take();
            while !jobs.is_empty() {
                let some = jobs.drain(..jobs.len().min(JOBS_PER_PUSH)).collect();
                self.push_all(some).await;
            }
        }
    }

    /// Puts jobs into the queue, however long that takes.
    async fn push_all(&self, mut jobs: Vec<queues::Job>) {
        let mut backoff = Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE);
        let all = jobs.len();
        while let Err(PushError { jobs: left, reason }) = self.queue.push(jobs).await {
            jobs = left;
            match reason {
                QueueError::Away(_) => {
                    sleep(backoff.pause()).await;
                }
                QueueError::Refused(_) | QueueError::Full { .. } | QueueError::TooLarge { .. } => {
                    self.refused.fetch_add(jobs.len() as u64, Relaxed);
                    if REFUSED.may_log() {
                        tracing::error!(jobs = jobs.len(), %reason, "webhooks are given up");
                    }
                    break;
                }
            }
        }
        self.left.send_modify(|left| *left -= all);
    }
}
