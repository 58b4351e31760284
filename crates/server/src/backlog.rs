//! What waits for a task that works it off: bounded in bytes; what does not fit is counted and lost.
//! So far that is what becomes of webhooks, on both sides of the webhook task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::sync::Notify;

use failures::LogThrottle;

/// Something that can wait.
pub(crate) trait Waits {
    /// About how many bytes it takes.
    fn weight(&self) -> usize;

    /// Whether it may be lost; what may not is rare and small.
    fn may_be_lost(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    bytes: usize,
}

/// Filled by any thread, emptied by one task. Its lock may be taken under a channel's lock, never
/// around one.
#[derive(Debug)]
pub(crate) struct Backlog<T> {
    queue: Mutex<Queue<T>>,
    most: usize,
    lost: AtomicU64,
    some: Notify,
    complaint: LogThrottle,
}

impl<T: Waits> Backlog<T> {
    /// Empty. `most`: bytes that may wait.
    pub(crate) fn new(most: usize) -> Self {
        Backlog {
            queue: Mutex::new(Queue { items: VecDeque::new(), bytes: 0 }),
            most,
            lost: AtomicU64::new(0),
            some: Notify::new(),
            complaint: LogThrottle::new(),
        }
    }

    /// Puts something at the end. The task has to be [woken](Self::wake) after it, once no channel
    /// is locked any more, for that may be a system call. False if there is no room.
    pub(crate) fn push(&self, item: T) -> bool {
        let weight = item.weight();
        let mut queue = self.queue.lock();
        if queue.bytes + weight > self.most && item.may_be_lost() {
            drop(queue);
            self.lost.fetch_add(1, Relaxed);
            if self.complaint.may_log() {
                let most = self.most;
                tracing::error!(most, "webhook events are lost: as many bytes wait as may wait");
            }
            return false;
        }
        queue.bytes += weight;
        queue.items.push_back(item);
        true
    }

    /// Has the task look.
    pub(crate) fn wake(&self) {
        self.some.notify_one();
    }

    /// Everything that is there.
    pub(crate) fn take(&self) -> VecDeque<T> {
        let mut queue = self.queue.lock();
        queue.bytes = 0;
        std::mem::take(&mut queue.items)
    }

    /// Resolves when there may be something.
    pub(crate) async fn some(&self) {
        self.some.notified().await;
    }

    /// What waits, and what was lost so far.
    pub(crate) fn waiting_and_lost(&self) -> (usize, u64) {
        (self.queue.lock().items.len(), self.lost.load(Relaxed))
    }
}
