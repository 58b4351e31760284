//! What a queue says about itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What this process has done with a queue since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    /// Jobs put into the queue.
    pub pushed: u64,
    /// Jobs not put into it because their partition was full, or because they are too large.
    pub refused: u64,
    /// Jobs handed out, each time.
    pub handed_out: u64,
    /// Jobs done.
    pub done: u64,
    /// Jobs that another worker had before; in SQS those that were put off, too.
    pub taken_over: u64,
    /// Calls of the queue's server that failed.
    pub errors: u64,
    /// Whether the server answered the last time; before the first time it does not.
    pub is_up: bool,
}

/// What waits in the queue, of all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs that are not done.
    pub jobs: u64,
    /// How long the oldest of them has been there; none if there is none, or nobody knows.
    pub oldest: Option<Duration>,
}

/// The counters while they are counted. Shared by whatever uses one queue.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) pushed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) handed_out: AtomicU64,
    pub(crate) done: AtomicU64,
    pub(crate) taken_over: AtomicU64,
    pub(crate) errors: AtomicU64,
    is_up: AtomicBool,
    /// It was said once whether the server is there.
    is_known: AtomicBool,
}

impl Tally {
    pub(crate) fn counters(&self) -> QueueCounters {
        QueueCounters {
            pushed: self.pushed.load(Relaxed),
            refused: self.refused.load(Relaxed),
            handed_out: self.handed_out.load(Relaxed),
            done: self.done.load(Relaxed),
            taken_over: self.taken_over.load(Relaxed),
            errors: self.errors.load(Relaxed),
            is_up: self.is_up.load(Relaxed),
        }
    }

    /// The server answered.
    pub(crate) fn answered(&self, driver: &str) {
        self.is_known.store(true, Relaxed);
        if !self.is_up.swap(true, Relaxed) {
            tracing::info!(driver, "the queue is there");
        }
    }

    /// The server did not do what it should.
    pub(crate) fn failed(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    /// The server is away.
    pub(crate) fn away(&self, driver: &str, reason: &str) {
        self.failed();
        let is_first = !self.is_known.swap(true, Relaxed);
        if self.is_up.swap(false, Relaxed) || is_first {
            tracing::warn!(driver, reason, "the queue is away; jobs wait until it is back");
        }
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
