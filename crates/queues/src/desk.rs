//! Where a worker and whoever does its jobs meet. Knows no server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Room;
use crate::counters::{Tally, count};
use crate::shelf::{Held, Shelf, Ticket};

/// How often a lane without room, or a job that came back, is looked at again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A [`Shelf`] that is shared by a worker, its consumer and the jobs in hand. Its lock is held for
/// moments only, and asks for room while it is held.
pub(crate) struct Desk {
    pub(crate) shelf: Mutex<Shelf>,
    pub(crate) room: Arc<dyn Room>,
    pub(crate) tally: Arc<Tally>,
    /// Something was brought, or can be handed out now.
    brought: Notify,
    /// Something was taken or is done.
    pub(crate) taken: Notify,
    closed: AtomicBool,
}

impl Desk {
    pub(crate) fn new(width: (usize, usize), room: Arc<dyn Room>, tally: Arc<Tally>) -> Self {
        Desk {
            shelf: Mutex::new(Shelf::new(width)),
            room,
            tally,
            brought: Notify::new(),
            taken: Notify::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// Changes what is on the shelf, and tells the consumer.
    pub(crate) fn bring<T>(&self, change: impl FnOnce(&mut Shelf) -> T) -> T {
        let changed = change(&mut self.shelf.lock());
        self.brought.notify_one();
        changed
    }

    /// How many more jobs of a lane should be brought.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "SQS brings what it likes"))]
    pub(crate) fn appetite(&self, lane: &str) -> usize {
        self.shelf.lock().appetite(lane, self.room.as_ref())
    }

    /// Whether a job of a lane that was brought can stay.
    #[cfg_attr(not(feature = "sqs"), allow(dead_code, reason = "Redis brings what was asked for"))]
    pub(crate) fn takes_in(&self, lane: &str) -> bool {
        self.room.room(lane) > 0 && self.shelf.lock().space(lane) > 0
    }

    /// Nothing is handed out any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// The next job, in hand from now on: to be [settled](Desk::settle). Cancel-safe: it is taken and
    /// returned in one step.
    pub(crate) async fn next(&self) -> Held {
        loop {
            let brought = self.brought.notified();
            if let Some(held) = self.take() {
                return held;
            }
            if self.shelf.lock().is_waiting() {
                let _ = tokio::time::timeout(LOOK_AGAIN, brought).await;
                self.shelf.lock().look_again(Instant::now());
            } else {
                brought.await;
            }
        }
    }

    fn take(&self) -> Option<Held> {
        if self.closed.load(Relaxed) {
            return None;
        }
        let held = self.shelf.lock().take(self.room.as_ref())?;
        count(&self.tally.handed_out, 1);
        self.taken.notify_one();
        Some(held)
    }

    /// A job is in hand no more: it is done, or waits to be handed out again.
    pub(crate) fn settle(&self, lane: &str, ticket: Ticket, done: bool) {
        let mut shelf = self.shelf.lock();
        if done {
            count(&self.tally.done, 1);
            shelf.finish(lane, ticket);
        } else {
            shelf.give_back(lane, ticket, Instant::now());
        }
        drop(shelf);
        self.taken.notify_one();
        self.brought.notify_one();
    }
}
