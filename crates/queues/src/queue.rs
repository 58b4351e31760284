//! A queue as the options choose it.

use std::sync::Arc;

use config::{Config, QueueDriver};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::counters::Tally;
use crate::job_buffer::JobBuffer;
#[cfg(feature = "redis")]
use crate::redis::{self, RedisQueue};
#[cfg(feature = "sqs")]
use crate::sqs::{self, SqsQueue};
use crate::{Delivery, Depth, Job, PushError, QueueCounters, QueueError, QueueOpenError, Room};

/// A queue that several nodes share. Clones are the same queue. It is used in one runtime, which may
/// be a current-thread one: its connections are served there.
#[derive(Clone)]
pub struct Queue {
    driver: Driver,
    tally: Arc<Tally>,
}

#[derive(Clone)]
enum Driver {
    #[cfg(feature = "redis")]
    Redis(Arc<RedisQueue>),
    #[cfg(feature = "sqs")]
    Sqs(Arc<SqsQueue>),
}

/// Hands out jobs, as a worker that shares the queue with others. When it is dropped, the worker
/// tells what is done and leaves its other jobs to others, in the background.
pub struct Consumer {
    buffer: Arc<JobBuffer>,
    /// Dropped, it ends the worker.
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

impl Queue {
    /// The queue that the options choose; none for `sync`. It connects when it is used first, so a
    /// server that is away is no error of this.
    ///
    /// # Errors
    /// The options can never work.
    pub fn open(config: &Config) -> Result<Option<Queue>, QueueOpenError> {
        let tally = Arc::new(Tally::default());
        let driver = match config.queue.driver {
            QueueDriver::Sync => return Ok(None),
            #[cfg(feature = "redis")]
            QueueDriver::Redis => Driver::Redis(Arc::new(RedisQueue::new(config, tally.clone())?)),
            #[cfg(not(feature = "redis"))]
            QueueDriver::Redis => return Err(QueueOpenError::NotBuiltIn("redis")),
            #[cfg(feature = "sqs")]
            QueueDriver::Sqs => Driver::Sqs(Arc::new(SqsQueue::new(config, tally.clone())?)),
            #[cfg(not(feature = "sqs"))]
            QueueDriver::Sqs => return Err(QueueOpenError::NotBuiltIn("sqs")),
        };
        Ok(Some(Queue { driver, tally }))
    }

    /// Puts jobs into the queue. When this is `Ok`, all are in it. Jobs of one partition and group are in
    /// order, as far as they are pushed one call after the other.
    ///
    /// # Errors
    /// Some are not in, which the error has. Where an answer was lost they may be in all the same,
    /// so that whoever pushes them again makes two of one. If the partition is full, later jobs of it are
    /// refused, too.
    pub async fn push(&self, jobs: Vec<Job>) -> Result<(), PushError> {
        match self.driver {
            #[cfg(feature = "redis")]
            Driver::Redis(ref queue) => queue.push(jobs).await,
            #[cfg(feature = "sqs")]
            Driver::Sqs(ref queue) => queue.push(jobs).await,
        }
    }

    /// Begins to take jobs out of the queue, as far as there is room for them. Spawns tasks with
    /// `tokio::spawn`, which a current-thread runtime does as well.
    pub fn consume(&self, room: Arc<dyn Room>) -> Consumer {
        let (stop, stopped) = oneshot::channel();
        let (buffer, worker) = match self.driver {
            #[cfg(feature = "redis")]
            Driver::Redis(ref queue) => {
                let buffer = Arc::new(JobBuffer::new(queue.width, room, self.tally.clone()));
                let work = redis::work(queue.clone(), buffer.clone(), stopped);
                (buffer, tokio::spawn(work))
            }
            #[cfg(feature = "sqs")]
            Driver::Sqs(ref queue) => {
                let buffer = Arc::new(JobBuffer::new(sqs::WIDTH, room, self.tally.clone()));
                let work = sqs::work(queue.clone(), buffer.clone(), stopped);
                (buffer, tokio::spawn(work))
            }
        };
        Consumer { buffer, stop, worker }
    }

    /// What waits in the queue now. Asks for each partition, so it is for whoever looks from time to time.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        match self.driver {
            #[cfg(feature = "redis")]
            Driver::Redis(ref queue) => queue.depth().await,
            #[cfg(feature = "sqs")]
            Driver::Sqs(ref queue) => queue.depth().await,
        }
    }

    /// What this process has done with the queue.
    pub fn counters(&self) -> QueueCounters {
        self.tally.counters()
    }
}

impl Consumer {
    /// The next job. Whoever stops waiting loses none.
    pub async fn next(&mut self) -> Delivery {
        let held = self.buffer.next().await;
        Delivery::new(held, self.buffer.clone())
    }

    /// Tells the queue what is done, and leaves everything else to other workers, those jobs too
    /// that are still in hand. Takes little more than two seconds at most.
    pub async fn close(self) {
        drop(self.stop);
        // A panic has been reported by its hook.
        let _ = self.worker.await;
    }
}
