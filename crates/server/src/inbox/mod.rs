//! A shard's inbox: the one way in which other threads, and the decisions made under a stripe's
//! lock, reach a shard. What is pushed under one lock comes out in that order. It must not know how a
//! shard carries out what it is asked to do.

mod op;
mod report;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use op::Op;
pub(crate) use report::{ShardReport, reports};

/// How much a shard's inbox may hold before publishes are refused: `inbox.maxEvents`, `inbox.maxMb`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InboxLimits {
    /// Operations waiting.
    pub(crate) events: usize,
    /// Bytes of the frames waiting, each counted in every inbox that it is in.
    pub(crate) bytes: usize,
}

/// Owned by one shard, filled by all threads.
///
/// Pushing never fails: whoever lets an event in asks first whether [there is room](Self::has_room),
/// and if one of the node's inboxes is full,
///
/// - an HTTP publish is refused with 503 (`http::publish`),
/// - the sender of a client event gets an error (`session::client_event`),
/// - the cluster's driver reads nothing more from peers for a bounded time (`peers::membership`),
/// - then peers' events are dropped and counted (`channels::core::receiving`).
///
/// What follows from a client's own subscriptions is always taken, for it is bounded by what the
/// shards themselves read.
pub(crate) struct Inbox {
    waiting: Mutex<Vec<Op>>,
    ready: Notify,
    events: AtomicUsize,
    bytes: AtomicUsize,
    limits: InboxLimits,
}

impl Inbox {
    pub(crate) fn new(limits: InboxLimits) -> Self {
        Inbox {
            waiting: Mutex::default(),
            ready: Notify::new(),
            events: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            limits,
        }
    }

    /// Whether another publish may come in.
    pub(crate) fn has_room(&self) -> bool {
        self.events.load(Relaxed) < self.limits.events
            && self.bytes.load(Relaxed) < self.limits.bytes
    }

    /// Operations and bytes waiting.
    pub(crate) fn depth(&self) -> (usize, usize) {
        (self.events.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Adds an operation; true if the shard has to be woken for it.
    #[must_use]
    pub(crate) fn push(&self, op: Op) -> bool {
        self.bytes.fetch_add(op.bytes(), Relaxed);
        self.events.fetch_add(1, Relaxed);
        let mut waiting = self.waiting.lock();
        waiting.push(op);
        waiting.len() == 1
    }

    /// Lets the shard know. Kept apart from [`push`](Self::push), because it may be a system call
    /// and must not happen under a stripe's lock.
    pub(crate) fn wake(&self) {
        self.ready.notify_one();
    }

    /// Adds an operation and wakes the shard if need be.
    pub(crate) fn send(&self, op: Op) {
        if self.push(op) {
            self.wake();
        }
    }

    /// Waits until there is something to drain.
    pub(crate) async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Takes everything that waits, in order. `taken` must be empty; its memory is used again.
    pub(crate) fn drain(&self, taken: &mut Vec<Op>) {
        debug_assert!(taken.is_empty());
        std::mem::swap(&mut *self.waiting.lock(), taken);
        self.events.fetch_sub(taken.len(), Relaxed);
        self.bytes.fetch_sub(taken.iter().map(Op::bytes).sum(), Relaxed);
    }
}
