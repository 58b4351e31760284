//! Where a worker and whoever does its jobs meet. Knows no server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Room;
use crate::counters::{Tally, count};
use crate::scheduler::{HandoutId, Held, Scheduler};

/// How often a partition without room, or a job that came back, is looked at again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A [`Scheduler`] that is shared by a worker, its consumer and the jobs in hand. Its lock is held for
/// moments only, and asks for room while it is held.
pub(crate) struct JobBuffer {
    pub(crate) scheduler: Mutex<Scheduler>,
    pub(crate) room: Arc<dyn Room>,
    pub(crate) tally: Arc<Tally>,
    /// Something was brought, or can be handed out now.
    brought: Notify,
    /// Something was taken or is done.
    pub(crate) taken: Notify,
    closed: AtomicBool,
}

impl JobBuffer {
    pub(crate) fn new(width: (usize, usize), room: Arc<dyn Room>, tally: Arc<Tally>) -> Self {
        JobBuffer {
            scheduler: Mutex::new(Scheduler::new(width)),
            room,
            tally,
            brought: Notify::new(),
            taken: Notify::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// Changes what the scheduler has, and tells the consumer.
    pub(crate) fn bring<T>(&self, change: impl FnOnce(&mut Scheduler) -> T) -> T {
        let changed = change(&mut self.scheduler.lock());
        self.brought.notify_one();
        changed
    }

    /// How many more jobs of a partition should be brought.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "SQS brings what it likes"))]
    pub(crate) fn appetite(&self, partition: &str) -> usize {
        self.scheduler.lock().appetite(partition, self.room.as_ref())
    }

    /// Whether a job of a partition that was brought can stay.
    #[cfg_attr(not(feature = "sqs"), allow(dead_code, reason = "Redis brings what was asked for"))]
    pub(crate) fn takes_in(&self, partition: &str) -> bool {
        self.room.room(partition) > 0 && self.scheduler.lock().space(partition) > 0
    }

    /// Nothing is handed out any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// The next job, in hand from now on: to be [settled](JobBuffer::settle). Cancel-safe: it is taken and
    /// returned in one step.
    pub(crate) async fn next(&self) -> Held {
        loop {
            let brought = self.brought.notified();
            if let Some(held) = self.take() {
                return held;
            }
            if self.scheduler.lock().is_waiting() {
                let _ = tokio::time::timeout(LOOK_AGAIN, brought).await;
                self.scheduler.lock().look_again(Instant::now());
            } else {
                brought.await;
            }
        }
    }

    fn take(&self) -> Option<Held> {
        if self.closed.load(Relaxed) {
            return None;
        }
        let held = self.scheduler.lock().take(self.room.as_ref())?;
        count(&self.tally.handed_out, 1);
        self.taken.notify_one();
        Some(held)
    }

    /// A job is in hand no more: it is done, or waits to be handed out again.
    pub(crate) fn settle(&self, partition: &str, handout: HandoutId, done: bool) {
        let mut scheduler = self.scheduler.lock();
        if done {
            count(&self.tally.done, 1);
            scheduler.finish(partition, handout);
        } else {
            scheduler.give_back(partition, handout, Instant::now());
        }
        drop(scheduler);
        self.taken.notify_one();
        self.brought.notify_one();
    }
}
