//! A job in hand.

use std::fmt;
use std::sync::Arc;

use crate::Job;
use crate::desk::Desk;
use crate::shelf::{Held, Ticket};

/// A job that was handed out. Dropped without [`done`](Delivery::done), it is handed out again: after
/// a second by this worker, or by another one if this one is dead.
#[must_use = "a job that is dropped is handed out again"]
pub struct Delivery {
    /// The job.
    pub job: Job,
    lane: Box<str>,
    ticket: Ticket,
    before: u32,
    desk: Arc<Desk>,
    done: bool,
}

impl Delivery {
    pub(crate) fn new(held: Held, desk: Arc<Desk>) -> Self {
        let lane = held.job.lane.as_str().into();
        let Held { ticket, job, before } = held;
        Delivery { job, lane, ticket, before, desk, done: false }
    }

    /// How often it was handed out before. In Redis, whatever other workers did with it counts as
    /// once; in SQS, having been put off for want of room counts, too.
    pub fn handed_out_before(&self) -> u32 {
        self.before
    }

    /// It is done, whatever came of it: never handed out again. The queue is told in the background,
    /// so if this worker dies in that moment, another one does it once more.
    pub fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.desk.settle(&self.lane, self.ticket, self.done);
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("job", &self.job).field("before", &self.before).finish()
    }
}
